"""Symbols: the letters of a string or the items of a list, from an alphabet or learnt from train."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from seqline.data.kinds.base import Demand, Finding, OneColumn, critical_sentences, named, shortened, shown
from seqline.data.kinds.text import UNUSABLE, characters_found, is_blank

# Between the items of a list in its key: no symbol holds it, for it is no visible character.
_SEPARATOR = "\x1f"
_EXCERPT_SYMBOLS = 80


@dataclass(frozen=True, kw_only=True)
class SymbolsKind(OneColumn):
    """A sequence of symbols.

    Attributes:
        alphabet: Letters that may occur, as they are after `lowercase`; None: any symbol.
        lowercase: Whether upper and lower case are the same symbol.
    """

    alphabet: str | None = None
    lowercase: bool = False

    singular: ClassVar[str] = "sequence"
    plural: ClassVar[str] = "sequences"
    unit: ClassVar[str] = "symbols"
    demands: ClassVar[tuple[Demand, ...]] = (
        Demand(
            fact="not symbols",
            rule="inputs are strings or lists of strings",
            severity="critical",
            note="The value says what was found, with its place.",
        ),
        Demand(
            fact="blank",
            rule="sequences are not blank",
            severity="critical",
            share="max_blank_share",
            note="No symbol, or none that is visible.",
        ),
        Demand(fact="NUL or surrogate", rule="no NUL, no lone surrogate", severity="critical"),
        Demand(
            fact="foreign symbol",
            rule="symbols are letters of the alphabet",
            severity="critical",
            note="The recipe's input.alphabet lists the letters; the value names the first that is none, and its place.",
        ),
    )

    def findings(self, value: Any) -> list[Finding]:
        """Every demand that the value breaks."""
        if value is None:
            return []
        if problem := _not_symbols(value):
            return [Finding("not symbols", problem, f"not symbols: {problem}")]
        if not value or all(map(is_blank, value)):
            nothing = f"{len(value)} symbols, none visible"
            return [Finding("blank", nothing, f"blank, {nothing}")]
        if unusable := characters_found(UNUSABLE, "".join(value)):
            return [Finding("NUL or surrogate", unusable, f"NUL or surrogate {unusable}")]
        if foreign := self._foreign(value):
            position, symbol = foreign[0]
            more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
            found = f"{shown(symbol)!r} at position {position}{more}"
            sentence = f"foreign symbol {found}; the alphabet is {self.alphabet}"
            return [Finding("foreign symbol", found, sentence)]
        return []

    def faults(self, value: Any) -> list[str]:
        """Why the value cannot be used."""
        return ["no value"] if value is None else critical_sentences(self.demands, self.findings(value))

    def length(self, value: Any) -> int | None:
        """Symbols."""
        return None if value is None or _not_symbols(value) else len(_symbols(value))

    def key(self, value: Any) -> str | None:
        """The symbols in their order; a string and the list of its letters differ, as they do for the tokenizer."""
        if value is None or _not_symbols(value) or not value:
            return None
        joined = "".join(value.split()) if isinstance(value, str) else _SEPARATOR.join(value)
        return joined.lower() if self.lowercase else joined

    def facts(self, value: Any) -> Mapping[str, float]:
        """Its symbols, how many of them differ, and how many are foreign to the alphabet."""
        if value is None or _not_symbols(value):
            return {}
        symbols = _symbols(value)
        return {"symbols": len(symbols), "distinct": len(set(symbols)), "foreign": len(self._foreign(value))}

    def excerpt(self, value: Any) -> str:
        """How it begins."""
        if value is None or _not_symbols(value):
            return "" if value is None else shown(shortened(str(value)))
        head = value[:_EXCERPT_SYMBOLS] if isinstance(value, str) else " ".join(value[:_EXCERPT_SYMBOLS])
        return shown(shortened(" ".join(head.split()))) + ("…" if len(value) > _EXCERPT_SYMBOLS else "")

    def settled(self, value: Any) -> SymbolsKind:
        """Itself: the alphabet is the recipe's."""
        return self

    def _foreign(self, value: Sequence[str]) -> list[tuple[int, str]]:
        """Symbols that the alphabet lacks, with their positions, counted from 1."""
        if self.alphabet is None:
            return []
        known = set(self.alphabet)
        return [
            (position, symbol)
            for position, symbol in enumerate(_symbols(value), start=1)
            if (symbol.lower() if self.lowercase else symbol) not in known
        ]


def _symbols(value: Sequence[str]) -> Sequence[str]:
    """The symbols as the encoder reads them: white space between letters is none."""
    return "".join(value.split()) if isinstance(value, str) else value


def _not_symbols(value: Any) -> str | None:
    """Why a value is no sequence of symbols; None when it is one."""
    if isinstance(value, str):
        return None
    if not isinstance(value, list):
        return named(value)
    for position, item in enumerate(value, start=1):
        if not isinstance(item, str):
            return f"item {position} is {named(item)}"
        if not item:
            return f"item {position} is empty"
    return None
