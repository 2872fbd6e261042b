import os
import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import numpy as np
import pytest
from tiny_project import Project, make_model

from seqline.data.inputs.probes import probe_texts
from seqline.errors import GateRefused, SeqlineError
from seqline.serving.predictor import Predictor
from seqline.tracking.packaging import (
    FORBIDDEN_SUFFIXES,
    REQUIREMENTS,
    package_digest,
    refuse_pickles,
    save_package,
    verify_package,
)


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    return make_model(tmp_path / "train", wrong=range(40))


@pytest.fixture
def package(project: Project, model_folder: Path, tmp_path: Path) -> Path:
    predictor = Predictor.load(model_folder)
    saved = save_package(model_folder, tmp_path / "package", predictor=predictor, run_id="r", model_id="m-1")
    assert saved.reload_difference <= 1e-6
    assert saved.model_bytes == sum(p.stat().st_size for p in model_folder.iterdir())
    return saved.folder


def test_a_package_holds_no_pickle_and_no_byte_code_and_is_readable_by_all(package: Path) -> None:
    files = [path for path in package.rglob("*") if path.is_file()]
    assert not [path for path in files if path.suffix in {*FORBIDDEN_SUFFIXES, ".pyc"}]
    assert (package / "artifacts" / "model" / "weights.safetensors").is_file()
    assert all(path.stat().st_mode & 0o444 == 0o444 for path in files)
    assert all(path.stat().st_mode & 0o555 == 0o555 for path in package.rglob("*") if path.is_dir())


@pytest.mark.parametrize("name", ["model.pkl", "data/weights.bin", "x.pt", "y.pth"])
def test_a_file_that_may_hold_a_pickle_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(SeqlineError, match=re.escape(name)):
        refuse_pickles(tmp_path)


def test_a_package_that_answers_differently_is_refused(package: Path, tmp_path: Path) -> None:
    other = Predictor.load(make_model(tmp_path / "other", wrong=range(40), sharpness=3.001))
    with pytest.raises(GateRefused, match="differently"):
        verify_package(package, other)


def test_every_kind_of_input_gives_the_answers_of_the_model_in_memory(
    package: Path, model_folder: Path
) -> None:
    import mlflow.pyfunc
    import pandas as pd

    model = mlflow.pyfunc.load_model(str(package))
    predictor = Predictor.load(model_folder)
    texts = [*probe_texts(8), "waa wab", "waf"]
    expected = predictor.probabilities(texts)
    kinds = (
        texts,
        np.asarray(texts, dtype=object),
        pd.Series(texts),
        pd.DataFrame({"text": texts}),
        pd.DataFrame({"anything": texts}),
        pd.DataFrame({"id": [str(row) for row in range(len(texts))], "text": texts}),
    )
    for given in kinds:
        answers = model.predict(given)
        assert [sorted(answer) for answer in answers] == [["label", "probabilities", "probability"]] * len(
            texts
        )
        values = [[answer["probabilities"][label] for label in predictor.classes] for answer in answers]
        np.testing.assert_allclose(values, expected, atol=1e-6)
    assert "probabilities" in str(model.metadata.signature.outputs)


def test_a_table_that_does_not_say_where_its_texts_are_is_refused_with_its_columns(package: Path) -> None:
    import mlflow.pyfunc
    import pandas as pd
    from mlflow.exceptions import MlflowException

    model = mlflow.pyfunc.load_model(str(package))
    with pytest.raises(MlflowException, match=r"columns 'id', 'review'; expected .* 'text' among them"):
        model.predict(pd.DataFrame({"id": ["1"], "review": ["waa"]}))
    with pytest.raises(MlflowException, match="columns none"):
        model.predict(pd.DataFrame(index=[0, 1]))
    with pytest.raises(MlflowException, match="row 1: found 7, which is no text"):
        model.predict(["waa", 7])
    with pytest.raises(MlflowException, match="found str; expected a list"):
        model.predict("waa")


def test_the_digest_sees_any_change_but_not_what_loading_leaves(package: Path) -> None:
    before = package_digest(package)
    (package / "code" / "__pycache__").mkdir()
    (package / "code" / "__pycache__" / "x.pyc").write_bytes(b"x")
    assert package_digest(package) == before
    path = package / "code" / "seqline" / "errors.py"
    path.write_bytes(path.read_bytes() + b"\n")
    assert package_digest(package) != before


def test_the_pinned_requirements_cover_what_answering_imports(package: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from seqline.serving.predictor import Predictor;"
        "import seqline; assert 'package' in seqline.__file__, seqline.__file__;"
        "Predictor.load(Path(sys.argv[1])).answers(['waa']);"
        "tops = {name.partition('.')[0] for name in sys.modules};"
        "from importlib.metadata import packages_distributions; known = packages_distributions();"
        "print(*{dist for top in tops for dist in known.get(top, [])})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(package / "artifacts" / "model")],
        cwd=package,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(package / "code")},
        capture_output=True,
        text=True,
        check=True,
    )
    covered: set[str] = set()
    todo = [re.sub(r"[-_.]+", "-", name).lower() for name in REQUIREMENTS]
    while todo:
        name = todo.pop()
        if name not in covered:
            covered.add(name)
            needed = [text for text in _requires(name) if "extra ==" not in text]
            todo += [re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", text).group()).lower() for text in needed]
    used = {re.sub(r"[-_.]+", "-", name).lower() for name in done.stdout.split()}
    # torch looks for pydot and setuptools and lives without them
    assert used - covered - {"seqline", "pydot", "setuptools"} == set()
    lines = (package / "requirements.txt").read_text().split()
    assert all("==" in line for line in lines)
    assert any(line.startswith("torch==2.13.0") for line in lines)


def _requires(name: str) -> list[str]:
    from importlib.metadata import PackageNotFoundError

    try:
        return requires(name) or []
    except PackageNotFoundError:
        return []
