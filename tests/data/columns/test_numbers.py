"""The reader of numbers: a table of forms with their right values, and what it refuses."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graftwork.data.columns.number_text import take_apart
from graftwork.data.columns.numbers import FoundForm, NumberForm, find_form, is_plain_column, to_floats

FORMS: list[tuple[list[str], list[float]]] = [
    (["1", "2.5"], [1.0, 2.5]),
    (["+4", "-3"], [4.0, -3.0]),
    ([" 7 ", "\t8"], [7.0, 8.0]),
    (["\ufeff6", "5\u200b"], [6.0, 5.0]),
    (["1e3", "1E-2"], [1000.0, 0.01]),
    ([".5", "5."], [0.5, 5.0]),
    (["1,5", "2,25"], [1.5, 2.25]),
    (["0,123", "0,456"], [0.123, 0.456]),
    (["1,5E3", "2,0e-2"], [1500.0, 0.02]),
    (["1.5×10^3", "2 x 10^-2"], [1500.0, 0.02]),
    (["1.5×10⁵", "3·10⁻²"], [150000.0, 0.03]),
    (["1,234", "56"], [1234.0, 56.0]),
    (["1,234,567", "8,901"], [1234567.0, 8901.0]),
    (["1,234.5", "12"], [1234.5, 12.0]),
    (["1.234,5", "12"], [1234.5, 12.0]),
    (["1.234.567", "12"], [1234567.0, 12.0]),
    (["1.230", "5.678", "2.340", "913"], [1230.0, 5678.0, 2340.0, 913.0]),
    (["1.234", "5.678"], [1.234, 5.678]),
    (["1 234", "5 678,9"], [1234.0, 5678.9]),
    (["1\u00a0234", "7"], [1234.0, 7.0]),
    (["1\u202f234,5", "7"], [1234.5, 7.0]),
    (["1\u2009234", "7"], [1234.0, 7.0]),
    (["1'234.50", "7"], [1234.5, 7.0]),
    (["1’234", "7"], [1234.0, 7.0]),
    (["1,00,000", "12,34,567.5"], [100000.0, 1234567.5]),
    (["−5", "4"], [-5.0, 4.0]),
    (["–5", "4"], [-5.0, 4.0]),
    (["－5", "4"], [-5.0, 4.0]),
    (["(9087)", "12"], [-9087.0, 12.0]),
    (["(1,234.5)", "0.5"], [-1234.5, 0.5]),
    (["$(5)", "($6)"], [-5.0, -6.0]),
    (["123-", "5"], [-123.0, 5.0]),
    (["€5", "€ 6"], [5.0, 6.0]),
    (["5 €", "6€"], [5.0, 6.0]),
    (["1.234,50 €", "2,00 €"], [1234.5, 2.0]),
    (["€5", "6 EUR"], [5.0, 6.0]),
    (["$1,000", "$2.50"], [1000.0, 2.5]),
    (["-$5", "$-6"], [-5.0, -6.0]),
    (["10.000 €", "5.500 €"], [10000.0, 5500.0]),
    (["$10,000", "$5,500"], [10000.0, 5500.0]),
    (["10.000,50 €", "5.500 €"], [10000.5, 5500.0]),
    (["£3", "4 GBP"], [3.0, 4.0]),
    (["¥300", "￥400"], [300.0, 400.0]),
    (["₹1,00,000", "₹5"], [100000.0, 5.0]),
    (["CHF 10913", "CHF 5.50"], [10913.0, 5.5]),
    (["USD 5", "6 USD"], [5.0, 6.0]),
    (["R$ 1.234,50", "R$ 2"], [1234.5, 2.0]),
    (["5 kr", "6 kr"], [5.0, 6.0]),
    (["Rs. 500", "Rs 600"], [500.0, 600.0]),
    (["12%", "0.5 %"], [12.0, 0.5]),
    (["%12", "%13"], [12.0, 13.0]),
    (["5‰", "6 ‰"], [5.0, 6.0]),
    (["12 kg", "13kg"], [12.0, 13.0]),
    (["1,5 kg", "2 kg"], [1.5, 2.0]),
    (["32GB", "64 GB"], [32.0, 64.0]),
    (["5 min", "7 mins"], [5.0, 7.0]),
    (["1 year", "3 years"], [1.0, 3.0]),
    (["20 °C", "-3°C"], [20.0, -3.0]),
    (["5 m²", "6 m2"], [5.0, 6.0]),
    (["12 €/kg", "13 €/kg"], [12.0, 13.0]),
    (["80 km/h", "90 km/h"], [80.0, 90.0]),
    (["1.5K", "300"], [1500.0, 300.0]),
    (["2M", "1.5 million"], [2e6, 1.5e6]),
    (["1.2bn", "3 billion"], [1.2e9, 3e9]),
    (["$2K", "$3M"], [2000.0, 3e6]),
    (["3万", "5"], [30000.0, 5.0]),
    (['="10913"', '="5"'], [10913.0, 5.0]),
    (["'123", "'4"], [123.0, 4.0]),
    (['"12"', "13"], [12.0, 13.0]),
    (["１２", "３４．５"], [12.0, 34.5]),
    (["１，２３４", "5"], [1234.0, 5.0]),
    (["٣٤٫٥", "١٢"], [34.5, 12.0]),
    (["١٬٢٣٤", "٥"], [1234.0, 5.0]),
    (["१२", "३"], [12.0, 3.0]),
    (["½", "1½", "2"], [0.5, 1.5, 2.0]),
    (["3 1/2", "4", "5"], [3.5, 4.0, 5.0]),
    (["1.133,-", "5,-"], [1133.0, 5.0]),
    (["1.133,– €", "5,50 €"], [1133.0, 5.5]),
    (["CHF 1'133.–", "CHF 5.50"], [1133.0, 5.5]),
    (["Rs. 500/-", "Rs. 1,600/-"], [500.0, 1600.0]),
    ([" $ 1,131.57 ", " $ (1,188.94)", " $ -   "], [1131.57, -1188.94, 0.0]),
    (["5,50 €", "- €"], [5.5, 0.0]),
    (["$1,132/mo", "$950/mo"], [1132.0, 950.0]),
    (["3.78/hr", "19.5 / hr"], [3.78, 19.5]),
]


@pytest.mark.parametrize(("texts", "values"), FORMS, ids=[texts[0] for texts, _ in FORMS])
def test_forms(texts: list[str], values: list[float]) -> None:
    found = _found(texts)
    assert (found.share, found.unclear) == (1.0, "")
    numbers, bad = to_floats(pa.array(texts), found.form)
    assert numbers.to_pylist() == pytest.approx(values, rel=1e-12)
    assert not bad.any()
    assert NumberForm.of(found.form.text) == found.form


def _found(texts: list[str]) -> FoundForm:
    found = find_form(dict.fromkeys(texts, 1))
    assert found is not None
    return found


@pytest.mark.parametrize(
    "mark",
    [
        *("", " ", "-", "—", "–", "--", ".", "?", "NA", "n/a", "N.A.", "NaN", "NULL", "(null)", "None", "\\N", "<NA>"),
        *("#N/A", "#DIV/0!", "#VALUE!", "#REF!", "nil", "\u200b", "\u00a0", "#NV", "#WERT!", "#VALEUR!"),
    ],
)
def test_marks_for_missing(mark: str) -> None:
    for form in (NumberForm(), NumberForm(",", ".", "EUR")):
        numbers, bad = to_floats(pa.array([mark, None]), form)
        assert numbers.to_pylist() == [None, None]
        assert not bad.any()


@pytest.mark.parametrize(
    "texts",
    [
        ["1_000", "2_000"],
        ["0x1F", "0x2A"],
        ["inf", "-inf"],
        ["12 May", "13 June"],
        ["1st", "2nd"],
        ["10 AM", "11 AM"],
        ["120/80", "130/90"],
        ["10x20", "30x40"],
        ["1.2.3", "1.2.4.5"],
        ["class0", "class1"],
        ["T0001", "T0002"],
        ["12:30", "13:45"],
        ["2024-01-05", "2024-02-05"],
        ["1,23,4", "5,6,7"],
        ["good", "bad"],
        ["1000 AB", "1001 CD", "1003 EF", "3 X"],
        ["NA", "-"],
        ["5年", "6年"],
    ],
)
def test_what_is_no_number(texts: list[str]) -> None:
    assert find_form(dict.fromkeys(texts, 1)) is None
    assert not is_plain_column(texts)


def test_what_can_be_read_in_two_ways_is_said_to_be() -> None:
    assert _found(["1,234", "5,678"]).unclear
    assert _found(["1,234", "5,678", "12"]).form == NumberForm("", ",")
    assert _found(["1,234", "0,678"]).form == NumberForm(",")
    assert find_form({"1,234": 1}, decimal=",") == FoundForm(NumberForm(","), 1.0, "1,234")
    assert find_form({"1,234": 1}, decimal=".") == FoundForm(NumberForm("", ","), 1.0, "1,234")


def test_units_and_currencies_are_not_mixed() -> None:
    found = _found(["5 EUR", "6 EUR", "7 USD"])
    assert (found.form.unit, round(found.share, 2)) == ("EUR", 0.67)
    assert found.form.value("7 USD") is None
    assert found.form.why_not("7 USD") == "is in USD, where others are in EUR"
    assert NumberForm().why_not("7 kg") == "is in kg, where others have no unit"
    assert "may mean 1234 or 1.234" in NumberForm().why_not("1,234")


def test_words_that_repeat_among_many_numbers_leave_them_numbers() -> None:
    numbers = {f"{value}.5": 1 for value in range(40)}
    for words, is_number in ((("unknown",), True), (("unknown", "n.s.", ">100"), True), (tuple("abcd"), False)):
        found = find_form(numbers | dict.fromkeys(words, 20 // len(words)))
        assert (found is not None) == is_number
    assert find_form(numbers | {"unknown": 60}) is None
    assert find_form({"1": 9, "2": 9, "3": 9, "four": 9}) is None


def test_the_message_names_what_is_not_plain() -> None:
    assert _found(["1 234,50 €"]).note("price") == (
        'price: numbers written as "1 234,50 €" (decimal comma, spaces between thousands, EUR)'
    )
    assert _found(["(5)"]).note("x") == 'x: numbers written as "(5)" (parentheses for minus)'
    assert _found(["5", "2.5"]).note("x") == ""
    assert _found(["5", "#REF!"]).note("x") == "x: numbers written as \"5\" ('#REF!' for missing)"


@pytest.mark.parametrize("text", ["1234,5 ", "2 234", "1,234,5", "x"])
def test_a_damaged_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no form of numbers"):
        NumberForm.of(text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_plain_numbers_are_read_to_the_last_bit(value: float) -> None:
    text = repr(value)
    assert NumberForm().value(text) == value or "e" in text
    assert to_floats(pa.array([text]), NumberForm())[0].to_pylist() == [value]


@given(
    st.integers(-(10**12), 10**12), st.sampled_from([(",", "."), (".", ","), (".", " "), (",", "\u202f"), (".", "'")])
)
def test_whatever_is_written_with_thousands_is_read_back(cents: int, way: tuple[str, str]) -> None:
    text = f"{cents / 100:,.2f}".replace(",", "_").replace(".", way[0]).replace("_", way[1])
    assert _found([text, "5" + way[0] + "25"]).form.value(text) == cents / 100


@given(st.text(max_size=100))
def test_any_text_is_read_or_refused(text: str) -> None:
    find_form({text: 1, "5": 1})
    NumberForm(",", ".", "EUR").value(text)
    to_floats(pa.array([text.encode(errors="replace").decode(), "1"]), NumberForm())


def test_a_unit_over_two_lines_is_one_unit() -> None:
    written = take_apart("5 line\nbreak")
    assert written is None or written.unit is None or "\n" not in written.unit
    for text in ("5 line\nbreak", "5 m\tof\n rope", "5\u2028kg"):
        found = find_form({text: 30})
        if found is not None:
            assert NumberForm.of(found.form.text) == found.form
