"""Actions in a window of any engine. Each waits until it is possible, and reports a timeout."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from selenium.common import (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    JavascriptException,
    NoAlertPresentException,
    StaleElementReferenceException,
    TimeoutException,
    WebDriverException,
)
from selenium.webdriver import Remote
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

TIMEOUT_S = 30
POLL_S = 0.05
RETRIABLE_ERRORS = (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    JavascriptException,
    NoAlertPresentException,
    StaleElementReferenceException,
)

SHOWN = "return [...document.querySelectorAll('main, dialog[open]')].map((each) => each.innerText).join('\\n')"

FIND = """
  const [selector, words] = arguments;
  const place = document.querySelector('dialog[open]') ?? document;
  const named = (each) => [each.getAttribute('aria-label'), each.innerText].some((name) => name?.includes(words));
  const isThere = (each) => !each.disabled && each.checkVisibility() && (words === null || named(each));
  return [...place.querySelectorAll(selector)].find(isThere) ?? null;
"""

LISTEN = """
  if (!window.faults) {
    window.faults = [];
    addEventListener('error', (event) => faults.push(`${event.message} at ${event.filename}:${event.lineno}`));
    addEventListener('unhandledrejection', (event) => faults.push(`unhandled: ${event.reason}`));
    document.addEventListener('securitypolicyviolation', (event) => faults.push(`${event.violatedDirective} ${event.blockedURI}`));
    window.logged = [];
    for (const level of ['warn', 'error']) console[level] = (...what) => logged.push(`${level}: ${what.join(' ')}`);
  }
"""


class Window:
    """A window of an engine. A failed wait stores screenshot, text and console in `artefacts`."""

    def __init__(self, driver: Remote, base: str, language: str, artefacts: Path, *, size: tuple[int, int]) -> None:
        self.driver, self.base, self.language, self.artefacts = driver, base, language, artefacts
        driver.switch_to.new_window("window")
        self.handle = driver.current_window_handle
        driver.set_window_rect(0, 0, *size)

    def open(self, path: str) -> None:
        """Go to a path of the server, in the window's language."""
        self._front()
        address, _, fragment = path.partition("#")
        self.driver.get("about:blank")  # or an address that differs in its fragment alone would load nothing
        self.driver.get(f"{self.base}{address}?lang={self.language}" + (f"#{fragment}" if fragment else ""))
        self.run(LISTEN)

    def reload(self) -> None:
        """Load the page again, as a person does."""
        self._front()
        self.driver.refresh()
        self.run(LISTEN)

    def press(self, selector: str, words: str | None = None) -> None:
        """Click the first element of a selector, or the first whose name contains `words`."""

        def press() -> bool:
            element = self._found(selector, words)
            if element is not None:
                element.click()
            return element is not None

        self.until(press, f"something to press: {selector} {words or ''}")

    def fill(self, selector: str, text: str, words: str | None = None) -> None:
        """Type into a field, behind what it holds."""

        def fill() -> bool:
            element = self._found(selector, words)
            if element is not None:
                element.send_keys(text)
            return element is not None

        self.until(fill, f"a field to write in: {selector}")

    def see(self, *texts: str, within_s: float = TIMEOUT_S) -> None:
        """Wait until all texts are shown."""
        self.until(lambda: all(text in self.text() for text in texts), f"the words {texts}", within_s)

    def see_no(self, text: str) -> None:
        """Wait until a text is not shown any more."""
        self.until(lambda: text not in self.text(), f"the words {text!r} to go")

    def find(self, selector: str) -> None:
        """Wait until a selector finds something that is shown."""
        self.until(lambda: self._found(selector, None) is not None, f"an element: {selector}")

    def holds(self, expression: str) -> None:
        """Wait until a script's expression is true."""
        self.until(lambda: self.run(f"return Boolean({expression})"), f"that {expression}")

    def agree(self) -> None:
        """Accept the question that the page asks in a dialog of the browser's."""

        def agree() -> bool:
            self.driver.switch_to.alert.accept()
            return True

        self.until(agree, "a question to agree to")

    def text(self) -> str:
        return str(self.run(SHOWN))

    def run(self, script: str, *arguments: Any) -> Any:
        self._front()
        return self.driver.execute_script(script, *arguments)

    def until(self, true: Callable[[], bool], what: str, within_s: float = TIMEOUT_S) -> None:
        """Wait for something of this window, or say what was seen in its place."""
        self._front()
        try:
            WebDriverWait(self.driver, within_s, POLL_S, RETRIABLE_ERRORS).until(lambda _: true())
        except (TimeoutException, WebDriverException) as problem:
            raise AssertionError(
                f"Waited {within_s} s for {what}. {self.keep('failed')} ({type(problem).__name__}: {problem})"
            ) from problem

    def keep(self, name: str) -> str:
        """Keep the picture, the text and the console of this window, and say where."""
        self.artefacts.mkdir(parents=True, exist_ok=True)
        seen: dict[str, Any] = {}
        with suppress(WebDriverException):
            seen = self.run(
                "return { address: location.href, text: document.body.innerText, faults: window.faults, logged: window.logged }"
            )
            self.driver.save_screenshot(str(self.artefacts / f"{name}.png"))
        (self.artefacts / f"{name}.json").write_text(json.dumps(seen, ensure_ascii=False, indent=1))
        return f"At {seen.get('address')} it showed {str(seen.get('text'))[:400]!r}; the picture and the console are in {self.artefacts}."

    def errors(self) -> list[str]:
        """Return the errors that no page may have."""
        return list(self.run("return window.faults ?? []"))

    def _front(self) -> None:
        if getattr(self.driver, "front", None) != self.handle:
            self.driver.switch_to.window(self.handle)
            self.driver.front = self.handle  # type: ignore[attr-defined]

    def _found(self, selector: str, words: str | None) -> WebElement | None:
        found = self.run(FIND, selector, words)
        return found if isinstance(found, WebElement) else None
