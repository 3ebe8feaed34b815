"""Text normalisation, setting by setting."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftwork.data.columns.stopwords import CHINESE, ENGLISH
from graftwork.data.columns.text import TextSettings, normalise, strip_markup
from graftwork.errors import UsageError

NOTHING = TextSettings(whitespace=False)
_TEXT = st.text(max_size=40)


@pytest.mark.parametrize(
    ("settings", "text", "expected"),
    [
        (TextSettings(), "  a\t b\u3000c\u200b\n", "a b c"),
        (TextSettings(unicode="NFC"), "cafe\u0301", "caf\u00e9"),
        (TextSettings(unicode="NFKC"), "Ａｂ ﬁ １", "Ab fi 1"),
        (TextSettings(lowercase=True), "ÄB c", "äb c"),
        (TextSettings(markup=True), "<p>Tom &amp; <b>J</b>erry</p><p>x<br/>y</p>", "Tom & Jerry x y"),
        (TextSettings(markup=True), "if a < b and c > d, I <3 it", "if a < b and c > d, I <3 it"),
        (TextSettings(markup=True), "<script>var x=1</script>a<!-- no --><style>b{}</style>c", "a c"),
        (TextSettings(markup=True), "&lt;b&gt; stays", "<b> stays"),
        (TextSettings(markup=True), '<text lang="zh"><s>价格</s></text>', "价格"),
        (TextSettings(stop_words="en"), "Where is the CARD, and why isn't it here?", "CARD, isn't ?"),
        (TextSettings(stop_words="en"), "What is it about?", "What is it about?"),
        (TextSettings(stop_words="en"), "I’m not happy", "not happy"),
        (TextSettings(stop_words="zh"), "我们的酒店是很好的，但是价格不便宜", "酒店好，价格不便宜"),
        (TextSettings(stop_words="zh"), "为什么", "为什么"),
    ],
)
def test_settings(settings: TextSettings, text: str, expected: str) -> None:
    assert normalise(text, settings) == expected


@given(_TEXT)
def test_nothing_changes_nothing(text: str) -> None:
    assert normalise(text, NOTHING) == text


@given(_TEXT)
def test_twice_is_once(text: str) -> None:
    for settings in (TextSettings(), TextSettings(unicode="NFKC"), TextSettings(unicode="NFC", lowercase=False)):
        once = normalise(text, settings)
        assert normalise(once, settings) == once
    assert unicodedata.is_normalized("NFC", normalise(text, TextSettings(unicode="NFC")))


@given(st.text("<>abc/&;!-p \n", max_size=40))
def test_markup_never_fails(text: str) -> None:
    strip_markup(text)


@given(st.text("我们的酒店是很好为什么因为所以", max_size=20))
def test_chinese_stop_words_leave_a_subsequence(text: str) -> None:
    rest = iter(text)
    assert all(character in rest for character in normalise(text, TextSettings(stop_words="zh")))


def test_lists_hold_no_negations() -> None:
    assert not {"not", "no", "never", "don't"} & ENGLISH
    assert not {"不", "没", "没有", "无"} & CHINESE


def test_unknown_forms_are_refused() -> None:
    for settings in ({"unicode": "nfc"}, {"stop_words": "de"}):
        with pytest.raises(UsageError, match=r"Setting text\..* Expected one of: none"):
            TextSettings(**settings)  # type: ignore[arg-type]
