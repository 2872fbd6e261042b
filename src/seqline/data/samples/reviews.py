"""The embedded review sample: order carries the sentiment, the seed decides every byte.

A review is a list of sentences, each with a stance of the writer or without one (others' opinions, rivals,
expectations, facts). Its label is the stance of the writer's sentences after the turn ("but then ...",
"still, ..."); before a turn all of them have the opposite stance, and without a turn all have the label's.
`docs/data-card-sentiment.md` gives the rules.
"""

from __future__ import annotations

import calendar
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

from seqline.data.samples.grammar import DOMAINS, Author, Split, Stream, pool
from seqline.errors import InputError
from seqline.files import atomic_write

DEFAULT_SEED = 20260101
LABELS = {1: "positive", -1: "negative"}
TRAIN_MONTHS = ("2026-01", "2026-02", "2026-03", "2026-04")
TEST_MONTH = "2026-05"
ROWS_PER_TRAIN_MONTH = 3000
TEST_ROWS = 2000
MIN_WORDS = 3
MAX_WORDS = 120

LABEL_NOISE_SHARE = 0.02
NEAR_DUPLICATE_SHARE = 0.03
# Texts whose hash falls into one of five bins can only be test texts, the others only training texts: the two
# splits never share a text, whatever the seeds and months, and neither has to know the other.
SPLIT_BINS = 5

# Shares of review plans. The first two rows are where word counts suffice; in the others they mislead.
PLANS = {"short": 0.24, "steady": 0.41, "single": 0.05, "mixed": 0.10, "turned": 0.20}
PLAIN_KINDS = {"simple": 0.44, "clause": 0.26, "verdict": 0.14, "negation": 0.06, "reversal": 0.10}
FRAMED_KINDS = {
    "negation": 0.15, "contrast": 0.26, "concession": 0.20, "reversal": 0.20, "comparison": 0.06,
    "reported": 0.11, "double": 0.01, "hypothetical": 0.01,
}  # fmt: skip
FRAMED_SHARE = 0.40  # of the writer's sentences in a mixed or turned review; the others are plain
ASIDE_AGAINST_SHARE = 0.65  # asides that contradict the label, so that counting words misleads

PRIOR_SHIFT = 0.2  # share of positive reviews: 0.5 at drift 0, 0.3 at drift 1
LONGER_SHARE = 0.6  # of single-sentence plans that become mixed ones at drift 1
MORE_SENTENCES = 2  # further sentences, at most, in a long plan at drift 1

_WORD = re.compile(r"[a-z0-9']+")
_SENTENCE_START = re.compile(r"(?:^|[.!?] )[a-z]")
_CONTRACTIONS = (
    ("was not ", "wasn't "), ("were not ", "weren't "), ("is not ", "isn't "), ("are not ", "aren't "),
    ("did not", "didn't"), ("does not", "doesn't"), ("do not", "don't"), ("cannot", "can't"),
    ("could not", "couldn't"), ("would not", "wouldn't"), ("it is ", "it's "), ("I would ", "I'd "),
    ("I have ", "I've "),
)  # fmt: skip


def reviews(
    *, rows: int, seed: int, split: Split, month: str = "2026-01", drift: float = 0.0
) -> list[dict[str, str]]:
    """Make reviews: the same arguments give the same rows, to the byte, everywhere.

    Args:
        rows: How many.
        seed: Any integer.
        split: `train` never holds the clauses kept for `test`, and the two never share a text.
        month: Year and month of `written_at`, as 2026-01; also part of the seed, so that months differ.
        drift: 0 (none) to 1: new words and products, a lower share of positive reviews, longer texts.

    Returns:
        Rows with `id`, `text`, `label`, `domain`, `written_at`, by date.

    Raises:
        InputError: An argument is out of its range.
    """
    labelled = _rows_with_clean_label(rows=rows, seed=seed, split=split, month=month, drift=drift)
    return [row for row, _ in labelled]


def write_reviews(folder: Path, *, seed: int = DEFAULT_SEED) -> None:
    """Write the four monthly training files and the test file under `folder` as JSON lines.

    Args:
        folder: Gets `train/2026-01.jsonl` to `train/2026-04.jsonl` and `test/test.jsonl`.
        seed: The seed of all files.
    """
    for month in TRAIN_MONTHS:
        batch = reviews(rows=ROWS_PER_TRAIN_MONTH, seed=seed, split="train", month=month)
        atomic_write(folder / "train" / f"{month}.jsonl", _json_lines(batch))
    held_out = reviews(rows=TEST_ROWS, seed=seed, split="test", month=TEST_MONTH)
    atomic_write(folder / "test" / "test.jsonl", _json_lines(held_out))


def _json_lines(rows: list[dict[str, str]]) -> str:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _rows_with_clean_label(
    *, rows: int, seed: int, split: Split, month: str, drift: float
) -> Iterator[tuple[dict[str, str], str]]:
    """Yield the rows of `reviews`, each with the label it has before noise."""
    days = _days_in(month)
    if rows < 0 or not 0 <= drift <= 1 or split not in ("train", "test"):
        found = f"rows={rows}, drift={drift}, split={split}"
        raise InputError("reviews", found, "rows >= 0, drift in [0, 1], split train or test")
    stream = Stream(f"{seed}/{split}/{month}/{drift!r}")
    written: list[tuple[str, str, int]] = []
    normalised: set[str] = set()
    while len(written) < rows:
        if split == "train" and written and stream.chance(NEAR_DUPLICATE_SHARE):
            earlier, domain, stance = stream.pick(written)
            text = _edit(stream, earlier)
            if text != earlier and _belongs(text, split) and _fits(text):
                written.append((text, domain, stance))
            continue
        domain = stream.pick(DOMAINS)
        stance = 1 if stream.chance(0.5 - PRIOR_SHIFT * drift) else -1
        text = _surface(stream, _compose(stream, domain, split, drift, stance))
        key = _normalise(text)
        if key in normalised or not _belongs(text, split) or not _fits(text):
            continue
        normalised.add(key)
        written.append((text, domain, stance))
    for number, (text, domain, stance) in enumerate(written):
        noisy = -stance if _fraction(f"noise/{seed}/{_normalise(text)}") < LABEL_NOISE_SHARE else stance
        row = {
            "id": f"{split}-{month}-{number + 1:05d}",
            "text": text,
            "label": LABELS[noisy],
            "domain": domain,
            "written_at": f"{month}-{1 + number * days // rows:02d}",
        }
        yield row, LABELS[stance]


def _days_in(month: str) -> int:
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month) or month.startswith("0000"):
        raise InputError("reviews", f"month={month!r}", "a year and a month as 2026-01")
    return calendar.monthrange(int(month[:4]), int(month[5:]))[1]


def _compose(stream: Stream, domain: str, split: Split, drift: float, stance: int) -> str:
    """Write the sentences of one review with this stance, before capitals and contractions."""
    author = Author(stream, domain, split, drift)
    plan = stream.weighted(PLANS)
    if plan in ("short", "single") and stream.chance(LONGER_SHARE * drift):
        plan = "mixed"
    more = stream.below(1 + round(MORE_SENTENCES * drift)) if drift else 0
    if plan == "short":
        return author.sentence(stream.weighted(PLAIN_KINDS), stance)
    if plan == "single":
        return author.sentence(stream.weighted(FRAMED_KINDS), stance)
    if plan == "steady":
        count = 3 + stream.below(5) + more
        own = [author.sentence(stream.weighted(PLAIN_KINDS), stance) for _ in range(count)]
        return " ".join(_with_facts(stream, author, own))
    if plan == "mixed":
        own = [_own(stream, author, stance) for _ in range(1 + stream.below(3) + more)]
        sentences = _with_asides(stream, author, own, stance)
    else:
        before = [_own(stream, author, -stance) for _ in range(1 + stream.below(3) + more)]
        after = [author.sentence("turn", stance)]
        after += [_own(stream, author, stance) for _ in range(stream.below(3))]
        sentences = _with_facts(stream, author, before) + after
    return " ".join(sentences)


def _own(stream: Stream, author: Author, stance: int) -> str:
    kinds = FRAMED_KINDS if stream.chance(FRAMED_SHARE) else PLAIN_KINDS
    return author.sentence(stream.weighted(kinds), stance)


def _with_facts(stream: Stream, author: Author, sentences: list[str]) -> list[str]:
    if stream.chance(0.5):
        sentences.insert(stream.below(2), author.sentence("neutral", 1))
    return sentences


def _with_asides(stream: Stream, author: Author, sentences: list[str], stance: int) -> list[str]:
    for _ in range(1 + stream.below(2)):
        lean = -stance if stream.chance(ASIDE_AGAINST_SHARE) else stance
        sentences.insert(stream.below(len(sentences) + 1), author.sentence("aside", lean))
    return _with_facts(stream, author, sentences)


def _surface(stream: Stream, text: str) -> str:
    """Vary openers, contractions, capitals and end marks, as people do."""
    if stream.chance(0.12):
        text = f"{stream.pick(pool('shared', 'opener', 'both')).text} {text}"
    if stream.chance(0.5):
        for long, short in _CONTRACTIONS:
            text = text.replace(long, short)
    style = stream.below(100)
    if style < 7:
        return text.lower()
    text = _SENTENCE_START.sub(lambda match: match[0].upper(), text)
    if style < 12:
        return text[:-1]
    if style < 18:
        return text[:-1] + "!"
    if style < 20:
        return text.upper()
    return text


def _edit(stream: Stream, text: str) -> str:
    """Make a near duplicate: one or two words, the case or the end mark changed, the meaning kept."""
    edit = stream.below(5)
    if edit == 0:
        return text.lower()
    if edit == 1:
        return text.rstrip(".!") + stream.pick(("", ".", "!", "..."))
    if edit == 2:
        return f"{text.rstrip('.!')}. Just saying."
    if edit == 3:
        return f"{stream.pick(('Edit:', 'Again:', 'Hi,', 'Update:'))} {text}"
    return text.replace(" really ", " truly ").replace(" was ", " is ", 1).replace(" very ", " really ")


def _normalise(text: str) -> str:
    """Keep the lower-cased words only: texts that any later check calls equal have equal keys."""
    return " ".join(_WORD.findall(text.lower()))


def _fraction(key: str) -> float:
    """Turn a key into a number in [0, 1), always the same one."""
    return int.from_bytes(hashlib.sha256(key.encode("utf-8")).digest()[:6], "big") / 2**48


def _belongs(text: str, split: Split) -> bool:
    return (_fraction(f"split/{_normalise(text)}") * SPLIT_BINS < 1) == (split == "test")


def _fits(text: str) -> bool:
    return MIN_WORDS <= len(text.split()) <= MAX_WORDS
