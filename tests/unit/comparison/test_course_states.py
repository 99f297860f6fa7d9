"""Courses as states: where people stand just after each day, what they move into, how often, and what is said of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small_courses import Course, taken
from small_study import TWO_ARMS, cohort, outcome, rows, small_study, spells

import outcomes as oc

STRANDS = "programme_id family_id name design strand format setting accredited recorded"


def found(*courses: Course, by: str = "all", tables: dict[str, Any] | None = None, **study: Any) -> oc.CourseStates:
    return oc.course_states(oc.load_tables(taken(*courses, **(tables or {}))), small_study(**study), by=by)


def lines(result: oc.CourseStates) -> dict[str, list[str]]:
    """Return, by person, lines ``0..30 referred > in_programme`` (what comes after > is moved into)."""
    data, shown = result.data, dict[str, list[str]]()
    names = ("", *data.causes)
    for row in range(len(data.exit)):
        after = names[data.event[row]]
        said = f"{data.entry[row]:g}..{data.exit[row]:g} {data.states[data.state[row]]}"
        shown.setdefault(f"p{data.frame['person_id'][row]}", []).append(f"{said} > {after}" if after else said)
    return shown


def test_a_whole_course_is_a_line_a_state() -> None:
    course = Course(
        "b1 30..100 completed; b2 150..200 ended_order; b2 200..260 completed voluntary",
        "b1 10 accepted",
        offends="400 violent",
    )
    assert lines(found(course, Course()))["p1"] == [
        "0..10 not_referred > referred",
        "10..30 referred > in_programme",
        "30..100 in_programme > completed",
        "100..150 completed > maintenance",
        "150..200 maintenance > maintenance_voluntary",
        "200..260 maintenance_voluntary > maintenance_over",
        "260..400 maintenance_over > reoffended",
    ]


def test_how_a_programme_ended_is_where_a_person_stands() -> None:
    ends = {
        "completed": "completed", "dropped_out": "dropped_out", "removed": "dropped_out", "ended_order": "ended",
        "ended_recall": "ended", "transferred": "ended",
    }  # fmt: skip
    shown = lines(found(*(Course(f"m1 30..100 {status}") for status in ends)))
    assert [each[1:] for each in shown.values()] == [
        [f"30..100 in_programme > {state}", f"100..1826 {state}"] for state in ends.values()
    ]


def test_an_event_on_the_day_of_a_change_came_before_it() -> None:
    assert (
        lines(found(Course("m1 30..100 completed", offends="100 violent"), Course()))["p1"][-1]
        == "30..100 in_programme > reoffended"
    )


def test_a_circle_goes_on_beside_a_course() -> None:
    result = found(Course("c1 20..90 completed voluntary; m1 30..100 completed"), Course())
    assert lines(result)["p1"] == [
        "0..30 not_referred > in_programme",
        "30..100 in_programme > completed",
        "100..1826 completed",
    ]
    assert "any: 1 participations in circles" in " ".join(note.text for note in result.notes)


def test_who_starts_again_is_in_a_programme_again_even_after_maintenance() -> None:
    course = Course("b1 10..50 dropped_out; b2 60..80 completed; b1 90..120 completed; b2 110..200 completed")
    assert [line.split()[1] for line in lines(found(course))["p1"]] == [
        "not_referred", "in_programme", "dropped_out", "maintenance", "maintenance_over", "in_programme", "maintenance",
        "maintenance_over",
    ]  # fmt: skip


def test_recall_is_a_state_people_come_back_from() -> None:
    recalls = spells("p1 2010-03-02 2010-03-22 recall", "p1 2010-03-12 2010-04-11 recall")
    assert lines(found(Course("m1 30..70 completed"), tables={"spells": recalls}))["p1"][1:] == [
        "30..60 in_programme > recalled",
        "60..100 recalled > completed",
        "100..1826 completed",
    ]


def test_where_recall_competes_or_is_the_outcome_nobody_comes_back() -> None:
    recalls = {"spells": spells("p1 2010-03-02 2010-03-22 recall")}
    last = "30..60 in_programme > recalled"
    competing = {"any": outcome(competing=("death", "recall"))}
    assert lines(found(Course("m1 30..90 completed"), tables=recalls, outcomes=competing))["p1"][-1] == last
    itself = {"recall": outcome(kind="recall")}
    result = oc.course_states(
        oc.load_tables(taken(Course("m1 30..90 completed"), **recalls)), small_study(outcomes=itself)
    )
    assert lines(result)["p1"][-1] == last


def test_death_and_deportation_are_one_state() -> None:
    result = found(Course(leaves="40 death"), Course(leaves="90 deportation"), Course(leaves="70 lost"))
    shown = lines(result)
    assert shown["p1"] == ["0..40 not_referred > died_or_left"]
    assert shown["p2"] == ["0..90 not_referred > died_or_left"]
    assert shown["p3"] == ["0..70 not_referred"]


def test_moves_are_counted_and_set_against_the_time_in_the_state_they_left() -> None:
    again = Course("m1 10..20 dropped_out; m1 30..40 dropped_out")
    moves = found(again, Course(offends="80 violent"), Course()).transitions().set_index(["from_state", "state"])
    assert moves.loc[("in_programme", "dropped_out"), ["n_moves", "n_people"]].tolist() == [2, 1]
    assert moves.loc[("in_programme", "dropped_out"), "person_years"] == pytest.approx(20 / 365.25)
    free = moves.loc[("not_referred", "reoffended")]
    assert free["person_years"] == pytest.approx((10 + 80 + 1826) / 365.25)
    assert free["per_100_person_years"] == pytest.approx(100 * 365.25 / (10 + 80 + 1826))


def test_where_nobody_is_censored_shares_are_those_counted() -> None:
    result = found(
        Course("m1 30..100 completed", offends="400 violent"),
        Course("b1 50..500 completed"),
        Course(offends="200 violent"),
        Course(),
    )
    day = result.at(300).set_index("state")["estimate"]
    assert day[day > 0].to_dict() == {"not_referred": 0.25, "in_programme": 0.25, "completed": 0.25, "reoffended": 0.25}


def test_groups_are_what_was_on_offer_attended_or_not() -> None:
    areas = {"provision": rows("programme_id area open_from open_to", "m1 north 2005-01-01 -", "b1 south 2000-01-01 -")}
    people = [Course("m1 30..100 completed"), Course(), Course("b1 30..100 completed")]
    tables = taken(*people, **areas)
    tables["sentences"]["area"] = ["north", "south", "south"]
    result = oc.course_states(oc.load_tables(tables), small_study(), by="offered")
    assert dict(zip(result.arms, result.data.people_by_arm(), strict=True)) == {"manualised": 1, "bespoke": 2}
    assert result.describe().startswith("Where manualised was on offer: of 1 people")
    assert "by_what_was_offered" in {note.code for note in result.notes}


def test_groups_by_what_was_started_are_refused() -> None:
    with pytest.raises(oc.DesignError, match=r"not at time zero\. Take by='offered'"):
        found(Course(), by="bespoke")
    with pytest.raises(oc.DesignError, match="by must be one of 'all', 'offered'"):
        found(Course(), by="completed")


def test_what_the_study_says_of_arms_and_clock_does_not_count() -> None:
    people = (Course("m1 30..100 completed", offends="400 violent"), Course("b1 10..60 completed"), Course())
    plain = found(*people).to_frame()
    other = found(*people, window=60, if_both="exclude", event="start", scale="at_risk")
    assert other.to_frame().equals(plain)
    assert "states_on_the_calendar" in {note.code for note in other.notes}


def test_the_outcome_is_one_of_the_studys_and_no_dropping_out() -> None:
    tables = oc.load_tables(taken(Course("m1 1..9 completed"), Course("b1 1..9 completed")))
    two = small_study(
        outcomes={"any": outcome(), "leaving": outcome(kind="drop_out"), "sexual": outcome("sexual_contact")}
    )
    with pytest.raises(oc.EstimationError, match="and no headline; say which"):
        oc.course_states(tables, two)
    with pytest.raises(oc.DesignError, match="Did you mean 'sexual'"):
        oc.course_states(tables, two, outcome="sexul")
    with pytest.raises(oc.DesignError, match="is dropping out, which is a part of the course"):
        oc.course_states(tables, two, outcome="leaving")
    with pytest.raises(oc.DesignError, match="tables must be Tables"):
        oc.course_states(two, tables)  # type: ignore[arg-type]


def test_where_nobody_does_anything_it_says_so() -> None:
    result = found(Course(), Course())
    assert len(result.transitions()) == 0
    assert "not referred 100.0 %" in result.describe()
    assert "none into maintenance" in result.describe()
    assert "nobody moved" in " ".join(note.text for note in result.notes)
    ax = result.plot()
    assert next(text.get_text() for text in ax.texts) == "not referred 100.0 %"
    (area,) = ax.collections
    heights = area.get_paths()[0].vertices[:, 1]
    assert (heights.min(), heights.max()) == (0.0, 1.0)


def test_the_share_who_reoffended_is_the_cumulative_incidence_where_nobody_is_censored() -> None:
    rng = np.random.default_rng(7)
    people = [
        Course(
            f"{rng.choice(['m1', 'b1'])} {(start := int(rng.integers(1, 400)))}..{start + 60} completed",
            offends=f"{int(day)} violent",
        )
        for day in rng.integers(1, 3000, 60)
    ]
    tables = oc.load_tables(taken(*people))
    states = oc.course_states(tables, small_study()).at([200, 900, 1800])
    followed = cohort(tables, strategy="time_varying", arms=TWO_ARMS).outcome("any")
    rows = oc.course_states(tables, small_study()).data
    assert (rows.exit - rows.entry).sum() == (followed.exit - followed.entry).sum()
    risk = oc.cumulative_incidence(followed).at([200, 900, 1800])
    np.testing.assert_allclose(
        states[states["state"] == "reoffended"]["estimate"], risk[risk["cause"] == "any"]["estimate"], rtol=1e-12
    )


def test_transitions_are_released_with_the_shares() -> None:
    released = oc.release(found(Course("m1 30..100 completed", offends="400 violent"), Course()), "none")
    assert list(released.frames) == ["curve", "marks", "transitions"]
    assert released.frames["transitions"]["n_people"].tolist() == [1, 1, 1]
