"""What is wrong with an extract is said once, by table, column, rule and count, whatever brought it; and no value is."""

from __future__ import annotations

import logging
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_study import TWO_ARMS, small_study
from small_tables import rows, small_tables
from spark_tables import on_spark

import outcomes as oc
from outcomes.design.study import ArmSpec
from outcomes.loading.schema import columns_of

MARK = "CANARY-7731"
Frames = dict[str, pd.DataFrame]


def _csv(frames: Frames, folder: Path) -> Path:
    for name, frame in frames.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    return folder


def _parquet(frames: Frames, folder: Path) -> Path:
    for name, frame in frames.items():
        frame.to_parquet(folder / f"{name}.parquet")
    return folder


def _database(frames: Frames, folder: Path) -> Path:
    with duckdb.connect(str(folder / "extract.duckdb")) as connection:
        for name, frame in frames.items():
            connection.register("given", frame)
            connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
            connection.unregister("given")
    return folder / "extract.duckdb"


def _pandas(frames: Frames, folder: Path) -> Frames:
    return frames


def _polars(frames: Frames, folder: Path) -> dict[str, pl.DataFrame]:
    return {name: pl.from_pandas(frame) for name, frame in frames.items()}


def _polars_lazy(frames: Frames, folder: Path) -> dict[str, pl.LazyFrame]:
    return {name: pl.from_pandas(frame).lazy() for name, frame in frames.items()}


def _arrow(frames: Frames, folder: Path) -> dict[str, pa.Table]:
    return {name: pa.Table.from_pandas(frame, preserve_index=False) for name, frame in frames.items()}


def _relations(frames: Frames, folder: Path) -> dict[str, duckdb.DuckDBPyRelation]:
    connection = duckdb.connect()
    return {name: connection.from_df(frame) for name, frame in frames.items()}


READERS = [_csv, _parquet, _database, _pandas, _polars, _polars_lazy, _arrow, _relations]


@pytest.fixture
def said_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> Callable[..., list[str]]:
    """What a source is refused for, line by line: in one error of ours, without the mark anywhere, with nothing written."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.chdir(home)
    caplog.set_level(logging.DEBUG)

    def refused(source: Any, kind: type[oc.OutcomesError] = oc.DataError, **study: Any) -> list[str]:
        before, files = _private(), _contents(tmp_path)
        with pytest.raises(kind) as caught:
            oc.build_cohort(oc.load_tables(source), small_study(**study))
        error = caught.value
        assert (error.__cause__, error.__context__) == (None, None)
        captured = capfd.readouterr()
        told = [
            str(error),
            repr(error.args),
            *traceback.format_exception(error),
            caplog.text,
            captured.out,
            captured.err,
        ]
        assert MARK not in "".join(told)
        assert captured.out + captured.err == ""
        assert (_private(), _contents(tmp_path)) == (before, files)
        return [line.removeprefix("  - ") for line in str(error).splitlines() if line.startswith("  - ")] or [
            str(error)
        ]

    return refused


def _private() -> list[Path]:
    """Return the files in the places to spill to."""
    folders = Path(tempfile.gettempdir()).glob("outcomes-*")
    return sorted(file for folder in folders for file in folder.rglob("*") if file.is_file())


def _contents(folder: Path) -> dict[str, int]:
    return {str(file): file.stat().st_size for file in folder.rglob("*") if file.is_file()}


def _broken_structure() -> tuple[Frames, list[str]]:
    """Return cells that do not fit, keys that repeat and programmes no catalogue has; and what is said of each."""
    frames = small_tables(
        reoffences=rows(
            "reoffence_id person_id offence_date proven_date offence_type",
            f"o1 p1 2011-01-01 1/3/2011-{MARK} acquisitive",
            "o3 p3 10/09/2010 2010-12-01 sexual_contact",
            "o4 p3 20101001 1-Dec-10 sexual_contact",
        )
    )
    again = rows("person_id sex ethnicity_group", f"p1 female {MARK}")
    frames["people"] = pd.concat([frames["people"], again], ignore_index=True)
    frames["exits"]["reason"] = None
    for table in ("provision", "eligibility", "referrals", "participation"):
        frames[table].loc[1, "programme_id"] = MARK
    return frames, [
        "reoffences.offence_date: 1 of 3 rows: not a date; expected an ISO date such as 2010-03-31, or a whole number of days.",
        "reoffences.offence_date: 1 of 3 rows: a whole number too large for a day; a date such as 20100331 is written 2010-03-31.",
        "reoffences.proven_date: 2 of 3 rows: not a date; expected an ISO date such as 2010-03-31, or a whole number of days.",
        "exits.reason: 1 of 1 rows: the cell is empty and may not be.",
        "reoffences.offence_date: 1 of 3 rows: day numbers, where the rest of the extract has dates; use one of the two.",
        "people.person_id: 1 of 5 rows: the key is in the table already.",
        "provision.programme_id: 1 of 3 rows: refers to nothing in programmes.programme_id.",
        "eligibility.programme_id: 1 of 2 rows: refers to nothing in programmes.programme_id.",
        "referrals.programme_id: 1 of 4 rows: refers to nothing in programmes.programme_id.",
        "participation.programme_id: 1 of 4 rows: refers to nothing in programmes.programme_id.",
    ]


def _broken_rules() -> tuple[Frames, list[str]]:
    """Return spells that end before they start or start after death; a column that may be empty and is, wherever, is no fault."""
    frames = small_tables(
        spells=rows(
            "person_id start_date end_date state reason remark",
            f"p1 2011-03-01 2011-02-01 custody remand {MARK}",
            f"p4 2013-03-01 2013-04-01 custody remand {MARK}",
        )
    )
    for table, column in (("assessments", "score"), ("people", "ethnicity_group"), ("provision", "open_to")):
        frames[table][column] = None
    return frames, [
        "spell_after_death (spells.start_date): 1 of 2 rows: a spell starts after the person's death.",
        "end_before_start (spells.end_date): 1 of 2 rows: end_date is before start_date.",
    ]


@pytest.mark.parametrize("broken", [_broken_structure, _broken_rules], ids=lambda f: f.__name__.strip("_"))
@pytest.mark.parametrize("brought", READERS, ids=lambda f: f.__name__.strip("_"))
def test_every_reader_says_the_same_of_the_same_faults(
    brought: Callable[..., Any], broken: Callable[[], tuple[Frames, list[str]]], said_of: Callable[..., list[str]], tmp_path: Path
) -> None:  # fmt: skip
    frames, expected = broken()
    assert said_of(brought(frames, tmp_path)) == expected


@pytest.mark.slow
def test_and_so_does_spark(spark: Any) -> None:
    frames, expected = _broken_structure()
    with pytest.raises(oc.DataError) as caught:
        oc.load_tables(on_spark(spark, frames))
    assert [line.removeprefix("  - ") for line in str(caught.value).splitlines()[1:-1]] == expected
    assert MARK not in "".join(traceback.format_exception(caught.value))


def test_csv_files_cut_short_empty_with_another_delimiter_or_in_latin_1(
    said_of: Callable[..., list[str]], tmp_path: Path
) -> None:
    folder = _csv(small_tables(), tmp_path)
    written = {
        "people": b"",
        "sentences": f"{';'.join(columns_of('sentences'))}\n{MARK};p1\n".encode(),
        "assessments": f"person_id,date,instrument,band\np1,2008-02-01,static,{MARK}\xe9\n".encode("latin-1"),
        "provision": f"programme_id,area,open_from\nm1,north,2005-01-01\n{MARK};north".encode(),
        "referrals": f'{",".join(columns_of("referrals"))}\nr1,p1,s1,m1,2008-03-01,custody,accepted,,"{MARK}'.encode(),
        "exits": f"person_id,exit_date,r\xe9ason\np4,2012-03-01,{MARK}\n".encode("latin-1"),
    }
    for table, content in written.items():
        (folder / f"{table}.csv").write_bytes(content)
    ask = " Expected UTF-8 text with commas between cells and one line of column names."
    assert said_of(folder) == [
        f"exits: exits.csv cannot be read: its column names are not UTF-8 text.{ask}",
        f"people: people.csv cannot be read: it is empty.{ask}",
        f"sentences: sentences.csv cannot be read: the cells are not separated by commas.{ask}",
        f"assessments: assessments.csv cannot be read: 1 line not in UTF-8.{ask}",
        f"provision: provision.csv cannot be read: 1 line with too few cells.{ask}",
        f"referrals: referrals.csv cannot be read: 1 line with quotation marks in the wrong place.{ask}",
    ]


def test_parquet_files_cut_short_empty_damaged_or_not_in_utf_8(
    said_of: Callable[..., list[str]], tmp_path: Path
) -> None:
    frames = small_tables()
    frames["referrals"]["reason"] = MARK
    folder = _parquet(frames, tmp_path)
    pq.write_table(_in_latin_1(frames["people"]), folder / "people.parquet")
    (folder / "exits.parquet").write_bytes(b"")
    file = folder / "referrals.parquet"
    file.write_bytes(file.read_bytes()[:-100])
    other = "cannot be read as Parquet; it is empty, cut short or of another kind."
    assert said_of(folder) == [
        f"exits: exits.parquet {other}",
        f"referrals: referrals.parquet {other}",
        "people: people.parquet cannot be read: ethnicity_group holds 2 cells not in UTF-8.",
    ]


def _in_latin_1(frame: pd.DataFrame) -> pa.Table:
    """Return people with marked cells in Latin-1, in a column that says it is text."""
    raw = pa.array([b"white", None, f"{MARK}\xe9".encode("latin-1"), "\xe9".encode("latin-1")], pa.binary())
    return pa.table(
        {"person_id": list(frame["person_id"]), "sex": list(frame["sex"]), "ethnicity_group": raw.view(pa.string())}
    )


def test_frames_with_text_that_is_not_utf_8(said_of: Callable[..., list[str]], tmp_path: Path) -> None:
    arrow: dict[str, Any] = _arrow(small_tables(), tmp_path)
    arrow["people"] = _in_latin_1(small_tables()["people"])
    assert said_of(arrow) == ["people.ethnicity_group: 2 of 4 rows: not UTF-8 text."]
    frames = small_tables()
    frames["people"]["ethnicity_group"] = ["white", None, f"{MARK}\udce9", 7]  # as read with errors="surrogateescape"
    assert said_of(frames) == ["people.ethnicity_group: 1 of 4 rows: not UTF-8 text."]


@pytest.mark.parametrize("cut", [0, 100, 20_000])
def test_a_database_that_is_empty_or_cut_short(cut: int, said_of: Callable[..., list[str]], tmp_path: Path) -> None:
    file = tmp_path / "extract.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(f"CREATE TABLE people AS SELECT '{MARK}' || range AS person_id FROM range(50000)")
    file.write_bytes(file.read_bytes()[:cut])
    (said,) = said_of(file)
    assert said.startswith("load_tables: 'extract.duckdb' cannot be opened as a DuckDB file")


def test_frames_whose_source_is_gone_or_empty(said_of: Callable[..., list[str]], tmp_path: Path) -> None:
    file = tmp_path / f"{MARK}.csv"
    file.touch()
    connection = duckdb.connect()
    closed = connection.sql(f"SELECT '{MARK}' AS person_id")
    connection.close()
    frames: dict[str, Any] = small_tables(exits=pl.scan_csv(file), spells=pl.scan_parquet(tmp_path / "gone.parquet"))
    assert [fault.split(".")[0] for fault in said_of(frames | {"people": closed})] == [
        "people: a DuckDBPyRelation cannot be read as a table",
        "spells: a LazyFrame cannot be read as a table",
        "exits: a LazyFrame cannot be read as a table",
    ]


def test_a_file_cut_off_within_its_last_cell_is_read_and_said(tmp_path: Path) -> None:
    file = _csv(small_tables(), tmp_path) / "provision.csv"
    assert "last_line_not_ended" not in {note.code for note in oc.load_tables(tmp_path).checks.notes}
    file.write_bytes(file.read_bytes().rstrip())
    said = {note.code: note.text for note in oc.load_tables(tmp_path).checks.notes}
    assert said["last_line_not_ended"] == (
        "The last line is not ended, as in a file cut short: provision.csv. Compare the rows with what was sent."
    )


def _bespoke(**spec: tuple[str, ...]) -> dict[str, Any]:
    return {"arms": {**TWO_ARMS, "bespoke": ArmSpec(**spec)}}


def _marked(table: str, **cells: tuple[int, str]) -> Frames:
    frames = small_tables()
    for column, (row, value) in cells.items():
        frames[table].loc[row, column] = value
    return frames


def _unscored() -> Frames:
    """Return assessments whose scores are all missing."""
    frames = _marked("assessments", remark=(0, MARK))
    frames["assessments"]["score"] = None
    return frames


@pytest.mark.parametrize(
    ("frames", "study", "said"),
    [
        (_marked("programmes", family_id=(2, MARK)), _bespoke(family=("elsewhere",)),
         "[arms] bespoke: none of the 3 rows of programmes has family_id 'elsewhere'."),
        (_marked("programmes", name=(2, MARK)), _bespoke(programme=("zz",)),
         "[arms] bespoke: none of the 3 rows of programmes has programme_id 'zz'."),
        (_marked("programmes", name=(2, MARK)), _bespoke(strand=("circle",)),
         "[arms] bespoke: none of the 3 rows of programmes has strand 'circle'."),
        (_marked("eligibility", column=(1, MARK)), {},
         "Table eligibility, column 'column': 1 of 2 rules of an arm's programmes speak of what is not known at time zero."),
        (_marked("eligibility", column=(1, "age_at_time_zero"), value=(1, MARK)), {},
         "Table eligibility: a rule compares the number 'age_at_time_zero' with text."),
        (_marked("sentences", remark=(0, MARK)), {"data_cut": "2010-03-01"},
         "build_cohort: arm 'manualised' is empty. no follow-up before the data cut less the proving period: 2"),
        (_unscored(), {"include": ["risk_score >= 0"]},
         "build_cohort: arm 'manualised' is empty. risk score unknown: 2"),
    ],
    ids=["family", "programme", "strand", "column of a rule", "value of a rule", "after the data cut", "all missing"],
)  # fmt: skip
def test_what_a_study_asks_and_the_tables_do_not_have(
    frames: Frames, study: dict[str, Any], said: str, said_of: Callable[..., list[str]]
) -> None:
    assert said_of(frames, oc.DesignError, **study) == [said]
