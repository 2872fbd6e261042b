from __future__ import annotations

import pytest
import torch

from seqline.nn.dropout import FeatureDropout, StepDropout

B, T, D = 200, 11, 8
LENGTHS = torch.arange(B) % T + 1
MASK = torch.arange(T) < LENGTHS.unsqueeze(1)


def test_feature_dropout_drops_the_same_features_at_every_step_and_keeps_the_mean() -> None:
    dropped = FeatureDropout(rate=0.4)(torch.ones(B, T, D))
    assert torch.equal(dropped, dropped[:, :1].expand(B, T, D))
    torch.testing.assert_close(dropped.unique(), torch.tensor([0.0, 1 / 0.6]))
    assert dropped.mean().item() == pytest.approx(1, abs=0.06)
    assert not torch.equal(dropped[0], dropped[1])


def test_step_dropout_zeroes_whole_real_steps_at_its_rate_and_leaves_the_padding() -> None:
    mask = torch.ones(2_000, T, dtype=torch.bool)
    mask[:, 6:] = False
    dropped = StepDropout(rate=0.3)(torch.ones(2_000, T, D), mask)
    gone = dropped.eq(0).all(dim=2)
    assert torch.equal(dropped, (~gone).float().unsqueeze(-1).expand_as(dropped))
    assert not gone[:, 6:].any()
    assert gone[:, :6].float().mean().item() == pytest.approx(0.3, abs=0.03)


def test_step_dropout_never_empties_a_sequence() -> None:
    dropped = StepDropout(rate=0.95)(torch.ones(B, T, D), MASK)
    kept = dropped.ne(0).any(dim=2) & MASK
    assert kept.any(dim=1).all()
    assert kept[LENGTHS == 1, 0].all()
    assert (kept.sum(dim=1) < LENGTHS).any()


@pytest.mark.parametrize("rate", [0.0, 0.9])
def test_dropout_is_off_in_evaluation_and_at_rate_zero(rate: float) -> None:
    values = torch.randn(B, T, D)
    training = rate == 0
    assert FeatureDropout(rate=rate).train(training)(values) is values
    assert StepDropout(rate=rate).train(training)(values, MASK) is values


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
def test_a_rate_outside_its_range_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match=r"is not in \[0, 1\)"):
        FeatureDropout(rate=rate)
    with pytest.raises(ValueError, match=r"is not in \[0, 1\)"):
        StepDropout(rate=rate)
