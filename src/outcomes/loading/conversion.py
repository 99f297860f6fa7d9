"""From text to the types of the schema: days and ids as integers, codes checked, faults counted and collected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from outcomes.errors import DataError, did_you_mean
from outcomes.loading.schema import SCHEMA, Column, Table
from outcomes.loading.sources import quoted

if TYPE_CHECKING:
    import duckdb

__all__ = ["Converted", "Fault", "convert"]

_IDENTIFIERS = (
    "name", "surname", "forename", "first_name", "last_name", "full_name", "dob", "date_of_birth", "birth_date", "postcode",
    "post_code", "address", "email", "phone", "telephone", "mobile", "nino", "national_insurance", "nhs_number", "pnc", "pnc_id",
    "cro", "cro_number", "prison_number", "noms", "noms_id", "nomis_id", "crn", "passport", "passport_number",
)  # fmt: skip
_ISO = r"^\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}(:?\d{2})?)?)?$"
_INTEGER = r"^-?\d+(\.0+)?$"


@dataclass(frozen=True)
class Fault:
    """One broken rule of the structure: where and how often, never what."""

    table: str
    column: str
    rule: str
    n: int

    def __str__(self) -> str:
        count = f" ({self.n:,} row{'s' if self.n > 1 else ''})" if self.n else ""
        return f"{self.table}{'.' + self.column if self.column else ''}: {self.rule}{count}"


@dataclass(frozen=True)
class Converted:
    """What conversion found: the origin of days, and the original ids of programmes."""

    origin: str
    programme_ids: Mapping[str, int]


def convert(
    connection: duckdb.DuckDBPyConnection,
    columns: Mapping[str, tuple[str, ...]],
    codes: Mapping[str, Mapping[str, str]],
) -> Converted:
    """Turn every ``raw_<table>`` into ``<table>`` with the types of the schema and a row number ``_row``.

    Raises
    ------
    DataError
        Every structural fault at once: missing columns, cells that are no date, number or known code, empty required cells,
        repeated keys, references to nothing, columns that name a direct identifier, ISO dates mixed with day numbers.
    """
    faults = _column_faults(columns)
    if faults:
        raise _error(faults)
    _recode(connection, columns, codes)
    origin, faults = _origin(connection, columns)
    domains = _id_domains(columns)
    _number_ids(connection, domains)
    for table, present in columns.items():
        faults += _table(connection, SCHEMA[table], present)
    if not faults:
        faults = [f for t in columns for f in _key_faults(connection, SCHEMA[t])]
        faults += [
            f for t, present in columns.items() for f in _reference_faults(connection, SCHEMA[t], present, columns)
        ]
    if faults:
        raise _error(faults)
    named = connection.execute("SELECT text, id FROM ids_programme_id").fetchall() if "programme_id" in domains else []
    for table in columns:
        connection.execute(f"DROP TABLE {quoted(f'raw_{table}')}")
    return Converted(origin, dict(named))


def _error(faults: list[Fault]) -> DataError:
    lines = "\n".join(f"  - {fault}" for fault in faults)
    return DataError(
        f"load_tables: the tables break {len(faults)} rule{'s' if len(faults) > 1 else ''} of the schema.\n{lines}\nSee the data dictionary for what is expected."
    )


def _column_faults(columns: Mapping[str, tuple[str, ...]]) -> list[Fault]:
    faults = []
    for name, present in columns.items():
        table = SCHEMA[name]
        for column in table.columns:
            if column.name not in present and not column.optional:
                extra = [p for p in present if p not in {c.name for c in table.columns}]
                hint = f" {did_you_mean(column.name, extra)}" if extra else ""
                faults.append(Fault(name, column.name, f"the column is missing.{hint}", 0))
        for extra_name in present:
            known = {column.name for column in table.columns}
            if extra_name not in known and extra_name.strip().lower().replace(" ", "_") in _IDENTIFIERS:
                faults.append(
                    Fault(name, extra_name, "the name says a direct identifier; take the column out of the extract", 0)
                )
    return faults


def _recode(
    connection: duckdb.DuckDBPyConnection,
    columns: Mapping[str, tuple[str, ...]],
    codes: Mapping[str, Mapping[str, str]],
) -> None:
    for place, mapping in codes.items():
        table, _, column = place.partition(".")
        if column not in columns.get(table, ()):
            raise DataError(
                f"load_tables: [codes] speaks of {place!r}. {did_you_mean(place, [f'{t}.{c}' for t in columns for c in columns[t]])}"
            )
        cases = " ".join("WHEN ? THEN ?" for _ in mapping)
        values = [str(v) for pair in mapping.items() for v in pair]
        target, cell = quoted(f"raw_{table}"), quoted(column)
        connection.execute(f"ALTER TABLE {target} ALTER {cell} TYPE VARCHAR")
        connection.execute(f"UPDATE {target} SET {cell} = CASE trim({cell}) {cases} ELSE {cell} END", values)


def _text(column: str) -> str:
    """Return SQL for a cell as trimmed text; empty and not-a-number are null."""
    cell = f"trim(CAST({quoted(column)} AS VARCHAR))"
    return f"CASE WHEN lower({cell}) IN ('', 'nan', 'nat', 'none', '<na>') THEN NULL ELSE {cell} END"


def _origin(connection: duckdb.DuckDBPyConnection, columns: Mapping[str, tuple[str, ...]]) -> tuple[str, list[Fault]]:
    """Return whether days count from 1970 or from an undisclosed origin, and the fault of mixing both."""
    iso = integer = 0
    for table, present in columns.items():
        for column in SCHEMA[table].columns:
            if column.kind != "date" or column.name not in present:
                continue
            text = _text(column.name)
            row = connection.execute(
                f"SELECT count(*) FILTER (regexp_matches({text}, '{_ISO}')), count(*) FILTER (regexp_matches({text}, '{_INTEGER}')) "
                f"FROM {quoted(f'raw_{table}')}"
            ).fetchone()
            iso, integer = iso + (row[0] if row else 0), integer + (row[1] if row else 0)
    if iso and integer:
        return "1970-01-01", [
            Fault(
                "all tables",
                "",
                f"dates are ISO dates in {iso:,} cells and day numbers in {integer:,}; use one of the two",
                0,
            )
        ]
    return ("undisclosed" if integer else "1970-01-01"), []


def _typed(column: Column) -> str:
    """Return SQL that gives the cell its type, null where it does not fit."""
    text = _text(column.name)
    number = f"try_cast({text} AS DOUBLE)"
    if column.kind == "date":
        day = f"date_diff('day', DATE '1970-01-01', try_cast(substr({text}, 1, 10) AS DATE))"
        return (
            f"CASE WHEN regexp_matches({text}, '{_INTEGER}') THEN try_cast({number} AS BIGINT) "
            f"WHEN regexp_matches({text}, '{_ISO}') THEN {day} END"
        )
    if column.kind == "int":
        return f"CASE WHEN {number} = floor({number}) THEN try_cast({number} AS BIGINT) END"
    if column.kind == "float":
        return f"CASE WHEN isfinite({number}) THEN {number} END"
    if column.kind == "bool":
        yes, no = "('true', 't', '1', '1.0', 'yes', 'y')", "('false', 'f', '0', '0.0', 'no', 'n')"
        return f"CASE WHEN lower({text}) IN {yes} THEN true WHEN lower({text}) IN {no} THEN false END"
    if column.kind == "code" and column.codes:
        listed = ", ".join(f"'{code}'" for code in column.codes)
        return f"CASE WHEN {text} IN ({listed}) THEN {text} END"
    return text


def _id_domains(columns: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    domains: dict[str, list[str]] = {}
    for table, present in columns.items():
        for column in SCHEMA[table].columns:
            if column.kind == "id" and column.name in present:
                domains.setdefault(column.name, []).append(table)
    return domains


def _number_ids(connection: duckdb.DuckDBPyConnection, domains: Mapping[str, list[str]]) -> None:
    """Give every id of a domain an integer, numbers in their own order and text in the alphabet's."""
    for name, tables in domains.items():
        parts = " UNION ".join(f"SELECT {_text(name)} AS text FROM {quoted(f'raw_{t}')}" for t in tables)
        connection.execute(
            f"CREATE TABLE {quoted(f'ids_{name}')} AS "
            "SELECT text, row_number() OVER (ORDER BY try_cast(text AS DOUBLE) NULLS LAST, text) AS id "
            f"FROM ({parts}) WHERE text IS NOT NULL"
        )


def _table(connection: duckdb.DuckDBPyConnection, table: Table, present: tuple[str, ...]) -> list[Fault]:
    """Create the typed table; return its faults."""
    known = {column.name: column for column in table.columns}
    select, joins, checks, labels = [], [], [], []
    for name in present:
        column = known.get(name)
        if column is None:
            select.append(f"r.{quoted(name)}")
            continue
        if column.kind == "id":
            alias = quoted(f"i_{name}")
            joins.append(f"LEFT JOIN {quoted(f'ids_{name}')} {alias} ON {alias}.text = r.{quoted('t_' + name)}")
            select.append(f"{alias}.id AS {quoted(name)}")
        else:
            select.append(f"r.{quoted('c_' + name)} AS {quoted(name)}")
            checks.append(f"count(*) FILTER ({quoted('t_' + name)} IS NOT NULL AND {quoted('c_' + name)} IS NULL)")
            labels.append((column, _expected(column)))
        if not column.nullable:
            checks.append(f"count(*) FILTER ({quoted('t_' + name)} IS NULL)")
            labels.append((column, "the cell is empty"))
    inner = ", ".join(
        f"{_text(n)} AS {quoted('t_' + n)}"
        + (f", {_typed(known[n])} AS {quoted('c_' + n)}" if known[n].kind != "id" else "")
        for n in present
        if n in known
    )
    raw = f"(SELECT *, row_number() OVER () AS _row, {inner} FROM {quoted(f'raw_{table.name}')})"
    counts = connection.execute(f"SELECT {', '.join(checks)} FROM {raw}").fetchone() or ()
    extra = [name for name in table.columns if name.name not in present]
    absent = [f"CAST(NULL AS {_sql_type(column)}) AS {quoted(column.name)}" for column in extra]
    connection.execute(
        f"CREATE TABLE {quoted(table.name)} AS SELECT {', '.join([*select, *absent])}, r._row "
        f"FROM {raw} r {' '.join(joins)} ORDER BY r._row"
    )
    return [Fault(table.name, column.name, rule, int(n)) for (column, rule), n in zip(labels, counts, strict=True) if n]


def _sql_type(column: Column) -> str:
    return {"id": "BIGINT", "date": "BIGINT", "int": "BIGINT", "float": "DOUBLE", "bool": "BOOLEAN"}.get(
        column.kind, "VARCHAR"
    )


def _expected(column: Column) -> str:
    return {
        "date": "not a date; expected an ISO date such as 2010-03-31, or a whole number of days",
        "int": "not a whole number",
        "float": "not a number",
        "bool": "neither true nor false",
        "code": f"not a known code; expected one of {', '.join(column.codes)}",
    }.get(column.kind, "cannot be read")


def _key_faults(connection: duckdb.DuckDBPyConnection, table: Table) -> list[Fault]:
    if not table.key:
        return []
    keys = ", ".join(quoted(k) for k in table.key)
    row = connection.execute(f"SELECT count(*) - count(DISTINCT ({keys})) FROM {quoted(table.name)}").fetchone()
    repeated = int(row[0]) if row else 0
    return [Fault(table.name, ", ".join(table.key), "the key is repeated", repeated)] if repeated else []


def _reference_faults(
    connection: duckdb.DuckDBPyConnection, table: Table, present: tuple[str, ...], tables: Mapping[str, tuple[str, ...]]
) -> list[Fault]:
    faults = []
    for column in table.columns:
        if column.refers is None or column.name not in present or column.refers.table not in tables:
            continue
        row = connection.execute(
            f"SELECT count(*) FROM {quoted(table.name)} a ANTI JOIN {quoted(column.refers.table)} b "
            f"ON a.{quoted(column.name)} = b.{quoted(column.refers.column)} WHERE a.{quoted(column.name)} IS NOT NULL"
        ).fetchone()
        if row and row[0]:
            rule = f"refers to nothing in {column.refers.table}.{column.refers.column}"
            faults.append(Fault(table.name, column.name, rule, int(row[0])))
    return faults
