"""Near duplicates: what comparing all with all finds, and nothing else."""

from __future__ import annotations

import random
from itertools import combinations

import numpy as np
import pytest

from graftwork.data.quality.near_texts import ALIKE, SHORT, SHORT_ALIKE, likeness, near_texts

WORDS = ("ten", "blue", "houses", "stand", "near", "the", "old", "river", "where", "nobody", "walks", "after", "dark")


def sentences(rows, words, seed=0):
    draw = random.Random(seed)
    return [" ".join(draw.choice(WORDS) + str(draw.randrange(50)) for _ in range(words)) for _ in range(rows)]


def found(texts, others=None):
    pairs = near_texts(texts, others)
    return list(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))


@pytest.mark.parametrize("words", [6, 12, 40])
def test_pairs_are_those_of_comparing_all_with_all(words):
    draw, texts = random.Random(1), sentences(150, words)
    for text in texts[:80]:
        signs = list(text)
        for _ in range(draw.choice([1, 2, 6])):
            signs[draw.randrange(len(signs))] = "x"
        texts.append("".join(signs))
    expected = []
    for one, other in combinations(range(len(texts)), 2):
        least = ALIKE if min(len(texts[one]), len(texts[other])) > SHORT else SHORT_ALIKE
        expected += [(one, other)] if likeness(texts[one], texts[other]) >= least else []
    assert expected
    assert sorted(found(texts)) == expected


def test_case_and_signs_between_words_do_not_count():
    texts = ["Where is my new bank card?", "nothing of the kind is said here", "where is my  NEW bank card"]
    pairs = near_texts(texts)
    assert found(texts) == [(0, 2)]
    assert pairs.alike.tolist() == [1.0]


def test_short_texts_are_never_nearly_the_same():
    assert not found(["good stuff", "good stuff!", "good stuff"])


def test_rows_that_hold_something_else_besides_are_no_pair():
    text = sentences(1, 30)[0]
    texts = [text, text + " more", text + "!"]
    assert found(texts, np.array([1, 1, 1])) == [(0, 1), (0, 2)]
    assert found(texts, np.array([1, 2, 1])) == [(0, 2)]


def test_texts_of_other_scripts_and_odd_ones():
    chinese = "我昨天在银行申请了一张新的信用卡但是到今天还没有收到请问什么时候可以寄到我家里来谢谢你们的帮助"
    texts = ["", " ", "\ud800" * 30, "🙂" * 30, chinese * 3, chinese * 3 + "吗", "a" * 50_000]
    assert found(texts) == [(4, 5)]
    assert found([]) == []


def test_many_alike_are_each_paired_with_one_before():
    text = sentences(1, 40)[0]
    texts = [f"{text} number {at}" for at in range(200)]
    assert {second for _, second in found(texts)} == set(range(1, 200))
