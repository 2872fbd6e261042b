"""A model folder as an MLflow model without pickle, and the proof that a reload gives the same answers.

MLflow's own torch flavour freezes the length of the example input, so it cannot hold a recurrent network;
this package is models-from-code instead (`pyfunc_model.py`), and carries a copy of seqline so that it loads
where seqline is not installed.
"""

from __future__ import annotations

import math
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqline.errors import GateRefused, SeqlineError
from seqline.files import sha256_file, sha256_json
from seqline.tracking.origin import Origin

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

    from seqline.serving.predictor import Predictor

MODEL_ARTIFACT = "model"
MODEL_CODE = Path(__file__).with_name("pyfunc_model.py")
# What the predictor imports, directly or through seqline; MLflow brings itself and pandas.
REQUIREMENTS = (
    "mlflow", "numpy", "orjson", "pandas", "pydantic", "PyYAML", "safetensors", "scipy", "tokenizers", "torch"
)  # fmt: skip
FORBIDDEN_SUFFIXES = (".pkl", ".pickle", ".pth", ".bin", ".pt", ".joblib", ".npz")
RELOAD_TOLERANCE = 1e-5
_EXAMPLE = ["The food is good.", "I expected to hate it, and I was wrong."]
_READABLE_FILE, _READABLE_FOLDER = 0o644, 0o755
# MLflow writes this file beside a model that is loaded by its registry name.
_NOT_OURS = "registered_model_meta"


@dataclass(frozen=True)
class Package:
    """A saved MLflow model.

    Attributes:
        folder: Where it lies.
        digest: One sha256 over the names and bytes of all its files.
        model_bytes: Size of the model folder inside, in bytes.
        reload_difference: Largest difference of a number in an answer between model in memory and reloaded package.
    """

    folder: Path
    digest: str
    model_bytes: int
    reload_difference: float


def save_package(
    model_folder: Path,
    target: Path,
    *,
    predictor: Predictor,
    run_id: str,
    model_id: str,
    origin: Origin | None = None,
) -> Package:
    """Write a model folder as an MLflow model and prove that a reload gives the same answers.

    Args:
        model_folder: Complete model folder (`artifacts/NAME/train`).
        target: Folder to write; must not exist.
        predictor: The same model, loaded.
        run_id: Run the model came from.
        model_id: MLflow's id of the logged model.
        origin: What a rebuild needs.

    Raises:
        GateRefused: The weights are not finite, or the reloaded package answers differently.
        SeqlineError: The package would hold a file that may carry pickled code.
    """
    check_weights(model_folder)
    import mlflow.pyfunc
    from mlflow.models import Model

    with tempfile.TemporaryDirectory() as temporary, _path_restored():
        code = Path(temporary) / "code" / "seqline"
        ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
        shutil.copytree(Path(__file__).parents[1], code, ignore=ignored)
        model = Path(temporary) / MODEL_ARTIFACT
        shutil.copytree(model_folder, model, ignore=ignored)
        mlflow.pyfunc.save_model(
            target,
            python_model=str(MODEL_CODE),
            artifacts={MODEL_ARTIFACT: str(model)},
            code_paths=[str(code)],
            input_example=_EXAMPLE if predictor.input_section.kind == "text" else None,
            pip_requirements=requirements(),
            signature=_signature(predictor),
            mlflow_model=Model(model_id=model_id, run_id=run_id),
        )
    if origin is not None:
        origin.write(target)
    refuse_pickles(target)
    difference = verify_package(target, predictor)
    _clean(target)
    size = sum(path.stat().st_size for path in model_folder_of(target).rglob("*") if path.is_file())
    return Package(target, package_digest(target), size, difference)


def _signature(predictor: Predictor) -> ModelSignature:
    """Records of label, probability and probabilities out; of other tasks whatever an answer of theirs holds.

    Nothing is said of what goes in: of a table with several columns MLflow would hand the first on without a word, be it
    the text or not. `pyfunc_model.py` sees what was really sent and refuses what is not clear.
    """
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema
    from mlflow.types.schema import AnyType, Map

    answer: list[Any] = [
        ColSpec(DataType.string, "label"),
        ColSpec(DataType.double, "probability"),
        ColSpec(Map(DataType.double), "probabilities"),
    ]
    if not predictor.classes:
        [record] = (answer.record() for answer in predictor.answers(predictor.probes()[:1]))
        kinds = {str: DataType.string, float: DataType.double, int: DataType.long}
        answer = [ColSpec(kinds.get(type(value), AnyType()), key) for key, value in record.items()]
    return ModelSignature(outputs=Schema(answer))


def requirements() -> list[str]:
    """List the packages a served model needs, each at the version it is being verified with."""
    return [f"{name}=={version(name).partition('+')[0]}" for name in REQUIREMENTS]


def check_weights(model_folder: Path) -> None:
    """Refuse weights that are not finite.

    Raises:
        GateRefused: A tensor holds NaN or infinity; it is named.
    """
    import torch
    from safetensors.torch import load_file

    for name, tensor in load_file(model_folder / "weights.safetensors").items():
        if not bool(torch.isfinite(tensor).all()):
            raise GateRefused(
                str(model_folder / "weights.safetensors"),
                f"tensor {name!r} holds NaN or infinity",
                "finite weights",
            )


def verify_package(package: Path, predictor: Predictor) -> float:
    """Reload a package through MLflow and compare its answers with the model in memory, alone and together.

    Returns:
        The largest difference of a number.

    Raises:
        GateRefused: A number differs by more than 1e-5, a word at all, or a number is not finite.
    """
    import mlflow.pyfunc
    import pandas as pd

    probes = predictor.probes()
    expected = [answer.record() for answer in predictor.answers(probes)]
    by_itself = [predictor.answers([probe])[0].record() for probe in probes]
    with _path_restored():
        reloaded = mlflow.pyfunc.load_model(str(package))
        frame = pd.DataFrame({predictor.input_section.column: pd.Series(probes, dtype=object)})
        pairs = [
            (expected, reloaded.predict(probes)),
            (expected, reloaded.predict(frame)),
            (by_itself, [reloaded.predict([probe])[0] for probe in probes]),
        ]
    worst, place = 0.0, 0
    for theirs, ours in pairs:
        for index, (one, other) in enumerate(zip(theirs, ours, strict=True)):
            difference = _difference(one, other)
            if math.isnan(difference):
                raise GateRefused(str(package), "the model answers with NaN or infinity", "finite numbers")
            if difference > worst:
                worst, place = difference, index
    if worst > RELOAD_TOLERANCE:
        by = "differently" if math.isinf(worst) else f"differently by {worst:.2e}"
        raise GateRefused(
            str(package),
            f"reloaded, it answers {str(probes[place])[:40]!r} {by}",
            f"the answers of the model in memory within {RELOAD_TOLERANCE:g}",
        )
    return worst


def _difference(one: Any, other: Any) -> float:
    """Largest difference of two JSON values: infinite where a word or the form differs, NaN where a number is none.

    A number larger than 1 counts by its own size.
    """
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        found = [_difference(one[key], other[key]) for key in one]
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        found = [_difference(first, second) for first, second in zip(one, other, strict=True)]
    elif isinstance(one, float | int) and isinstance(other, float | int):
        if not (math.isfinite(one) and math.isfinite(other)):
            return math.nan
        return abs(one - other) / max(1.0, abs(one))
    else:
        return 0.0 if one == other else math.inf
    return math.nan if any(map(math.isnan, found)) else max(found, default=0.0)


def model_folder_of(package: Path) -> Path:
    """Name the model folder inside a package."""
    return package / "artifacts" / MODEL_ARTIFACT


def package_digest(package: Path) -> str:
    """One sha256 over names and bytes of a package's files, without what Python and MLflow add on loading."""
    return sha256_json({p.relative_to(package).as_posix(): sha256_file(p) for p in sorted(_files(package))})


def refuse_pickles(package: Path) -> None:
    """Refuse a package with a file that may carry pickled code.

    Raises:
        SeqlineError: With the names of such files.
    """
    found = [p.relative_to(package).as_posix() for p in package.rglob("*") if p.suffix in FORBIDDEN_SUFFIXES]
    if found:
        raise SeqlineError(
            str(package), f"files that may hold pickles: {', '.join(found)}", "safetensors and JSON only"
        )


def _files(package: Path) -> Iterator[Path]:
    for path in package.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts and path.name != _NOT_OURS:
            yield path


def _clean(package: Path) -> None:
    """No byte code, and readable by a server that runs as another user."""
    for cache in list(package.rglob("__pycache__")):
        shutil.rmtree(cache)
    package.chmod(_READABLE_FOLDER)
    for path in package.rglob("*"):
        path.chmod(_READABLE_FOLDER if path.is_dir() else _READABLE_FILE)


@contextmanager
def _path_restored() -> Iterator[None]:
    """Undo what loading a package does: it puts its copy of seqline first on `sys.path`."""
    before = list(sys.path)
    try:
        yield
    finally:
        sys.path[:] = before
