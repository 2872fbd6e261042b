"""Texts and letters with a label."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bench.real.rows import Row, Rows, table


def agnews(data: Path) -> Rows:
    """AG News: 10,001 of the train texts and the official test."""
    folder = data / "agnews"
    return Rows(
        labelled("train", [folder / "agnews_train10k.csv.gz"]),
        labelled("test", [folder / "agnews_test.csv.gz"]),
    )


def snips(data: Path) -> Rows:
    """Snips: seven intents."""
    train, valid, test = (data / f"snips/snips_intent_{part}.csv.gz" for part in ("train", "valid", "test"))
    return Rows(labelled("train", [train, valid]), labelled("test", [test]))


def emotion(data: Path) -> Rows:
    """Tweets with one of six emotions."""
    train, valid, test = (data / f"emotion/emotion_{part}.csv.gz" for part in ("train", "valid", "test"))
    return Rows(labelled("train", [train, valid]), labelled("test", [test]))


def trec(data: Path) -> Rows:
    """Questions and the kind of thing they ask for; the official test."""
    train, test = (data / f"trec6/trec_{part}.csv.gz" for part in ("train", "test"))
    return Rows(labelled("train", [train]), labelled("test", [test]))


def atis(data: Path) -> Rows:
    """Queries and what they want; test rows whose label train lacks are left out."""
    train, valid, test = (data / f"atis/atis_intent_{part}.csv.gz" for part in ("train", "valid", "test"))
    known = labelled("train", [train, valid])
    labels = {row["label"] for row in known}
    return Rows(known, [row for row in labelled("test", [test]) if row["label"] in labels])


def spam(data: Path) -> Rows:
    """Short messages, repeated ones dropped; the recipe deals test."""
    first: dict[str, Row] = {}
    for row in labelled("message", [data / "sms_spam/sms_spam.csv.gz"]):
        first.setdefault(row["text"], row)
    return Rows(list(first.values()), [])


def names(data: Path) -> Rows:
    """Surnames of 18 languages; the recipe deals test by name."""
    return Rows(labelled("name", [data / "names/names.csv.gz"]), [])


def splice(data: Path) -> Rows:
    """Sixty bases around a junction, or none; the recipe deals test."""
    return Rows(labelled("site", [data / "dna_splice/splice.csv.gz"]), [])


def gene_family(data: Path) -> Rows:
    """Coding sequences of the chimpanzee and the family of their gene; the recipe deals test."""
    return Rows(labelled("gene", [data / "dna_gene_family/chimp.csv.gz"]), [])


def dbpedia(data: Path) -> Rows:
    """Fourteen kinds of things, a thousand abstracts each; the recipe deals test."""
    return Rows(labelled("thing", [data / "dbpedia14k/dbpedia14k.csv.gz"]), [])


def imdb(data: Path) -> Rows:
    """Film reviews, the official 25,000 and 25,000."""
    train, test = (data / f"imdb/imdb_{part}.csv.gz" for part in ("train", "test"))
    return Rows(labelled("train", [train]), labelled("test", [test]))


def labelled(part: str, paths: Iterable[Path]) -> list[Row]:
    found = (row for path in paths for row in table(path))
    return [
        {"id": f"{part}-{index:05d}", "text": row["text"], "label": row["label"]}
        for index, row in enumerate(found)
    ]
