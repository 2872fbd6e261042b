"""What all parts of a recipe have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

# Of a recurrent network's weights, in float32: 4 GiB, and four times that while they are learnt.
MAX_WEIGHTS = 1 << 30
# A layer of so many units alone has more weights than that.
MAX_UNITS = 1 << 15

Seed = Annotated[int, Field(ge=0, lt=2**63)]
Units = Annotated[int, Field(ge=1, le=MAX_UNITS)]


class Section(BaseModel):
    """Base of all recipe sections: unknown keys are errors, values are not coerced, nothing changes later.

    No number is infinite or NaN, whatever bounds a key has of its own: NaN is on no side of any bound.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


def require_distinct(key: str, values: Sequence[str]) -> None:
    """Refuse a list that holds a value twice, or one that shows nothing."""
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise ValueError(f"{key} holds {twice[0]!r} twice; expected each value once")
    if any(not value.strip() for value in values):
        raise ValueError(f"{key} holds a blank value; expected values that show something")
