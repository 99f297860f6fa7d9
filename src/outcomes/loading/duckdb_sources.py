"""From a folder, a DuckDB file or frames of this machine to raw tables on the embedded DuckDB, as they came."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from outcomes.errors import DataError
from outcomes.loading.duckdb_engine import DuckDBEngine, literal, quoted
from outcomes.loading.engine import Refused, attempt
from outcomes.loading.faults import Fault
from outcomes.loading.frames import as_arrow, cells_not_utf8
from outcomes.loading.raw_tables import RawColumn, RawTable, Sources, described, sound
from outcomes.loading.schema import SCHEMA
from outcomes.loading.text_files import ends_in_a_line, lines_that_do_not_fit, read_header, scan_of, without_globs

__all__ = ["read_into_duckdb", "release_sources"]

_SUFFIXES = (".csv", ".parquet")


def read_into_duckdb(engine: DuckDBEngine, source: Any, found: Sources) -> str:
    """Put every table of `source` on the engine; return what to call the source.

    Raises
    ------
    DataError
        The source is no folder, DuckDB file or mapping of frames.
    """
    if isinstance(source, Mapping):
        _read_frames(engine, source, found)
        return "the mapping"
    if not isinstance(source, (str, Path)):
        raise DataError(
            f"load_tables: a source of type {type(source).__name__} is not supported. Expected the path of a folder of CSV or "
            "Parquet files or of a DuckDB file, or a mapping of table name to frame."
        )
    path = Path(source)
    if path.is_dir():
        _read_folder(engine, path, found)
    elif path.is_file():
        _read_database(engine, path, found)
    else:
        raise DataError(f"load_tables: there is no folder or file called {path.name!r} where the path points to.")
    return repr(path.name)


def release_sources(engine: DuckDBEngine) -> None:
    """Let go of the database that was read, and of the file system but for the files of which tables are views."""
    connection = engine.connection
    attached = connection.execute("SELECT count(*) FROM duckdb_databases() WHERE database_name = 'given'").fetchall()
    if attached[0][0]:
        connection.execute("DETACH given")
    connection.execute(f"SET allowed_paths = [{', '.join(literal(str(file)) for file in engine.files)}]")
    connection.execute("SET enable_external_access = false")


def _read_folder(engine: DuckDBEngine, folder: Path, found: Sources) -> None:
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
        found.keep(read(engine, name, file))
        digest = attempt(partial(_digest, file))
        if isinstance(digest, str):
            found.hashes[file.name] = digest
        if name in found.tables and file.suffix.lower() == ".csv" and not ends_in_a_line(file):
            found.unended.append(file.name)


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _from_csv(engine: DuckDBEngine, name: str, file: Path) -> RawTable | Fault:
    header = read_header(file)
    if isinstance(header, str):
        return Fault(name, "", f"{file.name} cannot be read: {header}")
    engine.view(f"raw_{name}", f"SELECT * FROM {scan_of(file, len(header))}")
    columns = tuple(RawColumn(column, f"c{i}", "text") for i, column in enumerate(header))
    return sound(RawTable(name, columns, file.name, partial(lines_that_do_not_fit, file, len(header))))


def _from_parquet(engine: DuckDBEngine, name: str, file: Path) -> RawTable | Fault:
    import pyarrow.parquet as pq

    schema = attempt(lambda: pq.read_schema(file))
    if isinstance(schema, Refused):
        return Fault(name, "", f"{file.name} cannot be read as Parquet; it is empty, cut short or of another kind.")
    numbered = ", ".join(f"c{i}" for i in range(len(schema.names)))
    file = file.absolute()
    rows = f"read_parquet({literal(without_globs(file))}) AS t({numbered})"
    made = attempt(lambda: engine.view(f"raw_{name}", f"SELECT {numbered}, file_row_number AS r FROM {rows}"))
    if isinstance(made, Refused):
        return Fault(name, "", f"{file.name} cannot be read as Parquet ({made.kind}).")
    zones = {i: str(f.type.tz) for i, f in enumerate(schema) if getattr(f.type, "tz", None)}
    read = _described(engine, name, list(schema.names), file.name, zones)
    if isinstance(read, Fault):
        return read
    usual = read.trouble
    read = replace(read, trouble=lambda: _wrong_in(file) or usual())
    if without_globs(file) != file.as_posix():
        return read  # a pattern cannot be let in alone
    engine.watch(file)
    return replace(read, row="r")


def _wrong_in(file: Path) -> str:
    """Return which columns of a Parquet file hold text that is not UTF-8; nothing where that is not what is wrong."""
    import pyarrow.parquet as pq

    found = attempt(lambda: cells_not_utf8(pq.read_table(file)))
    if isinstance(found, Refused):
        return ""
    return " ".join(f"{name} holds {n:,} cell{'s' if n > 1 else ''} not in UTF-8." for name, n in found)


def _read_database(engine: DuckDBEngine, path: Path, found: Sources) -> None:
    opened = attempt(lambda: engine.ask(f"ATTACH {literal(str(path))} AS given (READ_ONLY)"))
    if isinstance(opened, Refused):
        raise DataError(
            f"load_tables: {path.name!r} cannot be opened as a DuckDB file ({opened.kind}). Expected a folder or a DuckDB file "
            "that no other connection holds open."
        )
    listed = engine.ask(
        "SELECT table_name FROM information_schema.tables WHERE table_catalog = 'given' AND table_schema = 'main' "
        "ORDER BY table_name"
    )
    for (name,) in listed:
        if name not in SCHEMA:
            found.ignored.append(name)
            continue
        place = f"given.main.{quoted(name)}"
        names = [row[0] for row in engine.ask(f"DESCRIBE {place}")]
        numbered = ", ".join(f"c{i}" for i in range(len(names)))
        engine.view(f"raw_{name}", f"SELECT * FROM {place} AS t({numbered})")
        found.keep(_described(engine, name, names, name, {}))
    found.hashes[path.name] = _digest(path)


def _read_frames(engine: DuckDBEngine, frames: Mapping[Any, Any], found: Sources) -> None:
    for key, frame in frames.items():
        name = str(key)
        if name not in SCHEMA:
            found.ignored.append(name)
            continue
        table = attempt(partial(as_arrow, frame))
        if isinstance(table, Refused):
            text = (
                f"a {type(frame).__name__} cannot be read as a table. Expected a pandas, Polars, pyarrow or Spark frame or a DuckDB "
                "relation whose columns hold text, numbers, dates or booleans."
            )
            found.faults.append(Fault(name, "", text))
            continue
        if broken := cells_not_utf8(table):
            found.faults += [Fault(name, column, "not UTF-8 text.", n, table.num_rows) for column, n in broken]
            continue
        names = [str(column) for column in table.column_names]
        numbered = table.rename_columns([f"c{i}" for i in range(len(names))])
        made = attempt(partial(engine.take, f"raw_{name}", numbered))
        if isinstance(made, Refused):
            found.faults.append(Fault(name, "", f"a column holds a kind of value that cannot be read ({made.kind})."))
            continue
        found.keep(_described(engine, name, names, name, {}))


def _described(
    engine: DuckDBEngine, name: str, names: Sequence[str], label: str, zones: Mapping[int, str]
) -> RawTable | Fault:
    """Return a table with the types its columns have; instants become the wall clock of their time zone."""
    columns = attempt(partial(engine.columns, f"raw_{name}"))
    if isinstance(columns, Refused):
        return Fault(name, "", f"{label} holds a kind of value that cannot be read ({columns.kind}).")
    types = [kind for _, kind in columns[: len(names)]]
    return described(
        engine.dialect, name, names, types, label, lambda i: f"timezone({literal(zones.get(i, 'UTC'))}, c{i})"
    )
