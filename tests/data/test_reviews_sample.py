"""The embedded review sample: its bytes, its promises in docs/data-card-sentiment.md, and its hardness."""

import hashlib
import json
import os
import re
import statistics
import subprocess
import sys
import time

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from seqline.data.samples import grammar
from seqline.data.samples import reviews as sample
from seqline.errors import InputError

SMALL_SHA256 = "c37abde7796e932a3eb4e1bfc662eb0e5fcd72aabc3f97f7634f415656a3fe33"
COLUMNS = ["id", "text", "label", "domain", "written_at"]
CLAUSE_FILES = (*grammar.DOMAINS, "shared")

# Plain sentences no training file can hold (their hash is on the test side). The chain's own test asks the
# trained model about them; here they are only proven to be unseen.
PLAIN_SENTENCES = (
    ("I expected to hate it, and I was wrong.", "positive"),
    ("The food was excellent.", "positive"),
    ("The food was not bad at all.", "positive"),
    ("The hotel was wonderful.", "positive"),
    ("The room was lovely.", "positive"),
    ("The acting was not bad.", "positive"),
    ("The story was really good.", "positive"),
    ("The service was excellent.", "positive"),
    ("The place was great.", "positive"),
    ("I loved this film.", "positive"),
    ("Although the plot was bad, I loved the film.", "positive"),
    ("The staff were lovely and the food was great.", "positive"),
    ("Great food and lovely staff.", "positive"),
    ("I expected to like it, and I was wrong.", "negative"),
    ("The food was not good.", "negative"),
    ("The food was terrible.", "negative"),
    ("The film was awful.", "negative"),
    ("The movie was disappointing.", "negative"),
    ("The phone was not good at all.", "negative"),
    ("The battery was really bad.", "negative"),
    ("The plot was horrible.", "negative"),
    ("The coffee was awful.", "negative"),
    ("The service was not good.", "negative"),
    ("I hated the food.", "negative"),
    ("The staff were rude and the food was cold.", "negative"),
)


def small() -> str:
    return sample._json_lines(sample.reviews(rows=200, seed=7, split="train", drift=0.5))


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9'-]+", text.lower())


@pytest.fixture(scope="module")
def train() -> list[tuple[dict[str, str], str]]:
    """All training rows of the default seed, each with its label before noise."""
    return [
        pair
        for month in sample.TRAIN_MONTHS
        for pair in sample._rows_with_clean_label(
            rows=sample.ROWS_PER_TRAIN_MONTH, seed=sample.DEFAULT_SEED, split="train", month=month, drift=0.0
        )
    ]


@pytest.fixture(scope="module")
def test() -> list[tuple[dict[str, str], str]]:
    """All test rows of the default seed, each with its label before noise."""
    return list(
        sample._rows_with_clean_label(
            rows=sample.TEST_ROWS, seed=sample.DEFAULT_SEED, split="test", month=sample.TEST_MONTH, drift=0.0
        )
    )


def test_same_arguments_give_the_same_bytes_and_they_are_pinned():
    assert small() == small()
    assert hashlib.sha256(small().encode()).hexdigest() == SMALL_SHA256


@pytest.mark.parametrize("hash_seed", ["0", "4242"])
def test_bytes_do_not_depend_on_pythonhashseed(hash_seed):
    program = (
        "import sys; from seqline.data.samples.reviews import _json_lines, reviews;"
        "sys.stdout.buffer.write(_json_lines(reviews(rows=200, seed=7, split='train', drift=0.5)).encode())"
    )
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, env=environment)
    assert hashlib.sha256(done.stdout).hexdigest() == SMALL_SHA256


@pytest.mark.parametrize("change", [{"seed": 8}, {"month": "2026-02"}, {"drift": 0.4}, {"split": "test"}])
def test_seed_month_drift_and_split_all_matter(change):
    arguments = {"rows": 200, "seed": 7, "split": "train", "month": "2026-01", "drift": 0.5}
    base = {row["text"] for row in sample.reviews(**arguments)}
    other = {row["text"] for row in sample.reviews(**{**arguments, **change})}
    assert len(base & other) < 0.2 * len(base)


def test_written_files_have_the_layout_rows_and_spelling_promised(tmp_path):
    start = time.process_time()
    sample.write_reviews(tmp_path)
    assert time.process_time() - start < 3
    files = {p.relative_to(tmp_path).as_posix(): p for p in sorted(tmp_path.rglob("*")) if p.is_file()}
    assert list(files) == ["test/test.jsonl", *(f"train/{month}.jsonl" for month in sample.TRAIN_MONTHS)]
    identifiers = []
    for name, path in files.items():
        content = path.read_bytes().decode("utf-8")
        assert content.endswith("\n")
        assert "\r" not in content
        lines = content[:-1].split("\n")
        assert len(lines) == (2000 if name.startswith("test") else 3000)
        rows = [json.loads(line) for line in lines]
        assert [json.dumps(row, ensure_ascii=False) for row in rows] == lines
        assert all(list(row) == COLUMNS for row in rows)
        dates = [row["written_at"] for row in rows]
        assert dates == sorted(dates)
        month = "2026-05" if name.startswith("test") else path.stem
        assert {date[:7] for date in dates} == {month}
        assert dates[0] == f"{month}-01"
        assert 28 <= int(dates[-1][-2:]) <= 31
        identifiers += [row["id"] for row in rows]
    assert len(set(identifiers)) == 14_000


def test_written_files_hold_the_rows_of_their_seed(tmp_path, monkeypatch):
    monkeypatch.setattr(sample, "ROWS_PER_TRAIN_MONTH", 50)
    monkeypatch.setattr(sample, "TEST_ROWS", 20)
    sample.write_reviews(tmp_path / "default")
    sample.write_reviews(tmp_path / "other", seed=sample.DEFAULT_SEED + 1)
    for name, rows in (("train/2026-03", 50), ("test/test", 20)):
        split, month = name.split("/")
        month = "2026-05" if month == "test" else month
        expected = sample.reviews(rows=rows, seed=sample.DEFAULT_SEED, split=split, month=month)
        written = (tmp_path / "default" / f"{name}.jsonl").read_text(encoding="utf-8")
        assert written == sample._json_lines(expected)
        assert written != (tmp_path / "other" / f"{name}.jsonl").read_text(encoding="utf-8")


def test_lengths_stay_in_bounds_and_spread(train, test):
    lengths = [len(row["text"].split()) for row, _ in train + test]
    assert min(lengths) >= 3
    assert max(lengths) <= 120
    assert 22 <= statistics.mean(lengths) <= 40
    assert sum(length <= 8 for length in lengths) / len(lengths) > 0.10
    assert sum(length > 40 for length in lengths) / len(lengths) > 0.10


@pytest.mark.parametrize("split", ["train", "test"])
def test_labels_and_domains_are_balanced(split, request):
    rows = [row for row, _ in request.getfixturevalue(split)]
    positive = sum(row["label"] == "positive" for row in rows) / len(rows)
    assert {row["label"] for row in rows} == {"positive", "negative"}
    assert 0.47 < positive < 0.53
    for domain in grammar.DOMAINS:
        assert 0.22 < sum(row["domain"] == domain for row in rows) / len(rows) < 0.28


@pytest.mark.parametrize("split", ["train", "test"])
def test_about_two_per_cent_of_labels_are_noise(split, request):
    pairs = request.getfixturevalue(split)
    noise = sum(row["label"] != clean for row, clean in pairs) / len(pairs)
    assert 0.012 < noise < 0.028


def test_same_words_never_carry_two_labels(train, test):
    labels = {}
    for row, _ in train + test:
        assert labels.setdefault(sample._normalise(row["text"]), row["label"]) == row["label"]


def test_no_test_text_is_a_training_text(train, test):
    seen = {sample._normalise(row["text"]) for row, _ in train}
    assert len(seen) > 11_000
    assert not [row["text"] for row, _ in test if sample._normalise(row["text"]) in seen]


def test_plain_sentences_cannot_be_training_texts():
    assert len(PLAIN_SENTENCES) >= 20
    assert [text for text, _ in PLAIN_SENTENCES if not sample._belongs(text, "test")] == []
    labels = [label for _, label in PLAIN_SENTENCES]
    assert min(labels.count("positive"), labels.count("negative")) >= 8


def spellings(text: str) -> list[str]:
    """A clause as the files hold it and with every contraction, in lower case."""
    short = text
    for full, contracted in sample._CONTRACTIONS:
        short = short.replace(full, contracted)
    return [text.lower(), short.lower()]


def clauses(split: str) -> list[str]:
    kinds = (*grammar.CLAUSE_KINDS, "verdict+", "verdict-")
    return [
        e.text
        for file in CLAUSE_FILES
        for e in grammar.read_entries(file)
        if e.kind in kinds and e.split == split
    ]


def test_clauses_kept_for_test_are_in_the_test_split_only(train, test):
    train_text = "\n".join(row["text"].lower() for row, _ in train)
    kept = clauses("test")
    assert len(kept) >= 150
    assert [text for text in kept if any(spelling in train_text for spelling in spellings(text))] == []
    marks = [spelling for text in kept for spelling in spellings(text)]
    holding = sum(any(mark in row["text"].lower() for mark in marks) for row, _ in test) / len(test)
    assert 0.15 < holding < 0.25


def test_clauses_of_drifted_batches_are_in_no_base_batch(train, test):
    base = "\n".join(row["text"].lower() for row, _ in train + test)
    assert [text for text in clauses("drift") if text.lower() in base] == []


def test_at_least_600_distinct_clauses_over_four_domains():
    by_domain = {
        domain: [e for e in grammar.read_entries(domain) if e.kind in grammar.CLAUSE_KINDS]
        for domain in grammar.DOMAINS
    }
    texts = [e.text for entries in by_domain.values() for e in entries]
    assert len(texts) == len(set(texts)) >= 600
    for entries in by_domain.values():
        assert len(entries) >= 150
        assert sum(e.kind == "+" for e in entries) == sum(e.kind == "-" for e in entries)
        assert all(e.topic != "-" for e in entries)


@pytest.mark.parametrize("file", CLAUSE_FILES)
def test_resources_are_printable_ascii_without_stray_space(file):
    for entry in grammar.read_entries(file):
        assert re.fullmatch(r"[ -~]+", entry.text), entry
        assert entry.text == " ".join(entry.text.split()), entry


def test_a_broken_resource_line_is_refused_with_file_and_line(tmp_path, monkeypatch):
    (tmp_path / "clauses").mkdir()
    monkeypatch.setattr(grammar.resources, "files", lambda package: tmp_path)
    monkeypatch.setattr(grammar, "read_entries", grammar.read_entries.__wrapped__)
    for line in (
        "+ | both | food",
        "? | both | food | a text",
        "+ | sometimes | food | a text",
        "+ | both | food | ",
    ):
        (tmp_path / "clauses/film.txt").write_text(f"# head\n{line}\n", encoding="utf-8")
        with pytest.raises(InputError, match=r"clauses/film\.txt:2"):
            grammar.read_entries("film")


def test_every_slot_of_every_frame_can_be_filled():
    for kind in grammar.FRAME_KINDS:
        assert len(grammar.frames(kind)) >= 1
        for frame in grammar.frames(kind):
            for split in ("train", "test"):
                author = grammar.Author(grammar.Stream(f"{kind}/{frame}"), "film", split, 1.0)
                assert "{" not in author._fill(frame, -1)


def test_near_duplicates_exist_in_train_and_not_in_test(train, test):
    def repeated(pairs):
        shapes = [frozenset(words(row["text"])) for row, _ in pairs if len(row["text"].split()) > 12]
        extra = [frozenset({word}) for word in ("edit", "again", "hi", "update")] + [
            frozenset({"just", "saying"})
        ]
        seen = set(shapes)
        return (
            len(shapes)
            - len(seen)
            + sum(bool(shape & e) and shape - e in seen for shape in seen for e in extra)
        )

    assert 0.01 * len(train) < repeated(train) < 0.05 * len(train)
    assert repeated(test) == 0


def test_clauses_occur_in_both_classes(train):
    """Word counts must not decide: most often-used clauses are found under either label."""
    texts = {
        label: "\n".join(row["text"].lower() for row, clean in train if clean == label)
        for label in sample.LABELS.values()
    }
    both = [all(text.lower() in texts[label] for label in texts) for text in clauses("both")]
    assert sum(both) / len(both) > 0.95


@pytest.fixture(scope="module")
def drifted() -> dict[float, list[dict[str, str]]]:
    return {
        d: sample.reviews(rows=2000, seed=3, split="train", month="2026-06", drift=d) for d in (0.0, 0.5, 1.0)
    }


def test_drift_shifts_the_prior_from_one_half_to_three_tenths(drifted):
    shares = {d: sum(row["label"] == "positive" for row in rows) / len(rows) for d, rows in drifted.items()}
    assert shares == pytest.approx({0.0: 0.5, 0.5: 0.4, 1.0: 0.31}, abs=0.04)


def test_drift_makes_texts_longer(drifted):
    means = {d: statistics.mean(len(row["text"].split()) for row in rows) for d, rows in drifted.items()}
    assert means[0.0] * 1.1 < means[0.5]
    assert means[0.5] * 1.1 < means[1.0]
    assert max(len(row["text"].split()) for row in drifted[1.0]) <= 120


def test_drift_brings_words_no_base_batch_holds(drifted, train):
    known = {word for row, _ in train for word in words(row["text"])}
    share = {}
    for d, rows in drifted.items():
        drawn = [word for row in rows for word in words(row["text"])]
        share[d] = sum(word not in known for word in drawn) / len(drawn)
    assert share[0.0] < 0.001
    assert 0.005 < share[0.5] < share[1.0] < 0.10


@pytest.mark.parametrize(
    "wrong",
    [
        {"rows": -1},
        {"drift": 1.5},
        {"drift": -0.1},
        {"split": "valid"},
        {"month": "2026-13"},
        {"month": "May 2026"},
    ],
)
def test_arguments_out_of_range_are_refused(wrong):
    with pytest.raises(InputError):
        sample.reviews(**{"rows": 3, "seed": 1, "split": "train", **wrong})


def test_few_rows_work():
    assert sample.reviews(rows=0, seed=1, split="test") == []
    assert len(sample.reviews(rows=1, seed=1, split="test")) == 1


@pytest.mark.parametrize("ngram_range", [(1, 1), (1, 2)])
def test_word_and_bigram_counts_stay_well_under_nine_in_ten(train, test, ngram_range):
    """The reason for this sample: counts of words fail where a model that reads in order does not."""
    vectorizer = TfidfVectorizer(lowercase=True, sublinear_tf=True, min_df=2, ngram_range=ngram_range)
    features = vectorizer.fit_transform([row["text"] for row, _ in train])
    model = LogisticRegression(C=10, max_iter=1000).fit(features, [row["label"] for row, _ in train])
    accuracy = model.score(
        vectorizer.transform([row["text"] for row, _ in test]), [row["label"] for row, _ in test]
    )
    assert 0.65 < accuracy < 0.90
