"""One derivation, two engines: what Spark gives of every kind of example person is what DuckDB gives, row by row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_study import UNTREATED, exits, extract, offences, outcome, small_study, spells
from small_tables import rows
from spark_tables import on_spark

import outcomes as oc

pytestmark = pytest.mark.slow
OUTCOMES = {
    "any": outcome(),
    "sexual": outcome("sexual_contact", proven_within=200, competing=("death", "deportation", "emigration")),
}


@pytest.fixture(scope="module")
def frames() -> dict[str, pd.DataFrame]:
    """Everyone the table tests are about, in one extract."""
    found = extract(
        "p1 m1 custody 2008-01-01 2010-01-01 2008-06-01 2008-03-01",
        "p2 b1 community 2009-12-01 - 2010-01-01 2009-12-10",
        "p3 b1 custody 2008-01-01 2010-01-01 2010-03-02",
        "p4 m1 community 2009-12-01 - 2010-01-01",
        "p5 - community 2010-02-01",
        "p6 b1 custody 2008-01-01 - 2008-06-01",
        "p7 m1 community 2009-12-01 - 2010-01-01 2009-11-01",
        "p7 b1 community 2012-01-01 - 2012-02-01",  # a second index sentence
        "p8 b1 community 2009-12-01 - 2010-01-01",
        "p9 m1 community 2009-12-01 - 2010-01-01",
        "p10 b2 community 2015-12-01 - 2016-01-01",  # after the data
        "p11 - custody 2009-01-01 2010-06-01",
        "p12 b1 community 2009-12-01 - 2010-01-01",
        also=["s2 m1 2010-06-01", "s9 m1 2010-01-01"],
        assessments=rows(
            "person_id date instrument score band denial learning_disability",
            *(f"p{n} 2007-12-01 static {n}.5 low none false" for n in range(1, 12)),
            "p2 2009-12-15 static 7 high full -",
            "p4 2009-12-20 static 3 medium partial true",
            "p4 2009-12-20 static 9 high full false",  # two on one day
            "p8 2010-01-02 static 9 high none false",  # the day after the start
        ),
        reoffences=offences(
            "p1 2010-05-01 2010-06-01 violent",
            "p2 2010-01-01 2010-02-01 sexual_contact",  # on time zero
            "p2 2011-01-01 2011-02-01 violent",
            "p3 2010-02-01 2010-04-01 violent",  # before, proven after
            "p4 2010-05-15 2010-06-01 violent",  # in custody
            "p4 2011-05-15 2012-06-01 other",  # proven late
            "p7 2012-06-01 2012-07-01 sexual_contact",
            "p8 2010-08-01 2010-09-01 other",
            "p8 2010-08-01 2010-09-02 sexual_contact",  # on the same day
            "p9 2011-03-01 2011-03-02 violent",
            "p12 2014-01-01 2014-01-02 violent",
        ),
        spells=spells(
            "p4 2010-05-01 2010-07-01 custody",
            "p4 2010-06-15 2010-08-01 recall",  # overlaps
            "p8 2010-03-01 2010-04-01 hospital",
            "p8 2010-04-01 2010-05-01 custody",  # touches
            "p9 2010-02-01 2010-02-01 recall",  # no day at all
            "p9 2011-03-01 - custody",  # stays open
        ),
        exits=exits(
            "p1 2012-01-01 death", "p8 2013-01-01 deportation", "p11 2011-01-01 lost", "p12 2013-06-01 emigration"
        ),
    )
    begun = enumerate(found["participation"]["start_date"])
    ends = ["2012-12-31" if number % 2 and start < "2012" else None for number, start in begun]
    found["participation"]["end_date"] = ends
    return found


@pytest.fixture(scope="module")
def both(frames: dict[str, pd.DataFrame], spark: Any) -> tuple[oc.Tables, oc.Tables]:
    return oc.load_tables(frames), oc.load_tables(on_spark(spark, frames))


@pytest.mark.parametrize(
    "study",
    [
        {"population": "both", "include": ["age_at_time_zero >= 18", "risk_band != 'very_high'"], "scale": "at_risk"},
        {"arms": UNTREATED, "strategy": "landmark", "grace": 60, "scale": "community", "covariate_window": 900},
        {"assigned_by": "provision", "population": "caseload", "index": "all", "observed_from": "2010-04-01"},
        {"assigned_by": "referral", "window": 60},
        {"strategy": "time_varying", "population": "both", "scale": "at_risk"},
    ],
    ids=[
        "both, at risk",
        "landmark, community clock",
        "provision, every sentence",
        "referral",
        "exposure that changes",
    ],
)
def test_what_spark_gives_is_what_duckdb_gives(both: tuple[oc.Tables, oc.Tables], study: dict[str, Any]) -> None:
    asked = small_study(**{"outcomes": OUTCOMES, "headline": "any", **study})
    one, other = (oc.build_cohort(tables, asked) for tables in both)
    assert len(one.baseline) > 2
    pd.testing.assert_frame_equal(one.baseline, other.baseline)
    pd.testing.assert_frame_equal(one.flow.to_frame(), other.flow.to_frame())
    assert one.notes == other.notes
    taken = [cohort.outcome("any") for cohort in (one, other)]
    if study.get("scale") == "at_risk":
        taken += [cohort.every_event("any") for cohort in (one, other)]
    for mine, theirs in zip(taken[::2], taken[1::2], strict=True):
        for part in ("entry", "exit", "event", "person", "arm"):
            np.testing.assert_array_equal(getattr(mine, part), getattr(theirs, part))
        pd.testing.assert_frame_equal(mine.frame, theirs.frame)
        assert mine.notes == theirs.notes
