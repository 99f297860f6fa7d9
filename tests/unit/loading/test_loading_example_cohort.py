"""The example cohort in data/synthetic goes in whole, as files and as frames."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import outcomes as oc
from outcomes.loading.schema import SCHEMA

FOLDER = Path(__file__).resolve().parents[3] / "data" / "synthetic"


@pytest.fixture(scope="module")
def tables() -> oc.Tables:
    return oc.load_tables(FOLDER)


def test_every_table_comes_with_every_row_of_its_file(tables: oc.Tables) -> None:
    assert tables.names == tuple(SCHEMA)
    assert tables.missing == ()
    for name in SCHEMA:
        lines = (FOLDER / f"{name}.csv").read_text(encoding="utf-8").splitlines()
        assert tables.counts[name] == len(lines) - 1
        assert list(tables.frame(name).columns)[: len(SCHEMA[name].columns)] == [c.name for c in SCHEMA[name].columns]


def test_no_rule_of_severity_error_is_broken(tables: oc.Tables) -> None:
    assert tables.checks.failed == ()
    assert tables.require_clean() is tables


def test_what_is_in_the_files_is_in_the_tables(tables: oc.Tables) -> None:
    there = pd.read_csv(FOLDER / "reoffences.csv", parse_dates=["offence_date", "proven_date"])
    here = tables.frame("reoffences")
    for column in ("offence_date", "proven_date"):
        assert (here[column] == (there[column] - pd.Timestamp("1970-01-01")).dt.days).all()
    assert (here["offence_type"] == there["offence_type"]).all()
    assert (here["person_id"].rank(method="dense") == there["person_id"].rank(method="dense")).all()
    people = pd.read_csv(FOLDER / "people.csv")
    assert here["person_id"].map(tables.frame("people").set_index("person_id")["sex"]).tolist() == (
        there["person_id"].map(people.set_index("person_id")["sex"]).tolist()
    )


def test_files_and_frames_give_the_same_tables(tables: oc.Tables) -> None:
    frames = {name: pd.read_csv(FOLDER / f"{name}.csv") for name in SCHEMA}
    for frame in frames.values():
        for column in frame.columns:
            if "date" in column or column.startswith(("open_", "valid_")) or column in ("from", "to"):
                frame[column] = pd.to_datetime(frame[column])
    loaded = oc.load_tables(frames)
    for name in SCHEMA:
        pd.testing.assert_frame_equal(loaded.frame(name), tables.frame(name))
