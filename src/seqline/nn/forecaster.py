"""A network that reads a context window and foretells all steps of the horizon at once, as quantiles.

The encoder reads the context in segments: one step a value (a segment of 1) is the classic recurrent network; a segment
of a day of hours makes the recurrence 24 times shorter, and so faster and easier to learn (Lin et al., 2023). A decoder
(`seqline.nn.horizon`) turns its last state into the horizon.

What is learnt may be a correction to a simple forecast: the last value or the last season.

Legend: B batch, T steps as given, L context steps, H horizon steps, C channels, D input features, F covariates known
ahead, E hidden, S segments, Q quantiles, R = B or B * C: rows that are read on their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqline.batch import SequenceBatch
from seqline.nn.horizon import DECODERS
from seqline.nn.recurrent import Recurrent

# Where the distance between neighbouring quantiles starts: softplus(-1) is 0.31 of the window's unit.
_INITIAL_SPREAD = -1.0
_EMBEDDING_STD = 0.1


class Forecaster(nn.Module):
    """Context to quantiles of every step of the horizon.

    A row's forecast does not depend on its batch: real steps are first moved to the end of a context of one fixed length.

    Args:
        context_length: L; of longer contexts the last L steps are read.
        horizon: H.
        channels: C, the first features of a step; they are what is foretold.
        masked: Whether the next C features say which values are real.
        covariates: Further features of a step.
        future_size: F, covariates of the steps to be foretold (extras "future").
        static_size: Numbers that never change (extras "static").
        num_series: Series that have a vector of their own (extras "series", 1 to num_series; 0 is any other); 0: none has.
        quantiles: Q levels in (0, 1), rising.
        independent: Channels are read one by one with the same weights; else all of them at once.
        segment: Steps read at once; L and, with decoders recurrent and parallel, H must be multiples of it.
        decoder: A key of `seqline.nn.horizon.DECODERS`.
        residual: What the forecast is a correction to: none, last (value) or seasonal (the last season).
        season_length: Steps of that season, at most L.
        cell: A key of `seqline.nn.cells.CELLS`.
        nonlinearity: Of cell rnn.
        hidden_size: E.
        num_layers: Recurrent layers.
        dropout: Rate on the states that are answered from.
        layer_dropout: Rate between recurrent layers.

    Raises:
        ValueError: Settings that do not go together.

    Source: Wen et al., "A multi-horizon quantile recurrent forecaster", 2017 (the direct head); Lin et al., "SegRNN: segment
        recurrent neural network for long-term time series forecasting", 2023 (segments, the parallel decoder).
    """

    def __init__(
        self,
        *,
        context_length: int,
        horizon: int,
        channels: int,
        masked: bool,
        covariates: int,
        future_size: int,
        static_size: int,
        num_series: int,
        quantiles: Sequence[float],
        independent: bool,
        segment: int,
        decoder: str,
        residual: str,
        season_length: int,
        cell: str,
        nonlinearity: str,
        hidden_size: int,
        num_layers: int,
        dropout: float,
        layer_dropout: float,
    ) -> None:
        super().__init__()
        if context_length % segment or (decoder != "direct" and horizon % segment):
            raise ValueError(
                f"context_length {context_length} and horizon {horizon} must be multiples of segment {segment}"
            )
        if residual == "seasonal" and season_length > context_length:
            raise ValueError(f"season_length {season_length} must be at most context_length {context_length}")
        self.context_length, self.horizon, self.channels, self.segment = (
            context_length,
            horizon,
            channels,
            segment,
        )
        self.masked, self.independent, self.residual = masked, independent, residual
        self.season_length, self.num_quantiles = season_length, len(quantiles)
        self.width = width = 1 if independent else channels
        # The last feature says which steps are real: short contexts begin with empty ones.
        features = width * (2 if masked else 1) + covariates + 1
        self.reader = nn.Linear(segment * features, hidden_size)
        self.recurrent = Recurrent(
            cell=cell,
            nonlinearity=nonlinearity,
            input_size=hidden_size,
            hidden_size=hidden_size,
            num_layers=num_layers,
            bidirectional=False,
            layer_dropout=layer_dropout,
        )
        self.series = nn.Embedding(num_series + 1, hidden_size, padding_idx=0) if num_series else None
        self.static = nn.Linear(static_size, hidden_size) if static_size else None
        self.channel = nn.Embedding(channels, hidden_size) if independent and channels > 1 else None
        self.decoder = DECODERS[decoder](
            horizon=horizon,
            width=width * self.num_quantiles,
            future_size=future_size,
            segment=segment,
            cell=cell,
            nonlinearity=nonlinearity,
            hidden_size=hidden_size,
            num_layers=num_layers,
            dropout=dropout,
            layer_dropout=layer_dropout,
        )
        self.quantiles = OrderedQuantiles(quantiles)
        for embedding in (self.series, self.channel):
            if embedding is not None:
                nn.init.normal_(embedding.weight, std=_EMBEDDING_STD)
        if self.series is not None:
            nn.init.zeros_(self.series.weight[0])

    def forward(self, batch: SequenceBatch) -> Tensor:
        """Foretell a batch.

        Args:
            batch: inputs float (B, T, D), padded on either side; extras "future" float (B, H, F) where F > 0 and "series"
                int64 (B,) where num_series > 0, "static" float (B, static_size). The targets are not read.

        Returns:
            Quantiles float32 (B, H, C, Q), in the unit of the inputs, never crossing.
        """
        inputs, real = align_right(batch.inputs, batch.lengths, batch.mask, width=self.context_length)
        values = inputs[..., : self.channels]
        base = self._base(values, batch.lengths)
        if self.residual == "last":
            values = (values - values[:, -1:]).masked_fill(~real.unsqueeze(-1), 0.0)
        rows = self._rows(values, inputs[..., self.channels :], real)
        who = self._identity(batch, len(rows))
        segments = rows.reshape(len(rows), self.context_length // self.segment, -1)
        embedded = F.relu(self.reader(segments)) + who.unsqueeze(1)
        state = self.recurrent.initial_state(len(rows)).to(embedded.dtype)
        states, state = self.recurrent.read(embedded, state)
        future = batch.extras.get("future") if self.decoder.reads_future else None
        if future is not None and self.independent:
            future = future.repeat_interleave(self.channels, dim=0)
        steps = self.decoder(states[:, -1], state, who, future)
        # The answer's digits are those of the head.
        with torch.autocast(steps.device.type, enabled=False):
            shape = (batch.inputs.shape[0], -1, self.horizon, self.width, self.num_quantiles)
            by_step = steps.float().view(shape).transpose(1, 2).flatten(2, 3)
            return self.quantiles(by_step, base.float())

    def _rows(self, values: Tensor, others: Tensor, real: Tensor) -> Tensor:
        """What is read on its own: float (R, L, features)."""
        present = real.unsqueeze(-1).to(values.dtype)
        if not self.independent:
            return torch.cat([values, others, present], dim=-1)
        batch_size, steps, channels = values.shape
        shared = torch.cat([others[..., channels if self.masked else 0 :], present], dim=-1)
        parts = [values.unsqueeze(-1)]
        if self.masked:
            parts.append(others[..., :channels].unsqueeze(-1))
        parts.append(shared.unsqueeze(2).expand(-1, -1, channels, -1))
        return torch.cat(parts, dim=-1).transpose(1, 2).reshape(batch_size * channels, steps, -1)

    def _identity(self, batch: SequenceBatch, rows: int) -> Tensor:
        """What is known of each row beside its values: float (R, E)."""
        who = self.reader.weight.new_zeros(rows, self.reader.out_features)
        copies = rows // batch.inputs.shape[0]
        if self.series is not None:
            who = who + self.series(batch.extras["series"]).repeat_interleave(copies, dim=0)
        if self.static is not None:
            who = who + self.static(batch.extras["static"]).repeat_interleave(copies, dim=0)
        if self.channel is not None:
            who = who + self.channel.weight.repeat(batch.inputs.shape[0], 1)
        return who

    def _base(self, values: Tensor, lengths: Tensor) -> Tensor:
        """The simple forecast that is corrected: (B, H, C)."""
        if self.residual == "none":
            return values.new_zeros(values.shape[0], self.horizon, self.channels)
        last = values[:, -1:].expand(-1, self.horizon, -1)
        if self.residual == "last":
            return last
        ahead = torch.arange(self.horizon, device=values.device) % self.season_length
        seasonal = values[:, self.context_length - self.season_length + ahead]
        return torch.where((lengths >= self.season_length)[:, None, None], seasonal, last)


class OrderedQuantiles(nn.Module):
    """Numbers without order to quantiles that never cross: the middle one, and distances from it that are positive.

    Args:
        levels: Q levels in (0, 1), rising.

    Raises:
        ValueError: Levels outside (0, 1) or not rising.
    """

    def __init__(self, levels: Sequence[float]) -> None:
        super().__init__()
        pairs = pairwise(levels)
        if not levels or not all(0 < level < 1 for level in levels) or not all(a < b for a, b in pairs):
            raise ValueError(f"quantiles {list(levels)} must rise within (0, 1)")
        self.middle = min(range(len(levels)), key=lambda i: abs(levels[i] - 0.5))

    def forward(self, values: Tensor, base: Tensor) -> Tensor:
        """Order float (..., Q) around base (...): (..., Q)."""
        middle = base + values[..., self.middle]
        distances = F.softplus(values + _INITIAL_SPREAD)
        above = middle.unsqueeze(-1) + distances[..., self.middle + 1 :].cumsum(-1)
        below = middle.unsqueeze(-1) - distances[..., : self.middle].flip(-1).cumsum(-1).flip(-1)
        return torch.cat([below, middle.unsqueeze(-1), above], dim=-1)


def align_right(inputs: Tensor, lengths: Tensor, mask: Tensor, *, width: int) -> tuple[Tensor, Tensor]:
    """Move every sequence's real steps to the end of a fixed width.

    Args:
        inputs: float (B, T, D), each row's real steps in one block.
        lengths: int64 (B,), at least 1.
        mask: bool (B, T), True = real step.
        width: W; of longer sequences the last W steps are kept.

    Returns:
        Inputs (B, W, D), zero before the real steps, and their mask bool (B, W).
    """
    first_real = mask.to(torch.uint8).argmax(dim=1, keepdim=True)
    backwards = torch.arange(width, 0, -1, device=inputs.device)  # 1 is the last step
    real = backwards <= lengths.unsqueeze(1)
    index = (first_real + lengths.unsqueeze(1) - backwards).clamp(min=0)
    rows = torch.arange(len(inputs), device=inputs.device).unsqueeze(1)
    return inputs[rows, index].masked_fill(~real.unsqueeze(-1), 0.0), real


def pinball(forecasts: Tensor, targets: Tensor, quantiles: Tensor) -> Tensor:
    """Mean pinball loss over the targets that are there.

    For a level q and an error e = y - forecast it is max(q e, (q - 1) e); twice it is what is averaged, so that the median
    alone gives the mean absolute error.

    Args:
        forecasts: float (B, H, C, Q).
        targets: float (B, H, C), NaN = missing.
        quantiles: float (Q,).

    Returns:
        Scalar; 0 where no target is there.

    Source: Koenker and Bassett, "Regression quantiles", 1978.
    """
    present = torch.isfinite(targets)
    error = torch.where(present, targets, 0.0).unsqueeze(-1) - forecasts
    loss = 2 * torch.maximum(quantiles * error, (quantiles - 1) * error).mean(dim=-1)
    return (loss * present).sum() / present.sum().clamp(min=1)
