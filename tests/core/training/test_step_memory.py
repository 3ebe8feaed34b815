"""graftwork.core.training.step_memory: how much a step takes, against what the process took, and what it leaves."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

from conformance.table import COMBINATIONS, ELSEWHERE, techniques
from graftwork.core.fit import fit
from graftwork.core.training.step_memory import least_memory, step_memory
from graftwork.techniques.optimize.accumulate import Accumulate
from graftwork.techniques.transfer.partial import Partial
from graftwork.techniques.transfer.probe import Probe
from tinyrun import Worlds, same, weights

WORLDS = ["rnn", "cnn", "image", "normed", "audio", "mixed", "wide", "wide-episodes"]


@pytest.mark.parametrize("world", WORLDS)
def test_it_is_known_of_every_kind_of_input_before_the_run_is_started(world: str, fixtures: Worlds) -> None:
    fixture = fixtures(world)
    small, large = (fixture.run(batch=batch, started=False) for batch in (8, 16))
    fixed = least_memory(small)
    assert fixed == 4 * sum(one.numel() * 4 for one in small.network.parameters() if one.requires_grad)
    assert step_memory(small) > fixed
    assert (step_memory(large) - fixed) / (step_memory(small) - fixed) > 1.3


@pytest.mark.parametrize("names", [(), *COMBINATIONS], ids=lambda names: "+".join(names) or "none")
def test_the_run_is_left_untouched(names: tuple[str, ...], fixtures: Worlds) -> None:
    fixture = fixtures("transformer")
    run = fixture.run(techniques(names))
    before = torch.get_rng_state()
    step_memory(run)
    assert torch.equal(before, torch.get_rng_state())
    _, plain = fixture.fit(techniques(names))
    assert same(weights(fit(run).network), weights(plain.network))


@pytest.mark.parametrize(
    ("world", "names"), ELSEWHERE, ids=lambda given: given if isinstance(given, str) else "+".join(given)
)
def test_it_is_known_whatever_a_batch_is(world: str, names: tuple[str, ...], fixtures: Worlds) -> None:
    run = fixtures(world).run(techniques(names), started=False)
    assert step_memory(run) > least_memory(run)


def test_a_batch_that_is_computed_in_parts_takes_what_a_part_takes(fixtures: Worlds) -> None:
    fixture, taken = fixtures("transformer"), list[int]()
    for parts in (2, 4, 8):
        run = fixture.run([Accumulate(parts)], batch=32)
        taken.append(step_memory(run) - least_memory(run))
    assert taken[0] / taken[1] == pytest.approx(2, rel=0.35)
    assert taken[1] / taken[2] == pytest.approx(2, rel=0.35)


def test_it_grows_with_the_batch_and_shrinks_with_what_is_frozen(fixtures: Worlds) -> None:
    fixture = fixtures("transformer")
    whole = step_memory(fixture.run(batch=8))
    fixed = least_memory(fixture.run())
    assert step_memory(fixture.run(batch=16)) - fixed == pytest.approx(2 * (whole - fixed), rel=0.3)  # rows differ
    assert step_memory(fixture.run([Partial(1)])) < 0.7 * whole
    assert step_memory(fixture.run([Probe()])) < 0.1 * whole
    assert step_memory(fixture.run([Probe()], epochs=0.0, steps=None)) == 0


def test_weights_in_another_precision_count_once(fixtures: Worlds) -> None:
    """They are kept for the gradient, however many rows there are."""
    fixture = fixtures("transformer")
    small, large = (step_memory(fixture.run(batch=batch, precision="bf16")) for batch in (8, 32))
    whole = step_memory(fixture.run(batch=32))
    assert large < whole
    assert small < step_memory(fixture.run(batch=8)) + least_memory(fixture.run()) / 2


TAKEN = """
import sys, threading, time
import numpy as np, pandas as pd, torch
import graftwork as gw
from graftwork.core.training.gradients import gradients
from graftwork.core.training.optimizer import make_optimizer
from graftwork.core.training.step_memory import least_memory, step_memory
from graftwork.runs.job.job import make_job
from graftwork.runs.single.run import make_ready

def anonymous():
    return next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("RssAnon"))

torch.set_num_threads(1)
draw = np.random.default_rng(0)
texts = [" ".join(draw.choice(["river", "stone", "cloud", "table"], int(sys.argv[2]))) for _ in range(64)]
table = pd.DataFrame({"text": texts, "label": draw.choice(["a", "b"], 64)})
recipe = gw.Recipe(base="minilm", techniques=(), training=gw.Training(epochs=1, precision=sys.argv[1]))
run = make_ready(make_job(gw.DataArguments(train=table, target="label"), recipe), recipe)
optimizer, peak, before = make_optimizer(run.network, run.stages, run.training), 0, anonymous()

def watch():
    global peak
    while True:
        peak = max(peak, anonymous())
        time.sleep(0.002)

threading.Thread(target=watch, daemon=True).start()
run.network.train()
for rows in run.sampler.epoch(0):  # two steps: moments are there from the first on
    gradients(run, optimizer, rows)
    optimizer.step()
taken = peak - before
print((step_memory(run) - least_memory(run) / 4) / taken)  # the best weights are no part of these steps
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
@pytest.mark.parametrize(("precision", "words"), [("fp32", 90), ("fp32", 15), ("bf16", 90)])
def test_it_is_what_the_process_takes(precision: str, words: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TAKEN, precision, str(words)], capture_output=True, text=True, check=True
    )
    assert 0.8 < float(done.stdout) < 1.4
