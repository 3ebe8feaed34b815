"""Which inputs rows lose, and that none loses all."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from graftwork.core.rows.examples import make_batch
from graftwork.techniques import Gated, ModalityDropout
from graftwork.techniques.fusion.modality_dropout import kept
from tinyrun import Fixture, make_worlds


@pytest.fixture(scope="module")
def fixture(tmp_path_factory: pytest.TempPathFactory) -> Fixture:
    folder: Path = tmp_path_factory.mktemp("fixtures")
    return make_worlds(folder)("mixed")


def test_shares_are_as_asked_and_no_row_loses_all():
    has = torch.ones(20_000, 3, dtype=torch.bool)
    keep = kept(has, 0.3, torch.Generator().manual_seed(0))
    assert keep.any(dim=1).all()
    # An input is lost with 0.3, but for a third of the rows in which all three would be.
    assert (~keep).float().mean() == pytest.approx(0.3 - 0.3**3 / 3, abs=0.005)
    most = kept(has, 0.999, torch.Generator().manual_seed(0))
    assert most.sum(dim=1).float().mean() == pytest.approx(1.0, abs=0.01)
    assert (most.float().mean(dim=0) - 1 / 3).abs().max() < 0.02  # and no input is favoured


def test_what_a_row_lacks_already_stays_lacking():
    has = torch.tensor([[True, False], [False, True], [True, True], [False, False]]).repeat(500, 1)
    keep = kept(has, 0.9, torch.Generator().manual_seed(0))
    assert not (keep & ~has).any()
    assert keep[0::4, 0].all()
    assert keep[1::4, 1].all()
    assert keep[2::4].any(dim=1).all()
    assert not keep[3::4].any()


def test_the_stand_ins_learn_where_the_fusion_reads_them(fixture: Fixture):
    def learned(*listed: object) -> list[bool]:
        network = fixture.run(list(listed), started=False).network  # type: ignore[arg-type]
        return [absent.shift.requires_grad for absent in network.each_absent()]

    assert learned() == [False, True, False]
    assert learned(ModalityDropout()) == [True, True, True]
    assert learned(ModalityDropout(), Gated(8)) == [False, False, False]


def test_batches_lose_inputs_in_training_only(fixture: Fixture):
    run = fixture.run([ModalityDropout(0.5)])
    batch = make_batch(run.train, run.network, next(run.rows_from(0)), run.cached)
    assert set(batch.present) == {"photo"}
    some = run.stages.inputs(batch)
    assert set(some.present) == {"text", "photo", "table"}
    assert not all(bool(mask.all()) for mask in some.present.values())
    assert torch.stack(list(some.present.values())).any(dim=0).all()
    again = run.stages.inputs(batch)
    assert any(not torch.equal(some.present[name], again.present[name]) for name in some.present)
