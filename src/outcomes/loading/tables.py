"""Checked tables: the function people call and what it gives."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

from outcomes.errors import DataError, DisclosureError, did_you_mean
from outcomes.loading.cells import SQL_TYPES
from outcomes.loading.checking import ChecksReport, all_rules, run_checks
from outcomes.loading.conversion import convert
from outcomes.loading.dropping import Dropped, without_rows
from outcomes.loading.engine import Refused, attempt, open_engine, quoted
from outcomes.loading.faults import nearest
from outcomes.loading.protecting import PROTECTIVE_RULES
from outcomes.loading.schema import SCHEMA
from outcomes.loading.sources import Sources, read_sources, release_sources
from outcomes.results import Note, html_table

if TYPE_CHECKING:
    import duckdb
    import narwhals as nw
    import pandas as pd

__all__ = ["Tables", "load_tables"]

_log = logging.getLogger("outcomes")
_PANDAS = {"BIGINT": ("int64", "Int64"), "BOOLEAN": ("bool", "boolean"), "DOUBLE": ("float64", "float64")}


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Tables:
    """The tables of one extract, typed and checked, on an embedded DuckDB of their own.

    Ids and days are BIGINT, flags BOOLEAN, codes and text VARCHAR, measures DOUBLE; what is missing is null. The extract's own
    columns follow those of the schema. Row number `_row` is the order of the extract, and makes every ordering unique.

    Attributes
    ----------
    connection : duckdb.DuckDBPyConnection
        Sees every table of the schema under its name; optional tables that did not come are empty.
    checks : ChecksReport
        Every rule and how many rows break it.
    counts : mapping of table to rows, of the tables that came
    hashes : mapping of file name to sha256 (empty for frames)
    origin : str
        ``"1970-01-01"``, or ``"undisclosed"`` where the extract has day numbers.
    programme_ids : mapping of the catalogue's own programme ids, as text, to the integers they have here
    ignored : tuple of names of files, frames or tables the schema does not know
    """

    connection: duckdb.DuckDBPyConnection
    checks: ChecksReport
    counts: Mapping[str, int]
    hashes: Mapping[str, str]
    origin: str
    programme_ids: Mapping[str, int]
    ignored: tuple[str, ...] = ()
    _schema: str = "main"
    _dropped: tuple[Dropped, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tables that came, in the order of the schema."""
        return tuple(self.counts)

    @property
    def missing(self) -> tuple[str, ...]:
        """Names of the optional tables that did not come; `lazy` and `frame` give them without rows."""
        return tuple(name for name in SCHEMA if name not in self.counts)

    @property
    def dropped(self) -> pd.DataFrame:
        """What `require_clean` left out: rule, table, n, why (breaks the rule, refers to a dropped row, reference emptied)."""
        import pandas as pd

        return pd.DataFrame(list(self._dropped), columns=["rule", "table", "n", "why"])

    def lazy(self, name: str) -> nw.LazyFrame[Any]:
        """Return a table as a narwhals lazy frame on the embedded DuckDB, with the row number `_row`.

        Frames of one `Tables` join each other; those of another, or of tables before and after `require_clean`, do not.

        Raises
        ------
        DataError
            There is no such table.
        """
        import narwhals as nw

        return nw.from_native(self.connection.sql(f"SELECT * FROM {self._schema}.{self._known(name)}"))

    def frame(self, name: str) -> pd.DataFrame:
        """Return a copy of a table as a pandas frame in the order of the extract.

        Columns that may be empty have the dtypes Int64 and boolean, with NA; the others int64 and bool. Measures are float64.

        Raises
        ------
        DataError
            There is no such table.
        """
        query = f"SELECT * EXCLUDE (_row) FROM {self._schema}.{self._known(name)} ORDER BY _row"
        frame = self.connection.execute(query).df()
        dtypes = {}
        for column in SCHEMA[name].columns:
            if SQL_TYPES[column.kind] in _PANDAS:
                dtypes[column.name] = _PANDAS[SQL_TYPES[column.kind]][column.nullable]
        return frame.astype(dtypes)

    def require_clean(self, drop: Sequence[str] = ()) -> Tables:
        """Return tables that break no rule of severity error, without the rows that break the rules named in `drop`.

        Parameters
        ----------
        drop : sequence of str
            Names of rules of any severity; ``"table.rule"`` where only one table is meant. Rows that refer to a dropped row are
            dropped with it. The `dropped` of what is returned counts them all.

        Raises
        ------
        DataError
            A rule of severity error is broken and not named; or a name is no rule.
        """
        kept = self._without(drop)
        broken = [row for row in kept.checks.rows if row[3] == "error" and row[4]]
        if not broken:
            return kept
        lines = "\n".join(
            f"  - {rule} ({table}{'.' + column if column else ''}): {n:,} of {of:,} rows: {text}."
            for rule, table, column, _, n, of, text in broken
        )
        raise DataError(
            f"The tables break {len(broken)} rule{'s' if len(broken) > 1 else ''} that must hold.\n{lines}\n"
            "Fix them at source, or list the rules in [checks] drop: their rows are then left out and counted."
        )

    def _without(self, drop: Sequence[str]) -> Tables:
        if isinstance(drop, str):
            raise DataError(f"[checks] drop is a list of names of rules, such as [{drop!r}].")
        rules = all_rules(self.connection, self.names, self.origin)
        valid = dict.fromkeys([*(rule.name for rule in rules), *(f"{rule.table}.{rule.name}" for rule in rules)])
        for name in drop:
            if name not in valid:
                hint = nearest(name, valid) or f" {did_you_mean(name, self.checks.failed)}"
                raise DataError(f"[checks] drop: there is no rule {name!r}.{hint}")
        mine = [rule for rule in rules if {rule.name, f"{rule.table}.{rule.name}"} & set(drop)]
        broken = {(row[0], row[1], row[2]) for row in self.checks.rows if row[4]}
        if not any((rule.name, rule.table, rule.column) in broken for rule in mine):
            return self
        protective = [row for row in self.checks.rows if row[0] in PROTECTIVE_RULES]
        connection, schema, dropped = without_rows(self.connection, self._schema, mine)
        counts = _counts(connection, self.names)
        _log.info("dropped %d rows under %d rules", sum(d[2] for d in dropped), len({d[0] for d in dropped}))
        return replace(
            self,
            connection=connection,
            checks=run_checks(connection, counts, self.origin, self.checks.notes, protective),
            counts=counts,
            _schema=schema,
            _dropped=(*self._dropped, *dropped),
        )

    def _known(self, name: str) -> str:
        if name not in SCHEMA:
            raise DataError(f"Tables: there is no table {name!r}. {did_you_mean(name, SCHEMA)}")
        return name

    def __reduce__(self) -> NoReturn:
        raise DisclosureError("Tables hold rows about people and do not pickle; load them again from their source.")

    def __repr__(self) -> str:
        rows = ", ".join(f"{name} {count:,}" for name, count in self.counts.items())
        return f"Tables: {rows}\n{self.checks.describe()}"

    def _repr_html_(self) -> str:
        import pandas as pd

        frame = pd.DataFrame({"table": list(self.counts), "rows": list(self.counts.values())})
        return f"<div>{html_table(frame, caption='Tables')}<p>{self.checks.describe()}</p></div>"


def load_tables(
    source: str | Path | Mapping[str, Any],
    *,
    codes: Mapping[str, Mapping[str, str]] | None = None,
    columns: Mapping[str, Mapping[str, str]] | None = None,
    drop: Sequence[str] = (),
    declared: Sequence[str] = (),
) -> Tables:
    """Load the tables of an extract, give them their types, and check them against each other.

    Use it first: whatever comes after stands on tables that keep the rules of the schema.

    Parameters
    ----------
    source : path or mapping
        A folder of CSV and Parquet files named like the tables, a DuckDB file, or a mapping of table name to frame (pandas,
        Polars, pyarrow, DuckDB relation).
    codes : mapping, optional
        ``{"table.column": {theirs: ours}}``, applied before codes are checked; ours may be ``""``, which is missing.
    columns : mapping, optional
        ``{table: {theirs: ours}}``, applied before anything else.
    drop : sequence of str, optional
        Rules whose rows are left out and counted, as by `Tables.require_clean`, which would also refuse other broken rules.
    declared : sequence of str, optional
        Columns, ``"table.column"``, of which you say that they identify nobody, whatever they look like: pseudonyms of the form
        of prison numbers, codes that no two rows share. What is found in them is then a note in `checks` and not refused.

    Returns
    -------
    Tables
        With `checks`, the report of the cross-table rules; `build_cohort` refuses tables that break one of severity error.

    Raises
    ------
    DataError
        The structure is broken: a table or column missing or unreadable, cells that are no date, number or known code,
        empty required cells, repeated keys, references to nothing, columns that name or hold a direct identifier, dates of
        birth, free text, keys of their own. One error lists every fault with its table, column and count; no row's value is
        in it. Also for a name in `drop` that is no rule.

    Notes
    -----
    Types are read from the schema, not guessed. Dates are ISO dates (a time of day is cut off) and become days since
    1970-01-01, or they are whole days from an undisclosed origin and stay as they are; an extract has one or the other. Ids
    become 1, 2, … in the order of their numbers or their text, the same in every table. Flags are true/false, t/f, yes/no, y/n
    or 1/0 in any case. Text is trimmed; an empty cell is missing, and so is NA, NaN, NaT or NULL except in plain text. A column
    the schema does not know passes through, as numbers where every cell is one (019 is none), else as text.
    Values are looked at for direct identifiers in ids, codes, text and the extract's own columns, in at most about 20,000 different
    values a column: one hit is a warning in `checks`, 5 % of the rows are refused. What passes may still identify somebody: these
    checks know forms, not names.
    Inputs are not changed; nothing is written but what DuckDB spills to a private folder when memory is short, and
    removes.

    Examples
    --------
    >>> import outcomes as oc
    >>> from outcomes.synthetic import make_cohort
    >>> tables = oc.load_tables(make_cohort(200, replicates=0).tables)
    >>> tables.checks.passed
    True
    """
    if isinstance(declared, str):
        raise DataError(f"[checks] declared is a list of columns, such as [{declared!r}].")
    loaded = attempt(partial(_load, source, codes or {}, columns or {}, declared))
    if isinstance(loaded, Refused):
        raise DataError(
            f"load_tables: the embedded engine stopped ({loaded.kind}) on something the checks of the structure do not know; "
            "is there enough memory and free disk? Nothing was loaded."
        )
    _log.info("loaded %d tables with %d rows", len(loaded.counts), sum(loaded.counts.values()))
    return loaded._without(drop) if drop else loaded


def _load(
    source: Any,
    codes: Mapping[str, Mapping[str, str]],
    columns: Mapping[str, Mapping[str, str]],
    declared: Sequence[str],
) -> Tables:
    connection = open_engine()
    try:
        return _filled(connection, source, codes, columns, declared)
    except BaseException:
        connection.close()  # a traceback kept by the caller would keep files and rows open
        raise


def _filled(
    connection: duckdb.DuckDBPyConnection,
    source: Any,
    codes: Mapping[str, Mapping[str, str]],
    columns: Mapping[str, Mapping[str, str]],
    declared: Sequence[str],
) -> Tables:
    sources = read_sources(connection, source, columns)
    converted = convert(connection, sources, codes, declared)
    release_sources(connection)
    counts = _counts(connection, [name for name in SCHEMA if name in sources.tables])
    return Tables(
        connection=connection,
        checks=run_checks(connection, counts, converted.origin, _notes(sources), converted.protective),
        counts=counts,
        hashes=MappingProxyType(dict(sources.hashes)),
        origin=converted.origin,
        programme_ids=MappingProxyType(dict(converted.programme_ids)),
        ignored=tuple(sources.ignored),
    )


def _notes(sources: Sources) -> tuple[Note, ...]:
    """Return what a reader of the checks must know: tables that may be absent and are, data that are no table."""
    absent = [name for name in SCHEMA if name not in sources.tables]
    unknown = [name for name in sources.ignored if Path(name).suffix.lower() in ("", ".csv", ".parquet")]
    notes = []
    if absent:
        notes.append(Note("absent_tables", f"Not in the extract, and not required: {', '.join(absent)}."))
    if unknown:
        notes.append(Note("ignored", f"No table of the schema, and ignored: {', '.join(unknown)}."))
    return tuple(notes)


def _counts(connection: duckdb.DuckDBPyConnection, names: Sequence[str]) -> Mapping[str, int]:
    query = " UNION ALL ".join(f"SELECT '{name}', count(*) FROM {quoted(name)}" for name in names)
    found = dict(connection.execute(query).fetchall())
    return MappingProxyType({name: int(found[name]) for name in names})
