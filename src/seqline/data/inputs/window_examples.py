"""Windows as examples to learn from: read from their series when a batch is made, scaled as serving scales them.

Legend: N windows, B of them that are asked for, H horizon steps, C channels, D features.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqline.data.arrays import Array, Taken
from seqline.data.inputs.history import HistoryEncoder
from seqline.data.scaling import TOO_LARGE
from seqline.data.window_rows import Windows
from seqline.errors import InputError

# Whoever asks for all steps wants their quantiles; windows overlap, and a million steps tell those as well.
_MAX_STEPS = 1 << 20
_READ_AT_ONCE = 1_024


@dataclass(frozen=True)
class WindowExamples:
    """The examples of one split, N windows.

    Attributes:
        windows: Where they lie.
        encoder: Fitted on those of train.
    """

    windows: Windows
    encoder: HistoryEncoder

    def __len__(self) -> int:
        return len(self.windows)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Steps of each context, int64 (N,)."""
        return self.windows.lengths

    @property
    def steps(self) -> Array:
        """Scaled features of the steps of windows that are evenly spread, float32 (M, D), about a million at most."""
        count = max(1, min(len(self), _MAX_STEPS // max(1, int(self.lengths.max()))))
        places = np.unique(np.linspace(0, len(self) - 1, count).round().astype(np.int64))
        return np.concatenate(self.take(places).sequences)

    def take(self, indices: npt.NDArray[np.int64]) -> Taken:
        """Some windows, int64 (B,), with their future values float32 (B, H, C) scaled as their contexts are.

        Raises:
            InputError: A window misses what is refused, or is too large once it is scaled.
        """
        features = self.encoder.features([self.windows.history(int(place)) for place in indices])
        truths = np.stack([self.windows.truth(int(place)) for place in indices])
        location, scale = (features.rows[name][:, None] for name in ("location", "scale"))
        with np.errstate(over="ignore"):
            targets = ((truths - location) / scale).astype(np.float32)
        too_large = np.isinf(targets).any(axis=(1, 2))
        if too_large.any():
            raise InputError(
                f"window {self.windows.ids[indices[int(too_large.argmax())]]}",
                f"a value to be foretold is {TOO_LARGE} once it is scaled",
                "values of the size of those before them",
                "mend the values, or set input.scaling to level",
            )
        return Taken(features.inputs, targets, {name: list(rows) for name, rows in features.rows.items()})

    def checked(self, names: tuple[str, ...]) -> dict[str, Array]:
        """Read every window once, so that what cannot be learnt from is refused; features (N, ...) of rows by name.

        Raises:
            InputError: As of `take`.
        """
        found: dict[str, list[Array]] = {name: [] for name in names}
        for begin in range(0, len(self), _READ_AT_ONCE):
            extras = self.take(np.arange(begin, min(begin + _READ_AT_ONCE, len(self)))).extras
            for name in names:
                found[name].extend(extras[name])
        return {name: np.stack(rows) for name, rows in found.items()}
