"""The same extract gives the same typed tables, whatever brought it: files, a database, frames of any library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from small_tables import small_tables

import outcomes as oc

Frames = dict[str, pd.DataFrame]

_DATES = {
    "sentences": ["sentence_date", "release_date"],
    "assessments": ["date"],
    "provision": ["open_from", "open_to"],
    "referrals": ["referral_date"],
    "participation": ["start_date", "end_date"],
    "spells": ["start_date", "end_date"],
    "reoffences": ["offence_date", "proven_date"],
    "exits": ["exit_date"],
}
_NUMBERS = {
    "sentences": ["age_at_sentence", "prior_sanctions", "prior_sexual_sanctions"],
    "assessments": ["score"],
}
_FLAGS = {
    "assessments": ["learning_disability"],
    "programmes": ["accredited", "recorded"],
    "participation": ["voluntary"],
}


@pytest.fixture
def typed() -> Frames:
    """An extract whose columns have the types of their values, with ids that are numbers and columns of its own."""
    frames = small_tables()
    for table, columns in _DATES.items():
        for column in columns:
            frames[table][column] = pd.to_datetime(frames[table][column])
    for table, columns in _NUMBERS.items():
        for column in columns:
            frames[table][column] = pd.to_numeric(frames[table][column])
    for table, columns in _FLAGS.items():
        for column in columns:
            frames[table][column] = frames[table][column] == "true"
    people = {"p1": 12, "p2": 101, "p3": 3, "p4": 77}
    for name in ("people", "sentences", "assessments", "referrals", "participation", "spells", "reoffences", "exits"):
        frames[name]["person_id"] = frames[name]["person_id"].map(people).astype("int64")
    frames["participation"]["site_id"] = [5.0, np.nan, 40.0, 5.0]  # a nullable id as pandas reads it
    frames["sentences"]["tariff"] = [1.5, 2.0, np.nan, 4.0]
    frames["sentences"]["court"] = ["019", "020", None, "019"]
    frames["sentences"]["plea"] = ["guilty", " not guilty ", "", "guilty"]
    frames["sentences"]["heard"] = pd.to_datetime(["2008-01-01", None, "2010-02-01", "2008-06-01"])
    frames["sentences"]["appeal"] = [True, False, True, False]
    return frames


def _csv(frames: Frames, folder: Path) -> Path:
    for name, frame in frames.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    return folder


def _parquet(frames: Frames, folder: Path) -> Path:
    for name, frame in frames.items():
        frame.to_parquet(folder / f"{name}.parquet", index=False)
    return folder


def _mixed(frames: Frames, folder: Path) -> Path:
    for i, (name, frame) in enumerate(frames.items()):
        _csv({name: frame}, folder) if i % 2 else _parquet({name: frame}, folder)
    return folder


def _database(frames: Frames, folder: Path) -> Path:
    file = folder / "extract.duckdb"
    with duckdb.connect(str(file)) as connection:
        for name, frame in frames.items():
            connection.register("given", frame)
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
            connection.unregister("given")
    return file


def _arrow(frames: Frames, folder: Path) -> dict[str, pa.Table]:
    return {name: pa.Table.from_pandas(frame, preserve_index=False) for name, frame in frames.items()}


def _polars(frames: Frames, folder: Path) -> dict[str, pl.DataFrame]:
    return {name: pl.from_pandas(frame) for name, frame in frames.items()}


def _polars_lazy(frames: Frames, folder: Path) -> dict[str, pl.LazyFrame]:
    return {name: pl.from_pandas(frame).lazy() for name, frame in frames.items()}


def _relations(frames: Frames, folder: Path) -> dict[str, duckdb.DuckDBPyRelation]:
    connection = duckdb.connect()
    return {name: connection.from_df(frame) for name, frame in frames.items()}


def _categories(frames: Frames, folder: Path) -> Frames:
    made = {name: frame.copy() for name, frame in frames.items()}
    for frame in made.values():
        for column in frame.columns:
            if frame[column].dtype == object:
                frame[column] = frame[column].astype("category")
    return made


def _texts(frames: Frames, folder: Path) -> Frames:
    """Everything as text, as a careful reader of CSV files has it."""
    return {
        name: pd.read_csv(_csv(frames, folder) / f"{name}.csv", dtype=str, keep_default_na=False) for name in frames
    }


@pytest.mark.parametrize(
    "brought",
    [_csv, _parquet, _mixed, _database, _arrow, _polars, _polars_lazy, _relations, _categories, _texts],
    ids=lambda f: f.__name__.strip("_"),
)
def test_every_kind_of_input_gives_the_tables_that_pandas_gives(
    typed: Frames, tmp_path: Path, brought: Callable[[Frames, Path], Any]
) -> None:
    expected, tables = oc.load_tables(typed), oc.load_tables(brought(typed, tmp_path))
    assert tables.names == expected.names
    for name in expected.names:
        pd.testing.assert_frame_equal(tables.frame(name), expected.frame(name))
        assert tables.engine.columns(name) == expected.engine.columns(name)
    assert tables.origin == expected.origin == "1970-01-01"
    assert tables.programme_ids == expected.programme_ids
    pd.testing.assert_frame_equal(tables.checks.to_frame(), expected.checks.to_frame())


def test_the_types_are_those_of_the_schema(typed: Frames) -> None:
    sentences = oc.load_tables(typed).frame("sentences")
    assert sentences.dtypes.astype(str).to_dict() == {
        "sentence_id": "int64",
        "person_id": "int64",
        "sentence_date": "int64",
        "sentence_type": "object",
        "setting": "object",
        "index_offence": "object",
        "release_date": "Int64",
        "age_at_sentence": "float64",
        "prior_sanctions": "int64",
        "prior_sexual_sanctions": "int64",
        "area": "object",
        "linkage_quality": "float64",
        "tariff": "float64",
        "court": "object",
        "plea": "object",
        "heard": "object",
        "appeal": "object",
    }
    assert sentences["tariff"].tolist()[:2] == [1.5, 2.0]
    assert sentences["court"].tolist() == ["019", "020", None, "019"]
    assert sentences["plea"].tolist() == ["guilty", "not guilty", None, "guilty"]
    assert sentences["heard"].tolist() == ["2008-01-01", None, "2010-02-01", "2008-06-01"]
    assert sentences["appeal"].tolist() == ["true", "false", "true", "false"]


def test_frames_handed_in_are_not_changed(typed: Frames) -> None:
    before = {name: frame.copy(deep=True) for name, frame in typed.items()}
    tables = oc.load_tables(typed)
    tables.frame("people")["sex"] = "changed"
    assert set(tables.frame("people")["sex"]) == {"male", "female"}
    for name, frame in typed.items():
        pd.testing.assert_frame_equal(frame, before[name])


@pytest.mark.parametrize("zone", ["Europe/London", "UTC", "America/New_York"])
def test_an_instant_is_dated_by_the_clock_of_its_own_time_zone(typed: Frames, tmp_path: Path, zone: str) -> None:
    expected = oc.load_tables(typed).frame("reoffences")
    typed["reoffences"]["offence_date"] = (
        typed["reoffences"]["offence_date"] + pd.Timedelta("23h30min")
    ).dt.tz_localize(zone)
    (tmp_path / "csv").mkdir()
    for source in (typed, _polars(typed, tmp_path), _parquet(typed, tmp_path), _texts(typed, tmp_path / "csv")):
        pd.testing.assert_frame_equal(oc.load_tables(source).frame("reoffences"), expected)


def test_a_table_loads_from_a_path_that_looks_like_a_pattern(typed: Frames, tmp_path: Path) -> None:
    folder = tmp_path / "extract [final] *?"
    folder.mkdir()
    assert oc.load_tables(_csv(typed, folder)).counts["people"] == 4
    for file in folder.iterdir():
        file.unlink()
    assert oc.load_tables(_parquet(typed, folder)).counts["people"] == 4


def test_rows_keep_the_order_of_the_file(typed: Frames, tmp_path: Path) -> None:
    n = 700_000  # several blocks, read in parallel
    offences = pd.DataFrame(
        {
            "reoffence_id": np.arange(n, 0, -1),
            "person_id": 12,
            "offence_date": "2011-01-01",
            "proven_date": "2011-02-01",
            "offence_type": "drugs",
        }
    )
    for write in (_csv, _parquet):
        folder = tmp_path / write.__name__
        folder.mkdir()
        tables = oc.load_tables(write({**typed, "reoffences": offences}, folder))
        assert (tables.frame("reoffences")["reoffence_id"] == offences["reoffence_id"]).all()


def test_a_lazy_frame_joins_another_and_outlives_its_tables(typed: Frames) -> None:
    import gc

    import narwhals as nw

    tables = oc.load_tables(typed)
    joined = (
        tables.lazy("reoffences")
        .join(tables.lazy("people"), on="person_id")
        .select("reoffence_id", "sex", "offence_date")
    )
    del tables
    gc.collect()
    frame = joined.filter(nw.col("offence_date") > 14_900).collect("pandas").to_native()
    assert frame.to_dict("list") == {"reoffence_id": [1], "sex": ["male"], "offence_date": [14_975]}


def test_an_optional_table_that_did_not_come_is_empty_but_typed(typed: Frames) -> None:
    tables = oc.load_tables(typed)
    assert tables.missing == ("delivery", "fidelity", "supervision")
    assert "supervision" not in tables.names
    assert tables.frame("supervision").dtypes.astype(str).to_dict() == {
        "person_id": "int64",
        "start_date": "int64",
        "end_date": "Int64",
        "type": "object",
        "level": "object",
    }
    assert tables.lazy("supervision").collect().shape == (0, 6)


def test_hashes_are_those_of_the_files(typed: Frames, tmp_path: Path) -> None:
    import hashlib

    _csv(typed, tmp_path)
    hashes = oc.load_tables(tmp_path).hashes
    assert hashes["people.csv"] == hashlib.sha256((tmp_path / "people.csv").read_bytes()).hexdigest()
    assert set(hashes) == {f"{name}.csv" for name in typed}
    assert oc.load_tables(typed).hashes == {}
