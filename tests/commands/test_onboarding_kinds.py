"""`seqline new` on files of every kind: the use is guessed, the rows are turned, later files of that shape come in too."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqline.config import parse_recipe, read_yaml, write_yaml
from seqline.data.audio import to_base64, to_wav
from seqline.data.kinds.series import SeriesKind
from seqline.data.look import Given, Guess
from seqline.data.proposal import propose
from seqline.data.readers import Row, rows_in
from seqline.data.survey import Survey
from seqline.errors import InputError
from seqline.ingestion import ingest
from seqline.onboarding import Onboarded, Wish, onboard
from seqline.serving.predictor import Predictor
from seqline.stages import evaluate, prepare, train, validate
from seqline.workspace import Workspace

ROOT = Path(__file__).parents[2]
LETTERS = "ACGT"


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("blank")
    shutil.copy(ROOT / "dvc.yaml", root)
    write_yaml(root / "params.yaml", {"recipes": []})
    (root / "recipes").mkdir()
    subprocess.run(
        [sys.executable, "-m", "dvc", "init", "--no-scm", "-q"], cwd=root, check=True, capture_output=True
    )
    return root


@pytest.fixture
def workspace(blank: Path, tmp_path: Path) -> Workspace:
    shutil.copytree(blank, tmp_path / "project")
    return Workspace(tmp_path / "project")


def walks(groups: Iterable[int], *, bad: str = "") -> str:
    """A long table of accelerations; the numbers follow from the group, so that no two series are the same."""
    head = "id,activity,subject,step,x,y\n"
    rows = [
        f"walk-{g},{('sit', 'run')[g % 2]},p{g % 6},{t},{(g * 31 + t * t) % 101},{g}\n"
        for g in groups
        for t in range(8 + g % 3)
    ]
    return head + "".join(rows) + bad


def letters(count: int, *, seed: int) -> str:
    rng = np.random.default_rng(seed)
    texts = ["".join(rng.choice(list(LETTERS), 12)) for _ in range(count)]
    return "dna,label\n" + "".join(f"{text},{('n', 'y')[i % 2]}\n" for i, text in enumerate(texts))


def tones(count: int) -> str:
    def wav(number: int) -> str:
        waves = 0.5 * np.sin(np.arange(1600) * (0.1 + number / 100))
        return to_base64(to_wav(waves, sample_rate=8_000))

    rows = ({"audio": wav(i), "digit": str(i % 2), "speaker": f"v{i % 5}"} for i in range(count))
    return "".join(json.dumps(row) + "\n" for row in rows)


def spoken(count: int) -> str:
    recordings = [json.loads(line)["audio"] for line in tones(count).splitlines()]
    rows = ({"said": [f"word{i}", f"v{i % 3}"], "audio": sound} for i, sound in enumerate(recordings))
    return "".join(json.dumps(row) + "\n" for row in rows)


def flowers(count: int) -> str:
    rows = [f"{i * 0.37 % 3:.3f},{i * 0.71 % 5:.3f},{('rose', 'lily')[i % 2]}\n" for i in range(count)]
    return "width,length,kind\n" + "".join(rows)


def houses(count: int) -> str:
    return "rooms,area,price\n" + "".join(f"{i % 5},{40 + 3 * i},{1000.5 + i * i}\n" for i in range(count))


def sales(shops: Iterable[str]) -> str:
    rows = [
        f"2026-{1 + day // 28:02d}-{1 + day % 28:02d},{shop},{100 + day % 7},{day % 2}\n"
        for shop in shops
        for day in range(56)
    ]
    return "date,series,sales,open\n" + "".join(rows)


def tagged(count: int) -> str:
    rows = ({"tokens": ["to", f"Rome{i}"], "tags": ["O", "B-LOC"]} for i in range(count))
    return "".join(json.dumps(row) + "\n" for row in rows)


def stories(count: int) -> str:
    rows = [f"Ann goes to room {i}.,Where is Ann?,room {i % 4}\n" for i in range(count)]
    return "story,question,answer\n" + "".join(rows)


def taken(users: int) -> str:
    """Events in no order; each user takes neighbouring items one after the other."""
    rows = [
        f"u{user},{1_000 + 60 * user + 7 * place},sku{(user + place) % 80}\n"
        for place in (2, 0, 3, 1)
        for user in range(users)
    ]
    return "user,time,item\n" + "".join(rows)


def pairs(count: int) -> str:
    return "source,target\n" + "".join(f"ein Satz {i} hier,one sentence {i} here\n" for i in range(count))


FILES: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "series": (
        "walks.csv",
        walks(range(60)),
        {"task": "classification", "kind": "series", "train_rows": 60},
        {"id": "walk-0", "series": [[0, 0], [1, 0], [4, 0], [9, 0], [16, 0], [25, 0], [36, 0], [49, 0]]},
    ),
    "symbols": (
        "dna.csv",
        letters(60, seed=0),
        {"task": "classification", "kind": "symbols", "labels": [("n", 30), ("y", 30)]},
        {"label": "n"},
    ),
    "piano": (
        "music.jsonl",
        "".join(json.dumps({"notes": [[60], [64, 40 + i], []]}) + "\n" for i in range(60)),
        {"task": "music", "kind": "piano"},
        {"notes": [[60], [64, 40], []]},
    ),
    "caption": (
        "pictures.jsonl",
        "".join(json.dumps({"picture": [i, 1.5], "caption": f"a dog {i}"}) + "\n" for i in range(60)),
        {"task": "captioning", "kind": "vector"},
        {"picture": [0, 1.5], "caption": "a dog 0"},
    ),
    "speech": (
        "spoken.jsonl",
        spoken(60),
        {"task": "synthesis", "kind": "symbols"},
        {"said": ["word0", "v0"]},
    ),
    "audio": (
        "tones.jsonl",
        tones(60),
        {"task": "classification", "kind": "audio"},
        {"digit": "0", "speaker": "v0"},
    ),
    "vector": (
        "flowers.csv",
        flowers(60),
        {"task": "classification", "kind": "vector"},
        {"features": [0, 0], "kind": "rose"},
    ),
    "number": (
        "houses.csv",
        houses(60),
        {"task": "estimation", "kind": "vector", "labels": []},
        {"features": [0, 40], "price": 1000.5},
    ),
    "history": (
        "sales.csv",
        sales("ab"),
        {"task": "forecasting", "kind": "history", "train_rows": 2, "labels": []},
        {"id": "a", "open": [day % 2 for day in range(56)]},
    ),
    "tokens": (
        "tagged.jsonl",
        tagged(60),
        {"task": "tagging", "kind": "symbols"},
        {"tokens": ["to", "Rome0"], "tags": ["O", "B-LOC"]},
    ),
    "a row a token": (
        "tokens.csv",
        "Sentence #,Word,Tag\n" + "".join(f"S{i},in,O\n,Rome{i},B-geo\n" for i in range(60)),
        {"task": "tagging", "kind": "symbols", "train_rows": 60},
        {"id": "S0", "Word": ["in", "Rome0"], "Tag": ["O", "B-geo"]},
    ),
    "numbers as tags": (
        "tagged.jsonl",
        tagged(60).replace('["O", "B-LOC"]', "[0, 5]").replace('"tags"', '"ner_tags"'),
        {"task": "tagging", "kind": "symbols"},
        {"tokens": ["to", "Rome0"], "ner_tags": ["0", "5"]},
    ),
    "texts": (
        "pairs.csv",
        pairs(60),
        {"task": "translation", "kind": "text"},
        {"source": "ein Satz 0 hier", "target": "one sentence 0 here"},
    ),
    "question": (
        "stories.csv",
        stories(60),
        {"task": "answering", "kind": "text"},
        {"question_story": "Where is Ann? Ann goes to room 0.", "answer": "room 0"},
    ),
    "items": (
        "taken.csv",
        taken(60),
        {"task": "generation", "kind": "symbols", "train_rows": 60, "labels": []},
        {"id": "u0", "items": ["sku0", "sku1", "sku2", "sku3"]},
    ),
    "baskets": (
        "baskets.jsonl",
        "".join(json.dumps({"items": ["tent", f"stove{i % 7}", f"lamp{i}"]}) + "\n" for i in range(60)),
        {"task": "generation", "kind": "symbols"},
        {"items": ["tent", "stove0", "lamp0"]},
    ),
    "text": (
        "play.csv",
        "text\n" + "".join(f"BRAM: this is line {i}\n" for i in range(60)),
        {"task": "generation", "kind": "text"},
        {"text": "BRAM: this is line 0"},
    ),
}


def bring(workspace: Workspace, path: Path, content: str, **given: Any) -> Onboarded:
    path.write_text(content, encoding="utf-8")
    return onboard(workspace, "mine", Wish(source=path, test_source=None, given=Given(**given)))


@pytest.mark.parametrize("kind", FILES)
def test_a_file_of_each_kind_becomes_rows_that_keep_the_proposed_recipe(
    workspace: Workspace, tmp_path: Path, kind: str
) -> None:
    name, content, expected, first = FILES[kind]
    made = bring(workspace, tmp_path / name, content)
    assert {key: getattr(made, key) for key in expected} == expected
    assert made.why
    rows = [row.values for row in rows_in(workspace.data_folder("mine") / "train")]
    assert {key: rows[0][key] for key in first} == first
    recipe = workspace.recipe("mine")
    assert (recipe.task, recipe.input.kind) == (made.task, made.kind)
    result = validate.run(
        recipe, data_folder=workspace.data_folder("mine"), output_folder=tmp_path / "validated"
    )
    assert result.worst in (None, "info")


def test_what_is_proposed_is_read_off_the_rows(workspace: Workspace, tmp_path: Path) -> None:
    bring(workspace, tmp_path / "walks.csv", walks(range(60)))
    recipe = workspace.recipe("mine")
    assert (recipe.split.by, recipe.input.max_length, recipe.classes) == ("subject", 10, ["run", "sit"])
    head = [Row(2, {"sales": [1]}, "t.csv")]
    use = Guess(task="forecasting", kind="history", inputs=("sales",), target=None, beside=("open",))
    found = Survey(input_column="sales", target_column=None, kind=SeriesKind(), lengths=[56, 70])
    found.stamps = ["2026-01-02", "2026-01-03"]  # the second is a Saturday
    found.frequencies = {"D"}
    values, reasons = propose(found, use, head=head, has_test=False)
    assert values["input"] == {
        "kind": "history", "column": "sales", "context_length": 21, "season_length": 7, "frequency": "D", "past": ["open"],
    }  # fmt: skip
    assert (values["target"]["horizon"], "by" in values["split"]) == (7, False)
    assert any("horizon 7" in reason for reason in reasons)
    found.frequencies = {"D", "B"}
    assert "frequency" not in propose(found, use, head=head, has_test=False)[0]["input"]


@pytest.mark.parametrize(
    ("lengths", "first", "context", "season", "said"),
    [
        # The series that have only begun do not shrink the model; they are counted.
        ([200, 2, 200, 200], "2026-01-{:02d}", 21, 7, "nothing is learnt from 1 of 4 series: under 28 steps"),
        ([200, 200], "2026-01-{:02d}", 21, 7, None),
        # Half of 90 weeks is no season, but what is left to train on holds one.
        ([90, 90], "2026-W{:02d}", 52, 52, None),
        # A season that train holds is one to compare with, though contexts are shorter.
        ([84, 84], "2026-W{:02d}", 42, 52, None),
        ([50, 50], "2026-W{:02d}", 25, 1, "no season: one of 52 steps is longer than what train gets"),
    ],
)
def test_contexts_are_those_of_most_steps_and_hold_a_season_where_they_can(
    lengths: list[int], first: str, context: int, season: int, said: str | None
) -> None:
    head = [Row(2, {"sales": [1]}, "t.csv")]
    use = Guess(task="forecasting", kind="history", inputs=("sales",), target=None)
    found = Survey(input_column="sales", target_column=None, kind=SeriesKind(), lengths=lengths)
    found.stamps = [first.format(day) for day in range(1, 20)]
    values, reasons = propose(found, use, head=head, has_test=False)
    assert (values["input"]["context_length"], values["input"]["season_length"]) == (context, season)
    odd = [reason for reason in reasons if reason.startswith(("nothing is learnt", "no season"))]
    assert [reason.startswith(said or "?") for reason in odd] == ([True] if said else [])


def test_series_of_few_steps_are_refused_whatever_a_long_one_has() -> None:
    head = [Row(2, {"price": [1]}, "t.csv")]
    use = Guess(task="forecasting", kind="history", inputs=("price",), target=None)
    found = Survey(input_column="price", target_column=None, kind=SeriesKind(), lengths=[20, *[1] * 300])
    with pytest.raises(InputError) as caught:
        propose(found, use, head=head, has_test=False)
    assert "20 steps in the longest series, and 1 in others" in str(caught.value)
    assert "where each row is a case of its own, --task estimation" in str(caught.value)


def test_a_series_that_has_only_begun_tells_no_frequency(workspace: Workspace, tmp_path: Path) -> None:
    young = "".join(f"2026-03-0{day},new,1,0\n" for day in (2, 4, 6))
    bring(workspace, tmp_path / "sales.csv", sales(["a", "b"]).replace("series,", "shop,", 1) + young)
    given = workspace.recipe("mine").input
    assert (given.frequency, given.context_length) == ("D", 21)


def test_a_table_of_events_gets_the_recipe_of_the_next_item(workspace: Workspace, tmp_path: Path) -> None:
    made = bring(workspace, tmp_path / "taken.csv", taken(60))
    recipe = workspace.recipe("mine")
    assert (recipe.target.answer, recipe.target.count) == ("next", 5)  # type: ignore[attr-defined]
    assert (recipe.gate.metric, recipe.training.monitor) == ("hit_at_5", "hit_at_5")
    assert recipe.evaluation.baselines == ["unigram", "kneser_ney"]
    assert any("hit@5" in reason for reason in made.reasons)
    incoming(workspace, "june.csv", taken(63))
    report = ingest(workspace, "mine")
    assert [(file.rows_in, file.already_seen, file.quarantined) for file in report.files] == [(3, 60, 0)]


def test_the_next_item_is_learnt_by_the_chain_and_measured_beside_popularity_and_n_grams(
    workspace: Workspace, tmp_path: Path
) -> None:
    bring(workspace, tmp_path / "taken.csv", taken(240))
    values = read_yaml(workspace.recipe_path("mine"))
    values["model"] = {"hidden_size": 16, "embedding_dim": 16, "dropout": 0.0, "num_layers": 1}
    values["training"] |= {"epochs": 30, "threads": 1, "precision": "fp32", "learning_rate": 0.02}
    values["evaluation"] = {"bootstrap_rounds": 100}
    recipe = parse_recipe(values, "mine")
    data, made = workspace.data_folder("mine"), workspace.artifact_folder
    validate.run(recipe, data_folder=data, output_folder=made("mine", "validate"))
    prepare.run(recipe, data_folder=data, output_folder=made("mine", "prepare"))
    train.run(
        recipe,
        prepare_folder=made("mine", "prepare"),
        output_folder=made("mine", "train"),
        checkpoint_folder=workspace.checkpoint_folder("mine"),
        report=lambda event: None,
    )
    metrics = evaluate.run(
        recipe,
        prepare_folder=made("mine", "prepare"),
        train_folder=made("mine", "train"),
        output_folder=made("mine", "evaluate"),
    )
    assert metrics["hit_at_5"] > 2 * metrics["baseline.unigram.hit_at_5"]
    assert metrics["baseline.kneser_ney.hit_at_5"] > metrics["baseline.unigram.hit_at_5"]
    predictor = Predictor.load(made("mine", "train"))
    (answer,) = (found.record() for found in predictor.answers([["sku4", "sku5"]]))
    assert answer["next"][0]["text"] == "sku6"


BAD: dict[str, tuple[str, str, str]] = {
    "a step twice": (
        "walks.csv",
        walks(range(6), bad="walk-0,sit,p0,3,1,1\n"),
        "line 56: step 3 of the sequence",
    ),
    "a label that changes": (
        "walks.csv",
        walks(range(6), bad="walk-0,run,p0,8,1,1\n"),
        "column 'activity' says",
    ),
    "no number": (
        "walks.csv",
        walks(range(6), bad="walk-0,sit,p0,8,fast,1\n"),
        "column 'x' holds text 'fast'",
    ),
    "a word among numbers": (
        "flowers.csv",
        flowers(60) + "NaN,1.5,rose\n",
        "line 62 column 'width': text 'NaN'",
    ),
    "a price that is a word": (
        "houses.csv",
        houses(60) + "1,50,dear\n",
        "line 62 column 'price': not a finite number but text 'dear'",
    ),
    "a series of few steps": (
        "sales.csv",
        "date,sales\n2026-01-01,1\n2026-01-02,2\n2026-01-03,2\n",
        "3 steps in the longest series",
    ),
    "a note that no piano has": (
        "music.jsonl",
        "".join(json.dumps({"notes": [[60], [64, 40 + i % 20]]}) + "\n" for i in range(60))
        + '{"notes": [[60], [200]]}\n',
        "line 61 column 'notes': not notes: step 2 has 200; expected MIDI notes",
    ),
    "an item that is missing": (
        "taken.csv",
        taken(6) + "u1,1400,\n",
        "line 26 column 'item': text ''",
    ),
    "a time that is none": (
        "taken.csv",
        taken(30) + "u1,noon,sku1\n",
        "line 122 column 'time': text 'noon'",
    ),
    "a cut recording": (
        "tones.jsonl",
        tones(30) + json.dumps({"audio": "UklGRgAA", "digit": "0", "speaker": "v0"}) + "\n",
        "line 31 column 'audio': not a recording",
    ),
    "another rate": (
        "tones.jsonl",
        tones(30)
        + json.dumps(
            {"audio": to_base64(to_wav(np.ones(999) / 9, sample_rate=16_000)), "digit": "0", "speaker": "v"}
        )
        + "\n",
        "16000 samples a second, not 8000",
    ),
    "too few tags": (
        "tagged.jsonl",
        tagged(60) + '{"tokens": ["a"], "tags": ["O", "O"]}\n',
        "line 61 column 'tags': 2 tags for 1 symbols",
    ),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_file_of_each_kind_is_refused_with_its_line_and_nothing_is_written(
    workspace: Workspace, tmp_path: Path, fault: str
) -> None:
    name, content, message = BAD[fault]
    with pytest.raises(InputError) as caught:
        bring(workspace, tmp_path / name, content)
    assert name in str(caught.value)
    assert message in str(caught.value)
    assert not (workspace.root / "data").exists()
    assert list((workspace.root / "recipes").iterdir()) == []


def incoming(workspace: Workspace, name: str, content: str) -> None:
    path = workspace.incoming_folder("mine") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


def test_later_long_tables_come_in_as_series_and_known_ones_are_dropped(
    workspace: Workspace, tmp_path: Path
) -> None:
    bring(workspace, tmp_path / "walks.csv", walks(range(60)))
    incoming(workspace, "june.csv", walks([3, *range(60, 70)]))
    report = ingest(workspace, "mine")
    assert [(file.rows_in, file.already_seen, file.quarantined) for file in report.files] == [(10, 1, 0)]
    incoming(workspace, "july.csv", walks(range(70, 72), bad="walk-70,sit,p4,2,1,1\n"))
    (refused,) = ingest(workspace, "mine").refused
    assert "step 2 of the sequence 'walk-70' a second time" in refused.reason


@pytest.mark.parametrize(
    ("kind", "rows", "reasons"),
    [
        (
            "series",
            [
                {"series": [[1, 2], [3]], "id": "n1"},
                {"series": [[1, 2, 3]], "id": "n2"},
                {"series": [[1, None]], "id": "n3"},
                {"series": "1,2", "id": "n4"},
            ],
            [
                "series: not a series: step 2 has 1 number, step 1 has 2",
                "series: 3 features, not 2",
                "series: missing numbers: 1 of 2 numbers, the first at step 1",
                "series: not a series: text '1,2' instead of a list",
            ],
        ),
        (
            "tokens",
            [{"tokens": ["a"], "tags": []}, {"tokens": ["a"], "tags": ["O", "O"]}],
            ["tags: not tags: no tags", "tags: 2 tags for 1 symbols"],
        ),
        ("symbols", [{"dna": "ACGX"}], ["dna: foreign symbol 'X' at position 4; the alphabet is ACGT"]),
    ],
)
def test_bad_rows_of_each_kind_are_set_aside_with_their_reason(
    workspace: Workspace, tmp_path: Path, kind: str, rows: list[dict[str, Any]], reasons: list[str]
) -> None:
    name, content, _, _ = FILES[kind]
    bring(workspace, tmp_path / name, content)
    known = [row.values for row in rows_in(workspace.data_folder("mine") / "train")]
    good: Callable[[int], dict[str, Any]] = lambda i: {**known[i], "id": known[i]["id"]}  # noqa: E731
    batch = [*({**known[0], **row} for row in rows), *(good(i) for i in range(1, 8))]
    incoming(workspace, "more.jsonl", "".join(json.dumps(row) + "\n" for row in batch))
    report = ingest(workspace, "mine")
    (path,) = report.quarantine
    aside = [json.loads(line) for line in (workspace.root / path).read_text().splitlines()]
    assert [record["reasons"] for record in aside] == [[reason] for reason in reasons]
    assert report.already_seen == 7


def test_the_command_says_what_it_guessed_and_why(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "walks.csv").write_text(walks(range(60)), encoding="utf-8")
    told = subprocess.run(
        [sys.executable, "-c", "from seqline.cli import main; main()", "new", "mine", "--from", str(tmp_path / "walks.csv")],
        cwd=workspace.root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    assert "guess    classification of series" in told.stdout
    assert "- a row is one step: 'step' is different in each row of one 'id'" in told.stdout
    listed = subprocess.run(
        [sys.executable, "-c", "from seqline.cli import main; main()", "recipes"],
        cwd=workspace.root, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert listed.stdout.split() == [
        "mine", "classification", "many-to-one", "series", "lstm", "not", "validated", "not", "evaluated", "yet",
    ]  # fmt: skip
