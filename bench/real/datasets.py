"""The shared public data as rows of seqline: one function a data set, from its folder to rows of train and test.

Where a data set has a valid file of its own, its rows join train: a recipe deals valid by a hash. Test stays as published,
or is dealt by what the function says.
"""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import json
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = dict[str, Any]

FSDD_TEST_TAKES = 5
ETTH_TRAIN_HOURS, ETTH_HOURS = (
    16 * 30 * 24,
    20 * 30 * 24,
)  # 12 + 4 and 4 months of 30 days, as in the published tables
WALMART_TEST_WEEKS = 26
SHAKESPEARE_TRAIN_SHARE = 0.9
SHAKESPEARE_PIECE = 3_000
DIALOG_TEST_TENTHS = 1
SENTENCES_A_RUN = 100
END_OF_SENTENCE = "<eos>"


@dataclass(frozen=True)
class Rows:
    """Rows of a data set; without test rows the recipe deals test itself."""

    train: list[Row]
    test: list[Row]


def chunks(data: Path) -> Rows:
    """CoNLL-2000: tokens and chunk tags."""
    folder = data / "conll2000"
    return Rows(*(_tagged(part, [folder / f"conll2000_chunk_{part}.conll.gz"]) for part in ("train", "test")))


def upos(data: Path) -> Rows:
    """English Web Treebank: tokens and universal parts of speech."""
    return _tagged_with_valid(data / "ud_ewt", "ud_ewt_upos")


def atis_slots(data: Path) -> Rows:
    """ATIS: words of a query and the slots they fill."""
    return _tagged_with_valid(data / "atis", "atis_slots")


def snips_slots(data: Path) -> Rows:
    """Snips: words of a command and the slots they fill."""
    return _tagged_with_valid(data / "snips", "snips_slots")


def babi(data: Path) -> Rows:
    """BAbI task 1, the question before its story; the one row that is a header again is left out."""

    def rows(split: str) -> list[Row]:
        return [
            {
                "id": f"{split}-{index:05d}",
                "question": f"{row['question']} {row['story']}",
                "answer": row["answer"],
            }
            for index, row in enumerate(_table(data / f"babi_qa1/babi_qa1_{split}.csv.gz"))
            if row["answer"] != "answer"
        ]

    return Rows(rows("train"), rows("test"))


def dialogs(data: Path) -> Rows:
    """Turns and the turns that answer them; a tenth of the distinct turns, by their hash, is test."""
    parts: dict[bool, list[Row]] = {False: [], True: []}
    for index, row in enumerate(_table(data / "simple_dialogs/simple_dialogs.csv.gz")):
        turn, answer = row["source"], row["target"]
        if turn.strip() and answer.strip():
            digest = hashlib.sha256(" ".join(turn.lower().split()).encode()).hexdigest()
            is_test = int(digest, 16) % 10 < DIALOG_TEST_TENTHS
            parts[is_test].append({"id": f"turn-{index:05d}", "turn": turn, "answer": answer})
    return Rows(parts[False], parts[True])


def multi30k(data: Path) -> Rows:
    """Multi30k, German to English, test 2016; its valid file is not used."""

    def rows(part: str) -> list[Row]:
        table = _table(data / f"multi30k_en_de/multi30k_en_de_{part}.csv.gz")
        return [
            {"id": f"{part}-{index:05d}", "german": row["target"], "english": row["source"]}
            for index, row in enumerate(table)
        ]

    return Rows(rows("train"), rows("test2016"))


def m4(data: Path) -> Rows:
    """M4 hourly: 414 series, the last 48 hours of each are test."""
    train = _series(data / "m4_hourly/m4_hourly_train.csv.gz")
    test = _series(data / "m4_hourly/m4_hourly_test.csv.gz")

    def row(name: str, part: str, start: int, steps: list[Row]) -> Row:
        values = [_number(step["value"]) for step in steps]
        return {
            "id": f"{name}/{part}",
            "series": name,
            "start": start,
            "frequency": "step",
            "value": values,
        }

    return Rows(
        [row(name, "train", 0, steps) for name, steps in train.items()],
        [row(name, "test", len(train[name]), steps) for name, steps in test.items()],
    )


def etth(data: Path) -> Rows:
    """ETTh1 with its seven channels: 12 and 4 months to learn from, 4 months of test."""
    lines = [
        list(row.values())
        for _, row in zip(range(ETTH_HOURS), _table(data / "etth/ETTh1.csv.gz"), strict=False)
    ]

    def row(part: str, first: int, end: int) -> Row:
        start = lines[first][0].replace(" ", "T")[:16]
        values = [[float(value) for value in line[1:]] for line in lines[first:end]]
        return {"id": f"etth1/{part}", "series": "etth1", "start": start, "frequency": "h", "value": values}

    return Rows(
        [row("train", 0, ETTH_TRAIN_HOURS)],
        [row("test", ETTH_TRAIN_HOURS, ETTH_HOURS)],
    )


def walmart(data: Path) -> Rows:
    """Weekly sales of 45 shops; the last 26 weeks are test. Holidays are known ahead, the other columns are not."""
    measured = ("temperature", "fuel_price", "cpi", "unemployment")
    parts: dict[str, list[Row]] = {"train": [], "test": []}
    for name, given in _series(data / "walmart_weekly_sales/walmart_weekly_sales.csv.gz").items():
        steps = sorted(given, key=lambda step: step["timestamp"])
        cut = len(steps) - WALMART_TEST_WEEKS
        for part, some in (("train", steps[:cut]), ("test", steps[cut:])):
            parts[part].append(
                {
                    "id": f"{name}/{part}",
                    "series": name,
                    "timestamps": [step["timestamp"] for step in some],
                    "value": [_number(step["value"]) for step in some],
                    "holiday": [float(step["holiday"]) for step in some],
                    **{column: [float(step[column]) for step in some] for column in measured},
                }
            )
    return Rows(parts["train"], parts["test"])


def fsdd(data: Path) -> Rows:
    """Spoken digits: 3,000 recordings of six people; the first five takes of each digit and speaker are test."""
    parts: dict[bool, list[Row]] = {False: [], True: []}
    with tarfile.open(data / "fsdd/fsdd_wavs.tar.gz") as archive:
        for member in sorted(archive.getmembers(), key=lambda found: found.name):
            file = archive.extractfile(member)
            if file is None or not member.name.endswith(".wav"):
                continue
            name = Path(member.name).stem
            digit, speaker, take = name.split("_")
            row = {
                "id": name,
                "audio": base64.b64encode(file.read()).decode("ascii"),
                "digit": digit,
                "speaker": speaker,
                "said": [digit, speaker],
            }
            parts[int(take) < FSDD_TEST_TAKES].append(row)
    return Rows(parts[False], parts[True])


def vowels(data: Path) -> Rows:
    """Japanese Vowels: twelve cepstra a step, nine speakers, the published split."""
    columns = [f"lpc{number}" for number in range(1, 13)]
    folder = data / "japanese_vowels"
    return Rows(
        *(_traces(folder / f"japanese_vowels_{part}.csv.gz", columns, []) for part in ("train", "test"))
    )


def hmp(data: Path) -> Rows:
    """Accelerometer at the wrist, 14 activities; the recipe deals test by person."""
    return Rows(_traces(data / "hmp_adl_accel/hmp_adl.csv.gz", ["x", "y", "z"], ["subject"]), [])


def jsb(data: Path) -> Rows:
    """Bach's chorales as quarter notes, valid joined to train; each step lists the notes that sound."""
    with gzip.open(data / "jsb_chorales/jsb-chorales-quarter.json.gz", "rt", encoding="utf-8") as file:
        pieces: dict[str, list[list[list[int]]]] = json.load(file)

    def rows(*parts: str) -> list[Row]:
        return [
            {"id": f"{part}-{index:03d}", "notes": [sorted(set(step)) for step in piece]}
            for part in parts
            for index, piece in enumerate(pieces[part])
        ]

    return Rows(rows("train", "valid"), rows("test"))


def shakespeare(data: Path) -> Rows:
    """Tiny Shakespeare: the last tenth of its characters is test; a row is some speeches of 3,000 characters or more."""
    with gzip.open(data / "tinyshakespeare/input.txt.gz", "rt", encoding="utf-8", newline="") as file:
        text = file.read()
    cut = int(len(text) * SHAKESPEARE_TRAIN_SHARE)

    def rows(part: str, some: str) -> list[Row]:
        return [
            {"id": f"{part}-{index:04d}", "text": piece}
            for index, piece in enumerate(_pieces(some, least=SHAKESPEARE_PIECE))
        ]

    return Rows(rows("train", text[:cut]), rows("test", text[cut:]))


def ptb(data: Path) -> Rows:
    """Penn Treebank with its published valid part, which a recipe takes by the column `part`."""
    return _word_runs(data / "ptb", "ptb")


def wikitext2(data: Path) -> Rows:
    """WikiText-2 with its published valid part, which a recipe takes by the column `part`."""
    return _word_runs(data / "wikitext2", "wikitext2")


def agnews(data: Path) -> Rows:
    """AG News: 10,001 of the train texts and the official test."""
    folder = data / "agnews"
    return Rows(
        _labelled("train", [folder / "agnews_train10k.csv.gz"]),
        _labelled("test", [folder / "agnews_test.csv.gz"]),
    )


def snips(data: Path) -> Rows:
    """Snips: seven intents."""
    train, valid, test = (data / f"snips/snips_intent_{part}.csv.gz" for part in ("train", "valid", "test"))
    return Rows(_labelled("train", [train, valid]), _labelled("test", [test]))


def write(rows: Rows, folder: Path) -> None:
    """Write `train/rows.jsonl` and, where there are test rows, `test/rows.jsonl` under `folder`."""
    for part, some in (("train", rows.train), ("test", rows.test)):
        if some:
            path = folder / part / "rows.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in some)
            path.write_text("".join(lines), encoding="utf-8")


def _table(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def _number(text: str) -> float:
    return float(text) if "." in text else int(text)


def _series(path: Path) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in _table(path):
        found.setdefault(row["series"], []).append(row)
    return found


def _traces(path: Path, columns: list[str], others: list[str]) -> list[Row]:
    found: dict[str, Row] = {}
    for step in _table(path):
        fixed = {"id": step["id"], "label": step["label"], **{name: step[name] for name in others}}
        trace = found.setdefault(step["id"], {**fixed, "trace": []})["trace"]
        trace.append([float(step[column]) for column in columns])
    return list(found.values())


def _tagged(part: str, paths: Iterable[Path]) -> list[Row]:
    rows: list[Row] = []
    for path in paths:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            blocks = file.read().strip().split("\n\n")
        for block in blocks:
            pairs = [line.split("\t") for line in block.split("\n")]
            rows.append(
                {
                    "id": f"{part}-{len(rows):05d}",
                    "tokens": [token for token, _ in pairs],
                    "tags": [tag for _, tag in pairs],
                }
            )
    return rows


def _tagged_with_valid(folder: Path, name: str) -> Rows:
    train, valid, test = (folder / f"{name}_{part}.conll.gz" for part in ("train", "valid", "test"))
    return Rows(_tagged("train", [train, valid]), _tagged("test", [test]))


def _labelled(part: str, paths: Iterable[Path]) -> list[Row]:
    found = (row for path in paths for row in _table(path))
    return [
        {"id": f"{part}-{index:05d}", "text": row["text"], "label": row["label"]}
        for index, row in enumerate(found)
    ]


def _pieces(text: str, *, least: int) -> Iterator[str]:
    """Runs of whole speeches, each of `least` characters or more, except the last."""
    held = ""
    for speech in text.split("\n\n"):
        held = f"{held}\n\n{speech}" if held else speech
        if len(held) >= least:
            yield held
            held = ""
    if held.strip():
        yield held


def _word_runs(folder: Path, name: str) -> Rows:
    """Runs of a hundred lines, each line ended by a symbol of its own, as published perplexities count."""

    def rows(part: str) -> Iterator[Row]:
        with gzip.open(folder / f"{name}.{part}.txt.gz", "rt", encoding="utf-8") as file:
            lines = [[*line.split(), END_OF_SENTENCE] for line in file]
        for start in range(0, len(lines), SENTENCES_A_RUN):
            words = [word for line in lines[start : start + SENTENCES_A_RUN] for word in line]
            yield {"id": f"{part}-{start:05d}", "part": part, "words": words}

    return Rows([*rows("train"), *rows("valid")], [*rows("test")])


DATASETS: dict[str, Callable[[Path], Rows]] = {
    "agnews": agnews,
    "atis_slots": atis_slots,
    "babi": babi,
    "chunks": chunks,
    "dialogs": dialogs,
    "etth": etth,
    "fsdd": fsdd,
    "hmp": hmp,
    "jsb": jsb,
    "m4": m4,
    "multi30k": multi30k,
    "ptb": ptb,
    "shakespeare": shakespeare,
    "snips": snips,
    "snips_slots": snips_slots,
    "speak": fsdd,
    "upos": upos,
    "vowels": vowels,
    "walmart": walmart,
    "wikitext2": wikitext2,
}
