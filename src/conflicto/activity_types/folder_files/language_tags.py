"""Language tags that name catalogs and phrases: BCP 47 with a language, a script and a region."""

from __future__ import annotations

import re

_TAG = re.compile(r"(?:([a-z]{2})|[a-z]{3})(?:-[A-Z][a-z]{3})?(?:-([A-Z]{2}|[0-9]{3}))?", re.ASCII)

_LANGUAGES = (
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv "
    "cy da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr "
    "ht hu hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw "
    "ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv "
    "ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr "
    "ss st su sv sw ta te tg th ti tk tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo "
    "za zh zu"
)
_REGIONS = (
    "AC AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO "
    "BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CP CQ CR CU CV CW CX CY CZ DE "
    "DG DJ DK DM DO DZ EA EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM "
    "GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU IC ID IE IL IM IN IO IQ IR IS IT JE JM JO JP "
    "KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK "
    "ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE "
    "PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM "
    "SN SO SR SS ST SV SX SY SZ TA TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US "
    "UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW"
)

LANGUAGES = frozenset(_LANGUAGES.split())
"""Languages of two letters (ISO 639-1) that Unicode CLDR names.

Of the 8,000 with three letters, only the form is checked.
"""

REGIONS = frozenset(_REGIONS.split())
"""Regions of two letters (ISO 3166-1) that Unicode CLDR names."""


def tag_fault(tag: str) -> tuple[str, str] | None:
    """Return the message and the remedy for a text that is no language tag, None for a tag.

    >>> tag_fault("zh-Hant-TW"), tag_fault("English")
    (None, ('is not named by a language', 'Use a tag such as en or pt-BR.'))
    """
    found = _TAG.fullmatch(tag)
    if found is None:
        reason = ""
    elif found[1] and found[1] not in LANGUAGES:
        reason = f", as there is no language {found[1]}"
    elif found[2] and found[2].isalpha() and found[2] not in REGIONS:
        reason = f", as there is no region {found[2]}"
    else:
        return None
    return f"is not named by a language{reason}", "Use a tag such as en or pt-BR."
