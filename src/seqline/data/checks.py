"""The facts that validation looks at, computed row by row: one column a fact, empty where the row is fine.

Great Expectations can then use its stock expectations ("must be empty, in 98 % of rows"), and what it shows
for a failing row is the reason: the place of the twin, the labels that conflict, the characters found.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seqline.data.kinds import Demand, Finding, Kind, TargetKind, kind_of, target_kind_of
from seqline.data.kinds.base import shortened, shown
from seqline.data.kinds.text import UNUSABLE, characters_found, is_blank
from seqline.data.readers import Row
from seqline.data.splits import normalise
from seqline.recipe import Recipe

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["UNUSABLE", "characters_found", "is_blank", "row_tables", "shown"]

ID_COLUMN = "id"
# In brackets, so that they meet no column of the user's.
ROW, PLACE, EXCERPT = "(row)", "(place)", "(excerpt)"
CLASS, TRAIN_ROWS, TRAIN_SHARE, TEST_ROWS = "class", "rows in train", "share of train", "rows in test"
UNKNOWN_SHARE = "unknown share"
OVERLAP = "in train too"
REPEATED_ID = "used before"

_KEY_BYTES = 16
_NAMED_VALUES = 5
_VALUE_CHARACTERS = 60


def computed(column: str, fact: str) -> str:
    """Name of the column that holds a fact about another column."""
    return f"{column}: {fact}"


def repeated(kind: Kind) -> str:
    """Name of the fact that an earlier row has the same input."""
    return f"same {kind.singular} before"


def conflicting(target: TargetKind) -> str:
    """Name of the fact that one input bears different values."""
    return f"conflicting {target.noun if target.noun.endswith('s') else target.noun + 's'}"


def median_and_p95(kind: Kind) -> tuple[str, str]:
    """Names of the two lengths that are bounded."""
    return f"median {kind.unit}", f"95th percentile of {kind.unit}"


def key_digest(key: str) -> bytes:
    """16-byte digest of a key: a few bytes a row, however long its input."""
    return hashlib.blake2b(key.encode("utf-8", "backslashreplace"), digest_size=_KEY_BYTES).digest()


@dataclass(kw_only=True)
class _Split:
    """What is kept of one split's rows: facts, never the inputs."""

    kind: Kind
    target: TargetKind | None
    columns: dict[str, list[Any]] = field(default_factory=dict)
    present: set[str] = field(default_factory=set)
    names: list[str] = field(default_factory=list)
    ids: list[str | None] = field(default_factory=list)
    input_keys: list[bytes | None] = field(default_factory=list)
    group_keys: list[bytes | None] = field(default_factory=list)
    meanings: list[str | None] = field(default_factory=list)

    def put(self, column: str, value: Any) -> None:
        self.columns.setdefault(column, []).append(value)


def row_tables(recipe: Recipe, splits: Mapping[str, Iterable[Row]]) -> dict[str, pd.DataFrame]:
    """Tables of facts for the expectations, from one pass over the rows.

    Args:
        recipe: Names the columns.
        splits: Rows of `train` and, where there is one, of `test`. Inputs are not kept.

    Returns:
        `train` and `test`: a row for each row, with the recipe's columns that are there (the input as an
        excerpt) and the computed facts. `classes`: a row for each class of the recipe, where it has classes.
        `totals`: one row about train.
    """
    import pandas as pd

    kind, target = kind_of(recipe), target_kind_of(recipe)
    gathered: dict[str, _Split] = {}
    for split, rows in splits.items():
        gathered[split] = _gather(recipe, split, rows, kind, target)
        # Train comes first: what its first rows decide, such as the number of features, holds for test.
        kind, target = gathered[split].kind, gathered[split].target
        if target is not None:
            target = target.after_train()
    if not kind.rows_continue:
        _mark_repeated_ids(gathered)
    for facts in gathered.values():
        _mark_duplicates(recipe, facts)
    if "test" in gathered:
        _mark_overlap(recipe, gathered["train"], gathered["test"])
    tables = {split: pd.DataFrame(facts.columns, dtype=object) for split, facts in gathered.items()}
    if recipe.classes:
        tables["classes"] = _class_table(recipe, gathered)
    lengths = tables["train"].get(computed(recipe.input.column, kind.unit))
    if lengths is not None:
        lengths = lengths.dropna().astype("int64")
        # An observed length, not a mean of two: "nearest" as numpy defines it.
        quantiles = [
            int(lengths.quantile(q, interpolation="nearest")) if len(lengths) else 0 for q in (0.5, 0.95)
        ]
        tables["totals"] = pd.DataFrame([dict(zip(median_and_p95(kind), quantiles, strict=True))])
    return tables


def group_column(recipe: Recipe) -> str | None:
    """Name the column that groups rows for the split; None when the input itself is the key."""
    return recipe.split_key if recipe.split_key != recipe.input.column else None


def required_columns(recipe: Recipe) -> list[str]:
    """Columns without which the later stages cannot work, each once."""
    return list(dict.fromkeys([ID_COLUMN, recipe.input.column, recipe.target.column, recipe.split_key]))


def _gather(recipe: Recipe, split: str, rows: Iterable[Row], kind: Kind, target: TargetKind | None) -> _Split:
    facts = _Split(kind=kind, target=target)
    wanted = list(dict.fromkeys([*required_columns(recipe), *recipe.slice_columns]))
    group = group_column(recipe)
    for row in rows:
        facts.present.update(row.values.keys() & set(wanted))
        place = f"{split}/{row.source} line {row.line}"
        identifier = row.values.get(ID_COLUMN)
        usable = identifier is not None and not is_blank(str(identifier))
        facts.ids.append(shown(identifier) if usable else None)
        facts.names.append(shown(identifier) if usable else place)
        facts.put(ROW, facts.names[-1])
        facts.put(PLACE, place)
        given = row.values.get(recipe.input.column)
        _put_input_facts(recipe.input.column, row.values, facts)
        _put_target_facts(recipe.target.column, row.values.get(recipe.target.column), given, facts)
        for column in wanted:
            value = row.values.get(column)
            if column == ID_COLUMN:
                facts.put(column, facts.ids[-1])
            elif column == recipe.input.column:
                facts.put(column, None if value is None else facts.columns[EXCERPT][-1])
            else:
                facts.put(column, None if value is None else _cell(value))
        key = row.values.get(group) if group else None
        facts.group_keys.append(None if key is None else key_digest(normalise(str(key))))
    for column in set(wanted) - facts.present:
        facts.columns.pop(column, None)
    if recipe.input.column not in facts.present:
        for fact in (*(demand.fact for demand in facts.kind.demands), facts.kind.unit):
            facts.columns.pop(computed(recipe.input.column, fact), None)
    if recipe.target.column not in facts.present and target is not None:
        for demand in target.demands:
            facts.columns.pop(computed(recipe.target.column, demand.fact), None)
    return facts


def _cell(value: Any) -> str:
    """A value of any column as a cell; lists are shortened, labels never."""
    return shown(shortened(str(value), _VALUE_CHARACTERS)) if isinstance(value, list) else shown(value)


def _put_input_facts(column: str, values: Mapping[str, Any], facts: _Split) -> None:
    """What is wrong with one input, how long it is, how it begins, and what it equals."""
    value = values.get(column)
    facts.kind = facts.kind.settled(value)
    kind = facts.kind
    _put_findings(column, kind.demands, [*kind.findings(value), *kind.beside(values)], facts)
    facts.put(computed(column, kind.unit), kind.length(value))
    facts.put(EXCERPT, kind.excerpt(value))
    key = kind.key(value)
    facts.input_keys.append(None if key is None else key_digest(key))


def _put_target_facts(column: str, value: Any, given: Any, facts: _Split) -> None:
    target = facts.target
    if target is None:
        facts.meanings.append(None)
        return
    _put_findings(column, target.demands, target.findings(value, given), facts)
    facts.meanings.append(target.meaning(value))
    facts.target = target.reading(value)


def _put_findings(column: str, demands: Iterable[Demand], findings: Iterable[Finding], facts: _Split) -> None:
    """One column a demand, empty where it is kept."""
    found = {finding.fact: finding.found for finding in findings}
    for demand in demands:
        facts.put(computed(column, demand.fact), found.get(demand.fact))


def _mark_repeated_ids(gathered: Mapping[str, _Split]) -> None:
    first_at: dict[str, str] = {}
    for facts in gathered.values():
        if ID_COLUMN not in facts.present:
            continue
        places = facts.columns[PLACE]
        facts.columns[computed(ID_COLUMN, REPEATED_ID)] = [
            None if name is None or (seen := first_at.setdefault(name, place)) == place else seen
            for name, place in zip(facts.ids, places, strict=True)
        ]


def _mark_duplicates(recipe: Recipe, facts: _Split) -> None:
    """Within one split: the first row with the same input, and all targets the input bears when they differ."""
    first: dict[bytes, int] = {}
    meanings: dict[bytes, set[str]] = {}
    for index, (key, meaning) in enumerate(zip(facts.input_keys, facts.meanings, strict=True)):
        if key is not None:
            first.setdefault(key, index)
            if meaning is not None:
                meanings.setdefault(key, set()).add(meaning)
    if recipe.input.column not in facts.present:
        return
    twins: list[str | None] = []
    conflicts: list[str | None] = []
    for index, key in enumerate(facts.input_keys):
        twins.append(None if key is None or first[key] == index else facts.names[first[key]])
        found = meanings.get(key, set()) if key is not None else set()
        conflicts.append(_listed(found) if len(found) > 1 else None)
    facts.columns[computed(recipe.input.column, repeated(facts.kind))] = twins
    if facts.target is not None:
        facts.columns[computed(recipe.input.column, conflicting(facts.target))] = conflicts


def _listed(meanings: set[str]) -> str:
    """Different targets of one input: labels whole, of long ones the beginnings of the first."""
    if all(len(meaning) <= _VALUE_CHARACTERS for meaning in meanings):
        return ", ".join(sorted(meanings))
    named = ", ".join(shortened(meaning, _VALUE_CHARACTERS) for meaning in sorted(meanings)[:_NAMED_VALUES])
    return named if len(meanings) <= _NAMED_VALUES else f"{named}, and {len(meanings) - _NAMED_VALUES} more"


def _mark_overlap(recipe: Recipe, train: _Split, test: _Split) -> None:
    """For each test row: the first train row with the same input, and with the same group."""
    pairs = [(recipe.input.column, train.input_keys, test.input_keys)]
    group = group_column(recipe)
    if group:
        pairs.append((group, train.group_keys, test.group_keys))
    for column, train_keys, test_keys in pairs:
        if column not in test.present:
            continue
        first: dict[bytes, str] = {}
        for key, name in zip(train_keys, train.names, strict=True):
            if key is not None:
                first.setdefault(key, name)
        test.columns[computed(column, OVERLAP)] = [first.get(key) if key else None for key in test_keys]


def _class_table(recipe: Recipe, gathered: Mapping[str, _Split]) -> pd.DataFrame:
    import pandas as pd

    counts = {split: Counter(facts.meanings) for split, facts in gathered.items()}
    train_rows = len(gathered["train"].meanings)
    table: dict[str, list[Any]] = {ROW: list(recipe.classes), CLASS: list(recipe.classes)}
    # Classes have no place in a file and no input: the columns are there because every table has them.
    table[PLACE] = ["recipe"] * len(recipe.classes)
    table[EXCERPT] = [""] * len(recipe.classes)
    table[TRAIN_ROWS] = [counts["train"][name] for name in recipe.classes]
    table[TRAIN_SHARE] = [counts["train"][name] / max(train_rows, 1) for name in recipe.classes]
    if "test" in counts:
        table[TEST_ROWS] = [counts["test"][name] for name in recipe.classes]
    return pd.DataFrame(table)
