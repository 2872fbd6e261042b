"""The embedded message sample: offers and demands against honest messages that use the same words.

A message is spam when it makes an offer or a claim to its reader and asks for something; it is honest (ham) when it
reports such a message, warns of it, or needs nothing. Phrases are shared, so who says what to whom decides.
"""

from __future__ import annotations

from pathlib import Path

from seqline.data.samples.dealt import write_dealt
from seqline.data.samples.grammar import Split, Stream
from seqline.data.samples.phrases import fill, read_book

DEFAULT_SEED = 20260201
TRAIN_ROWS = 6000
TEST_ROWS = 2000
SPAM_SHARE = 0.3
EITHER_SHARE = 0.5  # of messages in frames that both kinds use, where the order of two verdicts decides
LABEL_NOISE_SHARE = 0.01
_TYPO_SHARE = 0.15
_SHORT = (
    (" you ", " u "), (" are ", " r "), (" please ", " pls "), (" tonight", " 2nite"), (" to ", " 2 "), (" for ", " 4 "),
    (" i am ", " im "), (" do not ", " dont "), (" it is ", " its "), (" your ", " ur "),
)  # fmt: skip


def write_spam(folder: Path, *, seed: int = DEFAULT_SEED) -> None:
    """Write four monthly training files and the test file under `folder`: `id`, `text`, `label` (ham or spam).

    Args:
        folder: Gets `train/2026-01.jsonl` to `train/2026-04.jsonl` and `test/test.jsonl`.
        seed: The same seed gives the same bytes everywhere.
    """
    write_dealt(folder, compose, sample="spam", train_rows=TRAIN_ROWS, test_rows=TEST_ROWS, seed=seed)


def compose(stream: Stream, split: Split) -> tuple[str, str]:
    """Draw one message and its label."""
    is_spam = stream.chance(SPAM_SHARE)
    kind = "either" if stream.chance(EITHER_SHARE) else "spam" if is_spam else "ham"
    sides = {"own": "yes", "other": "no"} if is_spam else {"own": "no", "other": "yes"}
    text = _surface(stream, fill(read_book("spam"), kind, stream, split, sides))
    if stream.chance(LABEL_NOISE_SHARE):
        is_spam = not is_spam
    return text, "spam" if is_spam else "ham"


def _surface(stream: Stream, text: str) -> str:
    """Vary capitals, abbreviations, end marks and a slip of the finger, as people and senders of spam do alike."""
    if stream.chance(0.35):
        for long, short in _SHORT:
            if stream.chance(0.6):
                text = text.replace(long, short)
    if stream.chance(_TYPO_SHARE):
        place = 1 + stream.below(len(text) - 2)
        text = text[:place] + text[place + 1 :]
    style = stream.below(100)
    if style < 40:
        text = ". ".join(part[:1].upper() + part[1:] for part in text.split(". "))
    elif style < 47:
        text = text.upper()
    if stream.chance(0.25):
        text = text.rstrip(".")
    elif stream.chance(0.2):
        text = text.rstrip(".") + "!" * (1 + stream.below(3))
    return text
