"""Checked tables: the function people call and what it gives."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from outcomes.errors import DataError, DisclosureError, did_you_mean
from outcomes.loading.cells import SQL_TYPES
from outcomes.loading.checking import ChecksReport, all_rules, run_checks
from outcomes.loading.conversion import convert
from outcomes.loading.dropping import Dropped, without_rows
from outcomes.loading.duckdb_engine import DuckDBEngine
from outcomes.loading.engine import Engine, Refused, attempt
from outcomes.loading.faults import nearest
from outcomes.loading.protecting import CheckRow
from outcomes.loading.raw_tables import Sources
from outcomes.loading.schema import SCHEMA
from outcomes.loading.sources import close_sources, open_engine, read_sources
from outcomes.loading.spark_engine import SparkEngine
from outcomes.results import Note, html_table

if TYPE_CHECKING:
    import narwhals as nw
    import pandas as pd
    import pyarrow as pa

__all__ = ["Tables", "load_tables"]

T = TypeVar("T")
_log = logging.getLogger("outcomes")
_PANDAS = {"BIGINT": ("int64", "Int64"), "BOOLEAN": ("bool", "boolean"), "DOUBLE": ("float64", "float64")}


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Tables:
    """The tables of one extract, typed and checked: on an embedded DuckDB of their own, or in the session of Spark frames.

    Ids and days are BIGINT, flags BOOLEAN, codes and text strings, measures DOUBLE; what is missing is null. The extract's own
    columns follow those of the schema. Row number `_row` makes every ordering unique; on DuckDB it is the order of the extract.

    Attributes
    ----------
    engine : Engine
        Holds every table of the schema under its name; optional tables that did not come are empty.
    counts : mapping of table to rows, of the tables that came
    hashes : mapping of file name to sha256 (empty for frames)
    origin : str
        ``"1970-01-01"``, or ``"undisclosed"`` where the extract has day numbers.
    programme_ids : mapping of the catalogue's own programme ids, as text, to the integers they have here
    ignored : tuple of names of files, frames or tables the schema does not know
    notes : tuple of Note, what a reader of the checks must know
    protective : tuple of rows of `checks` that protect people, found at load
    """

    engine: Engine
    counts: Mapping[str, int]
    hashes: Mapping[str, str]
    origin: str
    programme_ids: Mapping[str, int]
    ignored: tuple[str, ...] = ()
    notes: tuple[Note, ...] = ()
    protective: tuple[CheckRow, ...] = ()
    _dropped: tuple[Dropped, ...] = ()

    @cached_property
    def checks(self) -> ChecksReport:
        """Every rule and how many rows break it, found when they are first asked for."""
        return self._run(partial(run_checks, self.engine, self.counts, self.origin, self.notes, self.protective))

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
        """Return a table as a narwhals lazy frame on the tables' engine, with the row number `_row`.

        Frames of one `Tables` join each other; those of another do not.

        Raises
        ------
        DataError
            There is no such table.
        """
        return self._run(partial(self.engine.lazy, self._known(name)))

    def keep(self, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """Return a frame made from `lazy` with its rows kept, so that what is built on it does not compute them again.

        They are kept as long as the tables are, or until the `keeping` they are made in ends.
        """
        return self._run(partial(self.engine.keep, frame))

    def put(self, rows: pa.Table) -> nw.LazyFrame[Any]:
        """Return an Arrow table as a frame that joins those of `lazy`, kept like those of `keep`."""
        return self._run(partial(self.engine.put, rows))

    def keeping(self) -> AbstractContextManager[None]:
        """Return a context at the end of which what `keep` kept inside is forgotten."""
        return self.engine.keeping()

    def collect(self, frame: nw.LazyFrame[Any]) -> pa.Table:
        """Return the rows of a frame made from `lazy` as an Arrow table, in no order that can be relied on."""
        return self._run(partial(self.engine.collect, frame))

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Return the few rows of a query in SQL both engines know; `engine.place` says what a table is called in it."""
        return self._run(partial(self.engine.ask, query))

    def frame(self, name: str) -> pd.DataFrame:
        """Return a copy of a table as a pandas frame: in the order of the extract, from Spark in that of its key or else its rows.

        Columns that may be empty have the dtypes Int64 and boolean, with NA; the others int64 and bool. Measures are float64.

        Raises
        ------
        DataError
            There is no such table.
        """
        frame: pd.DataFrame = self._run(partial(self._fetch, self._known(name))).to_pandas()
        dtypes = {}
        for column in SCHEMA[name].columns:
            if SQL_TYPES[column.kind] in _PANDAS:
                dtypes[column.name] = _PANDAS[SQL_TYPES[column.kind]][column.nullable]
        return frame.astype(dtypes)

    def _fetch(self, name: str) -> pa.Table:
        quoted = self.engine.dialect.quoted
        cells = [quoted(column) for column, _ in self.engine.columns(name) if column != "_row"]
        order = ["_row"] if self.engine.keeps_order else [quoted(column) for column in SCHEMA[name].key] or cells
        return self.engine.fetch(
            f"SELECT {', '.join(cells)} FROM {self.engine.place(name)} ORDER BY {', '.join(order)}"
        )

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
        rules = all_rules(self.engine, self.names, self.origin)
        valid = dict.fromkeys([*(rule.name for rule in rules), *(f"{rule.table}.{rule.name}" for rule in rules)])
        for name in drop:
            if name not in valid:
                hint = nearest(name, valid) or f" {did_you_mean(name, self.checks.failed)}"
                raise DataError(f"[checks] drop: there is no rule {name!r}.{hint}")
        mine = [rule for rule in rules if {rule.name, f"{rule.table}.{rule.name}"} & set(drop)]
        if not mine:
            return self
        broken = {(row[0], row[1], row[2]) for row in self.checks.rows if row[4]}
        mine = [rule for rule in mine if (rule.name, rule.table, rule.column) in broken]
        if not mine:
            return self
        engine, dropped = self._run(partial(without_rows, self.engine, mine))
        counts = self._run(partial(_counts, engine, self.names))
        _log.info("dropped %d rows under %d rules", sum(d[2] for d in dropped), len({d[0] for d in dropped}))
        return replace(self, engine=engine, counts=counts, _dropped=(*self._dropped, *dropped))

    def _run(self, action: Callable[[], T]) -> T:
        done = attempt(action)
        if changed := self.engine.changed():
            raise DataError(
                f"Tables: {', '.join(changed)} changed since the tables were loaded, which are read from there. Load them again."
            )
        if isinstance(done, Refused):
            raise DataError(f"Tables: {self.engine.why(done)}")
        return done

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
    memory_limit: str | None = None,
) -> Tables:
    """Load the tables of an extract, give them their types, and check them against each other.

    Use it first: whatever comes after stands on tables that keep the rules of the schema.

    Parameters
    ----------
    source : path or mapping
        A folder of CSV and Parquet files named like the tables, a DuckDB file, or a mapping of table name to frame (pandas,
        Polars, pyarrow, DuckDB relation). Files and these frames enter an embedded DuckDB. Where the frames are Spark's,
        classic or Connect, all of them must be; they stay in their session, and what is built on the tables runs there.
    codes : mapping, optional
        ``{"table.column": {theirs: ours}}``, applied before codes are checked; ours may be ``""``, which is missing.
    columns : mapping, optional
        ``{table: {theirs: ours}}``, applied before anything else.
    drop : sequence of str, optional
        Rules whose rows are left out and counted, as by `Tables.require_clean`, which would also refuse other broken rules.
    declared : sequence of str, optional
        Columns, ``"table.column"``, of which you say that they identify nobody, whatever they look like: pseudonyms of the form
        of prison numbers, codes that no two rows share. What is found in them is then a note in `checks` and not refused.

    memory_limit : str, optional
        Most memory the embedded engine may take, such as ``"3GB"``; beyond it spills to a private folder. Default 60 % of the machine's.

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
    that are whole numbers stay as they are; where not all of them are, they become 1, 2, … in the order of their numbers, then
    of their text; the same in every table. Flags are true/false, t/f, yes/no, y/n or 1/0 in any case. Text is trimmed; an empty
    cell is missing, and so is NA, NaN, NaT or NULL except in plain text. A column the schema does not know passes through, as
    numbers where every cell is one (019 is none), else as text.
    Values are looked at for direct identifiers in ids, codes, text and the extract's own columns, in at most about 20,000 different
    values a column: one hit is a warning in `checks`, 5 % of the rows are refused. What passes may still identify somebody: these
    checks know forms, not names.
    Inputs are not changed; nothing is written but what DuckDB spills to a private folder when memory is short, and
    removes. Parquet files whose columns have the types of the schema are not copied: they are read again where they are, and
    must stay as they were until the tables are no longer used; once one has changed, or is gone, the tables refuse to answer.

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
    opened = attempt(partial(open_engine, source, memory_limit))
    if isinstance(opened, Refused):
        raise DataError(f"load_tables: the engine for the tables did not start ({opened.kind}).")
    loaded = attempt(partial(_load, opened, source, codes or {}, columns or {}, declared))
    if isinstance(loaded, Refused):
        raise DataError(f"load_tables: {opened.why(loaded)} Nothing was loaded.")
    _log.info("loaded %d tables with %d rows", len(loaded.counts), sum(loaded.counts.values()))
    return loaded._without(drop) if drop else loaded


def _load(
    engine: DuckDBEngine | SparkEngine,
    source: Any,
    codes: Mapping[str, Mapping[str, str]],
    columns: Mapping[str, Mapping[str, str]],
    declared: Sequence[str],
) -> Tables:
    try:
        sources = read_sources(engine, source, columns)
        converted = convert(engine, sources, codes, declared)
        close_sources(engine)
    except BaseException:
        engine.release()  # a traceback kept by the caller would keep files and rows open
        raise
    return Tables(
        engine=engine,
        counts=MappingProxyType(dict(converted.counts)),
        hashes=MappingProxyType(dict(sources.hashes)),
        origin=converted.origin,
        programme_ids=MappingProxyType(dict(converted.programme_ids)),
        ignored=tuple(sources.ignored),
        notes=_notes(sources),
        protective=converted.protective,
    )


def _notes(sources: Sources) -> tuple[Note, ...]:
    """Return what a reader of the checks must know: tables that may be absent and are, data that are no table, files cut short."""
    absent = [name for name in SCHEMA if name not in sources.tables]
    unknown = [name for name in sources.ignored if Path(name).suffix.lower() in ("", ".csv", ".parquet")]
    notes = []
    if absent:
        notes.append(Note("absent_tables", f"Not in the extract, and not required: {', '.join(absent)}."))
    if unknown:
        notes.append(Note("ignored", f"No table of the schema, and ignored: {', '.join(unknown)}."))
    if sources.unended:
        text = f"The last line is not ended, as in a file cut short: {', '.join(sources.unended)}. Compare the rows with what was sent."
        notes.append(Note("last_line_not_ended", text))
    return tuple(notes)


def _counts(engine: Engine, names: Sequence[str]) -> Mapping[str, int]:
    found = engine.ask_each([f"SELECT count(*) FROM {engine.place(name)}" for name in names])
    return MappingProxyType({name: n for name, (n,) in zip(names, found, strict=True)})
