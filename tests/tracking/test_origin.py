import subprocess
from pathlib import Path

import pytest
from tiny_project import Project, make_recipe

from seqline.errors import InputError
from seqline.rebuilding import find_version, rebuild
from seqline.tracking.lineage import Lineage, changed_code, collect_lineage
from seqline.tracking.origin import Origin, collect_origin
from seqline.tracking.registry import RegisteredVersion, register
from seqline.tracking.runs import start_run
from seqline.tracking.storage import package_folder


def git(root: Path, *words: str) -> str:
    who = ["-c", "user.name=test", "-c", "user.email=test@example.invalid"]
    return subprocess.run(
        ["git", "-C", str(root), *who, *words], check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A project one folder below the top of its repository, all of it committed."""
    root = tmp_path / "top" / "project"
    files = {
        "src/seqline/a.py": "a = 1\n",
        "src/seqline/b c.py": "b = 1\n",
        "dvc.yaml": "stages: {}\n",
        "requirements.lock": "torch==2.13.0\nclick==1.0\nnowhere-at-all==1.0\n",
        "data.dvc": "outs:\n- md5: 0123.dir\n",
        "recipes/toy.yaml": "task: classification\n",
        "dvc.lock": "stages:\n  train@toy:\n    deps:\n    - path: src/seqline/nn\n      md5: abc\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    git(root.parent, "init", "--quiet")
    git(root.parent, "add", ".")
    git(root.parent, "commit", "--quiet", "--message", "all")
    return root


def test_what_an_unattended_run_changes_is_recorded_and_is_not_dirty_code(repository: Path) -> None:
    for name in ("data.dvc", "recipes/toy.yaml"):
        (repository / name).write_text(f"{name} as of now\n")
    (repository / "dvc.lock").write_text((repository / "dvc.lock").read_text().replace("abc", "abcd"))
    origin = collect_origin(repository, "toy")
    assert origin.git_commit == git(repository, "rev-parse", "HEAD").strip()
    assert origin.code_changed == []
    assert (origin.data_dvc, origin.recipe_yaml) == ("data.dvc as of now\n", "recipes/toy.yaml as of now\n")
    assert origin.inputs == {"src/seqline/nn": "abcd"}
    assert origin.packages["torch"].startswith("2.13.0")
    assert "nowhere-at-all" not in origin.packages
    assert collect_lineage(repository, "toy", make_recipe()).code_dirty == "false"


def test_changed_new_and_deleted_code_is_named(repository: Path) -> None:
    (repository / "src/seqline/b c.py").write_text("b = 2\n")
    (repository / "src/seqline/a.py").unlink()
    (repository / "src/seqline/new").mkdir()
    (repository / "src/seqline/new/n.py").write_text("")
    (repository / "requirements.lock").write_text("")
    expected = ["requirements.lock", "src/seqline/a.py", "src/seqline/b c.py", "src/seqline/new/n.py"]
    assert changed_code(repository) == expected
    assert collect_lineage(repository, "toy", make_recipe()).code_dirty == "true"


def test_without_git_there_is_no_commit(tmp_path: Path) -> None:
    origin = collect_origin(tmp_path, "toy")
    assert (origin.git_commit, origin.code_changed, origin.data_dvc, origin.inputs) == ("", [], "", {})


def registered(project: Project, origin: Origin | None) -> RegisteredVersion:
    project.train(wrong=range(40))
    return register(
        project.tracking,
        project.name,
        model_folder=project.model_folder,
        evaluate_folder=project.evaluate_folder,
        recipe=make_recipe(),
        lineage=Lineage(),
        run_id=start_run(project.tracking, project.name),
        origin=origin,
    )


def test_the_origin_travels_in_the_package(project: Project) -> None:
    origin = Origin("toy", "abc", data_dvc="d", recipe_yaml="r", packages={"torch": "1"}, inputs={"a": "b"})
    assert Origin.read(package_folder(project.tracking, registered(project, origin))) == origin


@pytest.mark.parametrize(
    ("origin", "message"),
    [
        (None, "registered before seqline kept what a rebuild needs"),
        (Origin("toy"), "no commit recorded"),
        (
            Origin("toy", "abc", code_changed=["src/x.py"]),
            r"from commit abc, these files differed .* src/x.py",
        ),
        (Origin("toy", "abc", recipe_yaml="r"), "recorded without data_dvc"),
    ],
)
def test_a_version_that_cannot_be_rebuilt_says_why(
    project: Project, origin: Origin | None, message: str
) -> None:
    version = registered(project, origin)
    with pytest.raises(InputError, match=message):
        rebuild(project.tracking, version, on_line=print)


def test_a_version_is_found_by_alias_or_number(project: Project) -> None:
    registered(project, None)
    for target in ("toy@challenger", "toy@1"):
        assert find_version(project.tracking, target).version == 1
    for target, message in [
        ("toy", "no version named"),
        ("toy@champion", "no champion"),
        ("toy@newest", "is no version"),
        ("toy@7", "not in the registry"),
    ]:
        with pytest.raises(InputError, match=message):
            find_version(project.tracking, target)
