"""What a finished model may be given at prediction."""

from __future__ import annotations

import pytest

from graftwork.errors import UsageError
from graftwork.techniques import TTA, LoRA, Tent, at_prediction


def test_a_spec_or_the_thing_itself():
    assert at_prediction("tent:steps=5") == Tent(5)
    assert at_prediction(TTA(2)) == TTA(2)


@pytest.mark.parametrize("given", ["lora", LoRA(rank=2)])
def test_what_acts_in_training_alone_is_refused(given: str | LoRA):
    with pytest.raises(UsageError, match=r"lora acts in training alone.*At prediction there are: adabn, tent, tta"):
        at_prediction(given)


def test_an_unknown_name_says_what_was_meant():
    with pytest.raises(UsageError, match="tent"):
        at_prediction("tnet")
