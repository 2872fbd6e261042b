"""The files of a model folder, by name: what training writes and a predictor reads."""

from __future__ import annotations

from pathlib import Path

from seqline.data.inputs import ENCODER_FILES
from seqline.data.targets import TARGET_FILE

MODEL_FILE = "model.json"
WEIGHTS_FILE = "weights.safetensors"
HISTORY_FILE = "history.json"
CALIBRATION_FILE = "calibration.json"
# All that an answer depends on; which of them a model has depends on its input and its target.
CONTENT_FILES = (
    WEIGHTS_FILE,
    *dict.fromkeys(ENCODER_FILES.values()),
    TARGET_FILE,
    CALIBRATION_FILE,
    MODEL_FILE,
)


def content_files(folder: Path) -> list[str]:
    """The files of a model folder that its answers depend on; weights and description are always among them."""
    needed = {WEIGHTS_FILE, MODEL_FILE}
    return [name for name in CONTENT_FILES if name in needed or (folder / name).is_file()]
