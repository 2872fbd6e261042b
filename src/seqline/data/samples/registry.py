"""The embedded samples by the name of their recipe: `seqline sample NAME` writes the rows of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path

from seqline.errors import InputError

# A sample is a module with a function that takes a folder and fills its `train/` and `test/`, and a line here.
SAMPLES: Mapping[str, str] = {
    "sentiment": "seqline.data.samples.reviews:write_reviews",
    "spam": "seqline.data.samples.spam:write_spam",
    "emotion": "seqline.data.samples.emotion:write_emotion",
    "names": "seqline.data.samples.names:write_names",
    "dna": "seqline.data.samples.dna:write_dna",
    "digits": "seqline.data.samples.digits:write_digits",
    "plain": "seqline.data.samples.plain:write_plain",
    "wine": "seqline.data.samples.plain:write_wine",
    "progress": "seqline.data.samples.progress:write_progress",
    "sensors": "seqline.data.samples.sensors:write_sensors",
    "speech": "seqline.data.samples.speech:write_speech",
    "speak": "seqline.data.samples.speech:write_speech",
    "sales": "seqline.data.samples.sales:write_sales",
    "forecast": "seqline.data.samples.forecast:write_forecast",
    "text": "seqline.data.samples.generation:write_text",
    "suggest": "seqline.data.samples.suggestions:write_suggest",
    "tagging": "seqline.data.samples.tagging:write_tagging",
    "music": "seqline.data.samples.chorales:write_music",
    "translation": "seqline.data.samples.translation:write_translation",
    "qa": "seqline.data.samples.questions:write_questions",
    "dialogue": "seqline.data.samples.dialogue:write_dialogue",
    "caption": "seqline.data.samples.caption:write_caption",
}


def require_sample(name: str) -> None:
    """Refuse a name that is no key of `SAMPLES`."""
    if name not in SAMPLES:
        raise InputError(
            f"sample {name}",
            "no such sample",
            f"one of {', '.join(SAMPLES)}",
            "for your own file: seqline new",
        )


def write_sample(name: str, folder: Path) -> None:
    """Write the rows of a sample, the same bytes every time.

    Args:
        name: Key of `SAMPLES`.
        folder: Gets `train/` and `test/`.

    Raises:
        InputError: There is no such sample.
    """
    require_sample(name)
    module, function = SAMPLES[name].split(":")
    write: Callable[[Path], None] = getattr(import_module(module), function)
    write(folder)
