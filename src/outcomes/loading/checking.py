"""The report of all checks: every rule, where it looked, how many rows break it; never a row."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

from outcomes.loading.engine import Engine
from outcomes.loading.protecting import CheckRow
from outcomes.loading.rules import VIEWS, Rule, rules_of
from outcomes.loading.schema import SCHEMA
from outcomes.results import Note, Result

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ChecksReport", "all_rules", "run_checks", "view_of"]

_REPR_LINES = 12
_COLUMNS = ("rule", "table", "column", "severity", "n", "of", "text")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class ChecksReport(Result):
    """Every rule of the tables and how many rows break it.

    Attributes
    ----------
    rows : tuple of tuples
        rule, table, column, severity, n, of, text.
    """

    rows: tuple[CheckRow, ...]
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    title: ClassVar[str] = "Checks of the tables"

    @property
    def passed(self) -> bool:
        """Whether no rule of severity error is broken."""
        return not self.failed

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the broken rules of severity error, each once."""
        return tuple(dict.fromkeys(row[0] for row in self.rows if row[3] == "error" and row[4]))

    def to_frame(self) -> pd.DataFrame:
        """Return one row a rule and table: rule, table, column, severity, n (rows that break it), of (rows looked at), text."""
        import pandas as pd

        return pd.DataFrame(list(self.rows), columns=list(_COLUMNS))

    def summary(self) -> pd.DataFrame:
        """Return the rules that some row breaks, errors first."""
        frame = self.to_frame()
        frame["_order"] = frame["severity"].map({"error": 0, "warning": 1, "note": 2})
        broken = frame[frame["n"] > 0].sort_values("_order", kind="stable")
        return broken.drop(columns="_order").reset_index(drop=True)

    def describe(self) -> str:
        """Return the outcome of the checks in plain sentences."""
        broken = {s: sum(row[3] == s and row[4] > 0 for row in self.rows) for s in ("error", "warning", "note")}
        counted = ", ".join(f"{n} {kind}{'s' if n != 1 else ''}" for kind, n in broken.items() if n)
        first = f"Of {len(self.rows)} rules, rows break {f'{sum(broken.values())} ({counted})' if counted else 'none'}."
        if self.passed:
            return f"{first} Nothing stands in the way of a cohort."
        return f"{first} A cohort is refused until the errors are fixed at source or listed in [checks] drop."

    def __repr__(self) -> str:
        broken = self.summary()[["rule", "table", "severity", "n", "of"]]
        table = broken.to_string(index=False).splitlines() if len(broken) else []
        lines = [self.title, self.describe(), *table, *(f"note: {note.text}" for note in self.notes)]
        return "\n".join(lines if len(lines) <= _REPR_LINES else [*lines[: _REPR_LINES - 1], "… see .summary()"])


def all_rules(engine: Engine, tables: Sequence[str], origin: str) -> tuple[Rule, ...]:
    """Return the rules of the tables that came, in the order of the schema."""
    found: list[Rule] = []
    for name in SCHEMA:
        if name in tables:
            found += rules_of(name, origin, engine.dialect.quoted)
    return tuple(found)


def run_checks(
    engine: Engine,
    counts: Mapping[str, int],
    origin: str,
    notes: Sequence[Note] = (),
    protective: Sequence[CheckRow] = (),
) -> ChecksReport:
    """Return the report of every rule on the typed tables, one query a table, and of the protective checks made before."""
    rules = all_rules(engine, list(counts), origin)
    tables = [table for table in SCHEMA if any(rule.table == table for rule in rules)]
    mine = {table: [rule for rule in rules if rule.table == table] for table in tables}
    asked = {table: ", ".join(f"count(*) FILTER (WHERE {rule.when})" for rule in mine[table]) for table in tables}
    alike = _alike(engine, tables)
    found = engine.ask_each([f"SELECT {asked[table]} FROM ({view_of(engine, table, alike)})" for table in tables])
    rows = [
        (rule.name, table, rule.column, rule.severity, n, counts[table], rule.text)
        for table, row in zip(tables, found, strict=True)
        for rule, n in zip(mine[table], row, strict=True)
    ]
    return ChecksReport(rows=(*rows, *protective), notes=tuple(notes))


def view_of(engine: Engine, table: str, alike: Collection[str] = tuple(SCHEMA)) -> str:
    """Return the query of a table with what its rules ask of other tables beside each row.

    `alike` are the tables in which rows may be copies of others; where a table is not among them, none is looked for.
    """
    places = {name: engine.place(name) for name in SCHEMA}
    if SCHEMA[table].key:
        return VIEWS[table].format_map(places)
    copies = _copies(engine, table) if table in alike else _NO_COPIES
    return VIEWS[table].format_map({**places, "copies": copies})


_NO_COPIES = "(SELECT CAST(NULL AS BIGINT) AS copy_row, CAST(NULL AS BIGINT) AS nth_copy WHERE false)"


def _alike(engine: Engine, tables: Sequence[str]) -> list[str]:
    """Return the tables without a key in which the hashes of some rows are the same."""
    keyless = [table for table in tables if not SCHEMA[table].key]
    hashes = [f"SELECT {engine.dialect.hashed(_listed(engine, t))} AS key FROM {engine.place(t)}" for t in keyless]
    found = zip(keyless, engine.tally(hashes), strict=True)
    return [table for table, (rows, distinct, _, _) in found if distinct < rows]


def _listed(engine: Engine, table: str) -> list[str]:
    return [engine.dialect.quoted(name) for name, _ in engine.columns(table) if name != "_row"]


def _copies(engine: Engine, table: str) -> str:
    """Return the query of rows like others, numbered from the first; whole rows are compared only where their hashes agree."""
    place, listed = engine.place(table), _listed(engine, table)
    hashed = engine.dialect.hashed(listed)
    twice = f"SELECT mark FROM (SELECT {hashed} AS mark FROM {place}) GROUP BY mark HAVING count(*) > 1"
    return (
        f"(SELECT _row AS copy_row, row_number() OVER (PARTITION BY {', '.join(listed)} ORDER BY _row) AS nth_copy "
        f"FROM {place} WHERE {hashed} IN ({twice}))"
    )
