"""The kinds of input: one module each, one row in each table below."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from seqline.data.inputs.audio import AudioEncoder
from seqline.data.inputs.base import InputEncoder
from seqline.data.inputs.history import HistoryEncoder
from seqline.data.inputs.numbers import NumberEncoder
from seqline.data.inputs.piano import PianoEncoder
from seqline.data.inputs.symbols import SymbolEncoder
from seqline.data.scaling import SCALER_FILE
from seqline.data.tokenization import TOKENIZER_FILE, TextTokenizer
from seqline.recipe import InputSection

# Where the fitted encoder of a kind is kept, in the folder of a stage and in the model folder.
ENCODER_FILES = {
    "text": TOKENIZER_FILE,
    "symbols": TOKENIZER_FILE,
    "series": SCALER_FILE,
    "vector": SCALER_FILE,
    "audio": SCALER_FILE,
    "history": SCALER_FILE,
    "piano": "keys.json",
}
_ENCODERS: dict[str, Any] = {
    "text": TextTokenizer,
    "symbols": SymbolEncoder,
    "series": NumberEncoder,
    "vector": NumberEncoder,
    "audio": AudioEncoder,
    "history": HistoryEncoder,
    "piano": PianoEncoder,
}


def fit_input(values: Iterable[Any], section: InputSection) -> InputEncoder:
    """Fit the encoder of an input kind on the values of train."""
    fit: Callable[[Iterable[Any], InputSection], InputEncoder] = _ENCODERS[section.kind].fit
    return fit(values, section)


def load_input(folder: Path, section: InputSection) -> InputEncoder:
    """Read the fitted encoder of a folder."""
    load: Callable[[Path, InputSection], InputEncoder] = _ENCODERS[section.kind].load
    return load(folder / ENCODER_FILES[section.kind], section)
