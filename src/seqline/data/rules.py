"""What a recipe demands of its data: a list of rules, each one stock expectation with a severity and a bound.

The rules are plain values. `seqline.data.expectations` turns them into a Great Expectations suite.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from seqline.data.checks import (
    ID_COLUMN,
    OVERLAP,
    REPEATED_ID,
    TEST_ROWS,
    TRAIN_SHARE,
    UNKNOWN_SHARE,
    computed,
    conflicting,
    group_column,
    median_and_p95,
    repeated,
    required_columns,
)
from seqline.data.kinds import Demand, Kind, TargetKind, kind_of, target_kind_of
from seqline.recipe import Recipe

if TYPE_CHECKING:
    import pandas as pd

Severity = Literal["critical", "warning", "info"]
# More digits than any bound in a recipe has: 1 - 0.07 becomes 0.93, so a share of exactly the bound passes.
_SHARE_DIGITS = 12


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One demand.

    Args:
        name: In plain words, as it should be.
        table: Which table it looks at: train, test, classes, totals or champion.
        column: Column of that table; None when the rule is about the table.
        severity: A broken critical rule ends validation with exit code 3; the others are shown.
        expectation: Name of a class in `great_expectations.expectations`.
        arguments: What that class takes besides the column.
        bound: The recipe's bound, for the reader; None where the rule has none.
        note: Why it matters, for the Data Docs page.
    """

    name: str
    table: str
    column: str | None
    severity: Severity
    expectation: str
    arguments: dict[str, Any]
    bound: str | None = None
    note: str = ""


def rules_for(recipe: Recipe, tables: Mapping[str, pd.DataFrame]) -> list[Rule]:
    """All rules of a recipe that the tables allow to check.

    A rule about a column that is absent is left out: the rule that demands the column fails already.
    """
    kind, target = kind_of(recipe), target_kind_of(recipe)
    rules = list(_table_rules(recipe, kind))
    for split in ("train", "test"):
        if split in tables:
            rules += [
                *_column_rules(recipe, split, target),
                *_demand_rules(recipe, recipe.input.column, split, kind.demands),
                *_duplicate_rules(recipe, split, kind, target),
            ]
    if "test" in tables:
        rules += _overlap_rules(recipe, kind)
    demands_column = "ExpectColumnToExist"
    return [
        rule
        for rule in rules
        if rule.table in tables
        and (rule.expectation == demands_column or rule.column is None or rule.column in tables[rule.table])
    ]


def champion_rules(recipe: Recipe) -> list[Rule]:
    """Rule on the new training texts as the champion's tokenizer reads them."""
    bound = recipe.validation.max_unknown_share
    return [
        Rule(
            name="the champion's tokenizer knows the words",
            table="champion",
            column=UNKNOWN_SHARE,
            severity="critical",
            expectation="ExpectColumnMaxToBeBetween",
            arguments={"max_value": bound},
            bound=f"at most {_percent(bound)} of tokens unknown",
            note="Many unknown words mean another language, another domain or a broken export.",
        )
    ]


def _percent(share: float) -> str:
    return f"{round(100 * share, 4):g} %"


def _empty(
    name: str, split: str, column: str, severity: Severity, *, max_share: float = 0.0, note: str = ""
) -> Rule:
    """Demand that a computed column is empty but for a share of rows."""
    return Rule(
        name=name,
        table=split,
        column=column,
        severity=severity,
        expectation="ExpectColumnValuesToBeNull",
        arguments={"mostly": round(1.0 - max_share, _SHARE_DIGITS)} if max_share else {},
        bound=f"at most {_percent(max_share)} of rows" if max_share else "no row",
        note=note,
    )


def _allowed_then_any(name: str, split: str, column: str, *, max_share: float, note: str) -> Iterator[Rule]:
    """Critical beyond the share, a warning from the first row on (one rule when the share is 0)."""
    yield _empty(name, split, column, "critical", max_share=max_share, note=note)
    if max_share:
        yield _empty(f"{name}, not one", split, column, "warning", note=note)


def _table_rules(recipe: Recipe, kind: Kind) -> Iterator[Rule]:
    bounds = recipe.validation
    yield Rule(
        name="enough rows, not too many",
        table="train",
        column=None,
        severity="critical",
        expectation="ExpectTableRowCountToBeBetween",
        arguments={"min_value": bounds.min_rows, "max_value": bounds.max_rows},
        bound=f"at least {bounds.min_rows}" + (f", at most {bounds.max_rows}" if bounds.max_rows else ""),
        note="A short file is often an export that broke off.",
    )
    counted = "Words of the train texts, separated by white space." if kind.unit == "words" else "Of train."
    median, p95 = median_and_p95(kind)
    for column, (low, high) in ((median, bounds.median_words), (p95, bounds.p95_words)):
        yield Rule(
            name=f"{column} within bounds",
            table="totals",
            column=column,
            severity="critical",
            expectation="ExpectColumnMaxToBeBetween",
            arguments={"min_value": low, "max_value": high},
            bound=f"{low} to {high}",
            note=f"{counted} One number, so its maximum is itself.",
        )
    yield Rule(
        name="each class frequent enough in train",
        table="classes",
        column=TRAIN_SHARE,
        severity="critical",
        expectation="ExpectColumnValuesToBeBetween",
        arguments={"min_value": bounds.min_class_share},
        bound=f"at least {_percent(bounds.min_class_share)} of rows",
        note="A class that hardly occurs is not learnt, and nobody would notice.",
    )
    yield Rule(
        name="each class present in test",
        table="classes",
        column=TEST_ROWS,
        severity="warning",
        expectation="ExpectColumnValuesToBeBetween",
        arguments={"min_value": 1},
        bound="at least 1 row",
        note="What is absent from test is not measured.",
    )


def _column_rules(recipe: Recipe, split: str, target: TargetKind | None) -> Iterator[Rule]:
    needed = required_columns(recipe)
    columns = list(dict.fromkeys([*needed, *recipe.slice_columns]))
    for column in columns:
        yield Rule(
            name="column exists",
            table=split,
            column=column,
            severity="critical",
            expectation="ExpectColumnToExist",
            arguments={},
            note="The recipe names this column, or seqline needs it (id).",
        )
    for column in columns:
        yield Rule(
            name="no missing values",
            table=split,
            column=column,
            severity="critical" if column in needed else "warning",
            expectation="ExpectColumnValuesToNotBeNull",
            arguments={},
            bound="no row",
        )
    yield _empty(
        "ids are unique in train and test together",
        split,
        computed(ID_COLUMN, REPEATED_ID),
        "critical",
        note="The value is the place where the id was used first.",
    )
    if target is None:
        return
    if target.allowed is not None:
        yield Rule(
            name="labels are classes of the recipe",
            table=split,
            column=recipe.target.column,
            severity="critical",
            expectation="ExpectColumnValuesToBeInSet",
            arguments={"value_set": list(target.allowed)},
            bound=", ".join(target.allowed),
            note="Labels are compared as text: the number 1 is the class '1'.",
        )
    yield from _demand_rules(recipe, recipe.target.column, split, target.demands)


def _demand_rules(recipe: Recipe, column: str, split: str, demands: Iterable[Demand]) -> Iterator[Rule]:
    """What each value of a column must keep."""
    for demand in demands:
        share = 0.0 if demand.share is None else getattr(recipe.validation, demand.share)
        fact = computed(column, demand.fact)
        if demand.warns_below:
            yield from _allowed_then_any(demand.rule, split, fact, max_share=share, note=demand.note)
        else:
            yield _empty(demand.rule, split, fact, demand.severity, max_share=share, note=demand.note)


def _duplicate_rules(recipe: Recipe, split: str, kind: Kind, target: TargetKind | None) -> Iterator[Rule]:
    column = recipe.input.column
    yield _empty(
        f"{kind.plural} occur once",
        split,
        computed(column, repeated(kind)),
        "info",
        note=f"{_sameness(kind)}The value is the first row with this {kind.singular}.",
    )
    if target is None:
        return
    name, conflicts = f"same {kind.singular}, same {target.noun}", computed(column, conflicting(target))
    if split == "train" and target.conflict == "critical":
        yield from _allowed_then_any(
            name,
            split,
            conflicts,
            max_share=recipe.validation.max_conflict_share,
            note=f"The value lists the {conflicting(target).removeprefix('conflicting ')} that one {kind.singular} bears.",
        )
    else:
        yield _empty(name, split, conflicts, "warning" if target.conflict == "critical" else target.conflict)


def _overlap_rules(recipe: Recipe, kind: Kind) -> Iterator[Rule]:
    yield from _allowed_then_any(
        f"test {kind.plural} are not in train",
        "test",
        computed(recipe.input.column, OVERLAP),
        max_share=recipe.validation.max_overlap_share,
        note=f"{_sameness(kind)}The value is the train row with the same {kind.singular}.",
    )
    group = group_column(recipe)
    if group:
        yield _empty(
            f"test values of {group} are not in train",
            "test",
            computed(group, OVERLAP),
            "warning",
            note="The recipe splits by this column; a test set with the same groups measures memory.",
        )


def _sameness(kind: Kind) -> str:
    """What is done before two inputs are compared."""
    return "After NFKC, casefold and white space. " if kind.unit == "words" else ""
