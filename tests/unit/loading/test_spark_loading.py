"""Spark frames stay on Spark, and give the tables, checks, faults and counts that the same data give on DuckDB."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd
import pyarrow as pa
import pytest
from small_tables import rows, small_tables
from spark_tables import on_spark

import outcomes as oc
from outcomes.errors import DataError
from outcomes.loading.schema import SCHEMA, columns_of

pytestmark = pytest.mark.slow
MARK = "CANARY7351"
Frames = dict[str, pd.DataFrame]


def _sorted(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values(list(frame.columns), ignore_index=True)


def _agree(one: oc.Tables, other: oc.Tables) -> None:
    assert one.names == other.names
    assert one.counts == other.counts
    assert one.origin == other.origin
    assert one.programme_ids == other.programme_ids
    assert one.ignored == other.ignored
    pd.testing.assert_frame_equal(one.dropped, other.dropped)
    pd.testing.assert_frame_equal(one.checks.to_frame(), other.checks.to_frame())
    for name in SCHEMA:
        pd.testing.assert_frame_equal(_sorted(one.frame(name)), _sorted(other.frame(name)))


def _faults(source: Any) -> list[str]:
    with pytest.raises(DataError) as caught:
        oc.load_tables(source)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return str(caught.value).splitlines()


def _messy() -> Frames:
    """Dates as text, days and types of their own; ids as text, numbers and floats; flags and codes in many forms."""
    frames = small_tables(
        spells=rows(
            "person_id start_date end_date state reason reoffence_id",
            "p1 2011-03-01 2011-04-01 custody sentence o1",
            "p3 2011-03-01 - custody remand -",
        ),
        supervision=rows("person_id start_date end_date type level", "p1 2010-01-01 2011-01-01 licence 1"),
        delivery=rows("group_id facilitator_id role from to", "g1 f1 lead 2010-01-01 -", "g10 f2 - - 2011-01-01"),
    )
    for column in ("sentence_date", "release_date"):
        frames["sentences"][column] = pd.to_datetime(frames["sentences"][column])
    frames["sentences"]["age_at_sentence"] = [Decimal("30.50"), Decimal("40.00"), Decimal("50.25"), Decimal("25.00")]
    frames["sentences"]["prior_sanctions"] = [2.0, 1.0, 5.0, 1.0]
    frames["reoffences"]["offence_date"] = pd.to_datetime(frames["reoffences"]["offence_date"]).dt.date
    frames["reoffences"]["proven_date"] = ["2011-03-01T23:59:59.5+01:00", " 2010-12-01 "]
    frames["people"] = frames["people"].assign(
        sex=["1", "1", " 1", "2"], ethnicity_group=["W1", "NS", "\u00a0black\t", ""], deprivation=["1", "1e1", "", "5"]
    )
    frames["people"]["region code"] = ["01", "02", "NA", "03"]
    frames["people"]["weight"] = [1.5, None, float("inf"), 2.0]
    frames["people"]["told"] = [True, False, None, True]
    frames["assessments"]["learning_disability"] = ["Yes", "n", "0.0", "T"]
    frames["assessments"]["score"] = ["1.5", " -3e1 ", "NA", "1_000"]
    frames["participation"]["voluntary"] = [True, False, False, True]
    frames["participation"]["site_id"] = [5.0, None, 40.0, 7.0]
    frames["participation"]["sessions_attended"] = ["20", "3.0", "", None]
    names = {"r1": "100", "r2": "20", "r3": "3.0", "r4": "0040"}
    for table in ("referrals", "participation"):
        frames[table]["referral_id"] = frames[table]["referral_id"].map(names)
    return {**frames, "lookups": pd.DataFrame({"a": [1]})}


_CODES = {"people.sex": {"1": "male", "2": "female"}, "people.ethnicity_group": {"W1": "white's \\ own", "NS": ""}}


def _broken() -> Frames:
    """Tables that break many rules, in rows on which others hang."""
    frames = small_tables(
        exits=rows(
            "person_id exit_date reason", "p4 2009-03-01 death", "p4 2013-03-01 lost", "p1 2010-12-31 deportation"
        ),
        spells=rows(
            "person_id start_date end_date state reason reoffence_id",
            "p1 2009-12-01 2011-05-01 custody remand o1",
            "p1 2011-02-01 2011-03-01 custody remand o3",
            "p4 2012-03-02 2012-03-01 recall recall -",
        ),
        supervision=rows("person_id start_date end_date type", *["p4 2012-03-02 2012-01-01 notification"] * 3),
    )
    frames["sentences"]["age_at_sentence"] = ["30", "40", "150", "25"]
    frames["sentences"]["release_date"] = ["2007-01-01", "2010-01-01", None, None]
    frames["participation"]["programme_id"] = ["m1", "b2", "b1", "b1"]
    frames["participation"]["sentence_id"] = ["s1", "s1", "s3", "s4"]
    frames["participation"]["site_id"] = ["z", None, "b", "b"]
    frames["provision"]["site_id"] = ["a", "b", "c"]
    frames["assessments"] = pd.concat([frames["assessments"]] * 2)
    frames["reoffences"]["proven_date"] = ["2010-12-31", "9999-12-31"]
    return frames


def test_a_messy_extract_agrees(spark: Any) -> None:
    options = {"codes": _CODES, "columns": {"exits": {"why": "reason"}}}
    frames = _messy()
    frames["exits"] = frames["exits"].rename(columns={"reason": "why"})
    given = on_spark(spark, frames)
    clock = "TIMESTAMP '2012-03-01 23:30:00'"  # an instant is dated by the clock of the session
    given["exits"] = spark.sql(f"SELECT 'p4' AS person_id, {clock} AS exit_date, 'death' AS why")
    _agree(oc.load_tables(given, **options), oc.load_tables(frames, **options))


def test_broken_rules_and_the_rows_left_out_for_them_agree(spark: Any) -> None:
    tables, expected = oc.load_tables(on_spark(spark, _broken())), oc.load_tables(_broken())
    _agree(tables, expected)
    assert len(expected.checks.failed) > 5
    drop = [*expected.checks.failed, "duplicate_rows"]
    clean, rest = tables.require_clean(drop=drop), expected.require_clean(drop=drop)
    _agree(clean, rest)
    assert len(rest.dropped) > 5
    _agree(tables, expected)  # the tables dropped from stay whole


def test_dense_ids_ids_over_many_partitions_and_what_is_built_on_them_agree(spark: Any) -> None:
    n = 3_000
    frames = small_tables(
        reoffences=pd.DataFrame(
            {
                "reoffence_id": [f"{i}" if i % 3 else f"o{i}é" for i in range(n)],
                "person_id": [f"p{i % 4 + 1}" for i in range(n)],
                "offence_date": "2012-01-01",
                "proven_date": "2012-02-01",
                "offence_type": "drugs",
            }
        )
    )
    for frame in frames.values():
        for column in frame.columns:
            if column.endswith("date") or column.startswith("open_"):
                days = (pd.to_datetime(frame[column]) - pd.Timestamp("2001-05-05")).dt.days
                frame[column] = days.astype("Int64")
            elif column in ("person_id", "sentence_id", "referral_id"):
                frame[column] = frame[column].str[1:].astype("int64")
    settings, views = _session(spark)
    given = on_spark(spark, frames)
    tables = oc.load_tables({**given, "reoffences": given["reoffences"].repartition(7)})
    expected = oc.load_tables(frames)
    assert tables.origin == "undisclosed"
    _agree(tables, expected)
    found = []
    for each in (tables, expected):
        with each.keeping():
            joined = each.keep(each.lazy("reoffences").join(each.lazy("people"), on="person_id"))
            some = joined.filter(nw.col("reoffence_id") < 5).select("reoffence_id", "sex", "person_id")
            found.append(each.collect(some).sort_by("reoffence_id").to_pydict())
    assert found[0] == found[1]
    assert _session(spark)[1] > views
    del tables, each, joined, some
    assert _session(spark) == (settings, views)  # the session is left as it was


def _session(spark: Any) -> tuple[dict[str, str], set[str]]:
    """Return the settings of a session and the names in it."""
    return dict(spark.sparkContext.getConf().getAll()), {table.name for table in spark.catalog.listTables()}


def test_faults_of_every_kind_agree(spark: Any) -> None:
    frames = small_tables(
        exits=rows("person_id exit_date reason", "p9 never death", "p4 20120301 death", "p1 4000 gone")
    )
    frames["people"] = pd.concat([frames["people"], frames["people"].iloc[:1].assign(sex="m")])
    frames["people"]["Surname"] = "x"
    frames["sentences"] = frames["sentences"].assign(
        age_at_sentence=["30", "1d", "0x10", "inf"],
        setting=["custody", None, "community", "hostel"],
        sentence_date=["2008-01-01", "2010-02-30", "0000-00-00", "1/1/2010"],
        prior_sanctions=["2.5", "1,000", "1e300", "9"],
    )
    frames["assessments"] = frames["assessments"].assign(learning_disability=["perhaps", "no", "no", "no"])
    frames["referrals"] = frames["referrals"].rename(columns={"referral_date": "refferal_date"})
    frames["provision"] = frames["provision"].rename(columns={"area": "Open_From"})
    del frames["spells"]
    lists = pa.array([["north"], [], ["south"]])
    given: dict[str, Any] = {n: pa.Table.from_pandas(f, preserve_index=False) for n, f in frames.items()}
    given["programmes"] = given["programmes"].append_column("areas", lists)
    given["participation"] = pa.table({"a": ["1"]})
    assert _faults(on_spark(spark, given)) == _faults(given)


def test_spark_frames_and_others_do_not_mix(spark: Any) -> None:
    frames: dict[str, Any] = small_tables()
    frames["people"] = on_spark(spark, {"people": frames["people"]})["people"]
    with pytest.raises(DataError, match="1 of 11 tables are Spark frames and the others are not"):
        oc.load_tables(frames)


def test_a_planted_value_does_not_come_out(spark: Any, capsys: pytest.CaptureFixture[str]) -> None:
    frames = {}
    for name, frame in small_tables().items():
        marked = [dict.fromkeys(columns_of(name), form) for form in (MARK, f"31/12/{MARK}", f"-1{MARK}")]
        whole = frame.astype(object).reindex(columns=list(columns_of(name)))
        frames[name] = pd.concat([whole, pd.DataFrame(marked)], ignore_index=True).astype("string")
    said = _faults(on_spark(spark, frames))
    captured = capsys.readouterr()
    assert all(f"  - {name}" in "".join(said) for name in frames)
    assert MARK not in "".join(said) + captured.out + captured.err


def test_nor_out_of_a_frame_whose_plan_fails(spark: Any, capsys: pytest.CaptureFixture[str]) -> None:
    frames = on_spark(spark, small_tables())
    frames["people"] = frames["people"].selectExpr(
        "person_id", "sex", f"CAST(concat(sex, '{MARK}') AS INT) AS ethnicity_group"
    )
    said = _faults(frames)
    captured = capsys.readouterr()
    assert said[1].startswith("  - people: people cannot be read: it is damaged")
    assert MARK not in "".join(said) + captured.out + captured.err


def test_a_session_that_has_ended_is_said_in_one_sentence(spark: Any, tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
import outcomes as oc
from small_study import small_study
from small_tables import small_tables
from spark_fixture import spark_session
from spark_tables import on_spark

session = spark_session(Path(sys.argv[1]))
small = small_tables()
small["people"]["ethnicity_group"] = sys.argv[2]
frames = on_spark(session, small)
tables = oc.load_tables(frames)
lazy = tables.lazy("people")
session.stop()
for use in (
    lambda: tables.lazy("people"), lambda: tables.keep(lazy), lambda: tables.collect(lazy),
    lambda: tables.frame("people"), lambda: tables.checks, lambda: oc.load_tables(frames),
    lambda: oc.build_cohort(tables, small_study()),
):
    try:
        use()
    except oc.DataError as error:
        print(error.__cause__, error.__context__, str(error).endswith("has ended; start one and load the tables again."))
"""
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path), MARK],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": paths},
    )
    assert done.stdout.splitlines() == ["None None True"] * 7
    assert MARK not in done.stdout + done.stderr
