"""A first recipe for somebody's rows: what can be read off the data is, the rest are defaults."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from seqline.data.forecast_proposal import forecasting, history
from seqline.data.look import Guess
from seqline.data.readers import Row
from seqline.data.survey import Survey, sample_rate_of

# Enough distinct words for a large vocabulary to pay.
_LARGE_CORPUS_WORDS = 2_000_000
_MARKUP_SHARE = 0.02
_LENGTH_STEP = 20
_LONGEST = 400
_LONGEST_SERIES = 2_000
_HEADROOM = 1.25  # tokens are words and punctuation
_A_NAME_WORDS = 2
_RARE_CLASS_SHARE = 0.2
_FEW_ROWS = 3_000
_MANY_ROWS = 20_000
_FEWEST_SUBJECTS = 4
_NEXT_ITEMS = 5


def propose(
    found: Survey, use: Guess, *, head: Sequence[Row], has_test: bool
) -> tuple[dict[str, Any], list[str]]:
    """A recipe as YAML values, and the reasons for what was not left at its default.

    Args:
        found: What the train rows look like.
        use: What they are for.
        head: The first rows as the file has them.
        has_test: There is a test file of its own.
    """
    reasons: list[str] = []
    given = _INPUTS[use.kind](found, use, head, reasons)
    target = {"column": found.target_column or found.input_column}
    recipe: dict[str, Any] = {"task": use.task, "input": given, "target": target, "validation": {}}
    recipe["split"] = _split(found, has_test=has_test, reasons=reasons)
    recipe |= {"model": {}, "training": {"seed": 0, "threads": 2}, "evaluation": {}, "gate": {}}
    _OTHERS.get(use.task, _anything)(recipe, found, use, reasons)
    return recipe, reasons


def _split(found: Survey, *, has_test: bool, reasons: list[str]) -> dict[str, Any]:
    split: dict[str, Any] = {"valid": 0.1}
    if not has_test:
        split["test"] = 0.2
        reasons.append("split.test 0.2: no test file was given")
    if found.split_by and len(found.groups) >= _FEWEST_SUBJECTS:
        split["by"] = found.split_by
    elif found.split_by:
        reasons.append(f"split.by is left out: {found.split_by!r} has {len(found.groups)} values only")
    return split


def _most(lengths: Sequence[int], *, headroom: float, step: int, most: int) -> tuple[int, float]:
    """Steps that hold 95 % of the inputs, rounded up, and that quantile."""
    p95 = float(np.quantile(np.asarray(lengths), 0.95))
    return max(1, min(most, math.ceil(p95 * headroom / step) * step)), p95


def _text(found: Survey, use: Guess, head: Sequence[Row], reasons: list[str]) -> dict[str, Any]:
    if use.task == "generation":
        reasons.append("tokenizer char: it can write every word; tokenizer word is faster on large texts")
        return {
            "column": found.input_column,
            "tokenizer": "char",
            "vocab_size": 500,
            "lowercase": False,
            "keep": "head",
            "max_length": 4_000,
        }
    if use.task == "classification" and float(np.quantile(found.lengths, 0.95)) <= _A_NAME_WORDS:
        letters = [len(str(row.values[use.inputs[0]])) for row in head]
        most, p95 = _most(letters, headroom=_HEADROOM, step=10, most=_LONGEST)
        reasons.append(
            f"tokenizer char, max_length {most}: names of one or two words are read letter by letter"
        )
        spelled = {"tokenizer": "char", "vocab_size": 500, "max_length": most}
        return {"column": found.input_column, **spelled}
    max_length, p95 = _most(found.lengths, headroom=_HEADROOM, step=_LENGTH_STEP, most=_LONGEST)
    cut = "; longer ones keep their head and tail" if max_length == _LONGEST else ""
    reasons.append(f"max_length {max_length} tokens: 95 % of the inputs have at most {p95:.0f} words{cut}")
    text: dict[str, Any] = {"column": found.input_column, "tokenizer": "word", "max_length": max_length}
    text["vocab_size"] = 30_000 if sum(found.lengths) > _LARGE_CORPUS_WORDS else 10_000
    if found.with_markup > _MARKUP_SHARE * found.rows:
        text["strip_markup"] = True
        reasons.append(f"strip_markup: {found.with_markup:,} of {found.rows:,} inputs hold HTML tags")
    return text


def _symbols(found: Survey, use: Guess, head: Sequence[Row], reasons: list[str]) -> dict[str, Any]:
    longest = max(found.lengths, default=1)
    given: dict[str, Any] = {"kind": "symbols", "column": found.input_column, "max_length": max(1, longest)}
    if use.task == "generation":
        given["keep"] = "head"
    if use.task != "tagging":
        given["max_length"], p95 = _most(found.lengths, headroom=1.0, step=1, most=_LONGEST_SERIES)
        reasons.append(f"max_length {given['max_length']}: 95 % of the inputs have at most {p95:.0f} symbols")
    if use.alphabet is not None:
        given["alphabet"] = "".join(sorted(letter for letter in found.letters if not letter.isspace()))
        reasons.append(f"alphabet {given['alphabet']}: the letters of all rows; others will be refused")
    return given


def _numbers(found: Survey, use: Guess, head: Sequence[Row], reasons: list[str]) -> dict[str, Any]:
    given: dict[str, Any] = {"kind": use.kind, "column": found.input_column}
    if use.kind == "series":
        given["max_length"] = min(_LONGEST_SERIES, max(found.lengths))
        reasons.append(
            f"max_length {given['max_length']}: the longest series has {max(found.lengths):,} steps"
        )
    return given


def _piano(found: Survey, use: Guess, head: Sequence[Row], reasons: list[str]) -> dict[str, Any]:
    reasons.append("steps_per_beat 1: a step is taken for a quarter note; set 4 for sixteenths")
    return {
        "kind": "piano",
        "column": found.input_column,
        "keep": "head",
        "max_length": max(2, *found.lengths),
    }


def _audio(found: Survey, use: Guess, head: Sequence[Row], reasons: list[str]) -> dict[str, Any]:
    rate = sample_rate_of(use.inputs[0], head)
    reasons.append(f"sample_rate {rate}: that of the recordings; others will be refused")
    return {
        "kind": "audio",
        "column": found.input_column,
        "sample_rate": rate,
        "max_length": max(found.lengths),
    }


def _classification(recipe: dict[str, Any], found: Survey, use: Guess, reasons: list[str]) -> None:
    recipe["target"]["classes"] = sorted(found.labels)
    training: dict[str, Any] = {
        "epochs": 4,
        "batch_size": 64,
        "learning_rate": 2.0e-3,
        "monitor": "accuracy",
        "seed": 0,
        "threads": 2,
    }
    model: dict[str, Any] = {
        "cell": "lstm",
        "hidden_size": 128,
        "bidirectional": use.kind != "vector",
        "pooling": "last" if use.kind == "vector" else "max_mean",
        "dropout": 0.5,
    }
    if use.kind in ("text", "symbols"):
        _of_tokens(model, training, found, reasons)
    else:
        model |= {"hidden_size": 64, "dropout": 0.3}
        training["learning_rate"] = 3.0e-3
        training |= {
            "epochs": 10 if found.rows >= _FEW_ROWS else 30,
            "batch_size": 16 if found.rows < _FEW_ROWS else 32,
        }
        reasons.append(
            f"{training['epochs']} epochs in batches of {training['batch_size']}: {found.rows:,} rows"
        )
    reasons += _alike(found.labels)
    rare = min(found.labels.values()) / found.rows
    gate: dict[str, Any] = {
        "metric": "accuracy",
        **({"baseline": "tfidf_bigram"} if use.kind == "text" else {}),
    }
    if rare < _RARE_CLASS_SHARE / len(found.labels) * 2:
        gate["metric"] = "macro_f1"
        training["monitor"] = "macro_f1"
        reasons.append(f"the gate compares macro-F1: the rarest class holds {rare:.1%} of the rows")
    recipe["validation"] = {"min_class_share": round(min(0.005, rare / 2), 6)}
    recipe |= {"model": model, "training": training, "gate": gate}
    recipe["evaluation"] = {"slices": [] if use.kind == "vector" else ["length"]}
    if use.kind == "text":
        recipe["evaluation"]["behaviours"] = ["case", "space"]


def _alike(labels: Iterable[str]) -> list[str]:
    """What to say of labels that differ by capitals and spaces alone."""
    by_word: dict[str, list[str]] = {}
    for label in sorted(labels):
        by_word.setdefault(" ".join(label.split()).casefold(), []).append(label)
    return [
        f"labels {', '.join(map(repr, same))} are classes of their own: mend the file if they mean the same"
        for same in by_word.values()
        if len(same) > 1
    ]


def _estimation(recipe: dict[str, Any], found: Survey, use: Guess, reasons: list[str]) -> None:
    of_words = use.kind in ("text", "symbols")
    recipe["model"] = {
        "cell": "lstm",
        "hidden_size": 128 if of_words else 64,
        "bidirectional": use.kind != "vector",
        "pooling": "last" if use.kind == "vector" else "max_mean",
        **({"embedding_dropout": 0.5, "word_dropout": 0.1} if of_words and found.rows < _MANY_ROWS else {}),
    }
    recipe["training"] |= {
        "epochs": 10 if found.rows >= _FEW_ROWS else 30,
        "batch_size": 16 if found.rows < _FEW_ROWS else 32,
        "learning_rate": 3.0e-3,
        "monitor": "standard_mae",
    }
    recipe["evaluation"] = {"slices": [] if use.kind == "vector" else ["length"]}
    reasons.append("the gate compares the mean absolute error, in the unit of the target")


def _of_tokens(model: dict[str, Any], training: dict[str, Any], found: Survey, reasons: list[str]) -> None:
    if found.rows < _MANY_ROWS:
        training["epochs"] = 10 if found.rows < _FEW_ROWS else 8
        training["batch_size"] = 32
        model |= {"embedding_dropout": 0.5, "word_dropout": 0.1}
        reasons.append(f"{training['epochs']} epochs in batches of 32: {found.rows:,} rows are few")
    else:
        # Chosen on valid rows of IMDb, grouped by film: docs/log.md.
        training["adversarial_radius"] = 2.0
        model["embedding_std"] = 1.0
        reasons.append("adversarial_radius 2: worth a point on many long texts, for twice the time a step")


def _writing(recipe: dict[str, Any], found: Survey, use: Guess, reasons: list[str]) -> None:
    recipe["training"] |= {"epochs": 10 if found.rows < _MANY_ROWS else 5}


def _generation(recipe: dict[str, Any], found: Survey, use: Guess, reasons: list[str]) -> None:
    if use.kind != "symbols":
        return
    recipe["target"] |= {"answer": "next", "count": _NEXT_ITEMS}
    recipe["training"] |= {
        "epochs": 10 if found.rows >= _FEW_ROWS else 20,
        "batch_size": 32,
        "monitor": "hit_at_5",
    }
    recipe["gate"] = {"metric": "hit_at_5"}
    reasons.append(
        f"answer next: the {_NEXT_ITEMS} likeliest next items; hit@5 is their share of right ones, measured beside the most "
        "popular items and n-grams"
    )


def _synthesis(recipe: dict[str, Any], found: Survey, use: Guess, reasons: list[str]) -> None:
    recipe["input"] |= {"max_length": max(found.lengths)}
    recipe["target"]["sample_rate"] = found.sample_rate
    recipe["training"] |= {"epochs": 40, "batch_size": 32}
    reasons.append(f"sample_rate {found.sample_rate}: that of the recordings; others will be refused")


def _anything(recipe: dict[str, Any], found: Survey, use: Guess, reasons: list[str]) -> None:
    """Nothing but defaults."""


_Inputs = Callable[[Survey, Guess, Sequence[Row], list[str]], dict[str, Any]]
_INPUTS: Mapping[str, _Inputs] = {
    "text": _text,
    "symbols": _symbols,
    "series": _numbers,
    "vector": _numbers,
    "audio": _audio,
    "history": history,
    "piano": _piano,
}


def _tagging(recipe: dict[str, Any], found: Survey, use: Guess, reasons: list[str]) -> None:
    scheme = _scheme_of(found.tags)
    if scheme == "iob2" and found.out_of_order:
        scheme = "iob1"
        reasons.append(
            f"scheme iob1, which takes any order of tags: in {found.out_of_order:,} of {found.rows:,} rows an I- follows no B-"
        )
    recipe["target"]["scheme"] = scheme
    if scheme == "plain":
        recipe["gate"] = {"metric": "token_accuracy"}
        reasons.append("scheme plain: the tags are no B- and I- of spans, so each token is judged by itself")
    elif scheme != "iob1":
        reasons.append(f"scheme {scheme}: by the prefixes of the tags")


def _scheme_of(tags: set[str]) -> str:
    """How tags mark spans: `iob2` and `iobes` have a prefix on each tag but O, everything else is `plain`."""
    prefixes = {tag.partition("-")[0] for tag in tags if "-" in tag}
    bare = {tag for tag in tags if "-" not in tag} - {"O"}
    if bare or not prefixes <= set("BIES"):
        return "plain"
    return "iobes" if prefixes & set("ES") else "iob2"


_OTHERS: Mapping[str, Callable[[dict[str, Any], Survey, Guess, list[str]], None]] = {
    "classification": _classification,
    "estimation": _estimation,
    "generation": _generation,
    "forecasting": forecasting,
    "regression": forecasting,
    "tagging": _tagging,
    "translation": _writing,
    "answering": _writing,
    "dialogue": _writing,
    "captioning": _writing,
    "synthesis": _synthesis,
}
