"""The code MLflow runs when it loads one of our models: raw inputs in, one record for each of them out.

MLflow executes this file on load (models from code), so nothing has to be pickled. seqline never imports it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PythonModel, PythonModelContext

from seqline.errors import InputError
from seqline.recipe import InputSection
from seqline.serving.predictor import Predictor
from seqline.tasks.base import Task


class SequenceModel(PythonModel):
    """A model folder behind MLflow's `predict`."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the model folder that was packaged as the artifact `model`."""
        self.predictor = Predictor.load(Path(context.artifacts["model"]))

    def predict(self, model_input: pd.DataFrame) -> list[dict[str, Any]]:  # type: ignore[override]
        """One record for each input, in order: of a classification its label, probability and probabilities.

        Args:
            model_input: Raw inputs (texts, or lists of steps): a list, an array or a series of them, or a table with one
                column, whatever its name, or with the column that the model was trained on. The hint is the only one
                that MLflow takes for all.
        """
        section = self.predictor.input_section
        inputs = _inputs(model_input, section, self.predictor.task)
        try:
            return [answer.record() for answer in self.predictor.answers(inputs)]
        except InputError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from None


def _inputs(given: Any, section: InputSection, task: Task) -> list[Any]:
    """The inputs in whatever MLflow hands over.

    Raises:
        MlflowException: Which of several columns holds the inputs is not clear, or a text is none.
    """
    column, texts = section.column, section.kind == "text"
    what = "texts" if texts else "inputs"
    if isinstance(given, list | np.ndarray | pd.Series):
        return _plain(list(given), texts)
    table = pd.DataFrame(given) if isinstance(given, dict) else given
    if not isinstance(table, pd.DataFrame):
        raise MlflowException.invalid_parameter_value(
            f"found {type(given).__name__}; expected a list of {what}"
        )
    if column not in table.columns and table.shape[1] != 1:
        found = ", ".join(repr(str(name)) for name in table.columns) or "none"
        raise MlflowException.invalid_parameter_value(
            f"found the columns {found}; expected one column of {what}, or one called {column!r} among them"
        )
    if texts or table.shape[1] == 1:
        chosen = table[column] if column in table.columns else table.iloc[:, 0]
        return _plain(chosen.tolist(), texts)
    rows = [
        dict(zip(map(str, table.columns), _plain(row, False), strict=True)) for row in table.values.tolist()
    ]
    return [task.input_of(row, section) for row in rows]


def _plain(values: list[Any], texts: bool) -> list[Any]:
    """Values as JSON has them."""
    for index, value in enumerate(values):
        if texts and not isinstance(value, str):
            raise MlflowException.invalid_parameter_value(
                f"row {index}: found {value!r:.60}, which is no text; expected a string"
            )
    return [value.tolist() if isinstance(value, np.ndarray | np.generic) else value for value in values]


mlflow.models.set_model(SequenceModel())
