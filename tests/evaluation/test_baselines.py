import os
import subprocess
import sys

import numpy as np
import pytest
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from seqline.config import parse_recipe
from seqline.data.inputs import fit_input
from seqline.data.rows import SplitRows
from seqline.evaluation.baselines import BASELINES, Problem, answer_all, summarised
from seqline.evaluation.convolution import ConvolutionalClassifier, convolve
from seqline.evaluation.linear import softmax_regression, tfidf
from seqline.evaluation.ngrams import TOKEN_PATTERN, fit_ngrams, symbols_of
from seqline.evaluation.word_vectors import mean_vectors

OF_LABELS = [name for name, row in BASELINES.items() if "classification" in row.tasks]
OF_TEXT = [name for name in OF_LABELS if "text" in BASELINES[name].kinds]

GOOD, BAD, FILLER = (
    ("good", "fine", "lovely"),
    ("bad", "poor", "awful"),
    ("the", "food", "was", "room", "and"),
)


def _toy(num_rows, seed, num_classes=2):
    rng = np.random.default_rng(seed)
    cues = [GOOD, BAD, ("lost", "broken", "late")][:num_classes]
    targets = rng.integers(0, num_classes, num_rows)
    texts = [
        " ".join(rng.permutation([*rng.choice(FILLER, 4), *rng.choice(cues[target], 2)]))
        for target in targets
    ]
    return texts, targets


def _rows(inputs, targets):
    return SplitRows([str(i) for i in range(len(inputs))], list(inputs), [int(t) for t in targets], {})


def _problem(inputs, targets, asked, num_classes=2, kind="text"):
    sections = {name: {} for name in ("validation", "split", "model", "training", "evaluation", "gate")}
    recipe = parse_recipe(
        {
            **sections,
            "task": "classification",
            "input": {"column": "x", "kind": kind},
            "target": {"column": "y", "classes": [f"c{i}" for i in range(num_classes)]},
        },
        "test",
    )
    half = len(inputs) // 2
    train, valid = _rows(inputs[:half], targets[:half]), _rows(inputs[half:], targets[half:])
    encoder = fit_input(inputs, recipe.input)
    return Problem(
        recipe,
        train,
        valid,
        _rows(asked, [0] * len(asked)),
        encode=lambda rows: list(encoder.encode(rows.inputs)),
        vocab_size=encoder.sizes.get("vocab_size"),
    )


def _answer(name, problem):
    return answer_all([name], problem)[name]


@pytest.mark.parametrize("name", [name for name in OF_TEXT if name != "majority"])
@pytest.mark.parametrize("num_classes", [2, 3])
def test_baselines_learn_what_words_say(name, num_classes):
    texts, targets = _toy(200, 0, num_classes)
    asked, truth = _toy(100, 1, num_classes)
    problem = _problem(texts, targets, asked, num_classes)
    probs = _answer(name, problem)
    assert (probs.argmax(axis=1) == truth).mean() > 0.95
    np.testing.assert_allclose(probs.sum(axis=1), 1)
    majority = _answer("majority", problem)
    assert (majority.argmax(axis=1) == truth).mean() < 0.7
    assert probs.tobytes() == _answer(name, problem).tobytes()


def test_sharing_the_counts_changes_no_baseline():
    texts, targets = _toy(120, 2)
    problem = _problem(texts, targets, texts[:20])
    together = answer_all(OF_TEXT, problem)
    for name in OF_TEXT:
        alone = _answer(name, _problem(texts, targets, texts[:20]))
        np.testing.assert_array_equal(together[name], alone)


_DIGEST_OF_ANSWERS = """
import hashlib
import numpy as np
from seqline.config import parse_recipe
from seqline.data.inputs import fit_input
from seqline.data.rows import SplitRows
from seqline.evaluation.baselines import Problem, answer_all
rng = np.random.default_rng(0)
words = [f"w{i}" for i in range(20_000)]
targets = rng.integers(0, 2, 300)
texts = [" ".join([*rng.choice(words, 150), *rng.choice(words[t::2][:500], 5)]) for t in targets]
values = {name: {} for name in ("validation", "split", "model", "training", "evaluation", "gate")}
values |= {"task": "classification", "input": {"column": "x"}, "target": {"column": "y", "classes": ["a", "b"]}}
train = SplitRows([], texts, targets.tolist(), {})
train.ids.extend(map(str, range(300)))
test = SplitRows([str(i) for i in range(50)], texts[:50], [0] * 50, {})
none = SplitRows([], [], [], {})
answers = answer_all(["tfidf_unigram"], Problem(parse_recipe(values, "test"), train, none, test))
answers |= answer_all(["word2vec"], Problem(parse_recipe(values, "test"), train.take(range(40)), none, test))
print(hashlib.sha256(b"".join(p.tobytes() for p in answers.values())).hexdigest())
"""


def test_answers_do_not_depend_on_threads_or_on_the_process():
    # BLAS uses a second thread for vectors of more than 10,000 numbers only, hence the size of the vocabulary.
    digests = set()
    for threads in ("1", "2"):
        environment = {**os.environ, "OPENBLAS_NUM_THREADS": threads, "PYTHONHASHSEED": threads}
        done = subprocess.run(
            [sys.executable, "-c", _DIGEST_OF_ANSWERS],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(done.stdout)
    assert len(digests) == 1


def test_majority_answers_with_the_class_shares():
    probs = _answer("majority", _problem(["a"] * 4, [0, 1, 1, 1], ["x"], num_classes=3))
    assert probs.tolist() == [[0.25, 0.75, 0.0]]


@pytest.mark.parametrize("name", OF_TEXT)
@pytest.mark.parametrize(
    ("texts", "targets"),
    [
        (["", " ", ""], [0, 1, 1]),
        (["a b", "c d", "e f"], [0, 1, 1]),
        (["a b", "a b", "a b"], [1, 1, 1]),
        (["a b c", "a b c", "d e f", "d e f"], [0, 0, 2, 2]),
    ],
    ids=["no words", "every word once", "one class", "a class without rows"],
)
def test_baselines_answer_whatever_there_is_to_learn(name, texts, targets):
    probs = _answer(name, _problem(texts, targets, ["a b", "", "zzz"], num_classes=3))
    assert probs.shape == (3, 3)
    assert np.isfinite(probs).all()
    np.testing.assert_allclose(probs.sum(axis=1), 1)


def test_no_training_rows_are_refused():
    with pytest.raises(ValueError, match="at least one"):
        _answer("majority", _problem([], [], ["a"]))


@pytest.mark.parametrize("as_lists", [False, True], ids=["letters", "items"])
@pytest.mark.parametrize("name", ["kmer", "cnn"])
def test_baselines_of_symbols_find_a_motif_wherever_it_stands(name, as_lists):
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 2, 160)
    motifs = [["G", "A", "T"], ["T", "A", "G"]]

    def sequence(target):
        around = rng.choice(list("ACGT"), 12).tolist()
        place = int(rng.integers(0, 13))
        return [*around[:place], *motifs[target] * 2, *around[place:]]

    rows = [sequence(target) for target in targets]
    inputs = rows if as_lists else ["".join(row) for row in rows]
    probs = _answer(name, _problem(inputs[:120], targets[:120], inputs[120:], kind="symbols"))
    assert (probs.argmax(axis=1) == targets[120:]).mean() > 0.85


@pytest.mark.parametrize("ragged", [False, True], ids=["equal lengths", "any length"])
@pytest.mark.parametrize("name", ["flat", "cnn"])
def test_baselines_of_series_see_which_feature_rises(name, ragged):
    rng = np.random.default_rng(1)
    targets = rng.integers(0, 2, 160)
    series = []
    for target in targets:
        steps = rng.normal(size=(int(rng.integers(8, 15)) if ragged else 10, 2)).astype(np.float32)
        steps[:, target] += np.linspace(0, 4, len(steps))
        series.append(steps.tolist())
    problem = _problem(series[:120], targets[:120], series[120:], kind="series")
    assert (_answer(name, problem).argmax(axis=1) == targets[120:]).mean() > 0.9


def test_a_series_of_any_length_is_said_in_ten_numbers_a_feature():
    figures = summarised(np.array([[1.0, 0.0], [2.0, 0.0], [3.0, 0.0], [6.0, 0.0]]))
    first = figures[0::2]
    assert first[:6].tolist() == pytest.approx([3.0, np.std([1, 2, 3, 6]), 1.0, 6.0, 1.0, 6.0])
    assert first[6:].tolist() == [1.0, 2.0, 3.0, 6.0]
    assert not figures[1::2].any()
    assert summarised(np.array([[5.0]])).tolist() == [5.0, 0.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0, 5.0]


def test_a_convolution_answers_the_same_whatever_stands_beside_it():
    import torch

    torch.manual_seed(0)
    network = ConvolutionalClassifier(vocab_size=9, features=0, widths=(3, 4), num_classes=3).eval()
    ids = torch.tensor([[2, 5, 7, 0, 0, 0]])
    alone = network(ids[:, :3], torch.ones(1, 3, dtype=torch.bool))
    padded = network(torch.where(ids > 0, ids, 8), ids > 0)
    torch.testing.assert_close(alone, padded)


def test_a_convolution_gives_the_same_bits_and_leaves_the_drawing_of_others_alone():
    import torch

    rng = np.random.default_rng(3)
    sequences = [rng.integers(1, 9, int(rng.integers(1, 8))) for _ in range(40)]
    targets = np.array([int((sequence == 3).any()) for sequence in sequences])
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    arguments = {"vocab_size": 9, "widths": (3,), "num_classes": 2, "seed": 0}
    first = convolve(sequences, targets, sequences, **arguments)
    assert torch.equal(torch.rand(1), expected)
    assert first.tobytes() == convolve(sequences, targets, sequences, **arguments).tobytes()
    assert (first.argmax(axis=1) == targets).mean() > 0.9


def test_words_with_the_same_neighbours_have_like_vectors():
    rng = np.random.default_rng(0)
    frames = [["drink", "cold", "{}", "now"], ["drive", "fast", "{}", "home"]]
    things = [["tea", "milk"], ["car", "bus"]]
    texts = []
    for _ in range(400):
        kind = int(rng.integers(2))
        words = [word.format(things[kind][int(rng.integers(2))]) for word in frames[kind]]
        texts.append(" ".join(words))
    _, vectors = mean_vectors(texts, ["tea", "milk", "car", "unknown"], seed=0)
    unit = vectors[:3] / np.linalg.norm(vectors[:3], axis=1, keepdims=True)
    assert unit[0] @ unit[1] > 0.8 > 0.5 > unit[0] @ unit[2]
    assert not vectors[3].any()


def test_a_softmax_regression_knows_nothing_of_classes_without_rows():
    rng = np.random.default_rng(0)
    seen = np.concatenate([rng.normal(-2, 1, (30, 2)), rng.normal(2, 1, (30, 2))])
    targets = np.repeat([0, 2], 30)
    probs = softmax_regression(
        seen, targets, np.array([[-2.0, -2.0], [2.0, 2.0]]), inverse_penalty=1.0, num_classes=3
    )
    assert probs.argmax(axis=1).tolist() == [0, 2]
    assert not probs[:, 1].any()


def test_symbols_are_letters_or_items():
    assert symbols_of("AC g") == ["A", "C", " ", "g"]
    assert symbols_of(["ab", "c"]) == ["ab", "c"]


def _texts(num_rows, seed):
    rng = np.random.default_rng(seed)
    words = ["a", "Bb", "c!", "d", "é", "f-g", "H?"]
    return [" ".join(rng.choice(words, rng.integers(0, 12))) for _ in range(num_rows)]


def _columns(matrix):
    """A matrix as its sorted columns: two matrices with the same columns in another order are equal."""
    return sorted(tuple(column) for column in matrix.toarray().T)


@pytest.mark.parametrize("min_texts", [1, 2, 5])
def test_ngram_counts_equal_scikit_learns(min_texts):
    train, test = _texts(60, 0), _texts(30, 1)
    vocabulary, counted = fit_ngrams(train, max_order=3, min_texts=min_texts)
    transformed = vocabulary.transform(test)
    for order in (1, 2, 3):
        theirs = CountVectorizer(
            ngram_range=(order, order), min_df=min_texts, tokenizer=TOKEN_PATTERN.findall, token_pattern=None
        )
        seen, asked = theirs.fit_transform(train), theirs.transform(test)
        assert _columns(counted[order - 1]) == _columns(seen)
        assert _columns(transformed[order - 1]) == _columns(asked)


def test_tfidf_equals_scikit_learns():
    train, test = _texts(60, 0), _texts(30, 1)
    vocabulary, counted = fit_ngrams(train, max_order=1, min_texts=2)
    ours = tfidf(counted[0], vocabulary.transform(test)[0], np.zeros(60, dtype=bool))
    theirs = TfidfVectorizer(sublinear_tf=True, min_df=2, tokenizer=TOKEN_PATTERN.findall, token_pattern=None)
    expected = theirs.fit_transform(train).toarray(), theirs.transform(test).toarray()
    places = [theirs.vocabulary_[word] for word in vocabulary.words]
    for mine, their in zip(ours, expected, strict=True):
        np.testing.assert_allclose(mine.toarray(), their[:, places])
