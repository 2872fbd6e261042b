"""The stage that guards the door: the data must keep what the recipe promises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from seqline.config import sections_of
from seqline.data.checks import UNKNOWN_SHARE, row_tables
from seqline.data.expectations import Check, Verdict, check_rules
from seqline.data.kinds import kind_of
from seqline.data.readers import rows_in
from seqline.data.rules import Severity, champion_rules, rules_for
from seqline.errors import InputError, ValidationFailed
from seqline.files import complete_folder, write_json, write_manifest
from seqline.recipe import Recipe

RESULT_NAME = "result.json"
# The recipe sections that decide the result: what dvc.yaml lists as the stage's parameters.
SECTIONS = ("task", "input", "target", "validation", "split", "evaluation")
_IDS_SHOWN = 3
_VERDICTS: dict[Severity, str] = {"critical": "FAILED", "warning": "warning", "info": "note"}


class Tokenizer(Protocol):
    """What the champion check needs of a tokenizer."""

    def unknown_share(self, texts: Sequence[Any]) -> float:
        """Share of the inputs' tokens that are not in the vocabulary, 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class ValidationResult:
    """What validation found.

    Attributes:
        checks: One for each rule of the recipe, in a fixed order.
        worst: Worst severity that failed; None when every check succeeded.
        rows: Rows of each split.
        page: The Data Docs page, when one was asked for.
    """

    checks: tuple[Check, ...]
    worst: Severity | None
    rows: dict[str, int]
    page: Path | None

    def failed(self, severity: Severity) -> tuple[Check, ...]:
        """Return the checks of a severity that failed."""
        return tuple(check for check in self.checks if not check.success and check.severity == severity)

    def to_dict(self) -> dict[str, Any]:
        """JSON values; the same for the same data and recipe, wherever and whenever computed."""
        return {
            "checks": [check.to_dict() for check in self.checks],
            "passed": self.worst != "critical",
            "worst_failure": self.worst,
            "rows": self.rows,
            "totals": {
                "checks": len(self.checks),
                "succeeded": sum(check.success for check in self.checks),
                **{f"failed_{severity}": len(self.failed(severity)) for severity in _VERDICTS},
            },
        }


def run(
    recipe: Recipe, *, data_folder: Path, output_folder: Path, docs_folder: Path | None = None
) -> ValidationResult:
    """Check a recipe's data; write the result only when no critical check failed.

    Args:
        recipe: Names the columns and the bounds.
        data_folder: data/NAME, with `train/` and maybe `test/`.
        output_folder: Gets `result.json` and the manifest. Left as it is when a critical check fails.
        docs_folder: Gets the Data Docs and, also after a failure, `result.json`; replaced whole. Not a stage
            output: the pages hold excerpts of the data and the time of the run.

    Returns:
        The result. Warnings and notes in it are for the caller to print with `table`.

    Raises:
        InputError: Data that is missing or cannot be read.
        ValidationFailed: A critical check failed; the message holds the table.
    """
    folders = {"train": data_folder / "train"}
    if (data_folder / "test").exists():
        folders["test"] = data_folder / "test"
    elif recipe.split.test == 0:
        raise InputError(
            str(data_folder),
            "no test rows: there is no folder test and the recipe's split.test is 0",
            hint="set split.test to 0.2, or bring a test set with `seqline new --test FILE`",
        )
    windows = {"train": recipe.split.window}
    tables = row_tables(
        recipe, {split: rows_in(folder, window=windows.get(split)) for split, folder in folders.items()}
    )
    for split, folder in folders.items():
        if not len(tables[split]):
            raise InputError(str(folder), "no rows", "at least one row")
    verdict = check_rules(rules_for(recipe, tables), tables, docs_folder=docs_folder)
    result = _result(verdict, {split: len(tables[split]) for split in folders})
    if docs_folder is not None:
        write_json(docs_folder / RESULT_NAME, result.to_dict())
    _refuse_critical(result, str(data_folder))
    with complete_folder(output_folder) as staging:
        write_json(staging / RESULT_NAME, result.to_dict())
        write_manifest(staging, stage="validate", recipe=sections_of(recipe, *SECTIONS))
    return result


def run_against_champion(
    recipe: Recipe, *, data_folder: Path, tokenizer: Tokenizer, result_path: Path
) -> ValidationResult:
    """Check how much of the new training text the champion's tokenizer does not know.

    The champion is no file that DVC knows, so this is a step of the flow, not part of the stage.

    Args:
        recipe: Bound in `validation.max_unknown_share`.
        data_folder: data/NAME; its train rows are read.
        tokenizer: The champion's.
        result_path: JSON file for the result; written also when the check fails.

    Raises:
        InputError: Data that is missing or cannot be read.
        ValidationFailed: More unknown tokens than the recipe allows.
    """
    import pandas as pd

    column = recipe.input.column
    rows = rows_in(data_folder / "train", window=recipe.split.window)
    values = (row.values.get(column) for row in rows)
    kind = kind_of(recipe)
    texts = [value for value in values if value is not None and kind.length(value) is not None]
    if not texts:
        raise InputError(
            str(data_folder / "train"),
            f"no {kind.plural} in column {column!r}",
            f"at least one {kind.singular}",
        )
    tables = {"champion": pd.DataFrame({UNKNOWN_SHARE: [float(tokenizer.unknown_share(texts))]})}
    result = _result(check_rules(champion_rules(recipe), tables), {"train": len(texts)})
    write_json(result_path, result.to_dict())
    _refuse_critical(result, str(data_folder))
    return result


def table(result: ValidationResult, *, failures_only: bool = False) -> str:
    """Show the checks as aligned plain text, with the first row ids of each that failed."""
    lines = [("result", "split", "column", "check", "rows", "bound", "ids")]
    for check in result.checks:
        if check.success and failures_only:
            continue
        lines.append(
            (
                "ok" if check.success else _VERDICTS[check.severity],
                check.split,
                _printable(check.column or ""),
                _printable(check.name),
                _count(check),
                _printable(check.bound or ""),
                "" if check.success else _ids(check),
            )
        )
    widths = [max(len(line[position]) for line in lines) for position in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _result(verdict: Verdict, rows: dict[str, int]) -> ValidationResult:
    return ValidationResult(checks=verdict.checks, worst=verdict.worst, rows=rows, page=verdict.page)


def _refuse_critical(result: ValidationResult, where: str) -> None:
    if result.worst != "critical":
        return
    failed = len(result.failed("critical"))
    listing = table(result, failures_only=True).replace("\n", "\n  ")
    raise ValidationFailed(
        where,
        f"{failed} critical check{'s' if failed > 1 else ''} failed\n  {listing}",
        "data that keep the bounds of the recipe's section validation",
        f"look at {result.page}" if result.page else "mend the rows, or change the bounds in the recipe",
    )


def _count(check: Check) -> str:
    if check.observed is not None:
        return f"found {check.observed:g}"
    if check.unexpected is None:
        return "" if check.success else "absent"
    return f"{check.unexpected} of {check.rows}" + (
        f" ({_percent(check.share or 0)} %)" if check.unexpected else ""
    )


def _percent(share: float) -> str:
    """Two digits; the format alone writes 100 as 1e+02."""
    return f"{100 * share:.2g}" if share < 0.995 else f"{100 * share:.0f}"


def _ids(check: Check) -> str:
    shown = [
        _printable(example.id) + (f" ({_printable(example.found)})" if example.found is not None else "")
        for example in check.examples[:_IDS_SHOWN]
    ]
    return ", ".join(shown) + (", …" if (check.unexpected or 0) > _IDS_SHOWN else "")


def _printable(text: str) -> str:
    """Text that cannot move the cursor or recolour the terminal, at most 60 characters of it."""
    clean = "".join(character if character.isprintable() else "?" for character in text)
    longest = 60
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"
