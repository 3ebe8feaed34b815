"""everyday: what is left to the nightly run is named as the tests are."""

from __future__ import annotations

import re

from everyday import ONE_IN, TESTS, left_to_the_night


def test_every_name_is_that_of_a_test_with_parameters() -> None:
    for name in ONE_IN:
        file, _, function = name.partition("::")
        text = (TESTS / f"{file}.py").read_text(encoding="utf-8")
        assert re.search(rf"^def {function}\(", text, flags=re.MULTILINE), name


def test_one_in_so_many_is_made_and_always_the_same() -> None:
    name, share = next(iter(ONE_IN.items()))
    file, _, function = name.partition("::")
    made = [left_to_the_night(TESTS / f"{file}.py", f"{function}[{at}]") for at in range(1000)]
    assert made == [left_to_the_night(TESTS / f"{file}.py", f"{function}[{at}]") for at in range(1000)]
    assert 0.8 < made.count(False) * share / 1000 < 1.2
    assert not left_to_the_night(TESTS / "test_docs.py", "test_page_runs[README.md]")
