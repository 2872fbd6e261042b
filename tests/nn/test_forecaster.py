"""The forecaster: answers that do not depend on the batch, ordered quantiles, corrections."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from seqline.batch import SequenceBatch
from seqline.nn.cells import CELLS
from seqline.nn.forecaster import Forecaster, OrderedQuantiles, align_right, pinball
from seqline.nn.horizon import DECODERS

DEFAULTS = {
    "context_length": 12,
    "horizon": 6,
    "channels": 1,
    "masked": False,
    "covariates": 0,
    "future_size": 0,
    "static_size": 0,
    "num_series": 0,
    "quantiles": (0.1, 0.5, 0.9),
    "independent": True,
    "segment": 1,
    "decoder": "direct",
    "residual": "none",
    "season_length": 3,
    "cell": "gru",
    "nonlinearity": "tanh",
    "hidden_size": 8,
    "num_layers": 1,
    "dropout": 0.0,
    "layer_dropout": 0.0,
}


def network(**settings) -> Forecaster:
    return Forecaster(**{**DEFAULTS, **settings}).eval()


def batch_of(rows=4, *, steps=12, features=1, lengths=None, **extras) -> SequenceBatch:
    lengths = torch.full((rows,), steps) if lengths is None else torch.tensor(lengths)
    mask = torch.arange(steps) >= steps - lengths[:, None]
    inputs = torch.randn(rows, steps, features) * mask.unsqueeze(-1)
    return SequenceBatch(inputs=inputs, lengths=lengths, mask=mask, extras=extras)


EVERYTHING = {
    "channels": 2,
    "masked": True,
    "covariates": 3,
    "future_size": 2,
    "static_size": 3,
    "num_series": 5,
}


def full_batch(rows=4, **others) -> SequenceBatch:
    return batch_of(
        rows,
        features=2 + 2 + 3,
        future=torch.randn(rows, 6, 2),
        series=torch.arange(rows) % 6,
        static=torch.randn(rows, 3),
        **others,
    )


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("independent", [True, False])
@pytest.mark.parametrize("residual", ["none", "last", "seasonal"])
@pytest.mark.parametrize("cell", CELLS)
def test_every_form_answers_in_order_and_learns_in_all_its_parts(
    decoder, independent, residual, cell
) -> None:
    net = network(
        **EVERYTHING, decoder=decoder, independent=independent, residual=residual, cell=cell, segment=3
    )
    net.train()
    forecasts = net(full_batch())
    assert forecasts.shape == (4, 6, 2, 3) and forecasts.dtype == torch.float32
    assert (forecasts.diff(dim=-1) > 0).all()
    pinball(forecasts, torch.randn(4, 6, 2), torch.tensor([0.1, 0.5, 0.9])).backward()
    idle = [name for name, p in net.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert idle == []


@pytest.mark.parametrize("decoder", DECODERS)
@pytest.mark.parametrize("residual", ["none", "last", "seasonal"])
def test_an_answer_depends_neither_on_neighbours_nor_on_padding(decoder, residual) -> None:
    net = network(**EVERYTHING, decoder=decoder, residual=residual, segment=3)
    batch = full_batch(lengths=[12, 7, 1, 4])
    expected = net(batch)
    for row in range(4):
        length = int(batch.lengths[row])
        real = batch.inputs[row : row + 1, 12 - length :]
        extras = {name: tensor[row : row + 1] for name, tensor in batch.extras.items()}
        junk = torch.full((1, 5, real.shape[2]), 1e6)
        for inputs, before in ((real, 0), (torch.cat([junk, real], 1), 5), (torch.cat([real, junk], 1), 0)):
            steps = torch.arange(inputs.shape[1])
            mask = (steps >= before) & (steps < before + length)
            alone = SequenceBatch(
                inputs=inputs, lengths=batch.lengths[row : row + 1], mask=mask.unsqueeze(0), extras=extras
            )
            torch.testing.assert_close(net(alone)[0], expected[row], atol=1e-5, rtol=1e-5)


def test_only_the_newest_steps_of_a_longer_context_are_read() -> None:
    net = network()
    batch = batch_of(steps=20)
    short = SequenceBatch(inputs=batch.inputs[:, 8:], lengths=torch.full((4,), 12), mask=batch.mask[:, 8:])
    torch.testing.assert_close(net(batch), net(short))


@pytest.mark.parametrize("residual", ["last", "seasonal"])
def test_a_network_that_has_learnt_nothing_gives_the_simple_forecast(residual) -> None:
    net = network(residual=residual)
    torch.nn.init.zeros_(net.decoder.head.weight)
    batch = batch_of(lengths=[12, 12, 12, 2])
    values = batch.inputs[..., 0]
    expected = values[:, -1:].expand(-1, 6).clone()
    if residual == "seasonal":
        expected[:3] = values[:3, [9, 10, 11, 9, 10, 11]]  # the fourth is shorter than a season
    torch.testing.assert_close(net(batch)[:, :, 0, 1], expected)


def test_channels_on_their_own_do_not_know_each_other_and_together_they_do() -> None:
    batch = batch_of(features=2)
    other = replace(batch, inputs=batch.inputs * torch.tensor([1.0, 3.0]))
    for independent in (True, False):
        net = network(channels=2, independent=independent)
        same = torch.allclose(net(batch)[:, :, 0], net(other)[:, :, 0], atol=1e-6)
        assert same == independent


def test_covariates_known_ahead_and_the_series_change_the_answer() -> None:
    for decoder in DECODERS:
        net = network(**EVERYTHING, decoder=decoder)
        batch = full_batch()
        for name, changed in (
            ("future", -batch.extras["future"]),
            ("series", (batch.extras["series"] + 1) % 6),
        ):
            other = replace(batch, extras={**batch.extras, name: changed})
            assert not torch.allclose(net(batch), net(other), atol=1e-4), f"{decoder} {name}"


def test_a_covariate_of_a_step_reaches_only_that_segment_and_later_ones() -> None:
    later = {"recurrent": [0.0, 1.0, 1.0], "parallel": [0.0, 1.0, 0.0]}
    for decoder, reached in later.items():
        net = network(future_size=1, decoder=decoder, segment=2)
        batch = batch_of(future=torch.zeros(4, 6, 1))
        future = torch.zeros(4, 6, 1)
        future[:, 2:4] = 5.0
        change = (net(batch) - net(replace(batch, extras={"future": future}))).abs().amax(dim=(0, 2, 3))
        assert [float(change[i : i + 2].max() > 1e-6) for i in (0, 2, 4)] == reached


def test_real_steps_are_moved_to_the_end() -> None:
    inputs = torch.arange(10.0).view(2, 5, 1)
    mask = torch.tensor([[0, 1, 1, 0, 0], [1, 1, 1, 1, 1]], dtype=torch.bool)
    moved, real = align_right(inputs, torch.tensor([2, 5]), mask, width=3)
    assert moved[..., 0].tolist() == [[0, 1, 2], [7, 8, 9]]
    assert real.tolist() == [[False, True, True], [True, True, True]]


def test_quantiles_are_ordered_around_the_base() -> None:
    ordered = OrderedQuantiles((0.05, 0.25, 0.5, 0.75, 0.95))
    found = ordered(torch.randn(100, 5) * 10, torch.full((100,), 7.0))
    assert (found.diff(dim=-1) >= 0).all()
    zero = ordered(torch.zeros(1, 5), torch.full((1,), 7.0))
    assert zero[0, 2] == 7.0 and zero[0, 3] - 7 == pytest.approx(float(7 - zero[0, 1]))
    for levels in ((0.5, 0.1), (0.0, 0.5), ()):
        with pytest.raises(ValueError, match="must rise"):
            OrderedQuantiles(levels)


def test_the_pinball_loss_of_missing_targets_is_that_of_the_others() -> None:
    forecasts, levels = torch.randn(3, 2, 1, 3), torch.tensor([0.1, 0.5, 0.9])
    targets = torch.randn(3, 2, 1)
    targets[1:] = float("nan")
    torch.testing.assert_close(
        pinball(forecasts, targets, levels), pinball(forecasts[:1], targets[:1], levels)
    )
    assert pinball(forecasts, torch.full_like(targets, float("nan")), levels) == 0
    median = pinball(forecasts[..., 1:2], targets, torch.tensor([0.5]))
    torch.testing.assert_close(median, (forecasts[:1, :, :, 1] - targets[:1]).abs().mean())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"segment": 5}, "multiples of segment 5"),
        ({"segment": 4, "decoder": "parallel"}, "multiples of segment 4"),
        ({"residual": "seasonal", "season_length": 13}, "at most context_length 12"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(settings, message) -> None:
    with pytest.raises(ValueError, match=message):
        network(**settings)
