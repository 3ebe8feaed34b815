"""Several labels in a cell, in every form that tables have: found, read, and written back as it was."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftwork.data.columns.label_form import LabelForm, NotThisForm, read_brackets, split
from graftwork.data.columns.labels import are_marks, find_form, list_warning, looks_like_lists, named_form

AB, A, BC = ["a", "b"], ["a"], ["b", "c"]
FORMS = {
    "comma": ["a,b", "a", "b,c"],
    "comma and space": ["a, b", "a", "b, c"],
    "semicolon": ["a;b", "a", "b;c"],
    "semicolon and space": ["a; b", "a", "b; c"],
    "bar": ["a|b", "a", "b|c"],
    "bar with spaces": ["a | b", "a", "b | c"],
    "slash": ["a/b", "a", "b/c"],
    "space": ["a b", "a", "b c"],
    "newline": ["a\nb", "a", "b\nc"],
    "newline of Windows": ["a\r\nb", "a", "b\r\nc"],
    "tab": ["a\tb", "a", "b\tc"],
    "plus": ["a + b", "a", "b + c"],
    "plus alone": ["a+b", "a", "b+c"],
    "ampersand": ["a & b", "a", "b & c"],
    "double bar": ["a||b", "a", "b||c"],
    "double colon": ["a::b", "a", "b::c"],
    "SharePoint": ["a;#b", "a", "b;#c"],
    "Chinese comma": ["a，b", "a", "b，c"],
    "Chinese pause": ["a、b", "a", "b、c"],
    "full-width semicolon": ["a；b", "a", "b；c"],
    "html line break": ["a<br>b", "a", "b<br>c"],
    "json": ['["a", "b"]', '["a"]', '["b", "c"]'],
    "json without spaces": ['["a","b"]', '["a"]', '["b","c"]'],
    "Python list": ["['a', 'b']", "['a']", "['b', 'c']"],
    "Python tuple": ["('a', 'b')", "('a',)", "('b', 'c')"],
    "Python set": ["{'a', 'b'}", "{'a'}", "{'b', 'c'}"],
    "numpy": ["['a' 'b']", "['a']", "['b' 'c']"],
    "numpy over lines": ["['a'\n 'b']", "['a']", "['b'\n 'c']"],
    "database array": ["{a,b}", "{a}", "{b,c}"],
    "brackets without quotes": ["[a, b]", "[a]", "[b, c]"],
    "parentheses": ["(a, b)", "(a)", "(b, c)"],
    "numpy's repr": ["array(['a', 'b'], dtype=object)", "array(['a'], dtype=object)", "array(['b', 'c'], dtype='<U1')"],
    "frozenset": ["frozenset({'a', 'b'})", "frozenset({'a'})", "frozenset({'b', 'c'})"],
    "trailing separator": ["a;b;", "a;", "b;c;"],
    "leading separator": [";a;b", ";a", ";b;c"],
    "trailing SharePoint": ["a;#b;#", "a;#", "b;#c;#"],
    "spaces around": ["  a ,b ", " a", "b ,  c"],
    "bars around": ["|a|b|", "|a|", "|b|c|"],
    "quoted labels": ['"a", "b"', '"a"', '"b", "c"'],
}


@pytest.mark.parametrize("name", FORMS)
def test_every_form_is_found_and_read(name: str) -> None:
    form = find_form(FORMS[name])
    assert form is not None
    assert [form.read(text) for text in FORMS[name]] == [AB, A, BC]
    for labels in (AB, A, BC):
        assert form.read(form.write(labels)) == labels
    assert LabelForm(**form.state()) == form


_CHANGED = {"newline of Windows", "Python tuple", "numpy over lines", "numpy's repr", "frozenset"}
_CHANGED |= {"trailing separator", "leading separator", "trailing SharePoint", "spaces around", "bars around"}
_CHANGED |= {"quoted labels"}
"""Forms whose outermost signs or odd spaces are not written back."""


@pytest.mark.parametrize("name", sorted(set(FORMS) - _CHANGED))
def test_predictions_are_written_as_the_column_is(name: str) -> None:
    form = find_form(FORMS[name])
    assert form is not None
    assert [form.write(AB), form.write(A), form.write(BC)] == FORMS[name]


def test_hashtags_keep_their_sign() -> None:
    form = find_form(["#a #b", "#a", "#b #c"])
    assert form is not None
    assert form.read("#a #b") == ["#a", "#b"]
    assert form.write(["#a", "#b"]) == "#a #b"


@pytest.mark.parametrize("text", ["[]", "{}", "()", "[ ]", "set()", "frozenset()", "array([], dtype=object)"])
def test_empty_lists(text: str) -> None:
    form = find_form([*FORMS["json"], text])
    assert form is not None
    assert form.read(text) == []
    assert form.write([]) == "[]"


@pytest.mark.parametrize("text", ["[]", "{}", " () "])
def test_empty_lists_among_labels_without_brackets(text: str) -> None:
    form = find_form(["a, b", "a", "b, c", text])
    assert form is not None
    assert form.separator == ","
    assert (form.read(text), form.read("a, b")) == ([], ["a", "b"])


@pytest.mark.parametrize("text", ["None", "null", "nan", "<NA>"])
def test_missing_among_lists(text: str) -> None:
    assert LabelForm(",", ", ", "[", "]", "'").read(text) is None


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ('["a, b", "c"]', ["a, b", "c"]),
        ("['a, b', \"it's\"]", ["a, b", "it's"]),
        (r"['it\'s', 'b\\c']", ["it's", "b\\c"]),
        (r'["\u00e9", "\ud83d\ude00"]', ["é", "😀"]),
        (r"['\xe9', 'a\nb']", ["é", "a\nb"]),
        ('{"sci fi",drama,NULL}', ["sci fi", "drama"]),
        (r'{"say \"hi\"",b}', ['say "hi"', "b"]),
        ("[don't know, isn't]", ["don't know", "isn't"]),
        ("[sci fi]", ["sci fi"]),
        ("[1 2  3]", ["1", "2", "3"]),
        ("[1, 2.0]", ["1", "2.0"]),
        ("['a', None, nan]", ["a"]),
        ('["a", null]', ["a"]),
        ("[True, False]", ["True", "False"]),
        ("[b'a', u'b']", ["a", "b"]),
        ("[a;b]", ["a", "b"]),
    ],
)
def test_labels_in_brackets(text: str, labels: list[str]) -> None:
    assert read_brackets(text) == labels


@pytest.mark.parametrize("text", ["a, b", "['a', b", "[['a'], ['b']]", "['a' x'c']", "[", "{'a': 1, 'b': [2]}", "[\0]"])
def test_broken_brackets_are_refused(text: str) -> None:
    with pytest.raises(NotThisForm):
        read_brackets(text)


def test_numpy_prints_what_is_read() -> None:
    printed = str(np.array(["a", "b c", "it's"]))
    assert read_brackets(printed) == ["a", "b c", "it's"]
    assert read_brackets(repr(np.array(["a", "b"], dtype=object))) == ["a", "b"]


def test_quotes_keep_separators_inside() -> None:
    assert split('"Paris, France", Rome', ",") == ["Paris, France", "Rome"]
    assert split('say "hi", b', ",") == ['say "hi"', "b"]
    form = find_form(['"x, y", b', "b", "b, c"])
    assert form is not None
    assert form.read(form.write(["x, y", "b"])) == ["x, y", "b"]


@pytest.mark.parametrize(
    ("texts", "separator"),
    [
        (["sci fi, drama", "drama", "sci fi, action", "action"], ","),
        (["R&B; pop", "pop", "R&B; rock", "rock"], ";"),
        (["Paris, France; Rome, Italy", "Paris, France", "Rome, Italy; Bern, Switzerland"], ";"),
        (["and/or, not", "not", "and/or"], ","),
        (["clear primary", "clear", "primary water"], " "),
        (["1,2", "1", "2,3"], ","),
    ],
)
def test_the_separator_is_the_one_under_which_labels_recur(texts: list[str], separator: str) -> None:
    form = find_form(texts)
    assert form is not None
    assert form.separator == separator


@pytest.mark.parametrize(
    "texts", [["a", "b"], ["yes", "A/B test", "no", "maybe"], [], ["", " "], ["state-of-the-art", "b"]]
)
def test_where_there_is_no_separator_none_is_found(texts: list[str]) -> None:
    assert find_form(texts) is None


def test_a_named_separator_is_taken_where_it_stands() -> None:
    named = named_form(["a, b;c", "a"], ";")
    assert named is not None
    assert named.read("a, b;c") == ["a, b", "c"]
    assert named_form(["a, b"], ";") is None
    brackets = named_form(FORMS["Python list"], ",")
    assert brackets is not None
    assert brackets.read("['a', 'b']") == AB


@pytest.mark.parametrize("name", sorted(set(FORMS) - {"slash", "plus", "plus alone", "ampersand", "quoted labels"}))
def test_lists_that_are_read_as_classes_are_warned_of(name: str) -> None:
    (line,) = list_warning(FORMS[name], "tags")
    assert line.startswith("warning: tags: ")
    assert "--task multilabel" in line


@pytest.mark.parametrize(
    "texts",
    [
        ["yes", "no"],
        ["Yes, please", "No, thanks", "Maybe, later"],
        ["R&B", "rock", "pop/rock"],
        ["card arrival", "lost card", "exchange rate", "top up", "pending transfer"],
        ["not spam", "spam"],
        ["(none)", "(other)", "(both)"],
        ["2021-01-01", "2021-02-01"],
        ["1,5", "2,5"],
    ],
)
def test_names_of_classes_are_not_taken_for_lists(texts: list[str]) -> None:
    assert looks_like_lists(texts) is None


def test_marks_for_yes_and_no() -> None:
    assert are_marks(["0", "1"])
    assert are_marks(["Yes", "no"])
    assert not are_marks(["0", "1", "2"])
    assert not are_marks([])


_LABEL = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=8)
_WITH_ROOM = st.lists(_LABEL, min_size=1, max_size=3).map(" ".join)


@given(labels=st.lists(_WITH_ROOM, min_size=1, max_size=4), name=st.sampled_from(sorted(FORMS)))
def test_what_is_written_is_read_again(labels: list[str], name: str) -> None:
    form = find_form(FORMS[name])
    assert form is not None
    if labels == ["None"] or any(label.lower() in ("none", "null", "nan", "<na>") for label in labels):
        labels = ["a"]
    assert form.read(form.write(labels)) == labels


@given(st.text(alphabet="[]{}()'\",;| \\ab\0", max_size=30))
def test_no_text_breaks_the_reader(text: str) -> None:
    try:
        labels = read_brackets(text)
    except NotThisForm:
        return
    assert all(isinstance(label, str) and label for label in labels)


@pytest.mark.parametrize("separator", [" and ", " > ", " -> ", " - ", " – ", "،"])
def test_signs_between_spaces_part_labels_and_are_none(separator: str) -> None:
    texts = [separator.join(labels) for labels in (["a", "b"], ["b", "c"], ["a", "b", "c"], ["a"], ["a", "c"])]
    form = find_form(texts)
    assert form is not None
    assert {label for text in texts for label in form.read(text) or ()} == {"a", "b", "c"}
    assert form.write(["a", "c"]) == separator.join(["a", "c"])


@pytest.mark.parametrize("text", ['[{"id": %d, "name": "a"}, {"id": 2}]', '{"a": %d, "b": 1}', "{'a': %d, 'b': 2}"])
def test_objects_are_no_lists_of_labels(text: str) -> None:
    texts = [text % number for number in range(9)]
    assert find_form(texts) is None
    assert looks_like_lists(texts) is None
