"""Where things are: the one place that knows the layout of a project folder.

Recipes are read through imports inside the methods: every command knows its workspace, and help must be quick.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from seqline.errors import InputError
from seqline.files import check_name

if TYPE_CHECKING:
    from seqline.recipe import Recipe

STAGES = ("validate", "prepare", "train", "evaluate")


@dataclass(frozen=True)
class Workspace:
    """A project folder.

    Attributes:
        root: Holds `dvc.yaml`, `params.yaml`, `recipes/`, `data/`; everything a run leaves behind that is no DVC
            output goes to `.seqline/` in it.
    """

    root: Path

    @classmethod
    def find(cls, start: Path | None = None) -> Workspace:
        """The project folder that holds `start` (by default the current folder)."""
        here = (start or Path.cwd()).resolve()
        for folder in (here, *here.parents):
            if (folder / "params.yaml").is_file() and (folder / "dvc.yaml").is_file():
                return cls(folder)
        raise InputError(
            str(here), "no seqline project here or above", "a folder with params.yaml and dvc.yaml"
        )

    @property
    def state(self) -> Path:
        """Runtime state, ignored by git: MLflow database, checkpoints, ledger, locks."""
        return self.root / ".seqline"

    @property
    def params_path(self) -> Path:
        """The list of recipes that dvc.yaml makes its stages from."""
        return self.root / "params.yaml"

    def recipe_path(self, name: str) -> Path:
        """`recipes/NAME.yaml`."""
        return self.root / "recipes" / f"{check_name(name)}.yaml"

    def data_folder(self, name: str) -> Path:
        """`data/NAME`, holding `train/` and perhaps `test/`."""
        return self.root / "data" / check_name(name)

    def incoming_folder(self, name: str) -> Path:
        """`incoming/NAME`: files that people and exports put down, for `seqline ingest`."""
        return self.root / "incoming" / check_name(name)

    def quarantine_folder(self, name: str) -> Path:
        """Rows that ingest refused, with their reasons; not versioned, because they may be anything."""
        return self.state / "quarantine" / check_name(name)

    def predictions_folder(self, name: str) -> Path:
        """Answers that were asked to be logged, and the late labels joined to them."""
        return self.state / "predictions" / check_name(name)

    def monitor_folder(self, name: str) -> Path:
        """Drift reports, one a batch and champion."""
        return self.state / "monitor" / check_name(name)

    def artifact_folder(self, name: str, stage: str) -> Path:
        """`artifacts/NAME/STAGE`: the only place a stage writes its outputs to."""
        return self.root / "artifacts" / check_name(name) / stage

    def checkpoint_folder(self, name: str) -> Path:
        """Outside the stage's outputs, because DVC deletes those before it runs a stage."""
        return self.state / "checkpoints" / check_name(name)

    def data_docs_folder(self, name: str) -> Path:
        """Pages that hold times and random ids, so they are no DVC output."""
        return self.state / "data_docs" / check_name(name)

    def recipe_names(self) -> list[str]:
        """Names in `params.yaml`, in order."""
        from seqline.config import read_yaml

        values = read_yaml(self.params_path)
        names = values.get("recipes") if isinstance(values, dict) else None
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise InputError(
                str(self.params_path), "no list of names under `recipes`", "recipes: [sentiment, ...]"
            )
        return names

    def recipe(self, name: str) -> Recipe:
        """The checked recipe of a model."""
        from seqline.config import load_recipe

        path = self.recipe_path(name)
        if not path.is_file():
            known = ", ".join(self.recipe_names()) or "none"
            raise InputError(
                f"recipe {name}", f"no file {path}", f"one of: {known}", "`seqline new` makes one"
            )
        return load_recipe(path)

    def add_recipe_name(self, name: str) -> None:
        """Add a name to `params.yaml`, once."""
        from seqline.config import write_yaml

        names = self.recipe_names()
        if name not in names:
            write_yaml(self.params_path, {"recipes": [*names, name]})
