"""Parquet files whose columns have the types of the schema are read where they are, and not copied."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from small_tables import small_tables

import outcomes as oc
from outcomes.loading.schema import SCHEMA

_FLAGS = {"true": True, "false": False}


def _typed() -> dict[str, pd.DataFrame]:
    """Return the small tables with integer ids, real dates, numbers and flags."""
    frames = {}
    for name, frame in small_tables().items():
        typed = frame.replace({"b1": "b3", "b2": "b4"})
        for column in SCHEMA[name].columns:
            if column.name not in typed:
                continue
            cells = typed[column.name]
            if column.kind == "id":
                typed[column.name] = cells.str.replace(r"\D", "", regex=True).astype("Int64")
            elif column.kind in ("int", "float"):
                typed[column.name] = cells.astype("Int64" if column.kind == "int" else "Float64")
            elif column.kind == "date":
                typed[column.name] = pd.to_datetime(cells)
            elif column.kind == "bool":
                typed[column.name] = cells.map(_FLAGS)
        frames[name] = typed
    return frames


def _write(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    for name, frame in _typed().items():
        frame.to_parquet(folder / f"{name}.parquet")
    return folder


def _copied(tables: oc.Tables) -> int:
    return int(tables.engine.ask("SELECT count(*) FROM duckdb_tables()")[0][0])


def test_they_give_the_tables_that_frames_give_and_no_copy(tmp_path: Path) -> None:
    tables, expected = oc.load_tables(_write(tmp_path)), oc.load_tables(_typed())
    assert _copied(tables) == 0
    assert tables.counts == expected.counts
    assert tables.programme_ids == expected.programme_ids == {"1": 1, "3": 3, "4": 4}
    assert tables.checks.to_frame().equals(expected.checks.to_frame())
    for name in tables.names:
        pd.testing.assert_frame_equal(tables.frame(name), expected.frame(name))


def test_a_name_that_looks_like_a_pattern_is_copied(tmp_path: Path) -> None:
    tables = oc.load_tables(_write(tmp_path / "extract [2]"))
    assert _copied(tables) > 0
    assert tables.frame("people")["person_id"].tolist() == [1, 2, 3, 4]


def test_a_column_of_text_where_a_number_belongs_is_copied_with_its_table(tmp_path: Path) -> None:
    folder = _write(tmp_path)
    frame = _typed()["exits"]
    frame.assign(exit_date=["2012-03-01"]).to_parquet(folder / "exits.parquet")
    tables = oc.load_tables(folder)
    assert _copied(tables) == 1
    assert tables.frame("exits")["exit_date"].tolist() == [15400]


def test_the_engine_reads_these_files_and_no_other(tmp_path: Path) -> None:
    folder = _write(tmp_path / "extract")
    (tmp_path / "other.parquet").write_bytes((folder / "people.parquet").read_bytes())
    tables = oc.load_tables(folder)
    with pytest.raises(duckdb.PermissionException):
        tables.engine.ask(f"SELECT * FROM read_parquet('{tmp_path / 'other.parquet'}')")
    with pytest.raises(duckdb.Error):
        tables.engine.ask("SET enable_external_access = true")
    with pytest.raises(duckdb.Error):
        tables.engine.ask(f"SET allowed_paths = ['{tmp_path / 'other.parquet'}']")


def test_the_working_directory_may_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path / "extract")
    monkeypatch.chdir(tmp_path)
    tables = oc.load_tables("extract")
    monkeypatch.chdir("/")
    assert len(tables.frame("people")) == 4


@pytest.mark.parametrize("how", ["rewritten", "touched", "gone"])
def test_tables_refuse_to_answer_once_a_file_has_changed(how: str, tmp_path: Path) -> None:
    tables = oc.load_tables(_write(tmp_path))
    people = tables.lazy("people")
    file = tmp_path / "people.parquet"
    if how == "rewritten":
        _typed()["people"].iloc[:2].to_parquet(file)
    elif how == "touched":
        os.utime(file, ns=(1, 1))
    else:
        file.unlink()
    for use in (lambda: tables.frame("people"), lambda: tables.collect(people), lambda: tables.checks):
        with pytest.raises(oc.DataError, match=r"people\.parquet changed since the tables were loaded") as refused:
            use()
        assert refused.value.__cause__ is None
        assert refused.value.__context__ is None
