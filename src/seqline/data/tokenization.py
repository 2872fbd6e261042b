"""Text to token ids and back, the same object in training and in serving.

A thin layer over Hugging Face tokenizers that adds what sequences need: a fixed meaning of ids 0 and 1, cutting that
keeps head and tail, a length of at least 1, and a refusal of text that no UTF-8 file can hold.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from seqline.batch import UNKNOWN_ID
from seqline.data.spelling import spelling_rows
from seqline.errors import InputError
from seqline.files import atomic_write, sha256_json
from seqline.recipe import TextInput

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TOKENIZER_FILE = "tokenizer.json"
_SPECIAL_TOKENS = ["[PAD]", "[UNK]"]
# Letters and digits with inner apostrophes are a word ("isn't" stays whole: it carries the negation); any other visible
# character is a token of its own, since "!" and "?" carry feeling.
_WORD_PATTERN = r"[\p{L}\p{N}\p{M}]+(?:['’][\p{L}\p{N}\p{M}]+)*|[^\s\p{L}\p{N}\p{M}]"
# What byte pairs never reach across: a word with the space before it, digits, other signs. That is the pattern of GPT-2, but for
# marks: in Hindi a vowel sign is a mark on its letter, and words would be cut at each of them.
_PIECE_PATTERN = r"'(?:s|t|re|ve|m|ll|d)| ?[\p{L}\p{M}]+| ?\p{N}+| ?[^\s\p{L}\p{N}\p{M}]+|\s+(?!\S)|\s+"
# Taken off before a space is put before every text, so that a first word is the same as a later one.
_FIRST_SPACE = r"\A (?=[\s\S])"
_MARKUP_PATTERN = r"<[/!a-zA-Z][^<>]*>"
# Of a cut input: 128 of 400 tokens, the share of head to tail that worked best on long reviews (records of the project).
HEAD_SHARE = 0.32
_CHUNK_TEXTS = 1024

Ids = npt.NDArray[np.int64]
Steps = TypeVar("Steps", bound=npt.NDArray[Any])


def cut(steps: Steps, *, max_length: int, keep: str) -> Steps:
    """At most `max_length` steps: the first, the last, or both ends.

    Args:
        steps: (T,) ids or (T, D) features.
        max_length: Steps to keep.
        keep: `head`, `tail` or `head_tail`.

    >>> cut(np.arange(10), max_length=4, keep="head_tail").tolist()
    [0, 7, 8, 9]
    """
    if len(steps) <= max_length:
        return steps
    head = {"head": max_length, "tail": 0, "head_tail": round(max_length * HEAD_SHARE)}[keep]
    tail = max_length - head
    return cast("Steps", np.concatenate([steps[:head], steps[len(steps) - tail :]]))


def _chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(texts)
    while chunk := list(islice(iterator, _CHUNK_TEXTS)):
        yield chunk


def _encodable(texts: Sequence[str]) -> Sequence[str]:
    """The same texts, or `InputError` for one that is none or that UTF-8 cannot hold."""
    for text in texts:
        if not isinstance(text, str):
            raise InputError("input", f"{text!r:.40}, which is no text", "a string")
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise InputError(
                f"text {text[:40]!r}",
                f"a lone surrogate (U+{ord(text[error.start]):04X}) at character {error.start + 1}",
                "text that UTF-8 can hold",
            ) from None
    return texts


def _untrained(section: TextInput, marks: Sequence[str]) -> tuple[Tokenizer, Any]:
    """An empty tokenizer and its trainer; marks are special tokens after padding and unknown."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    steps: list[Any] = []
    if section.strip_markup:
        steps.append(normalizers.Replace(Regex(_MARKUP_PATTERN), " "))
    steps.append(normalizers.NFKC())
    if section.lowercase:
        steps.append(normalizers.Lowercase())
    common: dict[str, Any] = {
        "vocab_size": section.vocab_size,
        "min_frequency": section.min_count,
        "special_tokens": [*_SPECIAL_TOKENS, *marks],
        "show_progress": False,
    }
    if section.tokenizer == "bpe":
        tokenizer = Tokenizer(models.BPE(unk_token=_SPECIAL_TOKENS[UNKNOWN_ID]))
        steps += [normalizers.Replace(Regex(_FIRST_SPACE), ""), normalizers.Prepend(" ")]
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(_PIECE_PATTERN), behavior="isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        tokenizer.decoder = decoders.ByteLevel()
        trainer: Any = trainers.BpeTrainer(
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), **common
        )
    else:
        pattern = _WORD_PATTERN if section.tokenizer == "word" else r"[\s\S]"
        tokenizer = Tokenizer(models.WordLevel(unk_token=_SPECIAL_TOKENS[UNKNOWN_ID]))
        tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(pattern), behavior="removed", invert=True)
        trainer = trainers.WordLevelTrainer(**common)
    tokenizer.normalizer = normalizers.Sequence(steps)
    return tokenizer, trainer


@dataclass(frozen=True)
class TextTokenizer:
    """Turns text into token ids.

    Attributes:
        tokenizer: The fitted Hugging Face tokenizer; id 0 is padding, id 1 unknown.
        max_length: Most tokens of one sequence.
        keep: What a cut keeps: `head`, `tail` or `head_tail`.
    """

    tokenizer: Tokenizer
    max_length: int
    keep: str

    def __post_init__(self) -> None:
        # Otherwise a text that holds the letters "[PAD]" would be read as padding. Not stored in the JSON file.
        self.tokenizer.encode_special_tokens = True

    @classmethod
    def fit(cls, texts: Iterable[str], section: TextInput, *, marks: Sequence[str] = ()) -> TextTokenizer:
        """Learn a vocabulary from train texts.

        Args:
            texts: Train texts only: what valid and test hold must stay unseen.
            section: The recipe's `input`.
            marks: Special tokens beside padding and unknown, with the ids after theirs.
        """
        tokenizer, trainer = _untrained(section, marks)
        checked = (text for chunk in _chunks(texts) for text in _encodable(chunk))
        tokenizer.train_from_iterator(checked, trainer)
        return cls(tokenizer, section.max_length, section.keep)

    @classmethod
    def load(cls, path: Path, section: TextInput) -> TextTokenizer:
        """Read a fitted tokenizer."""
        from tokenizers import Tokenizer

        if not path.is_file():
            raise InputError(str(path), "no such file", "the tokenizer that `seqline prepare` writes")
        return cls(Tokenizer.from_file(str(path)), section.max_length, section.keep)

    def save(self, path: Path) -> None:
        """Write the fitted tokenizer as JSON."""
        atomic_write(path, self.tokenizer.to_str(pretty=True) + "\n")

    @property
    def vocab_size(self) -> int:
        """Number of ids, special ones included."""
        return self.tokenizer.get_vocab_size()

    @property
    def sizes(self) -> dict[str, int]:
        """What a network must know: `vocab_size`."""
        return {"vocab_size": self.vocab_size}

    def tokens(self, ids: Sequence[int]) -> list[str]:
        """The tokens of some ids."""
        return [self.tokenizer.id_to_token(int(i)) or "" for i in ids]

    def encode_whole(self, texts: Iterable[str]) -> Iterator[Ids]:
        """Ids of each text before any cut; a text without tokens gives a single unknown."""
        for chunk in _chunks(texts):
            for encoding in self.tokenizer.encode_batch_fast(_encodable(chunk), add_special_tokens=False):
                yield np.asarray(encoding.ids or [UNKNOWN_ID], dtype=np.int64)

    def encode(self, texts: Iterable[str]) -> Iterator[Ids]:
        """Ids of each text, int64 (T,) with 1 <= T <= max_length."""
        for ids in self.encode_whole(texts):
            yield cut(ids, max_length=self.max_length, keep=self.keep)

    def spelling(self, values: Iterable[str], *, tokens: int | None = None) -> npt.NDArray[np.float64]:
        """What the unknown tokens of each text cost to spell.

        Args:
            values: N texts.
            tokens: How many of each are read; None: all.

        Returns:
            float64 (N, 2), `SPELLING_COLUMNS`; characters are those up to the last token that is read.
        """
        return spelling_rows(pair for chunk in _chunks(values) for pair in self._unknown_parts(chunk, tokens))

    @cached_property
    def fingerprint(self) -> str:
        """Digest of what it cuts texts into: the same tokens by the same merges, in whatever order they have ids."""
        merges = json.loads(self.tokenizer.to_str())["model"].get("merges", [])
        return sha256_json([sorted(self.tokenizer.get_vocab()), merges])

    def _unknown_parts(self, texts: Sequence[str], tokens: int | None) -> Iterator[tuple[list[str], int]]:
        for text, encoding in zip(
            texts, self.tokenizer.encode_batch(_encodable(texts), add_special_tokens=False), strict=True
        ):
            if not encoding.ids:
                yield [text], len(text)
                continue
            read = list(zip(encoding.ids, encoding.offsets, strict=True))[:tokens]
            characters = len(text) if len(read) == len(encoding.ids) else read[-1][1][1]
            yield [text[start:stop] for token, (start, stop) in read if token == UNKNOWN_ID], characters

    def unknown_share(self, values: Iterable[str]) -> float:
        """Share of tokens that are unknown, over all texts uncut; in [0, 1], 0 for no text."""
        unknown = total = 0
        for ids in self.encode_whole(values):
            unknown += int((ids == UNKNOWN_ID).sum())
            total += len(ids)
        return unknown / total if total else 0.0
