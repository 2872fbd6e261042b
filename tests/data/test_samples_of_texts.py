"""The embedded samples of labelled texts: the same bytes everywhere, no text in both splits, and hard for a counter of words."""

import hashlib
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from seqline.config import load_recipe
from seqline.data.samples import dna, emotion, names, spam
from seqline.data.samples.dealt import belongs, deal, json_lines, key_of
from seqline.data.samples.grammar import Stream
from seqline.data.samples.phrases import fill, parse_book, read_book
from seqline.data.samples.registry import SAMPLES as SAMPLES_BY_RECIPE
from seqline.errors import InputError

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Sample:
    """A sample, what it promises, and what a counter of words or letters may reach on few rows."""

    name: str
    compose: Callable
    write: Callable
    column: str
    digests: tuple[str, str]
    shares: dict[str, float]
    ngrams: dict[str, object]
    counted: tuple[float, float]


SAMPLES = [
    Sample(
        "spam",
        spam.compose,
        spam.write_spam,
        "text",
        (
            "c194f8b3b9803e8c077161410bb1b77ba8e60ea800b86d8e9c9557c8f267cb89",
            "cd173681f78d6c1679216fe499f7b0f515a2760c6cc8ea7b113ab5fc1b5592be",
        ),
        {"spam": 0.3, "ham": 0.7},
        {"ngram_range": (1, 2)},
        (0.75, 0.90),
    ),
    Sample(
        "emotion",
        emotion.compose,
        emotion.write_emotion,
        "text",
        (
            "5882703fb0fefa0c57aeab43c9a60ca1af91d224a2a8d8031890a27c815392cc",
            "a4d2bb37a2bfd64f72766c2f482cb7999ce837d4034e4e99ac3b1df00ff22fe4",
        ),
        emotion.SHARES,
        {"ngram_range": (1, 2)},
        (0.60, 0.85),
    ),
    Sample(
        "names",
        names.compose,
        names.write_names,
        "name",
        (
            "8770285beb9a7a629d67f1b0b9d818a1c3c4a61311c342163e160045a83d4fd7",
            "e5c69d2dd1332ea1e15c90e1481bd4fa12bcf617dddf7c88eaf6e3c4b82ed361",
        ),
        {name: language.share for name, language in names.LANGUAGES.items()},
        {"analyzer": "char", "ngram_range": (1, 3)},
        (0.55, 0.80),
    ),
    Sample(
        "dna",
        dna.compose,
        dna.write_dna,
        "sequence",
        (
            "491183c8911560e9703414e6eb5aa36805385e74ca8a11bf7840ca3fd9992609",
            "f4352782137d14244e805f3526521b92644350245dd4c06ebdbfd1eaa3aa3e35",
        ),
        dna.SHARES,
        {"analyzer": "char", "ngram_range": (1, 4)},
        (0.60, 0.80),
    ),
]
every_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)


@cache
def rows_of(name: str, split: str, rows: int) -> list[dict[str, str]]:
    sample = next(sample for sample in SAMPLES if sample.name == name)
    return deal(sample.compose, sample=name, rows=rows, seed=7, split=split, column=sample.column)


@every_sample
def test_a_seed_gives_the_same_bytes_everywhere(sample):
    for split, digest in zip(("train", "test"), sample.digests, strict=True):
        text = json_lines(rows_of(sample.name, split, 200))
        assert hashlib.sha256(text.encode()).hexdigest() == digest
    other = deal(sample.compose, sample=sample.name, rows=200, seed=8, split="train", column=sample.column)
    assert other != rows_of(sample.name, "train", 200)


@every_sample
def test_no_text_is_in_both_splits_or_twice_in_one(sample):
    train = [key_of(row[sample.column]) for row in rows_of(sample.name, "train", 1500)]
    test = [key_of(row[sample.column]) for row in rows_of(sample.name, "test", 500)]
    assert len(set(train)) == 1500
    assert len(set(test)) == 500
    assert not set(train) & set(test)


@every_sample
def test_every_text_belongs_to_exactly_one_split(sample):
    texts = [row[sample.column] for row in rows_of(sample.name, "train", 200)]
    assert all(belongs(text, "train") and not belongs(text, "test") for text in texts)
    assert all(belongs(text.upper(), "train") for text in texts)


@every_sample
def test_rows_have_an_id_an_input_and_a_label(sample):
    rows = rows_of(sample.name, "train", 1500)
    assert all(list(row) == ["id", sample.column, "label"] for row in rows)
    assert len({row["id"] for row in rows}) == 1500
    assert all(row[sample.column].strip() for row in rows)


@every_sample
def test_the_recipe_names_the_column_and_the_labels(sample):
    recipe = load_recipe(ROOT / "recipes" / f"{sample.name}.yaml")
    assert recipe.input.column == sample.column
    assert set(recipe.classes) == set(sample.shares)
    assert SAMPLES_BY_RECIPE[sample.name] == f"{sample.write.__module__}:{sample.write.__name__}"


@every_sample
def test_labels_come_as_often_as_said(sample):
    counts = Counter(row["label"] for row in rows_of(sample.name, "train", 1500))
    assert set(counts) == set(sample.shares)
    for label, share in sample.shares.items():
        assert counts[label] / 1500 == pytest.approx(share, abs=0.04)


@every_sample
def test_counting_words_or_letters_is_better_than_the_majority_and_not_enough(sample):
    train, test = rows_of(sample.name, "train", 1500), rows_of(sample.name, "test", 500)
    counter = TfidfVectorizer(min_df=2, sublinear_tf=True, **sample.ngrams)
    seen = counter.fit_transform(row[sample.column] for row in train)
    model = LogisticRegression(C=10, max_iter=200).fit(seen, [row["label"] for row in train])
    accuracy = model.score(
        counter.transform(row[sample.column] for row in test), [row["label"] for row in test]
    )
    lowest, highest = sample.counted
    assert max(sample.shares.values()) + 0.05 < lowest or sample.name == "spam"
    assert lowest < accuracy < highest


def test_files_are_four_months_and_a_test(tmp_path):
    names.write_names(tmp_path)
    found = {
        str(path.relative_to(tmp_path)): len(path.read_text(encoding="utf-8").splitlines())
        for path in sorted(tmp_path.rglob("*.jsonl"))
    }
    months = {f"train/2026-0{month}.jsonl": names.TRAIN_ROWS // 4 for month in range(1, 5)}
    assert found == {"test/test.jsonl": names.TEST_ROWS, **months}


def test_a_sample_that_runs_out_of_texts_says_how_many_there_are():
    with pytest.raises(InputError, match="rows=9"):
        deal(
            lambda stream, _split: (f"word {stream.below(5)}", "a"),
            sample="few",
            rows=9,
            seed=0,
            split="train",
        )


def test_a_negative_number_of_rows_is_refused():
    with pytest.raises(InputError, match="rows=-1"):
        deal(spam.compose, sample="spam", rows=-1, seed=0, split="train")


@pytest.mark.parametrize(("book", "compose"), [("spam", spam.compose), ("emotion", emotion.compose)])
def test_no_train_text_holds_a_phrase_kept_for_test(book, compose):
    held_out = [
        line
        for lines in read_book(book).values()
        for line in lines["test"]
        if len(line.split()) > 2 and not re.search(r"[{#]", line)
    ]
    assert len(held_out) > 5
    texts = " \n ".join(row["text"].lower() for row in rows_of(book, "train", 1500))
    assert not [line for line in held_out if line in texts]
    test_texts = " \n ".join(row["text"].lower() for row in rows_of(book, "test", 500))
    assert sum(line in test_texts for line in held_out) > 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a | both", "kind | split | text"),
        ("a | train | b", "split train"),
        ("a | both |  ", "kind | split | text"),
        ("a | both | {b}", "{b}"),
        ("a | both | {b:own}\nb | both | c", "{b:own}"),
    ],
)
def test_a_broken_phrase_book_is_refused_with_its_line(text, message):
    with pytest.raises(InputError, match="book:1") as refusal:
        parse_book(text, where="book")
    assert message in str(refusal.value)


def test_gaps_are_filled_by_kind_and_by_bound_name():
    book = parse_book("t | both | {w} {w:own}#\nw | both | x\nw.a | both | y\nw.b | both | z", where="book")
    assert re.fullmatch(r"x z\d", fill(book, "t", Stream("k"), "train", {"own": "b"}))


def test_a_phrase_comes_once_while_there_are_others():
    book = parse_book("t | both | {w} {w}\nw | both | x\nw | both | y", where="book")
    stream = Stream("k")
    assert {fill(book, "t", stream, "train") for _ in range(50)} == {"x y", "y x"}


def test_the_same_two_verdicts_make_spam_and_ham():
    both_sides = {"spam": 0, "ham": 0}
    book = read_book("spam")
    for row in rows_of("spam", "train", 1500):
        says_yes, says_no = (
            any(f" {verdict}" in f" {row['text'].lower()}" for verdict in book[f"verdict.{side}"]["both"])
            for side in ("yes", "no")
        )
        both_sides[row["label"]] += says_yes and says_no
    assert min(both_sides.values()) > 40


def test_a_feeling_named_is_often_not_the_label():
    book, elsewhere = read_book("emotion"), 0
    rows = rows_of("emotion", "train", 1500)
    for row in rows:
        named = {f for f in emotion.FEELINGS if any(w in row["text"] for w in book[f"word.{f}"]["both"])}
        elsewhere += bool(named - {row["label"]})
    assert elsewhere / len(rows) > 0.4


def test_vowels_keep_the_company_their_language_asks_for():
    stream = Stream("vowels")
    for _ in range(100):
        before = stream.pick("aeiou")
        same = names.same_side(stream, "aeiou", before)
        assert (same in names.FRONT) == (before in names.FRONT)
        assert names.never_twice(stream, "aeiou", before) != before
    assert sum(names.echo(stream, "aeiou", "a") == "a" for _ in range(200)) > 150


@pytest.mark.parametrize(("language", "agrees"), [("aldic", True), ("borrish", False)])
def test_an_ending_answers_the_first_vowel(language, agrees):
    stream = Stream("endings")
    for _ in range(50):
        name = names.surname(stream, names.LANGUAGES[language]).lower()
        first = next(letter for letter in name if letter in names.VOWELS)
        assert name.endswith(("an", "ek"))
        assert ((first in names.FRONT) == name.endswith("ek")) == agrees


def test_names_fit_the_recipe():
    rows = rows_of("names", "train", 1500)
    assert all(len(row["name"].split()[-1]) >= 3 and len(row["name"]) <= names.LONGEST for row in rows)


def test_dna_is_sixty_bases():
    assert all(re.fullmatch("[ACGT]{60}", row["sequence"]) for row in rows_of("dna", "train", 1500))


def test_signals_stand_at_the_cut_and_decoys_have_them_too():
    stream = Stream("signals")
    for _ in range(50):
        before, after = dna.donor(stream)
        assert after.startswith("GT")
        assert before.endswith("G") or after[4] == "G"
        assert dna.acceptor(stream)[0].endswith("AG")
        assert dna.donor_turned(stream)[1].startswith("GT")
        assert dna.acceptor_turned(stream)[0].endswith("AG")
