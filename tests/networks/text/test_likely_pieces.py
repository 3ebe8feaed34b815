"""Which pieces are likely in texts like those at hand."""

from __future__ import annotations

from collections import Counter

import pytest

from graftwork.networks.text.likely_pieces import likeliest

GERMAN = ["und", "der", "die", "nicht", "eine", "schon", "sein", "durch", "noch", "auch", "schule", "machen", "suchen"]
FRENCH = ["les", "des", "une", "dans", "pour", "que", "vous", "nous", "avec", "tout", "quoi", "beau", "aux", "eaux"]
VOCABULARY = [(word, -5.0) for word in (*GERMAN, *FRENCH)]


@pytest.mark.parametrize(("seen", "expected"), [(GERMAN, "schein"), (FRENCH, "beaux")])
def test_of_two_as_common_ones_that_is_likelier_whose_letters_are_usual_here(seen: list[str], expected: str) -> None:
    vocabulary = [*VOCABULARY, ("schein", -5.0), ("beaux", -5.0)]
    used = Counter({number: 3 for number, (word, _) in enumerate(vocabulary) if word in seen})
    new = set(range(len(VOCABULARY), len(vocabulary)))
    (found,) = likeliest(vocabulary, used, new, 1)
    assert vocabulary[found][0] == expected


def test_the_commoner_one_is_likelier_and_the_earlier_of_two_alike() -> None:
    vocabulary = [("ab", -3.0), ("xy", -6.0), ("xz", -4.0), ("xw", -4.0)]
    assert likeliest(vocabulary, Counter({0: 1}), {1, 2, 3}, 3) == [2, 3, 1]


def test_no_more_are_given_than_there_are() -> None:
    assert sorted(likeliest(VOCABULARY, Counter({0: 1}), {1, 2}, 9)) == [1, 2]
    assert likeliest(VOCABULARY, Counter({0: 1}), {1, 2}, 0) == []
    assert likeliest(VOCABULARY, Counter({0: 1}), set(), 3) == []
