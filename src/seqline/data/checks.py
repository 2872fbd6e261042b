"""The facts that validation looks at, computed row by row: one column a fact, empty where the row is fine.

Great Expectations can then use its stock expectations ("must be empty, in 98 % of rows"), and what it shows
for a failing row is the reason: the place of the twin, the labels that conflict, the characters found.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seqline.data.readers import Row
from seqline.data.splits import normalise
from seqline.recipe import Recipe

if TYPE_CHECKING:
    import pandas as pd

ID_COLUMN = "id"
# In brackets, so that they meet no column of the user's.
ROW, PLACE, EXCERPT = "(row)", "(place)", "(excerpt)"
CLASS, TRAIN_ROWS, TRAIN_SHARE, TEST_ROWS = "class", "rows in train", "share of train", "rows in test"
MEDIAN_WORDS, P95_WORDS = "median words", "95th percentile of words"
UNKNOWN_SHARE = "unknown share"

_EXCERPT_CHARACTERS = 80
_KEY_BYTES = 16
_MAX_NAMED_CHARACTERS = 5
# C0, DEL and C1 without tab, line feed, carriage return and NUL, which has a check of its own.
_CONTROL = re.compile(r"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
# Replacement character, zero-width space, word joiner, byte order mark, direction marks, private use.
# U+200C and U+200D are left out: Persian, Hindi and emoji need them.
_ODD = re.compile("[\ufffd\u200b\u2060\ufeff\u200e\u200f\u202a-\u202e\u2066-\u2069\ue000-\uf8ff]")
UNUSABLE = re.compile("[\\x00\ud800-\udfff]")


def computed(column: str, fact: str) -> str:
    """Name of the column that holds a fact about another column."""
    return f"{column}: {fact}"


def shown(value: Any) -> str:
    r"""Show a value as text that any encoder takes: lone surrogates are spelled out.

    Labels and ids are compared in this form, so the JSON number 1 is the recipe's class "1".

    >>> shown(1), shown("a\ud800")
    ('1', 'a\\ud800')
    """
    return str(value).encode("utf-8", errors="backslashreplace").decode("utf-8")


def is_blank(text: str) -> bool:
    """Whether a text shows nothing: empty, white space, control and format characters only."""
    return not any(unicodedata.category(character)[0] not in "ZC" for character in text)


def characters_found(pattern: re.Pattern[str], text: str) -> str | None:
    """Name the distinct characters of a text that match, as `U+001B U+0085`; None when there are none."""
    found = sorted(set(pattern.findall(text)))
    if not found:
        return None
    names = " ".join(f"U+{ord(character):04X}" for character in found[:_MAX_NAMED_CHARACTERS])
    return (
        names
        if len(found) <= _MAX_NAMED_CHARACTERS
        else f"{names} and {len(found) - _MAX_NAMED_CHARACTERS} more"
    )


def text_key(text: str) -> bytes:
    """16-byte digest of the normalised text: equal for texts that count as duplicates."""
    return hashlib.blake2b(
        normalise(text).encode("utf-8", "backslashreplace"), digest_size=_KEY_BYTES
    ).digest()


@dataclass(kw_only=True)
class _Split:
    """What is kept of one split's rows: facts, never the texts."""

    columns: dict[str, list[Any]] = field(default_factory=dict)
    present: set[str] = field(default_factory=set)
    names: list[str] = field(default_factory=list)
    ids: list[str | None] = field(default_factory=list)
    text_keys: list[bytes | None] = field(default_factory=list)
    group_keys: list[bytes | None] = field(default_factory=list)
    labels: list[str | None] = field(default_factory=list)

    def put(self, column: str, value: Any) -> None:
        self.columns.setdefault(column, []).append(value)


def row_tables(recipe: Recipe, splits: Mapping[str, Iterable[Row]]) -> dict[str, pd.DataFrame]:
    """Tables of facts for the expectations, from one pass over the rows.

    Args:
        recipe: Names the columns.
        splits: Rows of `train` and, where there is one, of `test`. Texts are not kept.

    Returns:
        `train` and `test`: a row for each row, with the recipe's columns that are there (the input as an
        excerpt) and the computed facts. `classes`: a row for each class of the recipe.
        `totals`: one row about train.
    """
    import pandas as pd

    gathered = {split: _gather(recipe, split, rows) for split, rows in splits.items()}
    _mark_repeated_ids(gathered)
    for facts in gathered.values():
        _mark_duplicates(recipe, facts)
    if "test" in gathered:
        _mark_overlap(recipe, gathered["train"], gathered["test"])
    tables = {split: pd.DataFrame(facts.columns, dtype=object) for split, facts in gathered.items()}
    tables["classes"] = _class_table(recipe, gathered)
    words = tables["train"].get(computed(recipe.input.column, "words"))
    if words is not None:
        words = words.dropna().astype("int64")
        # An observed length, not a mean of two: "nearest" as numpy defines it.
        quantiles = [
            int(words.quantile(q, interpolation="nearest")) if len(words) else 0 for q in (0.5, 0.95)
        ]
        tables["totals"] = pd.DataFrame([dict(zip((MEDIAN_WORDS, P95_WORDS), quantiles, strict=True))])
    return tables


def group_column(recipe: Recipe) -> str | None:
    """Name the column that groups rows for the split; None when the input itself is the key."""
    return recipe.split_key if recipe.split_key != recipe.input.column else None


def required_columns(recipe: Recipe) -> list[str]:
    """Columns without which the later stages cannot work, each once."""
    return list(dict.fromkeys([ID_COLUMN, recipe.input.column, recipe.target.column, recipe.split_key]))


def _gather(recipe: Recipe, split: str, rows: Iterable[Row]) -> _Split:
    facts = _Split()
    wanted = list(dict.fromkeys([*required_columns(recipe), *recipe.slice_columns]))
    group = group_column(recipe)
    for row in rows:
        facts.present.update(row.values.keys() & set(wanted))
        place = f"{split}/{row.source} line {row.line}"
        identifier = row.values.get(ID_COLUMN)
        usable = identifier is not None and not is_blank(str(identifier))
        facts.ids.append(shown(identifier) if usable else None)
        facts.names.append(shown(identifier) if usable else place)
        label = row.values.get(recipe.target.column)
        facts.labels.append(None if label is None else shown(label))
        facts.put(ROW, facts.names[-1])
        facts.put(PLACE, place)
        _put_text_facts(recipe.input.column, row.values.get(recipe.input.column), facts)
        for column in wanted:
            value = row.values.get(column)
            if column == ID_COLUMN:
                facts.put(column, facts.ids[-1])
            elif column == recipe.input.column:
                facts.put(column, None if value is None else facts.columns[EXCERPT][-1])
            else:
                facts.put(column, None if value is None else shown(value))
        key = row.values.get(group) if group else None
        facts.group_keys.append(None if key is None else text_key(str(key)))
    for column in set(wanted) - facts.present:
        facts.columns.pop(column, None)
    if recipe.input.column not in facts.present:
        for fact in (
            "not text",
            "blank",
            "words",
            "NUL or surrogate",
            "control characters",
            "odd characters",
        ):
            facts.columns.pop(computed(recipe.input.column, fact), None)
    return facts


def _put_text_facts(column: str, text: Any, facts: _Split) -> None:
    """Facts about one text; a value that is no text gets its type named and nothing else."""
    is_text = isinstance(text, str)
    blank = is_text and is_blank(text)
    checked = text if is_text else ""
    facts.put(computed(column, "not text"), None if is_text or text is None else type(text).__name__)
    facts.put(computed(column, "blank"), f"{len(text)} characters, none visible" if blank else None)
    facts.put(computed(column, "words"), len(text.split()) if is_text else None)
    facts.put(computed(column, "NUL or surrogate"), characters_found(UNUSABLE, checked))
    facts.put(computed(column, "control characters"), characters_found(_CONTROL, checked))
    facts.put(computed(column, "odd characters"), characters_found(_ODD, checked))
    # Four characters in the file for one in the excerpt leaves room for runs of white space.
    words = (
        " ".join(checked[: 4 * _EXCERPT_CHARACTERS].split()) if is_text else "" if text is None else str(text)
    )
    excerpt = words if len(words) <= _EXCERPT_CHARACTERS else words[:_EXCERPT_CHARACTERS] + "…"
    facts.put(EXCERPT, shown(excerpt))
    facts.text_keys.append(text_key(text) if is_text and not blank else None)


def _mark_repeated_ids(gathered: Mapping[str, _Split]) -> None:
    first_at: dict[str, str] = {}
    for facts in gathered.values():
        if ID_COLUMN not in facts.present:
            continue
        places = facts.columns[PLACE]
        facts.columns[computed(ID_COLUMN, "used before")] = [
            None if name is None or (seen := first_at.setdefault(name, place)) == place else seen
            for name, place in zip(facts.ids, places, strict=True)
        ]


def _mark_duplicates(recipe: Recipe, facts: _Split) -> None:
    """Within one split: the first row with the same text, and all labels the text bears when they differ."""
    first: dict[bytes, int] = {}
    labels: dict[bytes, set[str]] = {}
    for index, (key, label) in enumerate(zip(facts.text_keys, facts.labels, strict=True)):
        if key is not None:
            first.setdefault(key, index)
            if label is not None:
                labels.setdefault(key, set()).add(label)
    if recipe.input.column not in facts.present:
        return
    twins: list[str | None] = []
    conflicts: list[str | None] = []
    for index, key in enumerate(facts.text_keys):
        twins.append(None if key is None or first[key] == index else facts.names[first[key]])
        found = labels.get(key, set()) if key is not None else set()
        conflicts.append(", ".join(sorted(found)) if len(found) > 1 else None)
    facts.columns[computed(recipe.input.column, "same text before")] = twins
    facts.columns[computed(recipe.input.column, "conflicting labels")] = conflicts


def _mark_overlap(recipe: Recipe, train: _Split, test: _Split) -> None:
    """For each test row: the first train row with the same text, and with the same group."""
    pairs = [(recipe.input.column, train.text_keys, test.text_keys)]
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
        test.columns[computed(column, "in train too")] = [
            first.get(key) if key else None for key in test_keys
        ]


def _class_table(recipe: Recipe, gathered: Mapping[str, _Split]) -> pd.DataFrame:
    import pandas as pd

    counts = {split: Counter(facts.labels) for split, facts in gathered.items()}
    train_rows = len(gathered["train"].labels)
    table: dict[str, list[Any]] = {ROW: list(recipe.target.classes), CLASS: list(recipe.target.classes)}
    # Classes have no place in a file and no text: the columns are there because every table has them.
    table[PLACE] = ["recipe"] * len(recipe.target.classes)
    table[EXCERPT] = [""] * len(recipe.target.classes)
    table[TRAIN_ROWS] = [counts["train"][name] for name in recipe.target.classes]
    table[TRAIN_SHARE] = [counts["train"][name] / max(train_rows, 1) for name in recipe.target.classes]
    if "test" in counts:
        table[TEST_ROWS] = [counts["test"][name] for name in recipe.target.classes]
    return pd.DataFrame(table)
