"""What the report shows of written texts.

Legend: N rows, U target steps, T source steps.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from seqline.evaluation.sections import HeatMap, Section
from seqline.evaluation.translation import distinct, signature

_SHOWN_ANSWERS = 10
_SHOWN_MAPS = 4
# A heat map of more words than this cannot be read.
_MOST_WORDS = 30
_FEWEST_WORDS = 4
_SHOWN_CHARACTERS = 300
_DIGITS = 4


class WrittenText(Protocol):
    """What the report needs of an answer, see `tasks.translation.Written`."""

    @property
    def text(self) -> str: ...
    @property
    def words(self) -> list[str]: ...
    @property
    def source(self) -> list[str]: ...
    @property
    def attention(self) -> npt.NDArray[np.float32]: ...
    @property
    def copied(self) -> int: ...


def sections_of_answers(
    inputs: Sequence[Any], truths: Sequence[str], answers: Sequence[WrittenText]
) -> list[Section]:
    """Answers beside the truth, how varied they are and what was copied, and where the network looked.

    Args:
        inputs: N inputs, as the user gave them.
        truths: N right texts.
        answers: N written texts.
    """
    written = [answer.text for answer in answers]
    shown = list(zip(inputs, truths, written, strict=True))[:_SHOWN_ANSWERS]
    sections = [
        Section(
            "Answers",
            paragraphs=("The first rows of the test split.",),
            columns=("input", "right", "written"),
            rows=tuple((_told(given), _told(right), _told(text)) for given, right, text in shown),
        ),
        Section(
            "What was written",
            paragraphs=(f"BLEU is {signature('bleu')}; chrF is {signature('chrf')} (sacrebleu).",),
            columns=("", "written", "right"),
            rows=(
                ("different texts", len(set(written)), len(set(truths))),
                *(
                    (f"distinct {name}", _share(written, order), _share(truths, order))
                    for order, name in ((1, "words"), (2, "pairs of words"))
                ),
                ("words copied from the input", sum(answer.copied for answer in answers), None),
            ),
        ),
    ]
    maps = _maps(answers)
    if maps:
        paragraph = "Each row is a written word; the darker a cell, the more the network looked at that word of the input."
        sections.append(Section("Attention", paragraphs=(paragraph,), charts=maps))
    return sections


def _maps(answers: Sequence[WrittenText]) -> tuple[HeatMap, ...]:
    readable = [
        answer
        for answer in answers
        if _FEWEST_WORDS <= len(answer.source) <= _MOST_WORDS and 0 < len(answer.words) <= _MOST_WORDS
    ]
    return tuple(
        HeatMap(
            title=_told(answer.text),
            down=tuple(answer.words),
            across=tuple(answer.source),
            shades=[[round(float(share), _DIGITS) for share in row] for row in answer.attention],
        )
        for answer in readable[:_SHOWN_MAPS]
    )


def _share(texts: Sequence[str], order: int) -> float | None:
    value = distinct(texts, order=order)
    return None if np.isnan(value) else round(value, _DIGITS)


def _told(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
