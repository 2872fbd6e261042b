"""Rules to a Great Expectations suite, run in memory, with the result as plain values and a page to read.

Great Expectations 1.24 behaves in three ways that shape this module. A suite's `success` is False for a mere
warning, so the gate asks `get_max_severity_failure()`. Its pages put values of the data into HTML unescaped,
so every string is escaped on the way in and restored on the way out. Its pages load styles and scripts from
content networks, without which a browser waits and the index is empty: they are cut out, the index is ours.
"""

from __future__ import annotations

import html
import math
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from seqline.data.checks import EXCERPT, PLACE, ROW
from seqline.data.rules import Rule, Severity
from seqline.files import atomic_write, complete_folder

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.core.expectation_validation_result import (
        ExpectationSuiteValidationResult,
        ExpectationValidationResult,
    )
    from great_expectations.data_context import EphemeralDataContext

MAX_EXAMPLES = 20
_SHARE_DIGITS = 6
_SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")


@dataclass(frozen=True, kw_only=True)
class Example:
    """A row that broke a rule: id (place when it has none), place, what was found, how its text begins."""

    id: str
    place: str
    found: str | None
    excerpt: str


@dataclass(frozen=True, kw_only=True)
class Check:
    """What came of one rule.

    Attributes:
        name: The rule in plain words.
        split: train, test, classes (one row a class), totals (one row) or champion.
        column: What the rule looked at; None for the whole table.
        severity: Of the rule, whether broken or not.
        success: Whether the data keep the rule.
        rows: Rows looked at.
        unexpected: Rows that broke it; None for rules about a single number.
        share: unexpected / rows.
        observed: The number, for rules about a single number.
        bound: What the recipe allows.
        examples: The first rows that broke it, at most 20.
    """

    name: str
    split: str
    column: str | None
    severity: Severity
    success: bool
    rows: int
    unexpected: int | None
    share: float | None
    observed: float | None
    bound: str | None
    examples: tuple[Example, ...]

    def to_dict(self) -> dict[str, Any]:
        """JSON values, without excerpts: the result may travel where the texts may not."""
        values = asdict(self)
        for example in values["examples"]:
            del example["excerpt"]
        return values


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """All checks, in the order of the rules, with the worst severity that failed (None when nothing did)."""

    checks: tuple[Check, ...]
    worst: Severity | None
    page: Path | None


def check_rules(
    rules: Sequence[Rule], tables: Mapping[str, pd.DataFrame], *, docs_folder: Path | None = None
) -> Verdict:
    """Run the rules as one suite for each table.

    Args:
        rules: From `seqline.data.rules`.
        tables: From `seqline.data.checks.row_tables`.
        docs_folder: Where to put Data Docs, replaced whole; None for no page. The pages hold excerpts of the
            data and the time of the run: they belong neither into a stage's outputs nor into public places.

    Returns:
        The verdict; it does not raise for a broken rule.
    """
    context = _context()
    found: dict[int, Check] = {}
    failures: list[Severity] = []
    for name, table in tables.items():
        chosen = {number: rule for number, rule in enumerate(rules) if rule.table == name}
        if not chosen:
            continue
        result = _run_suite(context, name, chosen, table)
        worst = result.get_max_severity_failure()
        if worst is not None:
            failures.append(worst.value)
        for entry in result.results:
            number = entry.expectation_config.meta["rule"]  # type: ignore[union-attr]
            found[number] = _check(chosen[number], entry, rows=len(table))
    checks = tuple(found[number] for number in sorted(found))
    page = _write_docs(context, checks, docs_folder) if docs_folder is not None else None
    return Verdict(
        checks=checks,
        worst=max(failures, key=_SEVERITIES.index) if failures else None,
        page=page,
    )


def _context() -> EphemeralDataContext:
    """Make a context in memory: no project folder, no telemetry, no progress bars, no site of its own."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults

    settings = DataContextConfig(
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        analytics_enabled=False,
        progress_bars={"globally": False},  # type: ignore[arg-type]
    )
    return gx.get_context(mode="ephemeral", project_config=settings)


def _run_suite(
    context: EphemeralDataContext, name: str, rules: Mapping[int, Rule], table: pd.DataFrame
) -> ExpectationSuiteValidationResult:
    import great_expectations as gx
    from great_expectations import expectations

    demands = []
    for number, rule in rules.items():
        arguments = {key: _escape_any(value) for key, value in rule.arguments.items()}
        if rule.column is not None:
            arguments["column"] = html.escape(rule.column)
        text = f"{rule.name}. {rule.note}" if rule.note else f"{rule.name}."
        expectation = getattr(expectations, rule.expectation)
        demands.append(
            expectation(
                **arguments,
                severity=rule.severity,
                notes=html.escape(text, quote=False),
                meta={"rule": number},
            )
        )
    suite = context.suites.add(gx.ExpectationSuite(name=name, expectations=demands))
    rows = (
        context.data_sources.add_pandas(name)
        .add_dataframe_asset("rows")
        .add_batch_definition_whole_dataframe("all")
    )
    definition = context.validation_definitions.add(
        gx.ValidationDefinition(name=name, data=rows, suite=suite)
    )
    index_columns = [column for column in (ROW, PLACE, EXCERPT) if column in table]
    result_format: dict[str, Any] = {"result_format": "SUMMARY", "partial_unexpected_count": MAX_EXAMPLES}
    if index_columns:
        result_format["unexpected_index_column_names"] = index_columns
    return definition.run(batch_parameters={"dataframe": _escape_table(table)}, result_format=result_format)


def _escape_any(value: Any) -> Any:
    if isinstance(value, str):
        return html.escape(value)
    return [_escape_any(item) for item in value] if isinstance(value, list) else value


def _escape_table(table: pd.DataFrame) -> pd.DataFrame:
    escaped = table.rename(columns=html.escape)
    for column in escaped.columns:
        if escaped[column].dtype.kind not in "iufb":
            values = [html.escape(value) if isinstance(value, str) else value for value in escaped[column]]
            escaped[column] = type(escaped[column])(values, index=escaped.index, dtype=object)
    return escaped


def _check(rule: Rule, entry: ExpectationValidationResult, *, rows: int) -> Check:
    if not entry.success and (raised := _exception_of(entry.exception_info)):
        raise RuntimeError(f"the check {rule.name!r} of {rule.table} did not run: {raised}")
    result = entry.result or {}
    column = None if rule.column is None else html.escape(rule.column)
    unexpected = result.get("unexpected_count")
    rows = int(result.get("element_count", rows))
    observed = result.get("observed_value")
    examples = [_example(line, column) for line in result.get("partial_unexpected_index_list") or []]
    return Check(
        name=rule.name,
        split=rule.table,
        column=rule.column,
        severity=rule.severity,
        success=bool(entry.success),
        rows=rows,
        unexpected=None if unexpected is None else int(unexpected),
        share=None if unexpected is None else round(int(unexpected) / max(rows, 1), _SHARE_DIGITS),
        observed=None if observed is None else round(float(observed), _SHARE_DIGITS),
        bound=rule.bound,
        examples=tuple(examples[:MAX_EXAMPLES]),
    )


def _example(line: Mapping[str, Any], column: str | None) -> Example:
    found = line.get(column) if column else None
    # Missing values come back as None or as NaN.
    missing = found is None or (isinstance(found, float) and math.isnan(found))
    return Example(
        id=html.unescape(line[ROW]),
        place=html.unescape(line[PLACE]),
        found=None if missing else html.unescape(str(found)),
        excerpt=html.unescape(line.get(EXCERPT) or ""),
    )


def _exception_of(info: Mapping[str, Any] | None) -> str | None:
    """Find the message of an exception inside an expectation: flat, or one entry for each metric."""
    if not info:
        return None
    entries = [info] if "raised_exception" in info else list(info.values())
    return next((entry["exception_message"] for entry in entries if entry.get("raised_exception")), None)


def _write_docs(context: EphemeralDataContext, checks: Sequence[Check], folder: Path) -> Path:
    with complete_folder(folder) as staging:
        context.add_data_docs_site(
            "seqline",
            {
                "class_name": "SiteBuilder",
                "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
                "show_how_to_buttons": False,  # type: ignore[typeddict-unknown-key]
                "store_backend": {
                    "class_name": "TupleFilesystemStoreBackend",
                    "base_directory": str(staging.resolve()),
                },
            },
        )
        context.build_data_docs(site_names=["seqline"])
        # 4 MB of fonts and animations that the policy keeps from loading anyway.
        shutil.rmtree(staging / "static", ignore_errors=True)
        for page in staging.rglob("*.html"):
            atomic_write(page, self_contained(page.read_text(encoding="utf-8")))
        atomic_write(staging / "index.html", _index(checks, staging))
    return folder / "index.html"


def self_contained(page: str) -> str:
    """Cut scripts and whatever comes from the network out of a Data Docs page; a policy forbids both."""
    page = re.sub(r"<script\b.*?</script\s*>", "", page, flags=re.DOTALL | re.IGNORECASE)
    for tag, attribute in (("link", "href"), ("img", "src")):
        page = re.sub(rf"<{tag}\b[^>]*\b{attribute}=[\"']https?:[^>]*>", "", page, flags=re.IGNORECASE)
    page = re.sub(r"<footer\b.*?</footer\s*>", "", page, flags=re.DOTALL | re.IGNORECASE)
    return page.replace("<head>", f"<head>{_HEAD}", 1)


def _index(checks: Sequence[Check], site: Path) -> str:
    """Write the first page: every check, failures first, and the way to the pages of Great Expectations."""
    ranked = sorted(checks, key=lambda check: (check.success, -_SEVERITIES.index(check.severity)))
    rows = "".join(_index_row(check) for check in ranked)
    titles = ("Result", "Split", "Column", "Check", "Found", "Allowed", "First rows")
    headings = "".join(f"<th>{title}</th>" for title in titles)
    links = "".join(
        f'<li><a href="{quote(path.relative_to(site).as_posix())}">'
        f"{'Results' if path.is_relative_to(site / 'validations') else 'Expectations'}: "
        f"{html.escape(path.relative_to(site).parts[1].removesuffix('.html'))}</a></li>"
        for kind in ("validations", "expectations")
        for path in sorted((site / kind).rglob("*.html"))
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Data checks</title>'
        f"{_HEAD}</head><body>"
        "<h1>Data checks</h1><p>These pages hold excerpts of the data: keep them out of public places.</p>"
        f"<table><tr>{headings}</tr>{rows}</table>"
        f"<h2>Pages of Great Expectations</h2><ul>{links}</ul></body></html>"
    )


def _index_row(check: Check) -> str:
    verdict = "ok" if check.success else check.severity
    if check.observed is not None:
        found = f"{check.observed:g}"
    elif check.unexpected is not None:
        found = f"{check.unexpected} of {check.rows}"
    else:
        found = "" if check.success else "absent"
    cells = [check.split, check.column or "", check.name, found, check.bound or ""]
    escaped = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
    examples = "".join(
        f"<li><b>{html.escape(item.id)}</b> {html.escape(item.found or '')} "
        f"<q>{html.escape(item.excerpt)}</q></li>"
        for item in check.examples
    )
    rows = f"<details><summary>{len(check.examples)} rows</summary><ul>{examples}</ul></details>"
    return f'<tr><td class="{verdict}">{verdict}</td>{escaped}<td>{rows if examples else ""}</td></tr>'


_HEAD = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 76rem; padding: 1rem; color: #222; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
td, th { border: 1px solid #ddd; padding: .35rem .6rem; text-align: left; vertical-align: top; }
td { overflow-wrap: anywhere; }
td:first-child, td:nth-child(2) { overflow-wrap: normal; }
i.fa-check-circle::before { content: "ok"; }
i.fa-times::before { content: "failed"; font-weight: 600; }
i.fa-exclamation-triangle::before { content: "raised"; font-weight: 600; }
[style*="color:red"], [style*="color: red"] { color: #555 !important; }
td ul { margin: 0; padding-left: 1rem; }
q { color: #666; }
input[type=radio], input[type=radio] + label { display: none; }
td.critical { background: #fbe3e1; color: #8f1d14; font-weight: 600; }
td.warning { background: #fdf1d3; color: #6b4a00; font-weight: 600; }
td.info { background: #e6effa; color: #1c4a82; }
.cooltip .top, button, .modal, .navbar-brand { display: none; }
</style>"""
