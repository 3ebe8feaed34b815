"""6. `adapt` and `fold` nest like brackets: the saved network is the base's own, and predicts what was scored."""

from __future__ import annotations

import numpy as np
import pytest
from torch import nn

from conformance.table import BY_NAME, COMBINATIONS, ELSEWHERE, ROWS, techniques
from graftwork.core.judging.few_shot import validation_score
from graftwork.core.scoring import predict_examples, probabilities
from graftwork.errors import RefusedError
from tinyrun import BASES, Worlds

SETS = (
    *((row.name,) for row in ROWS),
    *COMBINATIONS,
    *(names for _, names in ELSEWHERE),
    *(("lora", row.name) for row in ROWS if row.base in BASES and row.name not in ("lora", "full", "partial", "probe")),
)
REBUILDS = {"fusion", "head kind"}
"""Claims of techniques that put other heads in place, before anything is trained."""
ADDS = REBUILDS | {"domain features"}
"""With the claims of those that add a part to the network."""
FIXTURES = {names: (base,) for base, names in ELSEWHERE}


def classes(network: nn.Module) -> dict[str, type[nn.Module]]:
    return {name: type(module) for name, module in network.named_modules()}


@pytest.mark.parametrize("names", SETS, ids="+".join)
def test_saved_is_what_was_scored(names: tuple[str, ...], fixtures: Worlds):
    for base in BY_NAME[names[0]].bases if len(names) == 1 else FIXTURES.get(names, ("transformer", "cnn")):
        fixture = fixtures(base)
        try:
            run, fitted = fixture.fit(techniques(names))
        except RefusedError:
            continue
        before = predict_examples(fitted.network, fixture.valid, run.techniques)
        folded = run.stages.fold(fitted.network)
        after = predict_examples(folded, fixture.valid, run.techniques)
        plain = fixture.run([one for one in run.techniques if one.claims & ADDS], started=False).network
        assert classes(folded) == classes(plain)
        assert list(folded.state_dict()) == list(plain.state_dict())
        again = predict_examples(fitted.network, fixture.valid, run.techniques)
        for name, task in fixture.tasks.items():
            close = probabilities(task, after[name]), probabilities(task, before[name])
            np.testing.assert_allclose(*close, rtol=1e-5, atol=1e-5)
            # The network that is not folded stays as it was: training could go on from it.
            assert np.array_equal(again[name], before[name])
        scored = validation_score(folded, fixture.valid, fixture.tasks, fixture.metrics, run.techniques)
        assert fitted.best_score == pytest.approx(scored, abs=1e-5)


@pytest.mark.slow
def test_adaption_changes_no_prediction(fixtures: Worlds):
    rows = [row for row in ROWS if not row.acts.claims & REBUILDS]
    for row, base in ((one, base) for one in rows for base in one.bases):
        fixture = fixtures(base)
        try:
            run = fixture.run([row.acts], started=False)
        except RefusedError:
            continue
        adapted = predict_examples(run.network, fixture.valid)["label"]
        np.testing.assert_allclose(adapted, predict_examples(fixture.network, fixture.valid)["label"], atol=1e-6)
