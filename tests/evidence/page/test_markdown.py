"""graftwork.evidence.page.markdown: whatever stands in a name, Markdown shows it and does nothing with it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftwork.evidence.page.markdown import fenced, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("card_arrival", "card_arrival"),
        ("_x_", "\\_x\\_"),
        ("a|b", "a\\|b"),
        ("\\[a](b)", "\\\\\\[a\\](b)"),
        ("# one", "\\# one"),
        ("1. one", "1<!-- -->. one"),
        ("a@b.org", "a<!-- -->@b.org"),
        ("www.x.org", "www<!-- -->.x.org"),
        ("<b>", "&lt;b&gt;"),
        ("two\nlines", "two lines"),
        ("$x$ ~y~ `z`", "\\$x\\$ \\~y\\~ \\`z\\`"),
    ],
)
def test_marks_are_shown(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(st.text(alphabet=st.sampled_from("[]()\\`*_|<>!#@:/.w \n"), max_size=30))
def test_nothing_becomes_a_link_or_a_tag(text: str) -> None:
    found = plain(text)
    bare = found.replace("<!-- -->", "")
    assert not re.search(r"(?<!\\)(?:\\\\)*[\[\]|`*]", bare)
    assert "<" not in bare
    assert "://" not in found
    assert "www." not in found
    assert "\n" not in found


@given(st.text(alphabet=st.sampled_from("`~\n abc"), max_size=40))
def test_a_block_of_code_ends_where_it_should(text: str) -> None:
    lines = fenced(text, "yaml").splitlines()
    fence = lines[-1]
    assert lines[0] == f"{fence}yaml"
    assert not any(one.strip().startswith(fence) for one in lines[1:-1])
