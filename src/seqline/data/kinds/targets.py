"""What is predicted, one class a kind of target: what is wrong with one value, and when two say the same."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

from seqline.data.kinds.base import Demand, Finding, Severity, critical_sentences, named, shown
from seqline.data.kinds.text import UNUSABLE, characters_found, is_blank
from seqline.data.scaling import MAX_NUMBER
from seqline.data.splits import normalise
from seqline.data.tag_schemes import first_breach, split_tag

# What people write into a table; "1,5" is left to the refusal: nobody can say what the comma means.
_WHOLE_DIGITS = 18  # fit 64 bits
_PLAIN_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)


class TargetKind(Protocol):
    """A kind of target.

    Attributes:
        noun: One value in words: `label`, `number`.
        demands: All that `findings` may name, besides what `allowed` says.
        allowed: The values there are, as text; None where they cannot be listed.
        conflict: How bad it is when one input bears two different values; `critical` has the recipe's bound.
    """

    @property
    def noun(self) -> str: ...
    @property
    def demands(self) -> tuple[Demand, ...]: ...
    @property
    def allowed(self) -> Sequence[str] | None: ...
    @property
    def conflict(self) -> Severity: ...

    def findings(self, value: Any, given: Any) -> list[Finding]:
        """Every demand that a value breaks beside its input `given`; none for a missing value."""

    def faults(self, value: Any, given: Any) -> list[str]:
        """Why a row with this value cannot be used, one sentence each."""

    def meaning(self, value: Any) -> str | None:
        """What two values that say the same have in common; None for a missing or unusable one."""

    def reading(self, value: Any) -> TargetKind:
        """The kind after a value of train, where the values of train decide what there is."""

    def after_train(self) -> TargetKind:
        """The kind for test, once train was read."""


@dataclass(frozen=True)
class LabelKind:
    """One of some labels.

    Attributes:
        classes: The labels; values are compared as text.
    """

    classes: tuple[str, ...]

    noun: ClassVar[str] = "label"
    demands: ClassVar[tuple[Demand, ...]] = ()
    conflict: ClassVar[Severity] = "critical"

    @property
    def allowed(self) -> Sequence[str]:
        """The labels."""
        return self.classes

    def findings(self, value: Any, given: Any) -> list[Finding]:
        """None: what `allowed` says is all."""
        return []

    def faults(self, value: Any, given: Any) -> list[str]:
        """Missing, or none of the labels."""
        if value is None or shown(value) == "":
            return ["no value"]
        return (
            [] if shown(value) in self.classes else [f"{shown(value)!r} is none of {', '.join(self.classes)}"]
        )

    def meaning(self, value: Any) -> str | None:
        """The label as text."""
        return None if value is None else shown(value)

    def reading(self, value: Any) -> LabelKind:
        """Itself: train decides nothing."""
        return self

    def after_train(self) -> LabelKind:
        """Itself."""
        return self


@dataclass(frozen=True)
class NumberKind:
    """A finite number."""

    noun: ClassVar[str] = "number"
    allowed: ClassVar[None] = None
    conflict: ClassVar[Severity] = "info"
    demands: ClassVar[tuple[Demand, ...]] = (
        Demand(
            fact="not a number",
            rule="targets are finite numbers",
            severity="critical",
            note="The value is what was found; no larger than float32 holds.",
        ),
    )

    def findings(self, value: Any, given: Any) -> list[Finding]:
        """Whether it is a finite number; text of one is not, `number_of` reads it on the way in."""
        if value is None or (type(value) in (int, float) and abs(value) <= MAX_NUMBER):
            return []
        return [Finding("not a number", named(value), f"not a finite number but {named(value)}")]

    def faults(self, value: Any, given: Any) -> list[str]:
        """Missing, no number, or not finite."""
        return (
            ["no value"] if value is None else critical_sentences(self.demands, self.findings(value, given))
        )

    def meaning(self, value: Any) -> str | None:
        """The number in its shortest spelling."""
        return None if value is None or self.findings(value, None) else repr(float(value))

    def reading(self, value: Any) -> NumberKind:
        """Itself: train decides nothing."""
        return self

    def after_train(self) -> NumberKind:
        """Itself."""
        return self


@dataclass(frozen=True)
class TagsKind:
    """A tag for each symbol of the input.

    Attributes:
        tags: The tags there are; None: those of train.
        seen: Tags of train, where the tags are learnt and train was read; another one in test cannot be predicted.
        learnt: Tags of the values read so far.
        scheme: How tags mark spans; None: in whatever way.
    """

    tags: frozenset[str] | None = None
    seen: frozenset[str] | None = None
    learnt: frozenset[str] = frozenset()
    scheme: str | None = None

    noun: ClassVar[str] = "tags"
    allowed: ClassVar[None] = None
    conflict: ClassVar[Severity] = "info"
    demands: ClassVar[tuple[Demand, ...]] = (
        Demand(
            fact="not tags",
            rule="targets are lists of tags",
            severity="critical",
            note="The value says what was found, with its place.",
        ),
        Demand(
            fact="other count",
            rule="as many tags as symbols",
            severity="critical",
            note="The value says how many there are of each.",
        ),
        Demand(
            fact="broken scheme",
            rule="tags keep to the scheme of the recipe",
            severity="critical",
            note="The recipe's target.scheme; the value names the first tag that may not stand where it does.",
        ),
        Demand(
            fact="unknown tag",
            rule="tags are those of the recipe",
            severity="critical",
            note="The recipe's target.tags lists them; the value names the first that is none, and its place.",
        ),
        Demand(
            fact="unseen tag",
            rule="tags of test are in train",
            severity="warning",
            note="Such a tag is always answered wrong.",
        ),
    )

    def findings(self, value: Any, given: Any) -> list[Finding]:
        """Every demand that a value breaks."""
        if value is None:
            return []
        if problem := _not_tags(value):
            return [Finding("not tags", problem, f"not tags: {problem}")]
        found = []
        if isinstance(given, list | str) and len(value) != (count := len(_items(given))):
            told = f"{len(value)} tags for {count} symbols"
            found.append(Finding("other count", told, told))
        if breach := self._breach(value):
            found.append(Finding("broken scheme", breach, breach))
        for fact, known in (("unknown tag", self.tags), ("unseen tag", self.seen)):
            foreign = [
                (place, tag) for place, tag in enumerate(value, 1) if known is not None and tag not in known
            ]
            if foreign:
                more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
                told = f"{shown(foreign[0][1])!r} at position {foreign[0][0]}{more}"
                found.append(Finding(fact, told, f"{fact} {told}"))
        return found

    def _breach(self, tags: Sequence[str]) -> str | None:
        """The first tag that the scheme does not know, or not in that place."""
        if self.scheme is None:
            return None
        try:
            for tag in tags:
                split_tag(tag, self.scheme)
        except ValueError as error:
            return str(error)
        place = first_breach(tags, self.scheme)
        if place is None:
            return None
        before = f" after {shown(tags[place - 1])}" if place else " at the beginning"
        return f"tag {shown(tags[place])!r} at position {place + 1},{before}: scheme {self.scheme} forbids it"

    def faults(self, value: Any, given: Any) -> list[str]:
        """Missing, no tags, too many or few, or unknown ones."""
        return (
            ["no value"] if value is None else critical_sentences(self.demands, self.findings(value, given))
        )

    def meaning(self, value: Any) -> str | None:
        """The tags in their order."""
        return None if value is None or _not_tags(value) else " ".join(map(shown, value))

    def reading(self, value: Any) -> TagsKind:
        """With the tags of a value, where they are learnt."""
        if self.tags is not None or value is None or _not_tags(value) or self.learnt.issuperset(value):
            return self
        return replace(self, learnt=self.learnt | set(value))

    def after_train(self) -> TagsKind:
        """Judging by the tags learnt."""
        return self if self.tags is not None else replace(self, seen=self.learnt)


@dataclass(frozen=True)
class SequenceKind:
    """A text that is to be written."""

    noun: ClassVar[str] = "target text"
    allowed: ClassVar[None] = None
    conflict: ClassVar[Severity] = "info"
    demands: ClassVar[tuple[Demand, ...]] = (
        Demand(
            fact="not text", rule="targets are text", severity="critical", note="The value is the type found."
        ),
        Demand(fact="blank", rule="targets are not blank", severity="critical", share="max_blank_share"),
        Demand(fact="NUL or surrogate", rule="no NUL, no lone surrogate", severity="critical"),
    )

    def findings(self, value: Any, given: Any) -> list[Finding]:
        """Every demand that a value breaks."""
        if value is None:
            return []
        if not isinstance(value, str):
            return [Finding("not text", type(value).__name__, f"not text but {named(value)}")]
        found = []
        if unusable := characters_found(UNUSABLE, value):
            found.append(Finding("NUL or surrogate", unusable, f"NUL or surrogate {unusable}"))
        if is_blank(value):
            nothing = f"{len(value)} characters, none visible"
            found.append(Finding("blank", nothing, f"blank, {nothing}"))
        return found

    def faults(self, value: Any, given: Any) -> list[str]:
        """Missing, no text, blank or unusable."""
        return (
            ["no value"] if value is None else critical_sentences(self.demands, self.findings(value, given))
        )

    def meaning(self, value: Any) -> str | None:
        """The text after NFKC, casefold and white space."""
        return normalise(value) if isinstance(value, str) and not is_blank(value) else None

    def reading(self, value: Any) -> SequenceKind:
        """Itself: train decides nothing."""
        return self

    def after_train(self) -> SequenceKind:
        """Itself."""
        return self


def number_of(value: Any) -> Any:
    """A number where a text spells one plainly, as every value of a CSV file is text; anything else as it is.

    >>> number_of("12.50"), number_of("007"), number_of("1,5"), number_of(None)
    (12.5, 7, '1,5', None)
    """
    if not isinstance(value, str) or not _PLAIN_NUMBER.fullmatch(value):
        return value
    if value.lstrip("+-").isdigit() and len(value) <= _WHOLE_DIGITS:
        return int(value)
    number = float(value)
    return number if math.isfinite(number) else value


def _items(given: list[Any] | str) -> Sequence[Any]:
    """Symbols of the input: the items of a list, the words of a text."""
    return given if isinstance(given, list) else given.split()


def _not_tags(value: Any) -> str | None:
    """Why a value is no list of tags; None when it is one."""
    if not isinstance(value, list):
        return f"{named(value)} instead of a list"
    for position, tag in enumerate(value, start=1):
        if not isinstance(tag, str) or is_blank(tag):
            return f"tag {position} is {named(tag)}"
    return None if value else "no tags"
