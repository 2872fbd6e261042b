"""The code MLflow runs when it loads one of our models: raw texts in, one record for each text out.

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

from seqline.serving.predictor import Predictor


class TextClassifier(PythonModel):
    """A model folder behind MLflow's `predict`."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the model folder that was packaged as the artifact `model`."""
        self.predictor = Predictor.load(Path(context.artifacts["model"]))

    def predict(self, model_input: pd.DataFrame) -> list[dict[str, Any]]:  # type: ignore[override]
        """One record for each text, with label, probability and probabilities, in order.

        Args:
            model_input: Raw texts: a list, an array or a series of them, or a table with one column, whatever its name,
                or with the column that the model was trained on. The hint is the only one that MLflow takes for all.
        """
        texts = _texts(model_input, self.predictor.input_section.column)
        return [
            {"label": p.label, "probability": p.probability, "probabilities": p.probabilities}
            for p in self.predictor.predict(texts)
        ]


def _texts(given: Any, column: str) -> list[str]:
    """The texts of whatever MLflow hands over.

    Raises:
        MlflowException: Which of several columns holds the texts is not clear, or some are no text.
    """
    table = pd.DataFrame(given) if isinstance(given, dict | list | np.ndarray | pd.Series) else given
    if not isinstance(table, pd.DataFrame):
        raise MlflowException.invalid_parameter_value(
            f"found {type(given).__name__}; expected a list of texts"
        )
    if column not in table.columns and table.shape[1] != 1:
        found = ", ".join(repr(str(name)) for name in table.columns) or "none"
        raise MlflowException.invalid_parameter_value(
            f"found the columns {found}; expected one column of texts, or one called {column!r} among them"
        )
    chosen = table[column] if column in table.columns else table.iloc[:, 0]
    texts: list[str] = chosen.tolist()
    strange = [index for index, text in enumerate(texts) if not isinstance(text, str)]
    if strange:
        index = strange[0]
        raise MlflowException.invalid_parameter_value(
            f"row {index}: found {texts[index]!r:.60}, which is no text; expected a string"
        )
    return texts


mlflow.models.set_model(TextClassifier())
