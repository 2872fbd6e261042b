"""The laws of the house, read off the source: imports point downward, heavy libraries stay where they belong."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "seqline"

# From the ground up; a module may import from its own layer and from those below it. The first match decides, so a module
# that stands lower than the rest of its folder comes first.
LAYERS = [
    ("seqline.errors", 0),
    ("seqline.files", 1),
    ("seqline.batch", 1),
    ("seqline.recipe", 1),
    ("seqline.config", 2),
    ("seqline.graph", 2),
    ("seqline.journal", 2),
    ("seqline.notifications", 2),
    ("seqline.processes", 2),
    ("seqline.addresses", 1),
    ("seqline.prefect_server", 2),
    ("seqline.workspace", 3),
    ("seqline.data", 3),
    ("seqline.owner", 4),
    ("seqline.scratch", 4),
    ("seqline.deployments", 4),
    ("seqline.onboarding", 4),
    ("seqline.ingestion", 4),
    ("seqline.labels", 4),
    ("seqline.nn", 3),
    ("seqline.evaluation.metrics", 3),
    ("seqline.evaluation.measures", 3),
    ("seqline.evaluation.sums", 3),
    ("seqline.evaluation.sections", 3),
    ("seqline.evaluation.alignment", 3),
    ("seqline.evaluation.spans", 3),
    ("seqline.evaluation.translation", 3),
    ("seqline.evaluation.forecasting", 3),
    ("seqline.evaluation.conformal", 3),
    ("seqline.tasks", 4),
    ("seqline.serving", 5),
    ("seqline.training", 5),
    ("seqline.evaluation", 5),
    ("seqline.monitoring", 5),
    ("seqline.tracking", 6),
    ("seqline.stages", 7),
    ("seqline.surveillance", 7),
    ("seqline.retraining", 7),
    ("seqline.rebuilding", 7),
    ("seqline.backtesting", 8),
    ("seqline.services", 7),
    ("seqline.diagnosis", 8),
    ("seqline.commands", 9),
    ("seqline.cli", 10),
]
# Who alone may import a library.
OWNERS = {
    "mlflow": ["seqline.tracking"],
    "prefect": [],
    "great_expectations": ["seqline.data.expectations"],
    "yaml": ["seqline.config"],
    "dvc": [],
    "apprise": ["seqline.notifications"],
    "psutil": ["seqline.processes"],
}
FORBIDDEN = {"pickle", "cPickle", "dill", "joblib", "shelve", "marshal"}


def modules() -> list[tuple[str, Path]]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT / "src").with_suffix("").parts
        found.append((".".join(parts[:-1] if parts[-1] == "__init__" else parts), path))
    return found


def imports_of(path: Path) -> Iterator[str]:
    """Every imported module, those inside functions included; `from a import b` gives `a` and `a.b`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer_of(module: str) -> int | None:
    return next(
        (layer for prefix, layer in LAYERS if module == prefix or module.startswith(prefix + ".")), None
    )


@pytest.mark.parametrize(
    ("module", "path"), modules(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_imports_point_downward(module: str, path: Path) -> None:
    if module == "seqline" or module.endswith("__main__"):
        return
    own = layer_of(module)
    assert own is not None, f"{module} has no layer: add its row to LAYERS"
    for imported in imports_of(path):
        target = layer_of(imported)
        if target is not None:
            assert target <= own, f"{module} (layer {own}) imports {imported} (layer {target})"


@pytest.mark.parametrize(
    ("module", "path"), modules(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_libraries_stay_with_their_owners(module: str, path: Path) -> None:
    for imported in imports_of(path):
        top = imported.split(".")[0]
        assert top not in FORBIDDEN, f"{module} imports {top}"
        if top in OWNERS:
            assert any(module.startswith(owner) for owner in OWNERS[top]), f"{module} imports {top}"


def test_data_and_networks_do_not_know_each_other() -> None:
    for module, path in modules():
        for imported in imports_of(path):
            assert not (module.startswith("seqline.data") and imported.startswith("seqline.nn")), module
            assert not (module.startswith("seqline.nn") and imported.startswith("seqline.data")), module


def test_only_flows_import_prefect_and_they_hold_no_paths_of_stages() -> None:
    for path in sorted((ROOT / "flows").glob("*.py")):
        assert path.name.endswith("_flow.py")
        assert "artifacts/" not in path.read_text(encoding="utf-8")


def test_the_mlflow_folder_holds_no_python() -> None:
    assert not list((ROOT / "mlflow").rglob("*.py"))


def test_no_drawers_and_no_overlong_modules() -> None:
    for module, path in modules():
        assert path.stem not in {"utils", "helpers", "common", "misc"}, module
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, (
            f"{module}: is there a second noun inside?"
        )


def unsafe_calls(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        true_keywords = {
            k.arg for k in node.keywords if isinstance(k.value, ast.Constant) and k.value.value is True
        }
        if name in {"eval", "exec", "torch.load", "yaml.unsafe_load", "os.system", "os.popen"}:
            yield name
        if name.endswith((".extractall", ".unsafe_load")):
            yield name
        yield from (f"{name}({word}=True)" for word in true_keywords & {"shell", "allow_pickle"})


def test_no_unsafe_calls() -> None:
    found = {
        module: list(unsafe_calls(ast.parse(path.read_text(encoding="utf-8")))) for module, path in modules()
    }
    assert {module: calls for module, calls in found.items() if calls} == {}


def test_the_search_for_unsafe_calls_finds_them() -> None:
    calls = [
        "eval('1')",
        "torch.load(p)",
        "z.extractall()",
        "run(c, shell=True)",
        "np.load(p, allow_pickle=True)",
    ]
    text = "\n".join([*calls, "safetensors.torch.load(b)"])
    assert len(list(unsafe_calls(ast.parse(text)))) == 5
