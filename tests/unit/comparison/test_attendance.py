"""Sessions attended of those planned: the share is that of the day, never of the end, and asking it from the start is refused."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from drawn_maintenance import drawn_attendance
from small_courses import Course, taken
from small_study import small_study
from statsmodels.duration.hazard_regression import PHReg

import outcomes as oc
from outcomes.design.attendance import Attendance, attended_share, scheduled_lengths, share_days
from outcomes.design.study import Adjust

YEAR = 365.25


def attended(**changed: Any) -> Attendance:
    """Return three people in one programme: all of 20 sessions in 100 days, half of them in 50, more than planned in 80."""
    cells = {
        "start": [0.0, 10.0, -50.0], "end": [100.0, 60.0, 30.0], "planned": [20.0, 20.0, 20.0], "attended": [20.0, 10.0, 30.0],
        "programme": [1, 1, 1], "arm": [0, 0, 0], "completed": [True, False, True],
    }  # fmt: skip
    return Attendance(**{name: np.array(values) for name, values in (cells | changed).items()})


def test_the_share_grows_evenly_from_start_to_end_and_stays() -> None:
    people, one = np.array([0, 0, 0, 0, 1, 1, 2, 2]), attended()
    days = np.array([0.0, 25.0, 100.0, 400.0, 35.0, 200.0, -50.0, 30.0])
    np.testing.assert_allclose(attended_share(one, people, days), [0, 0.25, 1, 1, 0.25, 0.5, 0, 1])


def test_the_share_reaches_each_tenth_on_its_day() -> None:
    whose, days = share_days(attended())
    assert days[whose == 0].tolist() == [10.0, 20.0, 30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0]
    assert days[whose == 1].tolist() == [20.0, 30.0, 40.0, 50.0, 60.0]
    shares = attended_share(attended(), whose, days)
    before = attended_share(attended(), whose, days - 1)
    tenths = np.concatenate([np.arange(1, (whose == n).sum() + 1) for n in range(3)]) / 10
    assert (shares >= tenths - 1e-12).all()
    assert (before < tenths).all()


def test_who_is_not_recorded_reaches_nothing() -> None:
    whose, _ = share_days(attended(planned=[np.nan, 20.0, 20.0], end=[100.0, np.nan, 30.0]))
    assert set(whose) == {2}


def test_the_scheduled_end_is_when_nine_in_ten_completers_had_finished_whatever_became_of_a_person() -> None:
    lengths = np.arange(10.0, 110.0, 10.0)
    many = Attendance(
        start=np.zeros(12), end=np.r_[lengths, 5.0, 7.0], planned=np.full(12, 9.0), attended=np.full(12, 9.0),
        programme=np.r_[np.ones(11), 2].astype(int), arm=np.zeros(12, dtype=int), completed=np.r_[np.ones(10), 0, 0] == 1,
    )  # fmt: skip
    found = scheduled_lengths(many)
    assert set(found[:11]) == {100.0}
    assert np.isnan(found[11])


def tables(*lines: tuple[Course, int | None, int | None]) -> oc.Tables:
    """Return tables of people with one spell each: course, sessions planned, sessions attended."""
    made = taken(*(course for course, _, _ in lines))
    made["participation"]["sessions_planned"] = [None if planned is None else str(planned) for _, planned, _ in lines]
    made["participation"]["sessions_attended"] = [None if known is None else str(known) for _, _, known in lines]
    return oc.load_tables(made)


def spent(result: oc.AttendanceEffect) -> dict[str, tuple[int, float, int]]:
    rows = result.counts().to_dict("records")
    return {r["exposure"]: (r["n_people"], round(r["person_years"] * YEAR, 6), r["n_events"]) for r in rows}


FULL = (Course("m1 10..110 completed", offends="500 violent"), 20, 20)
HALF = (Course("m1 10..60 dropped_out", offends="400 violent"), 20, 10)
NEVER = (Course("m1 10..40 dropped_out", offends="90 violent"), 20, 4)


def test_time_is_spent_at_the_share_so_far() -> None:
    result = oc.attendance_effect(tables(FULL, HALF, NEVER), small_study(), by="cumulative")
    assert spent(result) == {
        "under half": (3, 50 + 50 + 80, 1),
        "half to four fifths": (2, 30 + 340, 1),
        "four fifths or more": (1, 410, 1),
    }
    assert set(result.frame["analysis"]) == {"time_varying"}


def test_by_the_landmark_only_those_still_followed_count_with_the_share_by_then() -> None:
    result = oc.attendance_effect(tables(FULL, HALF, NEVER), small_study(), by="landmark", scheduled=90)
    assert spent(result) == {
        "under half": (0, 0, 0), "half to four fifths": (1, 300, 1), "four fifths or more": (1, 400, 1)
    }  # fmt: skip
    assert set(result.frame["analysis"]) == {"landmark"}
    assert "2 were still followed at 90 days after the start" in result.describe()
    ax = result.plot()
    labels = [tick.get_text().replace("\n", " ") for tick in ax.get_yticklabels()]
    assert labels == [
        "from the landmark on", "each tenth of sessions attended against missed", "high attendance against low attendance"
    ]  # fmt: skip
    beside = [text.get_text() for text in ax.texts if text.get_gid() == "beside"]
    assert beside == ["no number", "no answer"], "two people with an event each give a ratio without bounds"


def test_the_picture_has_the_ratio_a_tenth() -> None:
    result = oc.attendance_effect(
        drawn_attendance(300, np.random.default_rng(5)), small_study(horizon=1500), by="cumulative"
    )
    (answer,) = result.frame.to_dict("records")
    ax = result.plot()
    points = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"]
    assert points == pytest.approx([answer["estimate"]], rel=1e-4)
    beside = [text.get_text() for text in ax.texts if text.get_gid() == "beside"]
    assert beside == ["{estimate:.2f} ({conf_low:.2f} to {conf_high:.2f})".format(**answer)]


@pytest.mark.parametrize("by", ["start", "time_zero", "baseline"])
def test_attendance_from_the_start_is_refused_with_both_remedies(by: str) -> None:
    with pytest.raises(oc.DesignError, match=r"immortal time.*by='landmark'.*by='cumulative'"):
        oc.attendance_effect(tables(FULL), small_study(), by=by)


def test_a_study_that_conditions_on_sessions_or_adjusts_for_them_is_refused() -> None:
    with pytest.raises(
        oc.DesignError,
        match=r"\[eligibility\] include names 'sessions_attended'.*immortal time.*'landmark'.*'cumulative'",
    ):
        small_study(include=["sessions_attended >= 20"])
    with pytest.raises(oc.DesignError, match=r"\[adjust\] formula names 'attended_share'"):
        small_study().replace(adjust=Adjust("age_at_time_zero + attended_share", "ato"))


def test_what_cannot_be_asked_is_refused() -> None:
    held = tables((FULL[0], None, 20), (HALF[0], 20, None), (NEVER[0], 0, 4))
    with pytest.raises(oc.DesignError, match="of 3 people who started a core course none has its planned"):
        oc.attendance_effect(held, small_study())
    with pytest.raises(oc.DesignError, match="followed after the scheduled end"):
        oc.attendance_effect(tables(FULL, HALF), small_study(), by="landmark", scheduled="4y")
    with pytest.raises(oc.DesignError, match=r"high is a share above 0 and at most 1, such as 0\.8; got 80"):
        oc.attendance_effect(held, small_study(), high=80)
    with pytest.raises(oc.DesignError, match="by must be one of 'both', 'landmark', 'cumulative'"):
        oc.attendance_effect(held, small_study(), by="dose")
    with pytest.raises(oc.DesignError, match="no arm 'manual'"):
        oc.attendance_effect(held, small_study(), arm="manual")
    with pytest.raises(oc.EstimationError, match="formula must be text"):
        oc.attendance_effect(held, small_study(), formula=["age"])  # type: ignore[arg-type]


def test_who_is_not_recorded_is_counted_and_left_out() -> None:
    result = oc.attendance_effect(tables(FULL, HALF, (NEVER[0], None, 4)), small_study(), by="cumulative")
    assert "1 people who started a core course are left out" in " ".join(note.text for note in result.notes)


def test_the_ratio_a_tenth_is_that_of_another_package_on_rows_made_by_hand() -> None:
    drawn = drawn_attendance(300, np.random.default_rng(5))
    result = oc.attendance_effect(drawn, small_study(horizon=1500), by="cumulative", formula="")
    part = drawn.frame("participation").set_index("person_id")
    zero = drawn.frame("sentences")["sentence_date"].iloc[0]
    due = drawn.frame("reoffences").set_index("person_id")["offence_date"] - zero
    rows = []
    for person, spell in part.iterrows():
        last = min(float(due.get(person, np.inf)), 1500.0)
        length = float(spell["end_date"] - zero)
        rate = float(spell["sessions_attended"]) / float(spell["sessions_planned"]) / length  # share a day
        reached = int(np.floor(10 * rate * length + 1e-9))
        cuts = [0.0, *(np.ceil(k / 10 / rate - 1e-9) for k in range(1, reached + 1)), last]
        cuts = [cut for cut in cuts if cut < last] + [last]
        rows += [(a, b, b == last and last < 1500, k) for k, (a, b) in enumerate(pairwise(cuts))]
    start, stop, event, tenths = map(np.array, zip(*rows, strict=True))
    model = PHReg(stop, tenths.astype(float), entry=start + 0.5, status=event.astype(int), ties="efron").fit()
    assert np.log(result.frame["estimate"].iloc[0]) == pytest.approx(model.params[0], abs=1e-6)
