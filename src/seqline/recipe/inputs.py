"""The section `input`: what the sequence is made of, one class a kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from seqline.recipe.section import Section


class InputSection(Section):
    """What every kind of input says."""

    column: str = Field(min_length=1, description="Column that holds the sequence.")
    kind: str
    max_length: int = Field(400, ge=1, le=100_000, description="Steps; longer inputs are cut.")
    keep: Literal["head", "tail", "head_tail"] = Field("head_tail", description="What a cut keeps.")
    padding: Literal["bucket", "before", "after"] = Field(
        "bucket",
        description="bucket: to the longest of each length bucket; before / after: to max_length on that side.",
    )


class TextInput(InputSection):
    """Text, read as tokens."""

    column: str = Field(min_length=1, description="Column that holds the text.")
    kind: Literal["text"] = "text"
    tokenizer: Literal["word", "char", "bpe"] = "word"
    lowercase: bool = True
    strip_markup: bool = Field(False, description="Replace HTML tags by a space before tokenising.")
    vocab_size: int = Field(10_000, ge=4, le=1_000_000, description="Tokens kept, special ones included.")
    min_count: int = Field(2, ge=1, le=1_000_000, description="A token seen less often in train is unknown.")


class SymbolsInput(InputSection):
    """Symbols: the letters of a string (DNA), or the items of a list (tokens of a sentence, goods in a basket)."""

    kind: Literal["symbols"] = "symbols"
    alphabet: str | None = Field(
        None, min_length=1, description="Letters that may occur; null: any symbol, known if train has it."
    )
    kmer: int = Field(1, ge=1, le=12, description="Neighbouring symbols that are read as one.")
    stride: int = Field(1, ge=1, le=1_000, description="Symbols from one step to the next.")
    lowercase: bool = False
    vocab_size: int = Field(10_000, ge=4, le=1_000_000, description="Tokens kept, special ones included.")
    min_count: int = Field(1, ge=1, le=1_000_000, description="A token seen less often in train is unknown.")

    @model_validator(mode="after")
    def _readable(self) -> SymbolsInput:
        letters = self.alphabet or ""
        if len(set(letters)) != len(letters):
            raise ValueError(f"the letters of alphabet {letters!r} are not distinct")
        if any(letter.isspace() for letter in letters):
            raise ValueError(
                f"alphabet {letters!r} holds white space, which is left out when letters are read"
            )
        if self.lowercase and letters != letters.lower():
            raise ValueError(
                f"alphabet {letters!r} with lowercase true: letters become small before they are looked up, so none of "
                f"these would be found; write {letters.lower()!r}, or set lowercase to false"
            )
        return self


class SeriesInput(InputSection):
    """A series: T numbers, or T lists of as many numbers."""

    kind: Literal["series"] = "series"
    scaling: Literal["standard", "none"] = Field(
        "standard", description="standard: each feature to mean 0 and deviation 1 of train."
    )
    max_length: int = Field(2_000, ge=1, le=100_000, description="Steps; longer inputs are cut.")


class VectorInput(InputSection):
    """A vector: one step of D numbers."""

    kind: Literal["vector"] = "vector"
    scaling: Literal["standard", "none"] = Field(
        "standard", description="standard: each feature to mean 0 and deviation 1 of train."
    )
    max_length: Literal[1] = 1


def require_frames(sample_rate: int, window_ms: float, hop_ms: float, mels: int) -> None:
    """Refuse frames that no recording can be read as: windows with holes between them, or more bands than frequencies."""
    if hop_ms > window_ms:
        raise ValueError(
            f"hop_ms {hop_ms:g} is longer than window_ms {window_ms:g}: sound between two windows would be lost"
        )
    samples = round(sample_rate * window_ms / 1_000)
    if samples < mels:
        raise ValueError(
            f"mels {mels} bands of a window of {samples} samples ({window_ms:g} ms at {sample_rate} Hz); expected at "
            "most as many bands as samples, so lower mels or lengthen window_ms"
        )


class AudioInput(InputSection):
    """Sound: a WAV file in base64, read as frames of log-mel energies."""

    kind: Literal["audio"] = "audio"
    sample_rate: int = Field(8_000, ge=1_000, le=192_000, description="Samples a second; others are refused.")
    window_ms: float = Field(25.0, gt=1.0, le=500.0)
    hop_ms: float = Field(10.0, gt=0.5, le=500.0)
    mels: int = Field(40, ge=4, le=256, description="Bands of each frame.")
    scaling: Literal["standard", "none"] = Field(
        "standard", description="standard: each band to mean 0 and deviation 1 of train."
    )
    max_length: int = Field(1_000, ge=1, le=100_000, description="Frames; longer inputs are cut.")

    @model_validator(mode="after")
    def _possible(self) -> AudioInput:
        require_frames(self.sample_rate, self.window_ms, self.hop_ms, self.mels)
        return self


class PianoInput(InputSection):
    """Music: a list of steps, each the list of the MIDI notes (21 to 108) that sound."""

    kind: Literal["piano"] = "piano"
    steps_per_beat: Literal[1, 2, 4] = Field(1, description="1: steps are quarter notes, 4: sixteenths.")
    beats_per_minute: int = Field(72, ge=20, le=300, description="Tempo of what is written.")
    max_length: int = Field(2_000, ge=2, le=100_000, description="Steps; longer inputs are cut.")


class HistoryInput(InputSection):
    """The past of a series with its calendar: what a forecast is made from."""

    kind: Literal["history"] = "history"
    column: str = Field(
        min_length=1, description="Column that holds the values of a series, a list of numbers."
    )
    series: str | None = Field(None, description="Column that names the series of a row; null: the id.")
    context_length: int = Field(ge=2, le=100_000, description="Newest steps that a forecast is made from.")
    min_context: int | None = Field(None, ge=2, le=100_000, description="Fewest steps; null: context_length.")
    stride: int = Field(1, ge=1, le=100_000, description="Steps from one train window to the next.")
    evaluation_stride: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="The same for valid and test; null: the horizon, so that no value is foretold twice.",
    )
    season_length: int = Field(
        1, ge=1, le=1_000_000, description="Steps of a season: of MASE, baselines, model.residual."
    )
    frequency: str | None = Field(
        None,
        pattern=r"^(([1-9]\d{0,3})?(min|h|D|W|M|Q|Y|B)|([1-9]\d{0,18})?step)$",
        description="From step to step, as h, 15min, D, B (Monday to Friday), W, M, step; null: what the rows say.",
    )
    gaps: Literal["refuse", "fill"] = Field("refuse", description="Steps that no row gives.")
    duplicates: Literal["refuse", "first", "last", "mean", "sum"] = Field(
        "refuse", description="Steps that are given twice."
    )
    missing: Literal["refuse", "forward", "linear"] = Field(
        "refuse",
        description="Missing values: forward repeats the last one, linear joins those around; the network is told.",
    )
    scaling: Literal["window", "level", "train", "none"] = Field(
        "window",
        description="window: each context to mean 0 and deviation 1; level: over its mean size; train: by the series' train.",
    )
    past: list[str] = Field([], description="Columns of numbers known up to the forecast time.")
    future: list[str] = Field([], description="Columns of numbers known ahead, as holidays.")
    static: list[str] = Field([], description="Columns of what never changes: texts or numbers.")
    calendar: bool = Field(
        False, description="Time of day, of the week and of the year as numbers known ahead."
    )
    remember_series: bool = Field(False, description="Learn a vector for each series of train.")
    together: bool = Field(
        True, description="Split all series at the same times; false: each at its own end."
    )
    max_length: Literal[0] = Field(0, description="Not read: context_length says it.")
    keep: Literal["tail"] = "tail"
    padding: Literal["bucket"] = "bucket"

    @property
    def least(self) -> int:
        """Fewest steps that a forecast is made from."""
        return self.context_length if self.min_context is None else self.min_context

    @model_validator(mode="after")
    def _possible(self) -> HistoryInput:
        if self.least > self.context_length:
            raise ValueError(
                f"min_context {self.min_context} is more than context_length {self.context_length}"
            )
        if self.missing == "refuse" and self.gaps == "fill":
            raise ValueError("gaps: fill leaves missing values; set missing to forward or linear")
        names = [self.column, *self.past, *self.future, *self.static]
        if len(set(names)) != len(names):
            raise ValueError("a column has two roles among column, past, future and static")
        return self


def _kind_of(value: Any) -> str:
    if isinstance(value, Mapping):
        return str(value.get("kind", "text"))
    return str(getattr(value, "kind", "text"))


Input = Annotated[
    Annotated[TextInput, Tag("text")]
    | Annotated[SymbolsInput, Tag("symbols")]
    | Annotated[SeriesInput, Tag("series")]
    | Annotated[VectorInput, Tag("vector")]
    | Annotated[AudioInput, Tag("audio")]
    | Annotated[PianoInput, Tag("piano")]
    | Annotated[HistoryInput, Tag("history")],
    Discriminator(_kind_of),
]
INPUTS: dict[str, type[InputSection]] = {
    "text": TextInput,
    "symbols": SymbolsInput,
    "series": SeriesInput,
    "vector": VectorInput,
    "audio": AudioInput,
    "history": HistoryInput,
    "piano": PianoInput,
}
