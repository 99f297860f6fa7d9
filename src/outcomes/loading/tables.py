"""Checked tables: the function people call and what it gives."""

from __future__ import annotations

import logging
import shutil
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from outcomes.errors import DataError, did_you_mean
from outcomes.loading.checking import ChecksReport, all_rules, run_checks
from outcomes.loading.conversion import convert
from outcomes.loading.schema import SCHEMA
from outcomes.loading.sources import quoted, read_sources
from outcomes.results import html_table

if TYPE_CHECKING:
    import duckdb
    import pandas as pd

__all__ = ["Tables", "load_tables"]

_log = logging.getLogger("outcomes")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Tables:
    """The tables of one extract, typed and checked, on an embedded DuckDB of their own.

    Attributes
    ----------
    checks : ChecksReport
        Every rule and how many rows break it.
    counts : mapping of table to rows
    hashes : mapping of file to sha256 (empty for frames)
    origin : str
        ``"1970-01-01"``, or ``"undisclosed"`` where the extract has day numbers.
    programme_ids : mapping of the catalogue's own ids to integers
    dropped : mapping of rule to rows dropped by `require_clean`
    """

    connection: duckdb.DuckDBPyConnection
    checks: ChecksReport
    counts: Mapping[str, int]
    hashes: Mapping[str, str]
    origin: str
    programme_ids: Mapping[str, int]
    ignored: tuple[str, ...] = ()
    dropped: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tables that are there."""
        return tuple(self.counts)

    def frame(self, name: str) -> pd.DataFrame:
        """Return a table as a pandas frame: ids and days as integers, missing as NA.

        Raises
        ------
        DataError
            There is no such table.
        """
        if name not in self.counts:
            raise DataError(f"Tables: there is no table {name!r} here. {did_you_mean(name, self.counts)}")
        return self.connection.execute(f"SELECT * EXCLUDE (_row) FROM {quoted(name)} ORDER BY _row").df()

    def require_clean(self, drop: Sequence[str] = ()) -> Tables:
        """Return the tables without the rows that break the rules named in `drop`.

        Raises
        ------
        DataError
            A rule of severity error is broken and not named; or a name is no rule.
        """
        rules = {rule.name: rule for rule in all_rules(self.counts)}
        for name in drop:
            if name not in rules:
                raise DataError(f"[checks] drop: there is no rule {name!r}. {did_you_mean(name, rules)}")
        left = [name for name in self.checks.errors if name not in drop]
        if left:
            frame = self.checks.to_frame().set_index("rule")
            lines = "\n".join(
                f"  - {name}: {frame.loc[name, 'n']:,} of {frame.loc[name, 'of']:,} rows of {frame.loc[name, 'table']}."
                f"{frame.loc[name, 'column']}: {frame.loc[name, 'text']}"
                for name in left
            )
            raise DataError(
                f"The tables break {len(left)} rule{'s' if len(left) > 1 else ''}.\n{lines}\nFix them at source, or list the rules in [checks] drop."
            )
        dropped = {}
        if any(self.checks.to_frame().set_index("rule")["n"].reindex(list(drop)).fillna(0) > 0):
            fresh = _connect()
            for name in self.counts:
                fresh.register("given", self.connection.execute(f"SELECT * FROM {quoted(name)}").fetch_arrow_table())
                fresh.execute(f"CREATE TABLE {quoted(name)} AS SELECT * FROM given")
                fresh.unregister("given")
            for name in drop:
                rule = rules[name]
                before = fresh.execute(f"SELECT count(*) FROM {quoted(rule.table)}").fetchall()[0][0]
                fresh.execute(f"DELETE FROM {quoted(rule.table)} WHERE _row IN ({rule.sql})")
                dropped[name] = int(
                    before - fresh.execute(f"SELECT count(*) FROM {quoted(rule.table)}").fetchall()[0][0]
                )
            counts = _counts(fresh, self.counts)
            return Tables(
                connection=fresh, checks=run_checks(fresh, counts), counts=counts, hashes=self.hashes, origin=self.origin,
                programme_ids=self.programme_ids, ignored=self.ignored, dropped=MappingProxyType(dropped),
            )  # fmt: skip
        return self

    def __repr__(self) -> str:
        rows = ", ".join(f"{name} {count:,}" for name, count in self.counts.items())
        return f"Tables: {rows}\n{self.checks.describe()}"

    def _repr_html_(self) -> str:
        import pandas as pd

        frame = pd.DataFrame({"table": list(self.counts), "rows": list(self.counts.values())})
        return html_table(frame, caption="Tables") + f"<p>{self.checks.describe()}</p>"


def load_tables(
    source: Any,
    *,
    codes: Mapping[str, Mapping[str, str]] | None = None,
    columns: Mapping[str, Mapping[str, str]] | None = None,
) -> Tables:
    """Load the tables of an extract, give them their types, and check them against each other.

    Use it first: whatever comes after stands on tables that keep the rules of the schema.

    Parameters
    ----------
    source : path or mapping
        A folder of CSV or Parquet files named like the tables, a DuckDB file, or a mapping of table name to a pandas, Polars or
        pyarrow frame or DuckDB relation. Dates are ISO dates or whole days from an undisclosed origin.
    codes : mapping, optional
        ``{"table.column": {theirs: ours}}``, applied before codes are checked.
    columns : mapping, optional
        ``{table: {theirs: ours}}``, applied first.

    Returns
    -------
    Tables
        With `checks`, the report of the cross-table rules; `build_cohort` refuses tables that break one of severity error.

    Raises
    ------
    DataError
        The structure is broken: a table or column missing, cells that are no date, number or known code, empty required
        cells, repeated keys, references to nothing, direct identifiers. Every fault is listed, counted, and never shown.

    Notes
    -----
    Ids become integers, the same in every table; days count from 1970-01-01 (or from the extract's own origin). Columns the
    schema does not know pass through. Inputs are not changed and nothing is written.

    Examples
    --------
    >>> import outcomes as oc
    >>> from outcomes.synthetic import make_cohort
    >>> oc.load_tables(make_cohort(200, replicates=0).tables).checks.passed
    True
    """
    connection = _connect()
    raw = read_sources(connection, source, columns or {})
    converted = convert(connection, raw.columns, codes or {})
    counts = _counts(connection, {name: 0 for name in SCHEMA if name in raw.columns})
    checks = run_checks(connection, counts)
    _log.info("loaded %d tables, %d rows", len(counts), sum(counts.values()))
    return Tables(
        connection=connection,
        checks=checks,
        counts=counts,
        hashes=MappingProxyType(dict(raw.hashes)),
        origin=converted.origin,
        programme_ids=MappingProxyType(dict(converted.programme_ids)),
        ignored=raw.ignored,
    )


def _connect() -> duckdb.DuckDBPyConnection:
    """Open an embedded DuckDB whose temporary folder is private and goes with it."""
    import duckdb

    folder = tempfile.mkdtemp(prefix="outcomes-")
    connection = duckdb.connect(":memory:", config={"temp_directory": folder, "threads": 2})
    weakref.finalize(connection, shutil.rmtree, folder, ignore_errors=True)
    return connection


def _counts(connection: duckdb.DuckDBPyConnection, names: Mapping[str, int]) -> Mapping[str, int]:
    return MappingProxyType(
        {n: int(connection.execute(f"SELECT count(*) FROM {quoted(n)}").fetchall()[0][0]) for n in names}
    )
