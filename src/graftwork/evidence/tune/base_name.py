"""What a base is called without the settings that a search varies."""

from __future__ import annotations

import re

_SPEC = re.compile(r":((?:[^\s:,=]+=[^\s,]*,?)+)(?=,\s|$)")
_VARIED = re.compile(r"[-+.\d][-+.\de]*|True|False|None")


def base_name(base: str) -> str:
    """Numbers and switches go, what says which base it is stays.

    >>> base_name("gru:width=16,dropout=0.239"), base_name("minilm")
    ('gru', 'minilm')
    >>> base_name("text: minilm:layers=3, photo: image-model:path=./m,size=96")
    'text: minilm, photo: image-model:path=./m'
    """
    return _SPEC.sub(lambda found: _kept(found[1]), base)


def _kept(settings: str) -> str:
    kept = [one for one in settings.split(",") if one and not _VARIED.fullmatch(one.partition("=")[2])]
    return f":{','.join(kept)}" if kept else ""
