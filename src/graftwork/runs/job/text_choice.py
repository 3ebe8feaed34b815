"""What reads an input of texts: by their languages, and by what is at hand.

English: `mpnet` where it is at hand and can be afforded, else `minilm`. Other languages: `multilingual-e5-small`, else
a base that learns its characters or words from the rows. What the user names stays, with a warning where it does not
fit.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from graftwork.data.columns.joined import TextValue, as_parts
from graftwork.data.table import Input
from graftwork.networks.base_settings import BaseSettings
from graftwork.networks.bases.registry import DEFAULTS, parse_base
from graftwork.networks.text.scripts import SYLLABLES, Reading, reading
from graftwork.networks.text.vocabulary import uncut
from graftwork.runs.job.choice import Choice, at_hand, offer, texts_of
from graftwork.runs.job.language import ENGLISH, Spoken, spoken
from graftwork.runs.job.long_texts import reading_all

FEW, LONGEST = 400, 2000
"""Texts whose language is looked at, and characters of each."""
LARGE, MULTILINGUAL = "mpnet", "multilingual-e5-small"
LEARNED = "cnn"
"""The base for texts that nothing at hand can read: it learns its tokens from the training rows."""
GIVES_WAY, SAID = 0.5, 0.05
"""Share of rows that the default can't read from which they are learned instead, and from which it is said."""
MIXED = 0.2
"""Share of rows in other languages from which a multilingual base at hand reads all of them: of English it makes less
than an English one, but that one makes next to nothing of the others."""
SPACELESS = SYLLABLES | {"Thai", "Lao", "Khmer", "Myanmar", "Tibetan"}
"""Scripts whose words are many or not set apart: characters are learned."""


def text_choice(one: Input, base: BaseSettings, texts: list[TextValue], *, named: bool) -> Choice:
    """base: what the recipe names, or the usual one. texts: some of them, as a base sees them."""
    some = [" ".join(as_parts(text))[:LONGEST] for text in texts[:: -(-len(texts) // FEW)]]
    chosen = _reading_base(one, base, some, named=True) if named else _default(one, base, some)
    return fitted_to_lengths(one, chosen, texts, named=named)


def fitted_to_lengths(one: Input, chosen: Choice, texts: list[TextValue], *, named: bool = False) -> Choice:
    """The choice with a base that reads more of long texts, and what is to be said of that."""
    base, length = reading_all(one.name, chosen.base, texts, named=named)
    warnings = [note for note in (chosen.warning, length, _between(one, base)) if note]
    reasons = [note for note in (chosen.reason, _read_so(one, base)) if note]
    return replace(chosen, base=base, warning="\n".join(warnings), reason="\n".join(reasons))


def _read_so(one: Input, base: BaseSettings) -> str:
    """How a base reads texts that does not read them as they stand, with all its tokens."""
    settings = vars(base)
    prompt = f"{settings['prompt']!r} is read before each text of '{one.name}'" if settings.get("prompt") else ""
    trimmed = settings.get("vocabulary") == "trimmed"
    few = "of its tokens those are kept that your rows and their scripts use" if trimmed else ""
    told = ", and ".join(note for note in (prompt, few) if note)
    return f"base: {base.name}: {told}" if told else ""


def _default(one: Input, base: BaseSettings, texts: list[str]) -> Choice:
    """What reads the texts where none is named. base: the usual one."""
    heard = spoken(texts)
    which = " and ".join(heard.languages[:3]) or "in several languages"
    others = f"{texts_of(heard.share, one.name)} not English ({which})"
    if heard.share >= MIXED and at_hand(MULTILINGUAL):
        return Choice(parse_base(MULTILINGUAL), reason=f"base: {MULTILINGUAL} is chosen, because {others}")
    if heard.share < MIXED and not at_hand(base.name) and at_hand(LARGE):
        return Choice(parse_base(LARGE), reason=f"base: {LARGE} is chosen for '{one.name}' ({ENGLISH})")
    if not at_hand(base.name):
        return _learned(one, heard)
    choice = _reading_base(one, base, texts, named=False)
    if choice.base != base or choice.warning:
        return choice
    if heard.share >= SAID:
        gives = offer(MULTILINGUAL)
        better = f"; {MULTILINGUAL} reads them: {gives}" if gives and not at_hand(MULTILINGUAL) else ""
        return Choice(base, warning=f"base: {others}, and {base.name} knows English only{better}")
    if at_hand(LARGE):
        return Choice(base, options=(LARGE, base.spec))
    gives = offer(LARGE)
    better = f"base: {base.name} reads '{one.name}'; {LARGE} usually scores better on English: {gives}"
    return Choice(base, reason=better if gives else "")


def _learned(one: Input, heard: Spoken) -> Choice:
    """A base from scratch, for want of any that could read the texts."""
    english = heard.share < MIXED
    better = offer(DEFAULTS["text"] if english else MULTILINGUAL)
    larger = f" or {offer(LARGE)}" if english and better and offer(LARGE) else ""
    remedy = f": {better}{larger}" if better else ": --base FOLDER or a hub id (docs/bases.md)"
    base = parse_base(f"{LEARNED}:tokens=character" if set(heard.languages) & SPACELESS else LEARNED)
    language = ENGLISH if english else " and ".join(heard.languages[:3])
    return Choice(
        base,
        warning=f"base: no pretrained base for {language} is here, so {LEARNED} learns '{one.name}' from your rows "
        f"alone; a pretrained one usually scores far better{remedy}",
    )


def _between(one: Input, base: BaseSettings) -> str:
    """That a pretrained base sets nothing between the texts of a row."""
    file = base.tokenizer_file() if len(one.columns) > 1 and base.pretrained else None
    if file is None:
        return ""
    from tokenizers import Tokenizer

    from graftwork.networks.hub.joined_texts import separator_of

    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    if separator_of(tokenizer):
        return ""
    return (
        f"base: the tokenizer of {base.spec} sets nothing between the texts of '{one.name}', which then run into each "
        "other; bases like BERT and RoBERTa have a token for that"
    )


def _reading_base(one: Input, base: BaseSettings, texts: list[str], *, named: bool) -> Choice:
    """The base if it can read the script of the texts; else one that can, unless it is named."""
    found = _read(base.tokenizer_file(), texts) if base.pretrained else Reading()
    if found.rows < SAID:
        return Choice(base)
    which = " and ".join(found.scripts[:3])
    short = base.spec if len(base.spec) < 60 else Path(base.spec).name
    called = f"the {short}" if named else f"the default {short}"
    cause = f"base: {called} can't read {100 * found.rows:.0f} % of the texts in '{one.name}' ({which})"
    remedy = _remedy()
    if named:
        return Choice(base, warning=f"{cause}. It is kept, as named; {remedy}, or --base {LEARNED}")
    if found.rows < GIVES_WAY:
        return Choice(base, warning=f"{cause} and is kept for the others; {remedy}")
    spaceless = set(found.scripts) & SPACELESS
    learned = parse_base(f"{LEARNED}:tokens=character" if spaceless else LEARNED)
    what = "characters" if spaceless else "words"
    said = f"{cause}, so {LEARNED} is trained instead, which learns the {what} of your rows; {remedy}"
    return Choice(learned, warning=said)


def _remedy() -> str:
    """What reads other languages."""
    if at_hand(MULTILINGUAL):
        return f"a multilingual base reads them: --base {MULTILINGUAL}"
    ways = [offer(MULTILINGUAL), "--base FOLDER", "or a hub id such as intfloat/multilingual-e5-small"]
    return f"a multilingual base reads them: {', '.join(way for way in ways if way)}"


def _read(file: Path | None, texts: list[str]) -> Reading:
    if file is None or not texts or all(text.isascii() for text in texts):
        return Reading()
    return reading(uncut(file, texts), texts)
