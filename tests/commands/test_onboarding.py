"""`seqline new` on good and bad files: what is made, what is refused with its place, and that a refusal leaves nothing."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from seqline.config import load_recipe, read_yaml, write_yaml
from seqline.data.look import Given
from seqline.deployments import add_deployments
from seqline.errors import InputError, SeqlineError
from seqline.onboarding import Wish, make_samples, onboard, prove_data, take_sample
from seqline.workspace import Workspace

ROOT = Path(__file__).parents[2]
GOOD = "id,text,label,shop\n" + "".join(
    f'{i},"text {i}, with a comma",{"yes" if i % 3 else "no"},s{i % 5}\n' for i in range(60)
)


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


def wish(source: Path, test_source: Path | None = None, *, split_by: str | None = None) -> Wish:
    given = Given(task="classification", inputs=("text",), target="label")
    return Wish(source=source, test_source=test_source, given=given, split_by=split_by)


def snapshot(workspace: Workspace) -> dict[str, bytes]:
    skipped = (".dvc", ".seqline")
    return {
        str(p.relative_to(workspace.root)): p.read_bytes()
        for p in workspace.root.rglob("*")
        if p.is_file() and p.relative_to(workspace.root).parts[0] not in skipped
    }


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_a_good_file_becomes_data_and_a_recipe_that_loads(workspace: Workspace, tmp_path: Path) -> None:
    source = write(tmp_path / "good.csv", GOOD)
    made = onboard(workspace, "mine", wish(source))
    assert (made.train_rows, made.test_rows) == (60, None)
    assert made.labels == [("yes", 40), ("no", 20)]
    recipe = workspace.recipe("mine")
    assert recipe.target.classes == ["no", "yes"]
    assert recipe.split.test == 0.2
    assert workspace.recipe_names() == ["mine"]
    lines = (workspace.data_folder("mine") / "train" / "imported.jsonl").read_text().splitlines()
    assert lines[0] == '{"id":"0","text":"text 0, with a comma","label":"no","shop":"s0"}'
    prove_data(workspace)


def test_a_test_file_and_a_group_are_taken_over(workspace: Workspace, tmp_path: Path) -> None:
    source, test = write(tmp_path / "a.csv", GOOD), write(tmp_path / "b.csv", GOOD.replace("text ", "other "))
    made = onboard(workspace, "mine", wish(source, test, split_by="shop"))
    assert made.test_rows == 60
    assert load_recipe(workspace.recipe_path("mine")).split.model_dump(exclude={"window"}) == {
        "valid": 0.1,
        "test": 0.0,
        "by": "shop",
        "seed": 0,
    }


def test_a_second_recipe_keeps_the_first(workspace: Workspace, tmp_path: Path) -> None:
    source = write(tmp_path / "good.csv", GOOD)
    onboard(workspace, "one", wish(source))
    onboard(workspace, "two", wish(source))
    assert workspace.recipe_names() == ["one", "two"]
    prove_data(workspace)
    (workspace.data_folder("one") / "train" / "imported.jsonl").unlink()
    with pytest.raises(Exception, match="does not have the hash"):
        onboard(workspace, "three", wish(source))
    assert workspace.recipe_names() == ["one", "two"]


def test_a_fresh_clone_proves_its_rows_with_an_empty_cache(workspace: Workspace, tmp_path: Path) -> None:
    onboard(workspace, "one", wish(write(tmp_path / "good.csv", GOOD)))
    shutil.rmtree(workspace.root / ".dvc" / "cache")
    recorded = (workspace.root / "data.dvc").read_bytes()
    prove_data(workspace)
    shutil.rmtree(workspace.root / ".dvc" / "cache")
    rows = workspace.data_folder("one") / "train" / "imported.jsonl"
    rows.chmod(0o644)
    rows.write_text(rows.read_text().replace("text 1", "text 2", 1))
    with pytest.raises(SeqlineError, match="does not have the hash"):
        prove_data(workspace)
    assert (workspace.root / "data.dvc").read_bytes() == recorded


def test_an_embedded_sample_is_taken_in_with_its_name_recorded(workspace: Workspace) -> None:
    with pytest.raises(InputError, match="recipe plain"):
        take_sample(workspace, "plain")
    shutil.copy(ROOT / "recipes" / "plain.yaml", workspace.root / "recipes")
    assert take_sample(workspace, "plain")
    assert workspace.recipe_names() == ["plain"]
    assert not take_sample(workspace, "plain")
    prove_data(workspace)
    shutil.rmtree(workspace.root / "data")
    assert make_samples(workspace) == ["plain"], "written again, the same bytes"
    prove_data(workspace)


def test_one_or_two_words_are_read_letter_by_letter(workspace: Workspace, tmp_path: Path) -> None:
    names = "".join(f"Name{i},{'ab'[i % 2]}\n" for i in range(60))
    source = write(tmp_path / "names.csv", "text,label\n" + names)
    made = onboard(workspace, "mine", wish(source))
    given = workspace.recipe("mine").input
    assert (given.tokenizer, given.max_length) == ("char", 10)  # type: ignore[attr-defined]
    assert any("letter by letter" in reason for reason in made.reasons)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + GOOD.encode(),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.replace(",", ";").encode(),
        GOOD.replace('"', "").replace(", with", " with").replace(",", "\t").encode(),
    ],
    ids=["a byte order mark", "ends of lines of Windows", "semicolons", "tabs"],
)
def test_what_programs_write_is_read(workspace: Workspace, tmp_path: Path, content: bytes) -> None:
    made = onboard(workspace, "mine", wish(write(tmp_path / "good.csv", content)))
    assert made.labels == [("yes", 40), ("no", 20)]


def test_labels_that_differ_by_capitals_and_spaces_are_told(workspace: Workspace, tmp_path: Path) -> None:
    source = write(tmp_path / "good.csv", GOOD.replace("yes,s1", "Yes ,s1"))
    made = onboard(workspace, "mine", wish(source))
    assert len(made.labels) == 3
    assert any("labels 'Yes ', 'yes' are classes of their own" in reason for reason in made.reasons)


BAD = [
    (
        "missing column",
        "bad.csv",
        GOOD.replace("label", "lable", 1),
        "no column 'label'",
        "did you mean 'lable'",
    ),
    ("empty file", "bad.csv", "", "bad.csv", "empty"),
    ("header only", "bad.csv", "id,text,label\n", "bad.csv", "row"),
    ("not utf-8", "bad.csv", GOOD.encode() + b"99,caf\xe9,yes,s1\n", "line 62", "UTF-8"),
    ("a field too many", "bad.csv", GOOD + "99,one,yes,s1,extra\n", "line 62", "5 fields"),
    ("an unclosed quote", "bad.csv", GOOD + '99,"never closed,yes,s1\n', "line 62", "quote"),
    (
        "a truncated gzip",
        "bad.csv.gz",
        gzip.compress(GOOD.encode())[:-20],
        "bad.csv.gz",
        "truncated gzip data",
    ),
    ("one class only", "bad.csv", GOOD.replace("yes", "no"), "column 'label'", "only the value 'no'"),
    ("a label missing", "bad.csv", GOOD + "99,text,,s1\n", "line 62", "no value in column 'label'"),
    ("a blank label", "bad.csv", GOOD + "99,text,  ,s1\n", "line 62", "no value in column 'label'"),
    (
        "too many classes",
        "bad.csv",
        "text,label\n" + "".join(f"t,{i}\n" for i in range(300)),
        "line 202",
        "more than 200",
    ),
    ("an unknown ending", "bad.xls", GOOD, "bad.xls", ".csv"),
]


@pytest.mark.parametrize(
    ("name", "content", "where", "what"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_a_bad_file_is_refused_with_its_place_and_nothing_is_written(
    workspace: Workspace, tmp_path: Path, name: str, content: str | bytes, where: str, what: str
) -> None:
    before = snapshot(workspace)
    with pytest.raises(InputError) as caught:
        onboard(workspace, "mine", wish(write(tmp_path / name, content)))
    assert where in str(caught.value)
    assert what in str(caught.value)
    assert snapshot(workspace) == before
    assert not (workspace.root / "data").exists()


def test_a_label_that_only_the_test_file_holds_is_refused_with_its_line(
    workspace: Workspace, tmp_path: Path
) -> None:
    source, test = write(tmp_path / "a.csv", GOOD), write(tmp_path / "b.csv", GOOD + "99,text,maybe,s1\n")
    before = snapshot(workspace)
    with pytest.raises(InputError, match=r"b\.csv line 62: label 'maybe'"):
        onboard(workspace, "mine", wish(source, test))
    assert snapshot(workspace) == before


@pytest.mark.parametrize("name", ["../up", "", "a/b", ".hidden", "x" * 65, "-dash", "a b", "ä"])
def test_names_that_are_no_safe_file_names_are_refused(
    workspace: Workspace, tmp_path: Path, name: str
) -> None:
    with pytest.raises(InputError, match="not usable as a name"):
        onboard(workspace, name, wish(write(tmp_path / "good.csv", GOOD)))


def test_rows_are_not_split_by_what_is_predicted(workspace: Workspace, tmp_path: Path) -> None:
    before = snapshot(workspace)
    with pytest.raises(InputError, match="rows would be split by it"):
        onboard(workspace, "mine", wish(write(tmp_path / "good.csv", GOOD), split_by="label"))
    assert snapshot(workspace) == before


def test_a_taken_name_is_refused(workspace: Workspace, tmp_path: Path) -> None:
    source = write(tmp_path / "good.csv", GOOD)
    onboard(workspace, "mine", wish(source))
    with pytest.raises(InputError, match="is there already"):
        onboard(workspace, "mine", wish(source))


@pytest.mark.parametrize(
    ("words", "code", "found"),
    [
        (
            [
                "new",
                "x",
                "--from",
                "missing.csv",
                "--task",
                "classification",
                "--input",
                "t",
                "--target",
                "l",
            ],
            2,
            "missing.csv",
        ),
        (["run", "unknown"], 2, "recipe unknown"),
        (["run", "../etc"], 2, "not usable as a name"),
        (["predict", "unknown", "text"], 2, "recipe unknown"),
        (["nonsense"], 2, "No such command"),
        (["recipe"], 2, "no name"),
    ],
)
def test_mistakes_end_with_2_and_a_message_without_traceback(
    workspace: Workspace, words: list[str], code: int, found: str
) -> None:
    told = subprocess.run(
        [sys.executable, "-c", "from seqline.cli import main; main()", *words],
        cwd=workspace.root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert told.returncode == code
    assert found in told.stderr
    assert "Traceback" not in told.stderr
    assert told.stdout == ""


def test_a_new_model_is_retrained_and_watched_once_the_servers_run(
    workspace: Workspace, tmp_path: Path
) -> None:
    for name in ("first", "2nd"):
        onboard(workspace, name, wish(write(tmp_path / f"{name}.csv", GOOD)))
    entries = read_yaml(workspace.root / "prefect.yaml")["deployments"]
    assert [entry["parameters"]["name"] for entry in entries] == ["first"] * 3 + ["2nd"] * 3
    assert {entry["name"] for entry in entries} == {"first", "2nd"}
    assert {entry["entrypoint"].rpartition(":")[2] for entry in entries[:3]} == {
        "retrain_flow",
        "monitor_flow",
        "promote_flow",
    }


def test_what_people_wrote_into_prefect_yaml_stays(workspace: Workspace, tmp_path: Path) -> None:
    theirs = "# our own\nname: ours\ndeployments:\n- {name: mine, parameters: {name: mine}}  # kept\n"
    (workspace.root / "prefect.yaml").write_text(theirs, encoding="utf-8")
    assert not add_deployments(workspace, "mine")
    assert add_deployments(workspace, "other")
    text = (workspace.root / "prefect.yaml").read_text(encoding="utf-8")
    assert text.startswith(theirs)
    assert [e["parameters"]["name"] for e in read_yaml(workspace.root / "prefect.yaml")["deployments"]] == [
        "mine", "other", "other", "other",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text", ["", "- a list\n", "deployments: [x]\n", "deployments: []\npull: null\n", "a: [unclosed\n"]
)
def test_a_prefect_yaml_that_cannot_be_added_to_is_refused_before_anything_is_written(
    text: str, workspace: Workspace, tmp_path: Path
) -> None:
    (workspace.root / "prefect.yaml").write_text(text, encoding="utf-8")
    before = snapshot(workspace)
    with pytest.raises(InputError, match=r"prefect\.yaml"):
        onboard(workspace, "mine", wish(write(tmp_path / "a.csv", GOOD)))
    assert snapshot(workspace) == before
