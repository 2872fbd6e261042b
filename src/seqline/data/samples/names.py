"""The embedded names sample: surnames of nine invented languages, spelled by rules of their own.

The languages share letters, syllables and endings. What tells them apart is how syllables follow each other: which
vowels go together, which consonants may meet and in which order, what an ending asks of the syllable before it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from seqline.data.samples.dealt import write_dealt
from seqline.data.samples.grammar import Split, Stream

DEFAULT_SEED = 20260203
TRAIN_ROWS = 9000
TEST_ROWS = 2000
# A name that moved: spelled by one language, borne in another.
MIGRANT_SHARE = 0.03
LONGEST = 16
FRONT, BACK = "ei", "aou"
VOWELS = FRONT + BACK

Chooser = Callable[[Stream, str, str], str]


@dataclass(frozen=True)
class Language:
    """How a language makes a surname.

    Attributes:
        share: Of all names; the shares of `LANGUAGES` sum to 1.
        onsets: What a syllable begins with.
        vowels: What follows, by `choose`.
        codas: What may close a syllable; the empty text for nothing.
        endings: What follows the last syllable.
        syllables: Fewest and most.
        choose: From the stream, the vowels and the vowel before ("" for none) to the next vowel.
        prefixes: What may stand before the name.
        agrees: Whether the ending's vowel is on the side of the name's first one, or the other; None for no rule.
    """

    share: float
    onsets: tuple[str, ...]
    vowels: str
    codas: tuple[str, ...]
    endings: tuple[str, ...]
    syllables: tuple[int, int]
    choose: Chooser
    prefixes: tuple[str, ...] = ("",)
    agrees: bool | None = None


def write_names(folder: Path, *, seed: int = DEFAULT_SEED) -> None:
    """Write four monthly training files and the test file under `folder`: `id`, `name`, `label` (a language).

    Args:
        folder: Gets `train/2026-01.jsonl` to `train/2026-04.jsonl` and `test/test.jsonl`.
        seed: The same seed gives the same bytes everywhere.
    """
    write_dealt(
        folder,
        compose,
        sample="names",
        train_rows=TRAIN_ROWS,
        test_rows=TEST_ROWS,
        seed=seed,
        column="name",
    )


def compose(stream: Stream, split: Split) -> tuple[str, str]:
    """Draw one surname and its language; `split` changes nothing."""
    del split
    language = stream.weighted(_SHARES)
    name = surname(stream, LANGUAGES[language])
    while not 3 <= len(name) <= LONGEST:
        name = surname(stream, LANGUAGES[language])
    if stream.chance(MIGRANT_SHARE):
        language = stream.weighted(_SHARES)
    return name, language


def surname(stream: Stream, language: Language) -> str:
    """Draw one name: syllables, an ending, a capital."""
    fewest, most = language.syllables
    count = fewest + stream.below(most - fewest + 1)
    name, vowel = "", ""
    for number in range(count):
        onset = stream.pick(language.onsets)
        vowel = language.choose(stream, language.vowels, vowel)
        # Inside a name a syllable closes half as often as at its end.
        closes = number == count - 1 or stream.chance(0.5)
        coda = stream.pick(language.codas) if closes else ""
        name += onset + vowel + coda
    ending = _ending(stream, language, name)
    if ending and ending[0] in VOWELS and name[-1] in VOWELS:
        name = name[:-1]
    name += ending
    prefix = stream.pick(language.prefixes)
    return prefix + name[0].upper() + name[1:]


def _ending(stream: Stream, language: Language, name: str) -> str:
    if language.agrees is None:
        return stream.pick(language.endings)
    first = next(letter for letter in name if letter in VOWELS)
    fitting = [e for e in language.endings if ((e[0] in FRONT) == (first in FRONT)) == language.agrees]
    return stream.pick(fitting)


def any_vowel(stream: Stream, vowels: str, before: str) -> str:
    """Take any vowel."""
    del before
    return stream.pick(vowels)


def same_side(stream: Stream, vowels: str, before: str) -> str:
    """Keep to front or back vowels throughout the name."""
    side = FRONT if before in FRONT else BACK
    return stream.pick(vowels if not before else [v for v in vowels if v in side])


def echo(stream: Stream, vowels: str, before: str) -> str:
    """Repeat the vowel before, nearly always."""
    return before if before and stream.chance(0.85) else stream.pick(vowels)


def never_twice(stream: Stream, vowels: str, before: str) -> str:
    """Take any vowel but the one before."""
    return stream.pick([vowel for vowel in vowels if vowel != before])


_PLAIN = ("b", "d", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v")
_SOFT = ("h", "k", "t", "l", "r", "s", "m", "n", "y")
_BREATHED = ("gw", "ll", "rh", "m", "d", "t", "b", "l", "r")
_CLUSTERS = ("st", "sk", "pr", "tr", "kl", "v", "m", "d")
_TURNED = ("ts", "ks", "rp", "rt", "lk", "n")
_LIQUID = ("l", "r", "n", "m", "")
_SON_OF = ("", "", "", "ap ")
_FROM = ("", "", "", "de ", "di ")

LANGUAGES: dict[str, Language] = {
    # The first two are the same but for the ending, which answers the first vowel: on its side or on the other.
    "aldic": Language(0.17, _PLAIN, "aeiou", _LIQUID, ("an", "ek"), (2, 3), any_vowel, agrees=True),
    "borrish": Language(0.16, _PLAIN, "aeiou", _LIQUID, ("an", "ek"), (2, 3), any_vowel, agrees=False),
    "cassan": Language(0.14, _PLAIN, "aeiou", _LIQUID, ("", "an", "o"), (2, 4), echo),
    # These two have the same clusters, one where a syllable begins, one reversed where it ends.
    "drevian": Language(0.12, _CLUSTERS, "aeio", ("", "n", "l"), ("ov", "ek", "a"), (1, 3), any_vowel),
    "estric": Language(0.11, _PLAIN, "aeio", _TURNED, ("", "a", "ov"), (1, 2), any_vowel),
    "farosi": Language(0.09, _SOFT, "aiou", ("",), ("", "ra", "ko"), (2, 4), any_vowel),
    "gwenic": Language(0.08, _BREATHED, "aeio", _LIQUID, ("", "yn", "en"), (1, 3), never_twice, _SON_OF),
    "hestan": Language(
        0.08, _SOFT, "aeiou", ("", "n", "ll", "kk", "s"), ("nen", "la", "o"), (1, 3), same_side
    ),
    "ilmaric": Language(
        0.05, _PLAIN, "aeio", ("", "", "n", "r"), ("ini", "etto", "ano"), (1, 3), never_twice, _FROM
    ),
}
_SHARES = {name: language.share for name, language in LANGUAGES.items()}
