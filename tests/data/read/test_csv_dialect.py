"""csv as people and programs write it: read right, with what is unusual said, or refused with the remedy."""

from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftwork.data.read.source import notes_of, read
from graftwork.errors import DataError

ROWS = [("good, really", "pos"), ("bad", "neg"), ("so so", "neg")]


def _read(tmp_path: Path, content: str, name: str = "data.csv") -> pa.Table:
    path = tmp_path / name
    path.write_bytes(content.encode())
    return read(path)[0]


READ = {
    "header repeated": (
        'text,label\n"good, really",pos\ntext,label\nbad,neg\ntext,label\nso so,neg\n',
        "2 lines repeat the header and are left out (3, 5)",
    ),
    "header repeated with a mark": (
        'text,label\n"good, really",pos\nbad,neg\n\ufefftext,label\nso so,neg\n',
        "line 4 repeats the header",
    ),
    "header repeated in another case": (
        'text,label\n"good, really",pos\nText,LABEL\nbad,neg\nso so,neg\n',
        "line 3 repeats the header",
    ),
    "line of dashes": (
        'text,label\n----,-----\n"good, really",pos\nbad,neg\nso so,neg\n',
        "line 2 repeats the header or",
    ),
    "space after the separator": (
        'text, label\n"good, really", "pos"\n"bad", "neg"\n"so so", "neg"\n',
        "a space stands before quotes",
    ),
    "sep line": ("sep=;\ntext;label\ngood, really;pos\nbad;neg\nso so;neg\n", None),
    "sep line of the usual": ('sep=,\ntext,label\n"good, really",pos\nbad,neg\nso so,neg\n', None),
    "sep line with tabs": ("sep=\t\r\ntext\tlabel\r\ngood, really\tpos\r\nbad\tneg\r\nso so\tneg\r\n", None),
    "single quotes": (
        "text,label\n'good, really','pos'\n'bad','neg'\n'so so','neg'\n",
        "single quotes stand around fields",
    ),
    "tabs": ("text\tlabel\ngood, really\tpos\nbad\tneg\nso so\tneg\n", None),
    "bars": ("text|label\ngood, really|pos\nbad|neg\nso so|neg\n", None),
    "semicolons": ("text;label\ngood, really;pos\nbad;neg\nso so;neg\n", None),
    "only carriage returns": ('text,label\r"good, really",pos\rbad,neg\rso so,neg\r', None),
    "separators at the end": ('text,label,\n"good, really",pos,\nbad,neg,\nso so,neg,\n', None),
    "separators at the end of the header": ('text,label,\n"good, really",pos\nbad,neg\nso so,neg\n', None),
    "separators at the end of rows": ('text,label\n"good, really",pos,,\nbad,neg,,\nso so,neg,,\n', None),
    "comments above": (
        '# made on Monday\n# by hand\ntext,label\n"good, really",pos\nbad,neg\n# half\nso so,neg\n',
        "2 lines with # above the header left out",
    ),
    "blank lines": ('\n\ntext,label\n\n"good, really",pos\n   \nbad,neg\n\nso so,neg\n\n', None),
    "mark in front": ('\ufeff"text","label"\n"good, really","pos"\n"bad","neg"\n"so so","neg"\n', None),
    "unquoted header": ('text,label\n"good, really","pos"\n"bad","neg"\n"so so","neg"\n', None),
}


@pytest.mark.parametrize("name", READ)
def test_read_right_and_said(tmp_path: Path, name: str) -> None:
    content, line = READ[name]
    table = _read(tmp_path, content)
    assert [tuple(row.values()) for row in table.to_pylist()] == ROWS
    assert table.column_names == ["text", "label"]
    notes = "\n".join(notes_of(table))
    assert (line or "") in notes
    assert bool(notes) == (line is not None)


def test_backslashes_before_quotes(tmp_path: Path) -> None:
    content = 'text,label\n"He said \\"hi\\", twice",pos\n"in C:\\new",neg\n"end \\\\",neg\n'
    table = _read(tmp_path, content)
    assert table.column("text").to_pylist() == ['He said "hi", twice', "in C:\\new", "end \\\\"]
    assert 'a quote inside quotes is written \\"' in notes_of(table)[0]


def test_backslashes_far_behind_the_first_lines(tmp_path: Path) -> None:
    content = "text,label\n" + "plain words of a row,a\nother words of one,b\n" * 8000 + '"He said \\"hi\\"",a\n'
    assert _read(tmp_path, content).column("text").to_pylist()[-1] == 'He said "hi"'


def test_a_separator_in_the_header_that_rows_have_as_decimal_comma(tmp_path: Path) -> None:
    table = _read(tmp_path, "Preis, EUR;Klasse\n0,5;a\n1,5;b\n2,5;a\n")
    assert table.to_pylist()[0] == {"Preis, EUR": "0,5", "Klasse": "a"}
    assert "a semicolon parts the fields" in notes_of(table)[0]


def test_a_separator_inside_the_header_alone(tmp_path: Path) -> None:
    table = _read(tmp_path, "text, in full;label\ngood;a\nbad;b\n")
    assert table.to_pylist()[0] == {"text, in full": "good", "label": "a"}
    quoted = _read(tmp_path, '"text, in full";label\ngood;a\nbad;b\n')
    assert quoted.to_pylist()[0] == {"text, in full": "good", "label": "a"}


def test_a_hash_may_begin_a_name_or_a_text(tmp_path: Path) -> None:
    assert _read(tmp_path, "#id,label\n1,a\n2,b\n").column_names == ["#id", "label"]
    assert _read(tmp_path, "text,label\n#one,a\n#two,b\n").column("text").to_pylist() == ["#one", "#two"]


def test_lists_of_two_labels_are_not_taken_for_fields(tmp_path: Path) -> None:
    table = _read(tmp_path, "text,label\nx,a;b\ny,b;c\n")
    assert table.to_pylist() == [{"text": "x", "label": "a;b"}, {"text": "y", "label": "b;c"}]


def test_one_column_may_repeat_its_name(tmp_path: Path) -> None:
    assert _read(tmp_path, "text\na\ntext\n").column("text").to_pylist() == ["a", "text"]


REFUSED = {
    "no header": ("0,u\n1,v\n2,u\n3,v\n", r"no line with column names.*the first line \(0, u\).*sed 1icolumn1,column2"),
    "no header, texts": ("great film,pos\n" + "bad one,neg\nso good,pos\n" * 3, r"no line with column names.*'pos'"),
    "no header, iris": (
        "5.1,3.5,setosa\n4.9,3.0,setosa\n6.1,2.0,other\n6.0,2.1,other\n",
        "no line with column names",
    ),
    "footer of a database": ("text,label\na,x\nb,y\n\n(2 rows affected)\n", r"line 5: 1 field.*footer.*head -n 4 "),
    "total": ("text,label\na,x\nb,y\nc,x\nTotal,3\n", r"line 5: this looks like a total.*Total, 3.*head -n 4 "),
    "total of numbers": ("size,n,label\n1,2,x\n2,3,y\n4,4,x\nSumme,9,\n", r"line 5: this looks like a total"),
    "title above": ("Sales of 2024\ntext,label\na,x\nb,y\n", r"line 2: 2 fields.*is a title.*tail -n \+2 "),
    "a field too many": ("text,label\na,x\nb,c,y\nd,x\n", r"line 3: 3 fields"),
    "a field too few": ("text,label\na,x\nb\nd,x\n", r"line 3: 1 field,"),
    "quote in the middle": ('text,label\na,x\n"b" c,y\n', r"line 3: a quote closes"),
    "lines in quotes": (
        '"text,label"\n"a,x"\n"b,y"\n',
        "each line is a single field, such as 'text,label': the whole lines",
    ),
    "another separator": ("text^label\na^x\nb^y\n", r"the fields seem to be parted by '\^'"),
    "unnamed column with values": ("text,label,\na,x,1\nb,y\n", None),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_the_line_and_the_remedy(tmp_path: Path, name: str) -> None:
    content, message = REFUSED[name]
    if message is None:
        assert _read(tmp_path, content).column("Unnamed: 2").to_pylist() == ["1", None]
        return
    with pytest.raises(DataError, match=message):
        _read(tmp_path, content)


@pytest.mark.parametrize(
    "content",
    [
        "0,1,2\n5,6,a\n7,8,b\n5,6,a\n",
        "2019,2020,2021\n5,6,7\n7,8,9\n5,6,1\n",
        "message,spam\nhello you,spam\nhow are you,ham\nwin,spam\nno,ham\n",
        "text,label\ntext,label2\nx,label\ny,label\n",
        "size,n\n1,2\n3,4\n",
        "time: text\na: b\nc\n",
        "Total,label\n1,a\n2,b\n3,a\n",
        "word,label\nTotal,a\nSum,b\nTotal,a\n",
    ],
)
def test_what_is_a_header_stays_one(tmp_path: Path, content: str) -> None:
    assert _read(tmp_path, content).column_names == content.split("\n")[0].split(",")


_CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0\\\r"), max_size=6)


@given(
    rows=st.lists(st.tuples(_CELL, _CELL), min_size=2, max_size=8),
    delimiter=st.sampled_from(",;\t|"),
    every=st.booleans(),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_no_dialect_loses_or_shifts_a_row(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], delimiter: str, every: bool, end: str
) -> None:
    path = tmp_path_factory.mktemp("csv") / "data.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        quoting = csv.QUOTE_ALL if every else csv.QUOTE_MINIMAL
        csv.writer(file, delimiter=delimiter, quoting=quoting, lineterminator=end).writerows([("text", "label"), *rows])
    try:
        found = read(path)[0]
    except DataError as error:
        assert "total below" in str(error)  # noqa: PT017
        return
    kept = [row for row in rows if tuple(cell.strip().casefold() for cell in row) != ("text", "label")]
    assert [(row["text"] or "", row["label"] or "") for row in found.to_pylist()] == kept
