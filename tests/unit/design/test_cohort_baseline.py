"""What was known of a person on the day follow-up starts: nothing that came later."""

from __future__ import annotations

import pytest
from small_study import Reframed, after, cohort, compared, extract, held, starters
from small_tables import rows

import outcomes as oc

ASSESSED = "person_id date instrument score band denial learning_disability"


@pytest.fixture(scope="module")
def assessed() -> Reframed:
    """Everyone starts on 2010-01-01."""
    return held(
        starters(
            6,
            assessments=rows(
                ASSESSED,
                "p1 2010-01-01 static 9 high full true",  # on the day itself
                "p1 2009-06-01 static 1 low none false",
                f"p2 {after(-214)} static 3 medium none false",
                "p2 2010-01-02 static 9 high full true",  # the day after: never
                "p3 2009-06-01 static 7 high partial -",
                "p3 2009-12-01 acute - - none false",  # the later one recorded no score and no band
                "p4 2010-06-01 static 9 high full true",
                f"p5 {after(-213)} static 5 medium partial true",
            ),
        )
    )


def test_the_last_assessment_on_or_before_time_zero_counts(assessed: Reframed) -> None:
    found = cohort(assessed)
    assert compared(found, "risk_score", "risk_band", "denial", "learning_disability") == {
        "p1": (9, "high", "full", True),
        "p2": (3, "medium", "none", False),
        "p3": (7, "high", "none", False),
        "p4": (None, None, None, None),
        "p5": (5, "medium", "partial", True),
        "p6": (None, None, None, None),
    }


@pytest.mark.parametrize(
    ("window", "p2", "p5"),
    [(None, "medium", "medium"), (214, "medium", "medium"), (213, None, "medium"), (212, None, None)],
)
def test_assessments_older_than_the_window_do_not_count(
    assessed: Reframed, window: float | None, p2: str | None, p5: str | None
) -> None:
    found = compared(cohort(assessed, covariate_window=window), "risk_band")
    assert (found["p2"], found["p5"], found["p1"]) == (p2, p5, "high")


def test_who_people_are_when_follow_up_starts() -> None:
    frames = extract(
        "p1 m1 custody 2008-01-01 2010-01-01 2008-06-01",
        "p2 b1 community 2010-12-01 - 2011-01-01",
    )
    frames["people"] = rows("person_id sex ethnicity_group", "p1 male white", "p2 female -")
    frames["sentences"]["employment"] = ["yes", "no"]  # the extract's own covariate
    found = cohort(frames)
    assert compared(found, "sex", "ethnicity_group", "period", "wait_days", "setting", "employment") == {
        "p1": ("male", "white", "2010", 0.0, "custody", "yes"),
        "p2": ("female", None, "2011", 31.0, "community", "no"),
    }
    age = compared(found, "age_at_time_zero")
    assert age["p1"] == pytest.approx(30 + 731 / 365.25)  # 2008 was a leap year
    assert age["p2"] == pytest.approx(30 + 31 / 365.25)
    assert found.summary().to_dict("records") == [
        {"arm": "manualised", "n": 1, "first_period": "2010", "last_period": "2010", "share_custody": 1.0,
         "median_wait_days": 0.0},
        {"arm": "bespoke", "n": 1, "first_period": "2011", "last_period": "2011", "share_custody": 0.0,
         "median_wait_days": 31.0},
    ]  # fmt: skip


def test_assessments_before_a_later_index_sentence_are_its_own() -> None:
    frames = extract(
        "p1 m1 community 2009-12-01 - 2010-01-01",  # at 17: the second sentence counts
        "p1 m1 community 2011-12-01 - 2012-01-01",
        "p2 b1 community 2009-12-01 - 2010-01-01",
        assessments=rows(ASSESSED, "p1 2009-12-01 static 1 low none false", "p1 2011-12-15 static 9 high none false"),
    )
    frames["sentences"]["age_at_sentence"] = ["17", "19", "30"]
    found = cohort(frames, include=["age_at_time_zero >= 18"])
    assert compared(found, "risk_band", "sentence_id") == {"p1": ("high", 2), "p2": (None, 3)}


@pytest.mark.parametrize(
    ("table", "name"),
    [
        *(
            ("sentences", name)
            for name in ("start_date", "status", "arm", "time", "end", "sex", "eligible_bespoke", "within", "_low")
        ),
        *(
            ("people", name)
            for name in ("start_date", "arm", "time", "end", "area", "period", "condition", "eligible_bespoke")
        ),
    ],
)
def test_an_own_column_called_like_one_the_cohort_makes_does_no_harm_or_is_refused_by_name(
    assessed: Reframed, table: str, name: str
) -> None:
    frame = assessed.frame(table)
    try:
        data, refusal = cohort(Reframed(assessed, **{table: frame.assign(**{name: "CANARY"})})).outcome("any"), ""
    except oc.OutcomesError as error:
        data, refusal = None, str(error)
    if data is None:
        assert name in refusal
        assert "CANARY" not in refusal
        return
    assert (data.n, data.arms) == (6, ("manualised", "bespoke"))
    assert data.exit.tolist() == [1826.0] * 6
    for column, value in {"sex": "male", "status": "completed", "eligible_bespoke": "yes"}.items():
        assert set(data.baseline[column]) == {value}
    assert set(data.baseline["area"]) == {"north", "south"}


def test_where_programmes_of_both_arms_were_open_is_counted() -> None:
    frames = starters(
        4,
        provision=rows(
            "programme_id area open_from open_to",
            "m1 north 2005-01-01 -",
            "b1 north 2005-01-01 2010-01-01",  # to the day itself
            "b1 south 2005-01-01 -",
            "m1 south 2010-01-02 -",  # opened the day after
        ),
    )
    found = cohort(frames)  # p1 and p3 started in the north, p2 and p4 in the south
    assert {note.code: note.text for note in found.notes}["era"].startswith("2 of 4 people started where and when")
