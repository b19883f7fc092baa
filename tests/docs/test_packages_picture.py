"""Tests of the picture of the packages."""

import re
from html import unescape

import pytest

from tools import draw_packages

PACKAGES = sorted(each.name for each in draw_packages.SOURCE.iterdir() if (each / "__init__.py").is_file())
TEXT = re.compile(r'<text class="(name|text)" x="([\d.]+)" y="(\d+)">(.*)</text>')
RECT = re.compile(r'<rect x="([\d.]+)" y="(\d+)" width="([\d.]+)" height="(\d+)"')


def test_every_package_is_drawn_once() -> None:
    drawn = [name for layer in draw_packages.layers() for name in layer]

    assert len(drawn) == len(set(drawn))
    assert set(PACKAGES) <= set(drawn)


@pytest.mark.parametrize("name", PACKAGES)
def test_every_package_has_a_sentence_on_its_contents(name: str) -> None:
    sentence = draw_packages.first_sentence(name)

    assert sentence.endswith(".")
    assert len(sentence.split()) > 3


def test_packages_stand_below_those_that_import_them() -> None:
    tops = {name: int(y) for kind, _, y, name in TEXT.findall(draw_packages.picture()) if kind == "name"}

    assert tops["web"] < tops["feed"] < tops["responses"] < tops["sessions"] < tops["platform"]


def test_texts_end_inside_their_boxes() -> None:
    drawn = draw_packages.picture()
    boxes = drawn.split("<rect ")[1:]

    assert len(boxes) == sum(map(len, draw_packages.layers()))
    for box in boxes:
        left, top, width, height = map(float, RECT.findall(f"<rect {box}")[0])
        for _, x, y, text in TEXT.findall(box):
            assert float(x) + len(unescape(text)) * draw_packages.CHAR_PX < left + width
            assert top < float(y) < top + height
