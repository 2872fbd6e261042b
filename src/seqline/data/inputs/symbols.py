"""Symbols to ids: the letters of a string or the items of a list, one by one or as k-mers.

Legend: T steps.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from unicodedata import combining

import numpy as np
import numpy.typing as npt

from seqline.batch import UNKNOWN_ID
from seqline.data.spelling import spelling_rows
from seqline.data.tokenization import Ids, cut
from seqline.errors import InputError
from seqline.files import read_json, sha256_json, write_json
from seqline.recipe import SymbolsInput

_SPECIAL = ["[PAD]", "[UNK]"]
# Between the symbols of a k-mer of items; letters are joined as they are.
_JOINT = "\x1f"


def symbols_of(value: Any, section: SymbolsInput) -> list[str]:
    """The symbols of a value, in order.

    Raises:
        InputError: The value is neither text nor a list of texts, or a letter is not in the recipe's alphabet.
    """
    if isinstance(value, str):
        symbols = list("".join(value.split()))
    elif isinstance(value, Sequence) and all(isinstance(item, str) for item in value):
        symbols = list(value)
    else:
        raise InputError(
            "input", f"{value!r:.40}, which is no sequence of symbols", "a text or a list of texts"
        )
    if section.lowercase:
        symbols = [symbol.lower() for symbol in symbols]
    if section.alphabet is not None:
        for place, symbol in enumerate(symbols, 1):
            if symbol not in section.alphabet:
                raise InputError(
                    "input", f"symbol {symbol!r} at place {place}", f"one of {' '.join(section.alphabet)}"
                )
    return symbols


@dataclass(frozen=True)
class SymbolEncoder:
    """Turns symbols into ids.

    Attributes:
        vocabulary: All tokens in the order of their ids; 0 is padding, 1 unknown.
        section: The recipe's input.
    """

    vocabulary: tuple[str, ...]
    section: SymbolsInput

    @classmethod
    def fit(cls, values: Iterable[Any], section: SymbolsInput) -> SymbolEncoder:
        """Learn the vocabulary from train: the most frequent tokens, equals in the order of the alphabet."""
        counts: Counter[str] = Counter()
        for value in values:
            counts.update(_kmers(value, section))
        kept = [token for token, count in counts.items() if count >= section.min_count]
        kept.sort(key=lambda token: (-counts[token], token))
        return cls((*_SPECIAL, *kept[: section.vocab_size - len(_SPECIAL)]), section)

    @classmethod
    def load(cls, path: Path, section: SymbolsInput) -> SymbolEncoder:
        """Read a fitted vocabulary."""
        if not path.is_file():
            raise InputError(str(path), "no such file", "the vocabulary that `seqline prepare` writes")
        return cls(tuple(read_json(path)["vocabulary"]), section)

    def save(self, path: Path) -> None:
        """Write the vocabulary as JSON."""
        write_json(path, {"vocabulary": list(self.vocabulary)})

    @property
    def vocab_size(self) -> int:
        """Number of ids, special ones included."""
        return len(self.vocabulary)

    @property
    def sizes(self) -> dict[str, int]:
        """What a network must know: `vocab_size`."""
        return {"vocab_size": self.vocab_size}

    def tokens(self, ids: Sequence[int]) -> list[str]:
        """The tokens of some ids."""
        return [self.vocabulary[int(i)].replace(_JOINT, " ") for i in ids]

    def encode_whole(self, values: Iterable[Any]) -> Iterator[Ids]:
        """Ids of each value before any cut; a value without symbols gives a single unknown.

        Raises:
            InputError: A text where lists of items were learnt: its letters would be read as items.
        """
        for value in values:
            self._refuse_text_for_items(value)
            ids = [self._id_of.get(token, UNKNOWN_ID) for token in _kmers(value, self.section)]
            yield np.asarray(ids or [UNKNOWN_ID], dtype=np.int64)

    def encode(self, values: Iterable[Any]) -> Iterator[Ids]:
        """Ids of each value, int64 (T,) with 1 <= T <= max_length."""
        for ids in self.encode_whole(values):
            yield cut(ids, max_length=self.section.max_length, keep=self.section.keep)

    def spelling(self, values: Iterable[Any]) -> npt.NDArray[np.float64]:
        """What the unknown tokens of each value cost to spell: float64 (N, 2), `SPELLING_COLUMNS`.

        Characters are those of the tokens; the items of a list have a space between them.
        """
        return spelling_rows(self._unknown_parts(value) for value in values)

    @cached_property
    def fingerprint(self) -> str:
        """Digest of what values are cut into: the same tokens, in whatever order they have ids."""
        return sha256_json(sorted(self.vocabulary))

    def _unknown_parts(self, value: Any) -> tuple[list[str], int]:
        tokens = _kmers(value, self.section)
        unknown = [token for token in tokens if token not in self._id_of]
        return unknown, len(("" if isinstance(value, str) else " ").join(tokens))

    def unknown_share(self, values: Iterable[Any]) -> float:
        """Share of tokens that are unknown, over all values uncut; in [0, 1], 0 for no value."""
        found = list(self.encode_whole(values))
        total = sum(len(ids) for ids in found)
        return sum(int((ids == UNKNOWN_ID).sum()) for ids in found) / total if total else 0.0

    @cached_property
    def reads_items(self) -> bool:
        """Whether train had lists of items longer than a letter."""
        return any(
            _JOINT in token or _letters(token) > self.section.kmer
            for token in self.vocabulary[len(_SPECIAL) :]
        )

    def _refuse_text_for_items(self, value: Any) -> None:
        if isinstance(value, str) and value.strip() and self.reads_items:
            raise InputError(
                "input",
                f"the text {value!r:.40}",
                "a list of items, as the model learnt from",
                f"write {json.dumps([value], ensure_ascii=False):.60}, or all items of one list; give a table with --file",
            )

    @cached_property
    def _id_of(self) -> dict[str, int]:
        return {token: identifier for identifier, token in enumerate(self.vocabulary)}


def _letters(token: str) -> int:
    """Letters of a token; a sign above one counts nothing, for the small form of a capital may have one more."""
    return sum(not combining(character) for character in token)


def _kmers(value: Any, section: SymbolsInput) -> list[str]:
    symbols = symbols_of(value, section)
    joint = "" if isinstance(value, str) else _JOINT
    last = max(1, len(symbols) - section.kmer + 1) if symbols else 0
    return [joint.join(symbols[start : start + section.kmer]) for start in range(0, last, section.stride)]
