"""What checks, ingestion and splits need of one kind of input: what is wrong with a value, how long it is, what equals it.

A kind looks at one value at a time and keeps nothing, so a table of any length is checked in one pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol

Severity = Literal["critical", "warning", "info"]
# Name of a setting of the recipe's section `validation`: the share of rows that may break a demand.
ShareBound = Literal["max_blank_share", "max_flat_share"]
_EXCERPT_CHARACTERS = 80


@dataclass(frozen=True, kw_only=True)
class Demand:
    """One thing that every value of a kind must keep.

    Attributes:
        fact: What a fault is called: `blank`, `foreign symbol`.
        rule: The demand in plain words, as it should be.
        severity: Of a break in more rows than the bound allows.
        share: The bound on the share of rows; None: no row.
        warns_below: Whether a single row is a warning where a share is allowed.
        note: Why it matters, for the page of the checks.
    """

    fact: str
    rule: str
    severity: Severity
    share: ShareBound | None = None
    warns_below: bool = False
    note: str = ""


@dataclass(frozen=True)
class Finding:
    """One demand that a value breaks.

    Attributes:
        fact: Of the demand.
        found: What was found, short: a cell of a table.
        sentence: The same for somebody who sees only this: why a row is refused.
    """

    fact: str
    found: str
    sentence: str


class Kind(Protocol):
    """A kind of input.

    Attributes:
        singular: One value in words: `text`, `series`.
        plural: Many of them.
        unit: What `length` counts, in words.
        demands: All that `findings` and `beside` may name, in the order of the checks.
        rows_continue: Whether several rows may bear one id, as stretches of one series do.
    """

    @property
    def singular(self) -> str: ...
    @property
    def plural(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def demands(self) -> tuple[Demand, ...]: ...
    @property
    def rows_continue(self) -> bool: ...

    def findings(self, value: Any) -> list[Finding]:
        """Every demand that the value breaks, the warnings too; none for a missing value (None)."""

    def beside(self, values: Mapping[str, Any]) -> list[Finding]:
        """What other columns of the row break that belong to the input."""

    def moments(self, values: Mapping[str, Any]) -> tuple[str, list[int | str]] | None:
        """Of a usable row: its series, and the steps of it that no other row may hold too; None where rows are apart."""

    def observations(self, values: Mapping[str, Any]) -> int:
        """How much a row holds to learn from: 1 where it is one example, of a series its steps."""

    def faults(self, value: Any) -> list[str]:
        """Why the value cannot be used, one sentence each; empty for a good one, and for one with mere warnings."""

    def length(self, value: Any) -> int | None:
        """How long it is, in `unit`; None where it is no value of this kind."""

    def key(self, value: Any) -> str | None:
        """What values that count as the same have in common; None where there is nothing to compare."""

    def facts(self, value: Any) -> Mapping[str, float]:
        """Numbers about a usable value; empty for another."""

    def excerpt(self, value: Any) -> str:
        """How it begins, on one line, for people."""

    def settled(self, value: Any) -> Kind:
        """The kind with what its first usable value decides for all others, such as the number of features."""


class OneColumn:
    """What holds for every kind whose input is one column of one row."""

    rows_continue: ClassVar[bool] = False

    def beside(self, values: Mapping[str, Any]) -> list[Finding]:
        """Nothing: the input is its column alone."""
        return []

    def moments(self, values: Mapping[str, Any]) -> tuple[str, list[int | str]] | None:
        """None: each row stands for itself."""
        return None

    def observations(self, values: Mapping[str, Any]) -> int:
        """One example."""
        return 1


def critical_sentences(demands: tuple[Demand, ...], findings: list[Finding]) -> list[str]:
    """Sentences of the findings that break a critical demand."""
    critical = {demand.fact for demand in demands if demand.severity == "critical"}
    return [finding.sentence for finding in findings if finding.fact in critical]


def shown(value: Any) -> str:
    r"""Show a value as text that any encoder takes: lone surrogates are spelled out.

    Labels and ids are compared in this form, so the JSON number 1 is the recipe's class "1".

    >>> shown(1), shown("a\ud800")
    ('1', 'a\\ud800')
    """
    return str(value).encode("utf-8", errors="backslashreplace").decode("utf-8")


def shortened(text: str, characters: int = _EXCERPT_CHARACTERS) -> str:
    """At most so many characters, with a mark where more follow."""
    return text if len(text) <= characters else text[:characters] + "…"


def named(value: Any) -> str:
    """A value of a wrong type by its type and its beginning: `text 'abc'`, `number 3`, `list [1, 2]`."""
    words = {
        str: "text",
        bool: "truth value",
        int: "number",
        float: "number",
        list: "list",
        type(None): "null",
    }
    name = words.get(type(value), type(value).__name__)
    return name if value is None else f"{name} {shortened(shown(repr(value)), 40)}"
