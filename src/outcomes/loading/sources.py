"""From a folder, a DuckDB file or frames to raw tables on one embedded DuckDB connection, as they came.

Columns get numbers for names here, so that no name of an extract meets SQL before the schema has been asked about it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from outcomes.errors import DataError
from outcomes.loading.duckdb_engine import literal, quoted
from outcomes.loading.engine import Refused, attempt
from outcomes.loading.faults import Fault, nearest
from outcomes.loading.frames import as_arrow
from outcomes.loading.schema import SCHEMA
from outcomes.loading.text_files import lines_that_do_not_fit, read_header, scan_of, without_globs

if TYPE_CHECKING:
    import duckdb

__all__ = ["RawColumn", "RawTable", "Sources", "read_sources", "release_sources"]

_SUFFIXES = (".csv", ".parquet")


@dataclass(frozen=True)
class RawColumn:
    """A column as it came: its name after renaming, the SQL of its cell, the DuckDB type of that."""

    name: str
    cell: str
    kind: str


@dataclass(frozen=True)
class RawTable:
    """A table as it came: where it is on the connection, what it was called outside, and what to say if it will not be read."""

    name: str
    relation: str
    columns: tuple[RawColumn, ...]
    label: str
    trouble: Callable[[], str] = lambda: "it is damaged, or a column holds what is no text, number, date or boolean."


@dataclass
class Sources:
    """What reading found, filled while it goes.

    Attributes
    ----------
    tables : dict of table to RawTable
    hashes : dict of file name to sha256
    ignored : list of names of files, frames or tables the schema does not know
    faults : list of what cannot be read
    """

    tables: dict[str, RawTable] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


def read_sources(
    connection: duckdb.DuckDBPyConnection, source: Any, columns: Mapping[str, Mapping[str, str]]
) -> Sources:
    """Put every table of `source` on the connection; return what came and what is at fault.

    Raises
    ------
    DataError
        The source is no folder, DuckDB file or mapping of frames, or holds none of the tables.
    """
    found = Sources()
    if isinstance(source, Mapping):
        _read_frames(connection, source, found)
        where = "the mapping"
    elif isinstance(source, (str, Path)):
        path = Path(source)
        where = repr(path.name)
        if path.is_dir():
            _read_folder(connection, path, found)
        elif path.is_file():
            _read_database(connection, path, found)
        else:
            raise DataError(f"load_tables: there is no folder or file called {where} where the path points to.")
    else:
        raise DataError(
            f"load_tables: a source of type {type(source).__name__} is not supported. Expected the path of a folder of CSV or "
            "Parquet files or of a DuckDB file, or a mapping of table name to frame."
        )
    unreadable = {fault.table for fault in found.faults}
    if not found.tables and not unreadable:
        raise DataError(f"load_tables: {where} holds none of the tables: {', '.join(SCHEMA)}.")
    for name, table in SCHEMA.items():
        if not table.optional and name not in found.tables and name not in unreadable:
            hint = nearest(name, [Path(other).stem for other in found.ignored])
            found.faults.append(Fault(name, "", f"the table is missing.{hint}"))
    _rename(found, columns)
    return found


def release_sources(connection: duckdb.DuckDBPyConnection) -> None:
    """Let go of the database that was read, and of the file system: what follows needs no file."""
    attached = connection.execute("SELECT count(*) FROM duckdb_databases() WHERE database_name = 'given'").fetchall()
    if attached[0][0]:
        connection.execute("DETACH given")
    connection.execute("SET enable_external_access = false")


def _read_folder(connection: duckdb.DuckDBPyConnection, folder: Path, found: Sources) -> None:
    files: dict[str, Path] = {}
    for file in sorted(folder.iterdir()):
        name = file.stem.lower()
        if file.name.startswith((".", "~")) or not file.is_file():
            continue
        if file.suffix.lower() not in _SUFFIXES or name not in SCHEMA:
            found.ignored.append(file.name)
        elif name in files:
            found.faults.append(Fault(name, "", f"the table is there twice, as {files[name].name} and {file.name}."))
        else:
            files[name] = file
    for name, file in files.items():
        read = _from_csv if file.suffix.lower() == ".csv" else _from_parquet
        _keep(found, read(connection, name, file))
        digest = attempt(partial(_digest, file))
        if isinstance(digest, str):
            found.hashes[file.name] = digest


def _keep(found: Sources, table: RawTable | Fault) -> None:
    if isinstance(table, Fault):
        found.faults.append(table)
    else:
        found.tables[table.name] = table


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _from_csv(connection: duckdb.DuckDBPyConnection, name: str, file: Path) -> RawTable | Fault:
    header = read_header(file)
    if isinstance(header, str):
        return Fault(name, "", f"{file.name} cannot be read: {header}")
    relation = f"raw_{name}"
    connection.execute(f"CREATE VIEW {relation} AS SELECT * FROM {scan_of(file, len(header))}")
    columns = tuple(RawColumn(column, f"c{i}", "VARCHAR") for i, column in enumerate(header))
    return _sound(RawTable(name, relation, columns, file.name, partial(lines_that_do_not_fit, file, len(header))))


def _from_parquet(connection: duckdb.DuckDBPyConnection, name: str, file: Path) -> RawTable | Fault:
    import pyarrow.parquet as pq

    relation = f"raw_{name}"
    schema = attempt(lambda: pq.read_schema(file))
    if isinstance(schema, Refused):
        return Fault(name, "", f"{file.name} cannot be read as Parquet; it is empty, cut short or of another kind.")
    numbered = ", ".join(f"c{i}" for i in range(len(schema.names)))
    path = literal(without_globs(file))
    made = attempt(
        lambda: connection.execute(f"CREATE VIEW {relation} AS SELECT * FROM read_parquet({path}) AS t({numbered})")
    )
    if isinstance(made, Refused):
        return Fault(name, "", f"{file.name} cannot be read as Parquet ({made.kind}).")
    zones = {i: str(f.type.tz) for i, f in enumerate(schema) if getattr(f.type, "tz", None)}
    return _described(connection, name, relation, list(schema.names), file.name, zones)


def _read_database(connection: duckdb.DuckDBPyConnection, path: Path, found: Sources) -> None:
    opened = attempt(lambda: connection.execute(f"ATTACH {literal(str(path))} AS given (READ_ONLY)"))
    if isinstance(opened, Refused):
        raise DataError(
            f"load_tables: {path.name!r} cannot be opened as a DuckDB file ({opened.kind}). Expected a folder or a DuckDB file "
            "that no other connection holds open."
        )
    listed = connection.execute(
        "SELECT table_name FROM information_schema.tables WHERE table_catalog = 'given' AND table_schema = 'main' "
        "ORDER BY table_name"
    ).fetchall()
    for (name,) in listed:
        if name not in SCHEMA:
            found.ignored.append(name)
            continue
        place = f"given.main.{quoted(name)}"
        names = [row[0] for row in connection.execute(f"DESCRIBE {place}").fetchall()]
        numbered = ", ".join(f"c{i}" for i in range(len(names)))
        connection.execute(f"CREATE VIEW raw_{name} AS SELECT * FROM {place} AS t({numbered})")
        _keep(found, _described(connection, name, f"raw_{name}", names, name, {}))
    found.hashes[path.name] = _digest(path)


def _read_frames(connection: duckdb.DuckDBPyConnection, frames: Mapping[Any, Any], found: Sources) -> None:
    for key, frame in frames.items():
        name = str(key)
        if name not in SCHEMA:
            found.ignored.append(name)
            continue
        table = attempt(partial(as_arrow, frame))
        if isinstance(table, Refused):
            text = (
                f"a {type(frame).__name__} cannot be read as a table. Expected a pandas, Polars or pyarrow frame or a DuckDB "
                "relation whose columns hold text, numbers, dates or booleans."
            )
            found.faults.append(Fault(name, "", text))
            continue
        names = [str(column) for column in table.column_names]
        numbered = table.rename_columns([f"c{i}" for i in range(len(names))])
        made = attempt(partial(connection.register, f"raw_{name}", numbered))
        if isinstance(made, Refused):
            found.faults.append(Fault(name, "", f"a column holds a kind of value that cannot be read ({made.kind})."))
            continue
        _keep(found, _described(connection, name, f"raw_{name}", names, name, {}))


def _described(
    connection: duckdb.DuckDBPyConnection,
    name: str,
    relation: str,
    names: list[str],
    label: str,
    zones: Mapping[int, str],
) -> RawTable | Fault:
    """Return a table with the types its columns have; instants become the wall clock of their time zone."""
    rows = attempt(lambda: connection.execute(f"DESCRIBE {relation}").fetchall())
    if isinstance(rows, Refused):
        return Fault(name, "", f"{label} holds a kind of value that cannot be read ({rows.kind}).")
    columns = []
    for i, (column, row) in enumerate(zip(names, rows, strict=True)):
        kind = str(row[1])
        if kind == "TIMESTAMP WITH TIME ZONE":
            zone = zones.get(i, "UTC")
            columns.append(RawColumn(column, f"timezone({literal(zone)}, c{i})", "TIMESTAMP"))
        elif kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION", "BLOB", "VARIANT")):
            return Fault(
                name, "", f"column {i + 1} of {label} holds lists, structures or bytes; expected plain values."
            )
        else:
            columns.append(RawColumn(column, f"c{i}", "VARCHAR" if kind.startswith("ENUM") else kind))
    return _sound(RawTable(name, relation, tuple(columns), label))


def _sound(table: RawTable) -> RawTable | Fault:
    """Return the table without nameless columns; a fault where two names are the same but for their case."""
    named = tuple(column for column in table.columns if column.name.strip())
    if len({column.name.lower() for column in named}) < len(named):
        return Fault(table.name, "", f"{table.label} has two columns of one name (upper and lower case count as one).")
    return replace(table, columns=named)


def _rename(found: Sources, columns: Mapping[str, Mapping[str, str]]) -> None:
    """Give columns the names of the schema, as the study's [columns] says."""
    for name, names in columns.items():
        if name not in SCHEMA:
            found.faults.append(Fault(name, "", f"[columns] speaks of a table that is none.{nearest(name, SCHEMA)}"))
            continue
        table = found.tables.get(name)
        if table is None:
            continue
        present = [column.name for column in table.columns]
        for theirs in names:
            if theirs not in present:
                text = f"[columns] renames a column that is not there.{nearest(theirs, present)}"
                found.faults.append(Fault(name, theirs, text))
        renamed = tuple(replace(column, name=names.get(column.name, column.name)) for column in table.columns)
        made = _sound(replace(table, columns=renamed))
        if isinstance(made, Fault):
            made = replace(made, text="after [columns] two columns have one name.")
            found.tables.pop(name)
        _keep(found, made)
