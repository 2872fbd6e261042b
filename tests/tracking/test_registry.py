import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_project import Project, make_model, make_recipe

from seqline.errors import GateRefused, InputError, SeqlineError
from seqline.files import write_manifest
from seqline.tracking.registry import (
    CHALLENGER,
    aliases_of,
    champion_folder,
    delete_version,
    get_version,
    versions,
)
from seqline.tracking.storage import package_folder


def test_registering_the_same_content_twice_gives_one_version(project: Project) -> None:
    project.train(wrong=range(40))
    first, second = project.register(), project.register()
    assert (first.version, first.created) == (1, True)
    assert (second.version, second.created) == (1, False)
    assert first.content_key == second.content_key
    assert first.tags["git_commit"] == "abc"
    assert len(versions(project.tracking, project.name)) == 1
    assert aliases_of(project.tracking, project.name) == {CHALLENGER: 1}


def test_a_setting_of_the_gate_does_not_make_a_new_version(project: Project) -> None:
    project.train(wrong=range(40))
    project.register()
    assert not project.register(make_recipe(max_latency_ms=1.0)).created


def test_other_weights_make_a_new_version_and_the_challenger_moves(project: Project) -> None:
    project.train(wrong=range(40))
    project.register()
    project.train(wrong=range(39))
    assert project.register().version == 2
    assert aliases_of(project.tracking, project.name) == {CHALLENGER: 2}
    project.train(wrong=range(40))
    assert project.register().version == 1
    assert aliases_of(project.tracking, project.name) == {CHALLENGER: 1}


def test_a_damaged_package_is_replaced_by_a_new_version(project: Project) -> None:
    project.train(wrong=range(40))
    version = project.register()
    next(package_folder(project.tracking, version).rglob("weights.safetensors")).unlink()
    with pytest.raises(SeqlineError, match="altered"):
        package_folder(project.tracking, version)
    assert project.register().version == 2


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused_and_nothing_is_registered(
    project: Project, value: float
) -> None:
    project.train(wrong=range(40))
    path = project.model_folder / "weights.safetensors"
    weights = load_file(path)
    weights["embedding.weight"][5] = torch.tensor(value)
    save_file(weights, path)
    write_manifest(project.model_folder)
    write_manifest(project.evaluate_folder)
    with pytest.raises(GateRefused, match="NaN or infinity"):
        project.register()
    assert versions(project.tracking, project.name) == []


def test_an_altered_model_folder_is_not_registered(project: Project) -> None:
    project.train(wrong=range(40))
    (project.model_folder / "model.json").write_text("{}")
    with pytest.raises(SeqlineError, match="altered"):
        project.register()
    assert versions(project.tracking, project.name) == []


def test_an_evaluation_of_another_model_is_not_registered(project: Project) -> None:
    project.train(wrong=range(40))
    make_model(project.model_folder, wrong=range(30))
    with pytest.raises(InputError, match="another model"):
        project.register()
    assert versions(project.tracking, project.name) == []


def test_an_aliased_version_is_not_deleted(project: Project) -> None:
    project.add(wrong=range(40))
    project.add(wrong=range(10))
    with pytest.raises(InputError, match="the alias challenger and champion"):
        delete_version(project.tracking, project.name, 2)
    delete_version(project.tracking, project.name, 1)
    assert [version.version for version in versions(project.tracking, project.name)] == [2]
    with pytest.raises(InputError, match="not in the registry"):
        get_version(project.tracking, project.name, 1)


def test_without_a_champion_there_is_no_folder_to_answer_from(project: Project) -> None:
    with pytest.raises(InputError, match="no champion yet"):
        champion_folder(project.root, "toy")


def test_nothing_lands_in_the_working_directory(project: Project, tmp_path: Path) -> None:
    (tmp_path / "mlruns").mkdir()
    project.add(wrong=range(40))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mlruns", "project"]
    assert list((tmp_path / "mlruns").iterdir()) == []


def test_the_champion_answers_from_a_folder_outside_knowing_only_the_uri(
    project: Project, tmp_path: Path
) -> None:
    """As a user's own program would: another folder, no access to our source but the packaged copy."""
    project.add(wrong=range(40))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    program = textwrap.dedent("""
        import json, pathlib, sys
        import pandas as pd, mlflow.pyfunc
        model = mlflow.pyfunc.load_model("models:/toy@champion")
        import seqline
        print(json.dumps({
            "texts": model.predict(["wad", "wba"]),
            "frame": model.predict(pd.DataFrame({"any name": ["wad"]})),
            "code": seqline.__file__,
            "left": sorted(p.name for p in pathlib.Path().iterdir()),
        }))
    """)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "MLFLOW_TRACKING_URI": project.tracking.uri,
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=elsewhere,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    import json

    said = json.loads(done.stdout.strip().splitlines()[-1])
    assert [answer["label"] for answer in said["texts"]] == ["negative", "positive"]
    assert said["texts"][0]["probability"] == pytest.approx(
        said["texts"][0]["probabilities"][said["texts"][0]["label"]]
    )
    assert said["frame"] == said["texts"][:1]
    assert str(project.root) in said["code"]
    assert said["left"] == []
