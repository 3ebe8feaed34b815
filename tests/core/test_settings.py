from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from graftwork.core.settings import Training, fitted_epochs, rate_at, resolve, resolve_precision
from graftwork.errors import UsageError


@pytest.mark.parametrize("schedule", ["linear", "cosine", "constant"])
@pytest.mark.parametrize(("warmup", "total"), [(0.0, 10), (0.3, 10), (0.1, 7), (0.1, 1)])
def test_rates_are_those_of_transformers_behind_the_warmup(schedule: str, warmup: float, total: int):
    from transformers import get_scheduler

    steps = math.ceil(warmup * total)
    name = "constant_with_warmup" if schedule == "constant" else schedule
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    reference = get_scheduler(name, optimizer, num_warmup_steps=steps, num_training_steps=total)
    training = Training(schedule=schedule, warmup=warmup)
    for step in range(total):
        expected = (step + 1) / steps if step < steps else reference.get_last_lr()[0]
        assert rate_at(training, step, total) == pytest.approx(expected)
        optimizer.step()
        reference.step()


@given(
    st.sampled_from(["linear", "cosine", "constant"]),
    st.floats(0.0, 1.0),
    st.integers(1, 500),
)
def test_rates_stay_between_0_and_1_and_never_begin_at_0(schedule: str, warmup: float, total: int):
    training = Training(schedule=schedule, warmup=warmup)
    rates = [rate_at(training, step, total) for step in range(total)]
    assert all(0.0 < rate <= 1.0 for rate in rates)
    assert max(rates) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lr": -1.0}, "lr is -1.0. Expected a number from 0.0 to 10.0"),
        ({"lr": math.nan}, "lr is nan"),
        ({"batch": 0}, "batch is 0"),
        ({"warmup": 1.5}, "warmup is 1.5"),
        ({"schedule": "linar"}, "schedule is 'linar'. Expected one of: linear, cosine, constant"),
        ({"keep": "first"}, "keep is 'first'. Expected one of: best, last"),
        ({"precision": "fp16"}, "precision is 'fp16'. Expected one of: auto, fp32, bf16"),
    ],
    ids=str,
)
def test_a_wrong_setting_is_named(settings: dict[str, object], message: str):
    with pytest.raises(UsageError, match=message):
        Training(**settings)


def test_resolve_takes_what_the_base_suggests_where_nothing_is_set():
    found = resolve(Training(), lr=2e-5)
    assert (found.lr, found.head_lr) == (2e-5, pytest.approx(2e-4))
    assert found.precision in ("fp32", "bf16")
    assert resolve(Training(), lr=5e-3).head_lr == 5e-3  # never below the base
    assert resolve(Training(lr=1e-4, head_lr=1e-2, precision="fp32"), lr=1.0) == Training(
        lr=1e-4, head_lr=1e-2, precision="fp32"
    )
    assert resolve_precision("bf16") == "bf16"


def test_small_tables_get_more_epochs():
    assert fitted_epochs(Training(epochs=2.5), rows=10, outputs=2, epochs=3) == 2.5
    assert fitted_epochs(Training(batch=32), rows=100_000, outputs=10, epochs=3) == 3
    assert fitted_epochs(Training(batch=32), rows=64, outputs=2, epochs=3) == 40
    assert fitted_epochs(Training(batch=32), rows=3200, outputs=77, epochs=3) == 8  # 770 steps
