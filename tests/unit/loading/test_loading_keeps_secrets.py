"""No row's value leaves: not in an error, its cause or context, a log, a report; and nothing stays on disk.

A marked value is planted in every column of a table at once, in forms that break what the column should hold. Whatever the
reader and whatever the engine behind it, the mark must not come out.
"""

from __future__ import annotations

import logging
import os
import stat
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_tables import rows, small_tables

import outcomes as oc
from outcomes.loading.schema import SCHEMA, columns_of

MARK = "CANARY7351"
Frames = dict[str, pd.DataFrame]


def _every_table() -> Frames:
    return small_tables(
        spells=rows(
            "person_id start_date end_date state reason reoffence_id", "p1 2011-02-01 2011-03-01 custody remand o1"
        ),
        supervision=rows("person_id start_date end_date type level", "p1 2010-01-01 2011-01-01 licence 1"),
        delivery=rows("group_id facilitator_id role grade from to", "g1 f1 lead a 2010-01-01 2010-02-01"),
        fidelity=rows("group_id date score scale sessions_monitored", "g1 2010-01-15 2.5 zero_to_four 3"),
    )


def _planted(form: str) -> Frames:
    """Return all tables with the mark in every column of two new rows, and in a column of the extract's own."""
    frames = {}
    for name, frame in _every_table().items():
        marked = dict.fromkeys(columns_of(name), form)
        whole = frame.astype(object).reindex(columns=list(columns_of(name)))
        frames[name] = pd.concat([whole, pd.DataFrame([marked, marked])], ignore_index=True).assign(remark=form)
    return frames


def _csv(frames: Frames, folder: Path) -> Any:
    for name, frame in frames.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    return folder


def _parquet(frames: Frames, folder: Path) -> Any:
    for name, frame in frames.items():
        frame.astype("string").to_parquet(folder / f"{name}.parquet")
    return folder


def _pandas(frames: Frames, folder: Path) -> Any:
    return frames


def _mixed_pandas(frames: Frames, folder: Path) -> Any:
    """Columns of mixed kinds, which Arrow refuses with the value in its message."""
    mixed = {name: frame.copy() for name, frame in frames.items()}
    for frame in mixed.values():
        for column in frame.columns:
            frame[column] = [7 if i == 0 and "id" not in column else v for i, v in enumerate(frame[column])]
    return mixed


def _polars(frames: Frames, folder: Path) -> Any:
    return {name: pl.from_pandas(frame.astype("string")) for name, frame in frames.items()}


def _polars_lazy(frames: Frames, folder: Path) -> Any:
    """A lazy plan that fails when it is collected, with the value in the message."""
    made = _polars(frames, folder)
    return {
        n: f.lazy().with_columns(pl.col(f.columns[-1]).cast(pl.Int64, strict=True)) if MARK in str(f) else f.lazy()
        for n, f in made.items()
    }


def _arrow(frames: Frames, folder: Path) -> Any:
    return {name: pa.Table.from_pandas(frame.astype("string"), preserve_index=False) for name, frame in frames.items()}


def _relations(frames: Frames, folder: Path) -> Any:
    """Relations that fail when they are read, with the value in the message."""
    connection = duckdb.connect()
    made = {}
    for name, frame in frames.items():
        relation = connection.from_df(frame.astype("string"))
        last = frame.columns[-1]
        made[name] = (
            relation.project(f'* REPLACE (CAST("{last}" AS BIGINT) AS "{last}")') if "remark" in frame else relation
        )
    return made


def _database(frames: Frames, folder: Path) -> Any:
    with duckdb.connect(str(folder / "extract.duckdb")) as connection:
        for name, frame in frames.items():
            connection.register("given", frame.astype("string"))
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
            connection.unregister("given")
    return folder / "extract.duckdb"


def _chain(error: BaseException) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__  # type: ignore[assignment]


def _told(error: BaseException) -> str:
    parts = [str(error), repr(error), *traceback.format_exception(error)]
    parts += [f"{link!r} {link.args!r} {vars(link)!r}" for link in _chain(error)]
    return "\n".join(parts)


def _everything_said(
    source: Any, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> tuple[str, bool]:
    """Return all that loading says about a source, and whether it was refused."""
    caplog.set_level(logging.DEBUG)
    said = ""
    refused: oc.DataError | None = None
    try:
        tables = oc.load_tables(source)
        said += repr(tables) + tables._repr_html_() + repr(tables.checks) + tables.checks._repr_html_()
        said += tables.checks.to_frame().to_string()
        tables.require_clean()
    except oc.DataError as error:
        refused = error
    if refused is not None:
        assert refused.__cause__ is None
        assert refused.__context__ is None
        said += _told(refused)
    captured = capfd.readouterr()
    return said + caplog.text + captured.out + captured.err, refused is not None


@pytest.mark.parametrize(
    "brought",
    [_csv, _parquet, _pandas, _mixed_pandas, _polars, _polars_lazy, _arrow, _relations, _database],
    ids=lambda f: f.__name__.strip("_"),
)
def test_a_value_planted_in_every_column_of_every_table_does_not_come_out(
    brought: Callable[[Frames, Path], Any],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    said, refused = _everything_said(brought(_planted(MARK), tmp_path), caplog, capfd)
    assert refused
    assert MARK not in said
    assert all(f"  - {table}" in said for table in SCHEMA)


@pytest.mark.parametrize(
    "form", [f"31/12/{MARK}", f"2010-01-01 {MARK}", f"-1{MARK}", f'"{MARK}', f"{MARK}, {MARK}", f"{MARK};\n"]
)
def test_nor_in_any_other_bad_form(
    form: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    frames = _planted(form)
    for source in (_csv(frames, tmp_path), frames):
        said, refused = _everything_said(source, caplog, capfd)
        assert refused
        assert MARK not in said


@pytest.mark.parametrize(
    "written",
    [
        f"person_id,sex,ethnicity_group\n{MARK},male\n",
        f"person_id,sex,ethnicity_group\n{MARK},male,white,{MARK}\n",
        f'person_id,sex,ethnicity_group\np1,male,"{MARK}\n',
        f'person_id,sex,ethnicity_group\n"p1"{MARK},male,white\n',
        f"{MARK},male,white\np2,male,white\n",
        f"{MARK};male;white\n",
        f"person_id,sex,{MARK},{MARK}\np2,male,white,x\n",
        f"person_id,sex,ethnicity_group\r\n{MARK},male,white\n{MARK},male,white\r\n",
        MARK,
        "",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_nor_out_of_a_file_that_is_no_csv(
    written: str, encoding: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    _csv(_every_table(), tmp_path)
    (tmp_path / "people.csv").write_bytes((written + ("\xe9" if encoding == "latin-1" else "")).encode(encoding))
    said, refused = _everything_said(tmp_path, caplog, capfd)
    assert refused
    assert MARK not in said
    assert "people.csv" in said


def test_nor_out_of_a_parquet_file_that_is_broken(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    people = _every_table()["people"]
    people = pd.concat([people, people.assign(person_id=[f"{MARK}{i}" for i in range(4)])] * 1)
    for damage in (slice(8, 60), slice(60, 200), slice(-60, None)):
        _parquet(_every_table(), tmp_path)
        pq.write_table(
            pa.Table.from_pandas(people, preserve_index=False), tmp_path / "people.parquet", compression="none"
        )
        content = bytearray((tmp_path / "people.parquet").read_bytes())
        content[damage] = b"\xff" * len(content[damage])
        (tmp_path / "people.parquet").write_bytes(content)
        said, refused = _everything_said(tmp_path, caplog, capfd)
        assert refused
        assert MARK not in said


def test_nor_out_of_a_frame_that_fails_in_ways_of_its_own(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    class Odd:
        def __str__(self) -> str:
            raise RuntimeError(MARK)

        __repr__ = __str__

    frames = _every_table()
    frames["people"]["odd"] = [Odd(), 1, "a", None]
    said, refused = _everything_said(frames, caplog, capfd)
    assert refused
    assert MARK not in said


def test_nothing_is_left_on_disk_and_the_place_to_spill_to_is_private(tmp_path: Path) -> None:
    code = """
import gc, os, sys, tempfile
from pathlib import Path
import outcomes as oc
tables = oc.load_tables(sys.argv[1])
(folder,) = Path(tempfile.gettempdir()).iterdir()
print(oct(folder.stat().st_mode & 0o777))
engine = tables.engine.connection
engine.execute("SET memory_limit = '60MB'")
engine.execute("CREATE TABLE big AS SELECT range AS i, hash(range) AS h FROM range(12000000)")
print(len(list(folder.iterdir())))
del tables, engine
gc.collect()
print(len(list(folder.iterdir())))
"""
    extract, home, spill = tmp_path / "extract", tmp_path / "home", tmp_path / "spill"
    for folder in (extract, home, spill):
        folder.mkdir()
    _csv(_every_table(), extract)
    before = {file.name: (file.stat().st_mtime_ns, file.read_bytes()) for file in extract.iterdir()}
    done = subprocess.run(
        [sys.executable, "-c", code, str(extract)],
        capture_output=True,
        text=True,
        cwd=home,
        env={**os.environ, "TMPDIR": str(spill)},
        check=True,
    )
    assert done.stdout.split() == ["0o700", "1", "0"]
    assert done.stderr == ""
    assert list(spill.iterdir()) == []
    assert list(home.iterdir()) == []
    assert {file.name: (file.stat().st_mtime_ns, file.read_bytes()) for file in extract.iterdir()} == before


def test_a_database_read_is_neither_changed_nor_kept_open(tmp_path: Path) -> None:
    file = _database(_every_table(), tmp_path)
    before = file.read_bytes()
    tables = oc.load_tables(file)
    assert file.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["extract.duckdb"]
    with duckdb.connect(str(file)) as connection:  # free to be written to again
        connection.execute("CREATE TABLE more (a INTEGER)")
    assert tables.counts["people"] == 4


def test_the_engine_reads_no_file_once_the_tables_are_in(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a\n1\n", encoding="utf-8")
    tables = oc.load_tables(_every_table())
    with pytest.raises(duckdb.PermissionException):
        tables.engine.connection.execute(f"SELECT * FROM read_csv('{tmp_path / 'other.csv'}')")


def test_the_private_folder_of_this_process_is_private() -> None:
    tables = oc.load_tables(_every_table())
    spills_to = Path(tables.engine.ask("SELECT current_setting('temp_directory')")[0][0])
    assert spills_to.parent.name.startswith("outcomes-")
    assert spills_to.parent.stat().st_uid == os.getuid()
    assert stat.S_IMODE(spills_to.parent.stat().st_mode) == 0o700
