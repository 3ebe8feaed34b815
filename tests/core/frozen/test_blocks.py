"""A pass that the clock stops has computed the very bits of a pass over the smaller sample, and stops in time."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import graftwork as gw
from graftwork.core.frozen.blocks import LARGEST, block_ends, timed_pass
from graftwork.core.frozen.cache import build_cache, keep_features
from graftwork.core.rows.examples import Examples, prepare
from graftwork.data.columns.text import TextSettings
from graftwork.networks.network import Network
from graftwork.runs.job.job import Job
from graftwork.runs.single.run import build_network
from jobs import job_of
from tiny import tiny_bert, tiny_rows


@pytest.fixture(scope="module")
def job() -> Job:
    return job_of(pd.DataFrame(tiny_rows(900), columns=["text", "label"]), gw.Recipe(valid_share=0.3))


@pytest.fixture(scope="module")
def network(job: Job, tmp_path_factory: pytest.TempPathFactory) -> Network:
    return build_network(job, gw.Recipe(base=str(tiny_bert(tmp_path_factory.mktemp("base") / "bert"))))


def examples(job: Job, network: Network) -> tuple[Examples, Examples]:
    assert job.valid is not None
    train, valid = (
        prepare(table, network, job.tasks, TextSettings(), in_blocks=True) for table in (job.train, job.valid)
    )
    return train, valid


class Seconds:
    """`each` seconds a row: a clock that sees what the network reads."""

    def __init__(self, network: Network, left: float, each: float, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at, self.reads = left, list[int]()
        encoder = network.encoder("text")
        plain = encoder.collate

        def collate(rows: list[np.ndarray]) -> dict[str, object]:
            self.reads.append(len(rows))
            self.at -= each * len(rows)
            return dict(plain(rows))

        monkeypatch.setattr(encoder, "collate", collate)

    def left(self) -> float:
        return self.at


@pytest.mark.parametrize("seconds", [5.0, 20.0, 43.0, 61.0, 10_000.0])
def test_what_is_done_is_what_a_smaller_sample_computes(
    seconds: float, job: Job, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = job.sample(len(job.train), seed=0)
    train, valid = examples(drawn, network)
    clock = Seconds(network, seconds, 0.1, monkeypatch)
    done = timed_pass(network, train, valid, lambda rows: min(rows // 3, len(valid)), clock.left, least=50)
    assert clock.at >= 0 or done.rows == 64, "the first blocks, up to the least, are read in any case"
    assert clock.at < 0.1 * (16 + LARGEST / 3 + 2) or done.rows == len(train)
    small = job.sample(done.rows, seed=0)
    assert small.valid is not None
    assert (len(small.train), len(small.valid)) == (done.rows, done.valid_rows)
    monkeypatch.undo()
    for given, found in zip(examples(small, network), (done.features, done.valid_features), strict=True):
        fresh = build_cache(network, given, {"text": network.encoder("text").depth})["text"].states
        assert np.array_equal(np.asarray(fresh), found["text"])


def test_features_that_are_kept_are_not_computed_again(
    job: Job, network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, _ = examples(job.sample(70, seed=3), network)
    made = np.random.default_rng(0).normal(size=(70, network.encoder("text").width)).astype(np.float32)
    keep_features(network, train, {"text": made})
    clock = Seconds(network, 0.0, 1.0, monkeypatch)
    found = build_cache(network, train, {"text": network.encoder("text").depth})["text"].states
    assert np.array_equal(np.asarray(found), made)
    assert clock.reads == []


def test_blocks_are_a_matter_of_the_place() -> None:
    for rows in (1, 31, 32, 33, 500, 2000):
        ends = list(block_ends(rows))
        assert ends[-1] == rows
        assert ends[:-1] == [end for end in block_ends(10**5) if end < rows]
        assert max(np.diff([0, *ends])) <= LARGEST
