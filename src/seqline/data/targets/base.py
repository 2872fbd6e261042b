"""What a target kind does: it turns what is to be predicted into numbers to learn, and says how a row keeps it.

Legend: N rows, T steps, U steps of a target.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from seqline.data.arrays import Targets


class TargetEncoder(Protocol):
    """A fitted encoder of one target kind."""

    @property
    def sizes(self) -> dict[str, Any]:
        """What a network must know, as `num_classes`: JSON values."""
        ...

    @property
    def fill(self) -> int:
        """What stands in the padding of targets of unequal lengths."""
        ...

    def encode(self, values: Sequence[Any], lengths: Sequence[int]) -> Targets:
        """What the network learns for each row.

        Args:
            values: N values of the target column.
            lengths: N numbers of input steps, after the cut: tags have one for each step.

        Raises:
            InputError: A value is none of this kind.
        """
        ...

    def truth(self, value: Any) -> Any:
        """What the row keeps for the evaluation, a JSON value: the class index of a label, else the value itself."""
        ...

    def save(self, path: Path) -> None:
        """Write what was fitted; nothing where nothing was."""
        ...
