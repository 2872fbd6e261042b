"""Labels: one of the recipe's classes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from seqline.batch import PADDING_ID
from seqline.data.arrays import Targets
from seqline.errors import InputError
from seqline.recipe import LabelTarget


@dataclass(frozen=True)
class LabelEncoder:
    """Turns labels into class indices.

    Attributes:
        section: The recipe's target; it holds the classes, so nothing is learnt from the rows.
    """

    section: LabelTarget

    @classmethod
    def fit(cls, values: Iterable[Any], section: LabelTarget) -> LabelEncoder:
        """Nothing to learn: the recipe names the classes."""
        return cls(section)

    @classmethod
    def load(cls, path: Path, section: LabelTarget) -> LabelEncoder:
        """Nothing to read."""
        return cls(section)

    def save(self, path: Path) -> None:
        """Nothing to write."""

    @property
    def sizes(self) -> dict[str, int]:
        """`num_classes`."""
        return {"num_classes": len(self.section.classes)}

    @property
    def fill(self) -> int:
        """Of no use: a label is one number."""
        return PADDING_ID

    def truth(self, value: Any) -> int:
        """Class index of a label; a label that is not text (7, true) counts as its text form.

        Raises:
            InputError: The label is not among the recipe's classes.
        """
        label = value if isinstance(value, str) else str(value)
        try:
            return self.section.classes.index(label)
        except ValueError:
            raise InputError(
                f"column {self.section.column!r}",
                f"label {label!r}",
                f"one of {', '.join(self.section.classes)}",
            ) from None

    def encode(self, values: Sequence[Any], lengths: Sequence[int]) -> Targets:
        """Class indices, int64 (N,)."""
        return np.asarray([self.truth(value) for value in values], dtype=np.int64)
