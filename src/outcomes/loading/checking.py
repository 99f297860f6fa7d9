"""The report of all checks: every rule, where it looked, how many rows break it; never a row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from outcomes.loading.rules import RULES, Rule
from outcomes.loading.schema import SCHEMA
from outcomes.loading.sources import quoted
from outcomes.results import Note, Result

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

__all__ = ["ChecksReport", "all_rules", "run_checks"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class ChecksReport(Result):
    """Every rule and how many rows break it."""

    frame: pd.DataFrame
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    title: ClassVar[str] = "Checks of the tables"

    @property
    def passed(self) -> bool:
        """Whether no rule of severity error is broken."""
        return self.errors == ()

    @property
    def errors(self) -> tuple[str, ...]:
        """Names of the broken rules of severity error."""
        broken = self.frame[(self.frame["severity"] == "error") & (self.frame["n"] > 0)]
        return tuple(broken["rule"])

    def to_frame(self) -> pd.DataFrame:
        """Return one row a rule: rule, table, column, severity, n (rows that break it), of (rows of the table), text."""
        return self.frame.copy()

    def summary(self) -> pd.DataFrame:
        """Return the rules that some row breaks."""
        return self.frame[self.frame["n"] > 0].reset_index(drop=True)

    def describe(self) -> str:
        """Return the outcome of the checks in a sentence."""
        counts = {
            s: int(((self.frame["severity"] == s) & (self.frame["n"] > 0)).sum()) for s in ("error", "warning", "note")
        }
        verdict = (
            "No rule is broken that would stop a cohort."
            if self.passed
            else "A cohort is refused until the errors are fixed or dropped."
        )
        return f"{len(self.frame)} rules checked: {counts['error']} errors, {counts['warning']} warnings, {counts['note']} notes. {verdict}"


def all_rules(tables: Mapping[str, int]) -> tuple[Rule, ...]:
    """Return the cross-table rules that apply, and one rule of plausible values for each limited column."""
    plausible = []
    for table in SCHEMA.values():
        for column in table.columns:
            limits = [f'"{column.name}" < {column.low:g}'] if column.low is not None else []
            limits += [f'"{column.name}" > {column.high:g}'] if column.high is not None else []
            if limits:
                text = (
                    f"outside {column.low:g} to {column.high:g}"
                    if column.low is not None and column.high is not None
                    else "implausible"
                )
                sql = f"SELECT _row FROM {table.name} WHERE {' OR '.join(limits)}"
                plausible.append(
                    Rule(f"plausible_{table.name}_{column.name}", table.name, column.name, "error", text, sql)
                )
    return tuple(rule for rule in (*RULES, *plausible) if rule.table in tables)


def run_checks(connection: duckdb.DuckDBPyConnection, tables: Mapping[str, int]) -> ChecksReport:
    """Return the report of every rule on the typed tables."""
    import pandas as pd

    rows = []
    for rule in all_rules(tables):
        found = connection.execute(f"SELECT count(DISTINCT _row) FROM ({rule.sql})").fetchone()
        rows.append(
            (
                rule.name,
                rule.table,
                rule.column,
                rule.severity,
                int(found[0]) if found else 0,
                tables[rule.table],
                rule.text,
            )
        )
    for name, count in tables.items():
        if SCHEMA[name].key:
            continue
        listed = ", ".join(quoted(c.name) for c in SCHEMA[name].columns)
        found = connection.execute(
            f"SELECT count(*) - (SELECT count(*) FROM (SELECT DISTINCT {listed} FROM {quoted(name)})) FROM {quoted(name)}"
        ).fetchone()
        rows.append(
            (
                f"{name}_repeated_rows",
                name,
                "",
                "warning",
                int(found[0]) if found else 0,
                count,
                "a row says what another row says already",
            )
        )
    frame = pd.DataFrame(rows, columns=["rule", "table", "column", "severity", "n", "of", "text"])
    return ChecksReport(frame=frame)
