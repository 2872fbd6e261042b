"""The code MLflow runs when it loads one of our models: raw texts in, one record for each text out.

MLflow executes this file on load (models from code), so nothing has to be pickled. seqline never imports it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
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
            model_input: One column of raw texts, whatever its name. By the signature MLflow makes it of a list of
                texts and of a request's `inputs`, `dataframe_split` and `dataframe_records`. A hint `list[str]`
                would refuse the last two.
        """
        texts = model_input.iloc[:, 0].tolist()
        return [
            {"label": p.label, "probability": p.probability, "probabilities": p.probabilities}
            for p in self.predictor.predict(texts)
        ]


mlflow.models.set_model(TextClassifier())
