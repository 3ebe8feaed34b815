from __future__ import annotations

import torch

from graftwork.data.batch import Batch, whole
from graftwork.techniques.streams import StepStream, own_stream

CPU = torch.device("cpu")


def test_own_stream_repeats_and_leaves_no_trace():
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    with own_stream(1, CPU):
        first = torch.rand(3)
    assert torch.equal(torch.rand(3), expected)
    with own_stream(1, CPU):
        assert torch.equal(torch.rand(3), first)
    assert not torch.equal(first, expected)


def test_step_stream_changes_by_step_and_by_rows_only():
    stream = StepStream(torch.Generator().manual_seed(0))
    batch = whole(Batch(inputs={}, rows=torch.arange(4)))
    stream.renew(batch)
    first = stream.seed(batch)
    assert stream.seed(batch) == first
    assert stream.seed(batch.part(torch.tensor([2, 3]))) != first
    stream.renew(batch)
    assert stream.seed(batch) != first


def test_step_stream_goes_on_from_a_saved_generator():
    stream = StepStream(torch.Generator().manual_seed(0))
    batch = whole(Batch(inputs={}, rows=torch.arange(4)))
    stream.renew(batch)
    saved = stream.generator.get_state()
    stream.renew(batch)
    expected = stream.seed(batch)
    other = StepStream(torch.Generator())
    other.generator.set_state(saved)
    other.renew(batch)
    assert other.seed(batch) == expected
