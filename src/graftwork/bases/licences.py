"""What licences allow, as far as it is known: by SPDX identifiers, by the names in model cards, and by their text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from graftwork.data.store.names import inside
from graftwork.data.store.yaml_files import parse_yaml
from graftwork.errors import ModelError, UsageError

UNKNOWN = "unknown"

_ALLOWS = """
AFL-3.0 AGPL-3.0 AGPL-3.0-only AGPL-3.0-or-later Apache-1.1 Apache-2.0 Artistic-2.0 BSD-2-Clause BSD-3-Clause
BSD-3-Clause-Clear BSL-1.0 CC-BY-2.0 CC-BY-2.5 CC-BY-3.0 CC-BY-4.0 CC-BY-SA-3.0 CC-BY-SA-4.0 CC0-1.0 CDLA-Permissive-1.0
CDLA-Permissive-2.0 CDLA-Sharing-1.0 ECL-2.0 EPL-1.0 EPL-2.0 EUPL-1.1 EUPL-1.2 GPL-2.0 GPL-2.0-only GPL-2.0-or-later
GPL-3.0 GPL-3.0-only GPL-3.0-or-later ISC LGPL-2.1 LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0 LGPL-3.0-only
LGPL-3.0-or-later MIT MIT-0 MPL-2.0 MS-PL NCSA ODC-By-1.0 ODbL-1.0 OFL-1.1 OSL-3.0 PDDL-1.0 PostgreSQL Unlicense WTFPL
Zlib
"""
_FORBIDS = """
CC-BY-NC-2.0 CC-BY-NC-3.0 CC-BY-NC-4.0 CC-BY-NC-ND-2.0 CC-BY-NC-ND-3.0 CC-BY-NC-ND-4.0 CC-BY-NC-SA-2.0 CC-BY-NC-SA-3.0
CC-BY-NC-SA-4.0
"""
COMMERCIAL: Mapping[str, bool] = dict.fromkeys(_ALLOWS.split(), True) | dict.fromkeys(_FORBIDS.split(), False)
"""By SPDX identifier, whether commercial use is allowed. Some of them ask for something in return; that is not said."""

_BY_CASE = {name.lower(): name for name in COMMERCIAL}
_TEXTS = (
    (r"attribution-noncommercial-noderiv\w+ 4\.0", "CC-BY-NC-ND-4.0"),
    (r"attribution-noncommercial-sharealike 4\.0", "CC-BY-NC-SA-4.0"),
    (r"attribution-noncommercial 4\.0", "CC-BY-NC-4.0"),
    (r"attribution-sharealike 4\.0", "CC-BY-SA-4.0"),
    (r"creative commons attribution 4\.0|attribution 4\.0 international", "CC-BY-4.0"),
    (r"cc0 1\.0 universal", "CC0-1.0"),
    (r"apache license,? version 2\.0", "Apache-2.0"),
    (r"gnu affero general public license version 3", "AGPL-3.0-only"),
    (r"gnu lesser general public license version 3", "LGPL-3.0-only"),
    (r"gnu general public license version 3", "GPL-3.0-only"),
    (r"gnu general public license version 2", "GPL-2.0-only"),
    (r"mozilla public license,? version 2\.0", "MPL-2.0"),
    (r"permission is hereby granted, free of charge, to any person", "MIT"),
    (r"redistribution and use in source and binary forms.*neither the name", "BSD-3-Clause"),
    (r"redistribution and use in source and binary forms", "BSD-2-Clause"),
    (r"permission to use, copy, modify, and/or distribute this software", "ISC"),
    (r"this is free and unencumbered software released into the public domain", "Unlicense"),
)
"""A phrase of a licence's text, in lower case with single blanks, and its identifier; the first one found counts."""
_READ = 64 * 1024
"""Bytes of a file that are looked at."""
_LONGEST = 80
"""Characters of the name of a licence that is not known here."""


def spdx(name: str) -> str:
    """The identifier of a licence as cards write it; a name that is not known here stays as it is.

    >>> spdx("apache-2.0"), spdx("CC-BY-NC-4.0"), spdx("llama3"), spdx(" ")
    ('Apache-2.0', 'CC-BY-NC-4.0', 'llama3', 'unknown')
    """
    plain = " ".join(name.split())[:_LONGEST]
    return _BY_CASE.get(plain.lower(), plain) if plain and plain.isprintable() else UNKNOWN


def allows_commercial_use(licence: str) -> bool:
    """Whether the licence is known to allow it; False where it forbids it, and where nothing is known."""
    return COMMERCIAL.get(licence, False)


def of_text(text: str) -> str:
    """The identifier of the licence that has this text; unknown where it is none of the common ones."""
    plain = " ".join(text.lower().split())
    return next((name for phrase, name in _TEXTS if re.search(phrase, plain)), UNKNOWN)


def of_card(text: str) -> str:
    """What the head of a model card (README.md) says: `license:`, and where that is "other", `license_name:`."""
    told = _front_matter(text)
    named = [told.get(key) for key in ("license", "license_name")]
    if isinstance(named[0], list):
        named[0] = " and ".join(str(one) for one in named[0])
    known = [name for name in named if isinstance(name, str) and name.strip() and name.strip().lower() != "other"]
    return spdx(known[0]) if known else UNKNOWN


def _front_matter(text: str) -> Mapping[str, object]:
    """The names and values at the head of a model card; none where it has none, or they can't be read."""
    found = re.match(r"\s*---\s*\n(.*?)\n---\s*(\n|$)", text, re.DOTALL)
    if not found:
        return {}
    try:
        told = parse_yaml(found.group(1), "README.md", "model card")
    except UsageError:
        return {}
    return told if isinstance(told, dict) else {}


def stated_in(folder: Path) -> str:
    """The licence that a folder states: in its model card, else in a file LICENSE; unknown where it states none."""
    card = of_card(_text(folder, "README.md"))
    if card != UNKNOWN:
        return card
    names = ("LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "COPYING")
    return next((found for name in names if (found := of_text(_text(folder, name))) != UNKNOWN), UNKNOWN)


def _text(folder: Path, name: str) -> str:
    """The beginning of a file; nothing where there is none that can be read, or a link leads out of the folder."""
    try:
        path = inside(folder, name)
        if not path.is_file():
            return ""
        with open(path, "rb") as file:
            return file.read(_READ).decode("utf-8", errors="replace")
    except (OSError, ModelError):
        return ""
