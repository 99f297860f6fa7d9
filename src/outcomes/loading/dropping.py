"""Leaving out the rows that break a rule, and what referred to them; every row left out is counted under its rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from outcomes.loading.checking import view_of
from outcomes.loading.engine import Engine
from outcomes.loading.rules import Rule
from outcomes.loading.schema import SCHEMA, Column, Table

__all__ = ["Dropped", "without_rows"]

Dropped = tuple[str, str, int, str]
"""rule, table, n, why"""

BROKEN, DANGLING, EMPTIED = "breaks the rule", "refers to a dropped row", "reference emptied"


@dataclass
class _Pruning:
    """The tables on their way: on which engine, under which name and with which columns each is now; what was dropped."""

    engine: Engine
    now: dict[str, str]
    columns: dict[str, list[str]]
    dropped: list[Dropped] = field(default_factory=list)
    lost: set[str] = field(default_factory=set)

    def replace(self, table: str, query: str) -> None:
        """Let a query of the table stand for it."""
        name = f"{table}_{len(self.dropped)}"
        self.engine.make(name, query)
        self.now[table] = self.engine.place(name)


def without_rows(engine: Engine, rules: Sequence[Rule]) -> tuple[Engine, tuple[Dropped, ...]]:
    """Return a branch of the engine that has the tables without the rows that break `rules`.

    Tables that lose no row are views of the old ones. A row that breaks several rules is counted under the first of them.
    Rows whose required reference goes are dropped too; an optional reference is emptied. Both are counted under all rules
    together, by name joined with ``+``, because a row may hang on rows of several rules.
    """
    columns = {table: [name for name, _ in engine.columns(table)] for table in SCHEMA}
    pruning = _Pruning(engine.branch(), {table: engine.place(table) for table in SCHEMA}, columns)
    for table in SCHEMA:
        _leave_out(engine, pruning, table, [rule for rule in rules if rule.table == table])
    names = "+".join(dict.fromkeys(entry[0] for entry in pruning.dropped))
    while pruning.lost:  # rows go, and with them what other rows refer to
        lost, pruning.lost = pruning.lost, set()
        for pruned in SCHEMA.values():
            _prune(pruning, pruned, lost | pruning.lost, names)
    for table, place in pruning.now.items():
        pruning.engine.view(table, f"SELECT * FROM {place}")
    return pruning.engine, tuple(pruning.dropped)


def _leave_out(engine: Engine, pruning: _Pruning, table: str, rules: Sequence[Rule]) -> None:
    """Leave out the rows of a table that break rules, each counted under the first it breaks."""
    if not rules:
        return
    cases = " ".join(f"WHEN {rule.when} THEN {k}" for k, rule in enumerate(rules))
    going = f"{table}_going"
    judged = f"SELECT _row, CASE {cases} END AS rule FROM ({view_of(engine, table)})"
    pruning.engine.make(going, f"SELECT _row, rule FROM ({judged}) WHERE rule IS NOT NULL")
    place = pruning.engine.place(going)
    found = pruning.engine.ask(f"SELECT rule, count(*) FROM {place} GROUP BY rule ORDER BY rule")
    pruning.dropped += [(rules[int(k)].name, table, int(n), BROKEN) for k, n in found]
    if found:
        pruning.replace(table, f"SELECT t.* FROM {engine.place(table)} t ANTI JOIN {place} g ON g._row = t._row")
        pruning.lost.add(table)


def _prune(pruning: _Pruning, table: Table, lost: set[str], names: str) -> None:
    """Drop rows whose required reference is gone and empty optional references that are."""
    columns = [column for column in table.columns if column.refers is not None and column.refers.table in lost]
    if not columns:
        return
    columns.sort(key=lambda column: column.nullable)  # a row that goes needs no emptying
    marked = _marked(pruning, table, columns)
    goes = [f"gone{j}" for j, column in enumerate(columns) if not column.nullable]
    fate = f"CASE {' '.join(f'WHEN {gone} THEN {j}' for j, gone in enumerate(goes))} ELSE -1 END" if goes else "-1"
    asked = ", ".join(
        f"count(*) FILTER (WHERE fate = {'-1' if column.nullable else j} AND gone{j})"
        for j, column in enumerate(columns)
    )
    counts = pruning.engine.ask_each([f"SELECT {asked} FROM (SELECT *, {fate} AS fate FROM ({marked}))"])[0]
    if not any(counts):
        return
    for column, n in zip(columns, counts, strict=True):
        if n:
            pruning.dropped.append((names, table.name, n, EMPTIED if column.nullable else DANGLING))
    if any(counts[: len(goes)]):
        pruning.lost.add(table.name)
    pruning.replace(table.name, _rest(pruning, table, columns, marked, goes))


def _marked(pruning: _Pruning, table: Table, columns: Sequence[Column]) -> str:
    """Return the query of a table with ``gone<j>``: what column j refers to is there no more."""
    quoted = pruning.engine.dialect.quoted
    marks, joins = [], []
    for j, column in enumerate(columns):
        assert column.refers is not None
        keys = f"SELECT {quoted(column.refers.column)} AS key FROM {pruning.now[column.refers.table]}"
        joins.append(f"LEFT JOIN ({keys}) r{j} ON r{j}.key = t.{quoted(column.name)}")
        marks.append(f"t.{quoted(column.name)} IS NOT NULL AND r{j}.key IS NULL AS gone{j}")
    return f"SELECT t.*, {', '.join(marks)} FROM {pruning.now[table.name]} t {' '.join(joins)}"


def _rest(pruning: _Pruning, table: Table, columns: Sequence[Column], marked: str, goes: Sequence[str]) -> str:
    """Return the query of the rows that stay, without the references that do not."""
    quoted = pruning.engine.dialect.quoted
    emptied = {column.name: f"gone{j}" for j, column in enumerate(columns) if column.nullable}
    cells = [
        f"CASE WHEN NOT {emptied[name]} THEN {quoted(name)} END AS {quoted(name)}" if name in emptied else quoted(name)
        for name in pruning.columns[table.name]
    ]
    stays = f" WHERE NOT ({' OR '.join(goes)})" if goes else ""
    return f"SELECT {', '.join(cells)} FROM ({marked}){stays}"
