"""A network that says what it is told: from a few labels to frames of log-mel energies.

The labels (which word, whose voice) become one vector, the same at every step; frames are written one group after the other,
each from the frames before it and that vector. In training the true frames stand before each group (teacher forcing), but
blurred: noise and dropout keep the network from merely repeating the last frame, which it could not do from its own. Beside
each frame it says whether this is the last one.

Legend: B batch, T labels of a row, V vocabulary, E embedding, U frames, G groups of R frames, M mel bands, H hidden.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqline.batch import IGNORED, PADDING_ID, SequenceBatch
from seqline.nn.alignment import align_left
from seqline.nn.recurrent import Recurrent

# Logarithm of the share of recordings that still go on when a row ends.
_HALF = math.log(0.5)
_PERIODS = (4.0, 8.0, 16.0, 32.0, 64.0, 128.0)


class Prenet(nn.Module):
    """Two narrow layers with dropout between the last frame and the recurrent layers.

    Args:
        input_size: M.
        size: Units of each layer.
        dropout: Rate after each layer, in training only.

    Source: Wang et al., "Tacotron: Towards end-to-end speech synthesis", 2017.
    """

    def __init__(self, *, input_size: int, size: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(input_size, size), nn.Linear(size, size)])
        self.dropout = nn.Dropout(dropout)

    def forward(self, frames: Tensor) -> Tensor:
        """Narrow frames (..., M) to (..., size)."""
        for layer in self.layers:
            frames = self.dropout(torch.relu(layer(frames)))
        return frames


class FrameSpeaker(nn.Module):
    """Labels to frames of log-mel energies, autoregressive.

    Labels are a set: their order within a row says nothing.

    Args:
        vocab_size: V; id 0 is padding, 1 is unknown.
        bands: M.
        embedding_dim: E.
        hidden_size: H of each recurrent layer.
        num_layers: Recurrent layers.
        cell: A key of `seqline.nn.cells.CELLS`.
        nonlinearity: Of cell rnn.
        prenet_size: Units between the last frame and the recurrent layers.
        prenet_dropout: Rate there.
        frame_noise: Standard deviation of what is added to the true frames in training; frames are scaled to deviation 1.
        frames_per_step: R, frames written at once.
        dropout: Rate on the states that frames are written from.
        layer_dropout: Rate between recurrent layers.

    Raises:
        KeyError: For an unknown cell.

    Source: Wang et al., "Tacotron: Towards end-to-end speech synthesis", 2017 (prenet, groups of frames); Shen et al.,
        "Natural TTS synthesis by conditioning WaveNet on mel spectrogram predictions", 2018 (the prediction of the end).
    """

    def __init__(
        self,
        *,
        vocab_size: int,
        bands: int,
        embedding_dim: int,
        hidden_size: int,
        num_layers: int,
        cell: str,
        nonlinearity: str,
        prenet_size: int,
        prenet_dropout: float,
        frame_noise: float,
        frames_per_step: int,
        dropout: float,
        layer_dropout: float,
    ) -> None:
        super().__init__()
        self.bands, self.frames_per_step, self.frame_noise = bands, frames_per_step, frame_noise
        self.embedding = nn.Embedding(vocab_size, embedding_dim, padding_idx=PADDING_ID)
        self.prenet = Prenet(input_size=bands, size=prenet_size, dropout=prenet_dropout)
        self.recurrent = Recurrent(
            cell=cell,
            nonlinearity=nonlinearity,
            input_size=prenet_size + embedding_dim + 2 * len(_PERIODS),
            hidden_size=hidden_size,
            num_layers=num_layers,
            bidirectional=False,
            layer_dropout=layer_dropout,
        )
        self.dropout = nn.Dropout(dropout)
        # Each frame, and how likely it is the last one.
        self.writer = nn.Linear(hidden_size + embedding_dim, frames_per_step * (bands + 1))

    def forward(self, batch: SequenceBatch) -> Tensor:
        """Write each frame from the true ones before it.

        Args:
            batch: inputs int64 (B, T) labels; targets float32 (B, U, M), scaled frames, `IGNORED` after the last.

        Returns:
            float32 (B, U, M + 1), also under autocast: frames, then the logit that a frame is the last.

        Raises:
            ValueError: The batch has no targets.
        """
        if batch.targets is None:
            raise ValueError("a batch without frames can only be spoken: see `generate`")
        voice = self._voice(batch)
        # What stands in the padding comes after all that is real, so it decides nothing; but it must not overflow.
        frames = batch.targets.masked_fill(batch.targets == IGNORED, 0.0).to(voice.dtype)
        before = self._before(frames)
        if self.training and self.frame_noise > 0:
            before = before + self.frame_noise * torch.randn_like(before)
        codes = self._clock(before.shape[1], before.device).expand(len(before), -1, -1)
        held = voice.unsqueeze(1).expand(-1, before.shape[1], -1)
        states = self.recurrent.read(
            torch.cat([self.prenet(before), held, codes], dim=-1), self.recurrent.initial_state(len(before))
        )[0]
        return self._write(states, held)[:, : frames.shape[1]]

    @torch.no_grad()
    def generate(self, batch: SequenceBatch, *, max_frames: int) -> tuple[Tensor, Tensor]:
        """Write frames from the network's own ones, up to where half of all recordings would have ended.

        Args:
            batch: inputs int64 (B, T) labels; the targets are not read.
            max_frames: Most frames of a row.

        Returns:
            Scaled frames float32 (B, U, M), zero after the last, and their numbers int64 (B,), at least 1.
        """
        voice = self._voice(batch)
        rows = len(voice)
        state = self.recurrent.initial_state(rows)
        last = voice.new_zeros(rows, self.bands)
        groups = -(-max_frames // self.frames_per_step)
        codes = self._clock(groups, voice.device)[0]
        pieces: list[Tensor] = []
        going_on = voice.new_zeros(rows)
        for group in range(groups):
            inputs = torch.cat([self.prenet(last), voice, codes[group].expand(rows, -1)], dim=-1)
            output, state = self.recurrent.step(inputs, state)
            pieces.append(self._write(output.unsqueeze(1), voice.unsqueeze(1)))
            last = pieces[-1][:, -1, : self.bands]
            going_on = going_on + F.logsigmoid(-pieces[-1][..., -1]).sum(dim=1)
            if bool((going_on <= _HALF).all()):
                break
        written = torch.cat(pieces, dim=1)[:, :max_frames]
        lengths = ending(written[..., -1])
        written = F.pad(written, (0, 0, 0, max_frames - written.shape[1]))
        steps = torch.arange(written.shape[1], device=written.device)
        return written[..., :-1].masked_fill((steps >= lengths.unsqueeze(1)).unsqueeze(-1), 0.0), lengths

    def _voice(self, batch: SequenceBatch) -> Tensor:
        """What the labels say together, (B, E)."""
        ids, mask = align_left(batch.inputs, batch.lengths, batch.mask)
        return self.embedding(ids.masked_fill(~mask, PADDING_ID)).sum(dim=1)

    def _before(self, frames: Tensor) -> Tensor:
        """The frame before each group, zero before the first: (B, U, M) to (B, G, M)."""
        groups = -(-frames.shape[1] // self.frames_per_step)
        ends = frames[:, self.frames_per_step - 1 :: self.frames_per_step][:, : groups - 1]
        return torch.cat([frames.new_zeros(len(frames), 1, self.bands), ends], dim=1)

    def _clock(self, groups: int, device: torch.device) -> Tensor:
        """Which frame it is, as waves of several periods: float32 (1, G, 2 * periods)."""
        frame = torch.arange(groups, device=device, dtype=torch.float32) * self.frames_per_step
        angles = 2 * torch.pi * frame.unsqueeze(1) / torch.tensor(_PERIODS, device=device)
        return torch.cat([angles.sin(), angles.cos()], dim=1).unsqueeze(0)

    def _write(self, states: Tensor, voice: Tensor) -> Tensor:
        """Frames with their ends, float32 (B, G * R, M + 1), from states (B, G, H) and the labels (B, G, E)."""
        with torch.autocast(states.device.type, enabled=False):
            features = torch.cat([self.dropout(states.float()), voice.float()], dim=-1)
            written: Tensor = self.writer(features)
        return written.reshape(len(states), -1, self.bands + 1)


def ending(logits: Tensor) -> Tensor:
    """Number of frames up to the one by which half of all recordings would have ended.

    Not the first probability above a half: where the end may be at any of ten frames, none of them is likely.

    Args:
        logits: float (B, U), that a frame is the last when none before it was.

    Returns:
        int64 (B,), from 1 to U.
    """
    going_on = F.logsigmoid(-logits.float()).cumsum(dim=1)
    return ((going_on > _HALF).sum(dim=1) + 1).clamp(max=logits.shape[1])


def frame_errors(written: Tensor, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """How far the frames are off, and how surprising the end is: each row's sums over its real frames.

    Args:
        written: float (B, U, M + 1) of `FrameSpeaker.forward`.
        frames: float (B, U, M), the true ones; anything finite after the last.
        lengths: int64 (B,), how many of them are real, at least 1.

    Returns:
        float32 (B,) mean over bands of |error| + error^2, and float32 (B,) cross-entropy of the end, nats.
    """
    steps = torch.arange(frames.shape[1], device=frames.device)
    mask = steps < lengths.unsqueeze(1)
    gap = (written[..., :-1].float() - frames.float()).abs().masked_fill(~mask.unsqueeze(-1), 0.0)
    is_last = (steps == lengths.unsqueeze(1) - 1).float()
    surprise = F.binary_cross_entropy_with_logits(written[..., -1].float(), is_last, reduction="none")
    return (gap + gap**2).mean(dim=-1).sum(dim=1), surprise.masked_fill(~mask, 0.0).sum(dim=1)
