from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from seqline.batch import IGNORED, SequenceBatch
from seqline.nn.speaker import FrameSpeaker, ending, frame_errors

BANDS = 5


def speaker(**changes: object) -> FrameSpeaker:
    settings: dict[str, object] = {
        "vocab_size": 7, "bands": BANDS, "embedding_dim": 6, "hidden_size": 8, "num_layers": 2, "cell": "lstm",
        "nonlinearity": "tanh", "prenet_size": 4, "prenet_dropout": 0.5, "frame_noise": 0.3,
        "frames_per_step": 2, "dropout": 0.1, "layer_dropout": 0.1,
    }  # fmt: skip
    return FrameSpeaker(**{**settings, **changes})  # type: ignore[arg-type]


def batch(*, rows: int = 3, lengths: tuple[int, ...] = (7, 4, 1)) -> SequenceBatch:
    frames = torch.randn(rows, max(lengths), BANDS)
    for row, length in enumerate(lengths):
        frames[row, length:] = IGNORED
    return SequenceBatch(
        inputs=torch.tensor([[2, 5], [3, 6], [4, 5]])[:rows],
        lengths=torch.full((rows,), 2),
        mask=torch.ones(rows, 2, dtype=torch.bool),
        targets=frames,
    )


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("per_step", [1, 2, 3, 9])
def test_it_writes_a_frame_and_an_end_for_each_true_one(cell: str, per_step: int) -> None:
    network, asked = speaker(cell=cell, frames_per_step=per_step), batch()
    written = network(asked)
    assert written.shape == (3, 7, BANDS + 1)
    assert written.dtype == torch.float32
    written.sum().backward()
    assert all(parameter.grad is not None for parameter in network.parameters())


def test_an_answer_does_not_depend_on_its_batch() -> None:
    network, asked = speaker().eval(), batch()
    together = network(asked)
    for row, length in enumerate((7, 4, 1)):
        alone = SequenceBatch(
            inputs=asked.inputs[row : row + 1],
            lengths=asked.lengths[row : row + 1],
            mask=asked.mask[row : row + 1],
            targets=asked.targets[row : row + 1, :length],
        )
        torch.testing.assert_close(network(alone)[0], together[row, :length], rtol=1e-4, atol=1e-5)
    padded = replace(
        asked,
        inputs=torch.cat([torch.full((3, 2), 6), asked.inputs], dim=1),
        mask=torch.cat([torch.zeros(3, 2, dtype=torch.bool), asked.mask], dim=1),
    )
    torch.testing.assert_close(network(padded), together)
    for one, other in zip(
        network.generate(asked, max_frames=9), network.generate(padded, max_frames=9), strict=True
    ):
        torch.testing.assert_close(one, other)


def test_labels_are_a_set() -> None:
    network, asked = speaker().eval(), batch()
    turned = replace(asked, inputs=asked.inputs.flip(1))
    torch.testing.assert_close(network(turned), network(asked))


def test_no_frame_sees_itself_or_a_later_one() -> None:
    network, asked = speaker(frames_per_step=2).eval(), batch(lengths=(7, 7, 7))
    before = network(asked)
    changed = asked.targets.clone()
    changed[:, 3:] += 5.0
    after = network(replace(asked, targets=changed))
    torch.testing.assert_close(after[:, :4], before[:, :4])
    assert (after[:, 4:] - before[:, 4:]).abs().max() > 1e-3


def test_speaking_freely_equals_writing_from_its_own_frames() -> None:
    network, asked = speaker(frames_per_step=2).eval(), batch()
    frames, lengths = network.generate(asked, max_frames=8)
    assert frames.shape == (3, 8, BANDS)
    assert lengths.min() >= 1
    assert lengths.max() <= 8
    # Given its own frames before each step, it writes them again, as long as a row has not ended.
    written = network(replace(asked, targets=frames))
    for row, length in enumerate(lengths.tolist()):
        torch.testing.assert_close(written[row, :length, :-1], frames[row, :length], rtol=1e-4, atol=1e-5)
        assert not frames[row, length:].any()


def test_it_ends_where_half_of_all_would_have_ended() -> None:
    chances = torch.tensor([[0.0, 0.2, 0.2, 0.2, 0.2, 0.2], [0.9, 0.1, 0.1, 0.1, 0.1, 0.1], [0.0] * 6])
    # 0.8 ** 3 is above a half, 0.8 ** 4 below: the fourth chance of a fifth, which is frame 5.
    assert ending(torch.logit(chances, eps=1e-6)).tolist() == [5, 1, 6]


def test_errors_are_sums_over_real_frames() -> None:
    asked = batch()
    lengths = torch.tensor([7, 4, 1])
    written = torch.zeros(3, 7, BANDS + 1)
    error, surprise = frame_errors(written, asked.targets, lengths)
    row = asked.targets[1, :4]
    torch.testing.assert_close(error[1], (row.abs() + row**2).mean(dim=1).sum())
    torch.testing.assert_close(surprise, lengths * torch.log(torch.tensor(2.0)))


def test_noise_and_dropout_rest_outside_training() -> None:
    network, asked = speaker(), batch()
    assert not torch.equal(network(asked), network(asked))
    network.eval()
    assert torch.equal(network(asked), network(asked))


def test_a_batch_without_frames_is_refused() -> None:
    with pytest.raises(ValueError, match="generate"):
        speaker()(replace(batch(), targets=None))


def test_bfloat16_gives_float32_frames() -> None:
    network = speaker().eval()
    with torch.autocast("cpu", torch.bfloat16):
        written = network(batch())
    assert written.dtype == torch.float32
