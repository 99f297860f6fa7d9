"""What may be an outcome: offences of a group, a severity, a disposal; leaving the community; dropping out. Everyone starts on day 0."""

from __future__ import annotations

from typing import Any

import pytest
from small_lives import Life, lived
from small_study import (
    Reframed,
    after,
    cohort,
    ended,
    extract,
    held,
    intervals,
    notes,
    offences,
    outcome,
    spells,
    starters,
)
from small_tables import rows

import outcomes as oc
from outcomes.design.study import Outcome

CUT = "2012-04-10"  # day 830; less 100 days for the proof, day 730


SEVERAL = {
    "any": outcome(),
    "sexual": outcome("sexual_contact", "sexual_image", proven_within=200, competing=("death", "recall")),
    "motoring": outcome("motoring", proven_within=50, competing=(), negative_control=True),
}


@pytest.fixture(scope="module")
def groups() -> oc.Cohort:
    people = lived(
        Life(offends="50..60 motoring; 100 violent; 300..450 sexual_contact", away="200..250 recall"),
        Life(offends="100..300 sexual_image; 400 drugs; 450..501 motoring", leaves="500 death"),
        Life(offends="20..40 motoring", away="10..30 custody"),
        Life(),
    )
    return cohort(people, data_cut=CUT, outcomes=SEVERAL)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # motoring is no reoffence; 830 - 100
        ("any", {"p1": (100, "any"), "p2": (400, "any"), "p3": (730, "censored"), "p4": (730, "censored")}),
        # recall competes; proven on the 200th day; 830 - 200
        ("sexual", {"p1": (200, "recall"), "p2": (100, "sexual"), "p3": (630, "censored"), "p4": (630, "censored")}),
        # nothing competes: death censors; 51 days are too many; in custody; 830 - 50
        ("motoring", {"p1": (50, "motoring"), "p2": (500, "censored"), "p3": (780, "censored"), "p4": (780, "censored")}),
    ],
)  # fmt: skip
def test_each_outcome_has_its_own_types_proving_period_and_competing_events(
    groups: oc.Cohort, name: str, expected: dict[str, tuple[float, str]]
) -> None:
    assert ended(groups, name) == expected


def test_labels_say_what_is_estimated(groups: oc.Cohort) -> None:
    labels = groups.outcome("sexual").labels
    assert (labels["proven_within"], labels["free_of"]) == ("200 days", "reoffending (sexual), death and recall")


@pytest.fixture(scope="module")
def graded() -> Reframed:
    """Columns severity (1 is the most severe) and disposal."""
    return held(
        starters(
            6,
            reoffences=offences(
                f"p1 {after(100)} {after(110)} violent 3 fine",
                f"p1 {after(200)} {after(210)} violent 2 custody",
                f"p2 {after(100)} {after(110)} violent 1 suspended",
                f"p3 {after(100)} {after(110)} violent - -",  # not graded
                f"p4 {after(100)} {after(110)} violent 4 fine",
                f"p5 {after(100)} {after(300)} violent 1 custody",  # proven late
                f"p6 {after(100)} {after(110)} motoring 1 custody",  # of no type asked for
                also="severity disposal",
            ),
        )
    )


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, {"p1": 100, "p2": 100, "p3": 100, "p4": 100}),
        ({"severity": 1}, {"p2": 100}),
        ({"severity": 2}, {"p1": 200, "p2": 100}),  # the first that is severe enough, whatever came before
        ({"severity": 3}, {"p1": 100, "p2": 100}),
        ({"disposals": ("custody",)}, {"p1": 200}),
        ({"disposals": ("custody", "suspended")}, {"p1": 200, "p2": 100}),
        ({"disposals": ("fine",)}, {"p1": 100, "p4": 100}),
        ({"severity": 3, "disposals": ("fine",)}, {"p1": 100}),  # both must hold
    ],
)
def test_severity_and_disposal_say_which_offences_count(
    graded: Reframed, asked: dict[str, Any], expected: dict[str, float]
) -> None:
    found = ended(cohort(graded, data_cut=CUT, outcomes={"any": outcome(**asked)}))
    assert {person: time for person, (time, cause) in found.items() if cause == "any"} == expected


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (
            {"disposals": ("custdy",)},
            r"disposals: no offence has disposal 'custdy' \(table reoffences; disposals there: 1\)",
        ),
        ({"severity": 3}, r"\[outcomes\.any\] severity: no offence has a severity \(table reoffences\)"),
    ],
)
def test_a_grading_the_extract_does_not_have_is_refused(asked: dict[str, Any], message: str) -> None:
    tables = starters(2, reoffences=offences(f"p1 {after(9)} {after(9)} violent - custody", also="severity disposal"))
    with pytest.raises(oc.OutcomesError, match=message):
        cohort(tables, data_cut=CUT, outcomes={"any": outcome(**asked)}).outcome("any")


def test_a_grading_without_its_column_is_refused() -> None:
    with pytest.raises(oc.OutcomesError, match="no offence has a severity"):
        cohort(starters(2), data_cut=CUT, outcomes={"any": outcome(severity=1)}).outcome("any")


@pytest.fixture(scope="module")
def leaving() -> Reframed:
    return held(
        lived(
            Life(away="100..200 recall; 300..400 recall; 500..600 custody"),
            Life(away="0..50 recall"),
            Life(away="-20..50 recall; 100..150 hospital"),  # since before time zero
            Life(away="100..200 abroad", leaves="100 death"),
            Life(again="400..600"),  # sentenced to custody again
            Life(away="830..840 recall"),  # on the data cut, day 830
            Life(away="831..840 recall", offends="100 violent"),
        )
    )


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        # nothing has to be proven: the data end on day 830, and an offence ends nothing
        ("recall", {"p1": (100, "recall"), "p2": (0.5, "recall"), "p6": (830, "recall")}),
        ("custody", {"p1": (500, "custody"), "p5": (400, "custody")}),
        ("hospital", {"p3": (100, "hospital")}),
        ("abroad", {"p4": (100, "abroad")}),  # on the day of death: the outcome comes first
    ],
)
def test_the_first_spell_of_a_kind_is_an_outcome(
    leaving: Reframed, kind: str, expected: dict[str, tuple[float, str]]
) -> None:
    found = ended(cohort(leaving, data_cut=CUT, outcomes={kind: outcome(kind=kind)}), kind)
    others = {f"p{n}": (830, "censored") for n in range(1, 8)} | {"p4": (100, "death")}
    assert found == others | expected


def test_custody_under_a_later_sentence_competes_as_custody(leaving: Reframed) -> None:
    found = ended(cohort(leaving, data_cut=CUT, outcomes={"any": outcome(competing=("custody",))}))
    assert (found["p1"], found["p5"]) == ((500, "custody"), (400, "custody"))


def test_custody_a_person_is_released_from_on_time_zero_is_no_return_to_it() -> None:
    tables = extract("p1 m1 custody 2009-01-01 2010-01-01 2009-06-01", "p2 b1 custody 2009-01-01 2010-01-01 2009-06-01")
    found = cohort(tables, data_cut=CUT, outcomes={"back": outcome(kind="custody")})
    assert ended(found, "back") == {"p1": (830, "censored"), "p2": (830, "censored")}


@pytest.fixture(scope="module")
def drop_outs() -> Reframed:
    columns = "participation_id person_id sentence_id programme_id start_date end_date status voluntary"
    tables = extract(
        *(f"p{n} {'m1' if n % 2 else 'b1'} community 2009-12-01 - 2010-01-01" for n in range(1, 8)),
        "p8 b1 custody 2009-01-01 2010-01-01 2009-06-01",
        participation=rows(
            columns,
            f"t1 p1 s1 m1 {after(0)} {after(60)} dropped_out false",
            f"t2 p2 s2 b1 {after(0)} {after(60)} removed false",
            f"t3 p3 s3 m1 {after(0)} {after(60)} completed false",
            f"t4 p4 s4 b1 {after(0)} {after(60)} ended_recall false",
            f"t5 p5 s5 m1 {after(0)} - ongoing false",
            f"t6 p6 s6 b1 {after(0)} {after(60)} completed false",
            f"u6 p6 s6 b2 {after(70)} {after(90)} dropped_out true",  # a strand of the same arm
            f"t7 p7 s7 m1 {after(0)} {after(60)} completed false",
            f"u7 p7 s7 b1 {after(70)} {after(90)} dropped_out false",  # a programme of the other arm
            "t8 p8 s8 b1 2009-06-01 2009-09-01 dropped_out false",  # inside, before time zero
        ),
    )
    return held(tables)


def test_dropping_out_of_a_programme_of_the_own_arm_is_an_outcome(drop_outs: Reframed) -> None:
    found = ended(cohort(drop_outs, data_cut=CUT, outcomes={"out": outcome(kind="drop_out")}), "out")
    stayed = {f"p{n}": (830, "censored") for n in range(1, 9)}
    assert found == stayed | {"p1": (60, "out"), "p2": (60, "out"), "p6": (90, "out")}


def test_a_drop_out_while_away_is_said_as_what_it_is() -> None:
    left_inside = rows(
        "participation_id person_id sentence_id programme_id start_date end_date status voluntary",
        f"t1 p1 s1 m1 {after(0)} {after(60)} dropped_out false",
        f"t2 p2 s2 b1 {after(0)} {after(60)} completed false",
    )
    tables = starters(2, participation=left_inside, spells=spells(f"p1 {after(50)} {after(80)} custody"))
    found = cohort(tables, data_cut=CUT, scale="at_risk", outcomes={"out": outcome(kind="drop_out")})
    assert intervals(found, "out")["p1"] == [(0, 50, "")]
    assert notes(found.outcome("out"))["ended_away"] == (
        "out: for 1 people what ended follow-up, the event or one that competes, came while out of the community; on this scale nobody "
        "is at risk then, so it does not count, and follow-up ends as they went out."
    )


MOJ = {"moj": Outcome("", ("violent",), 182.0, rule="moj_window")}


@pytest.fixture(scope="module")
def year_and_a_half() -> Reframed:
    return held(
        lived(
            Life(offends="365 violent"),  # on the last day of the year
            Life(offends="366 violent"),
            Life(offends="10..547 violent"),  # proven on the last day of the six months after it
            Life(offends="10..548 violent"),
            Life(offends="0 violent"),
            Life(leaves="200 death"),
            Life(leaves="200 lost", offends="300 violent"),
        )
    )


def test_committed_within_a_year_and_proven_within_six_months_after_it(year_and_a_half: Reframed) -> None:
    found = cohort(year_and_a_half, data_cut=CUT, outcomes=MOJ)
    assert ended(found, "moj") == {
        "p1": (365, "moj"),
        "p2": (365, "censored"),
        "p3": (10, "moj"),
        "p4": (365, "censored"),
        "p5": (0.5, "moj"),
        "p6": (200, "death"),
        "p7": (200, "censored"),
    }
    assert notes(found.outcome("moj"))["proven_late"] == (
        "moj: 1 offences were proven later than six months after the year that counts and do not count."
    )
    assert found.outcome("moj").labels["proven_within"] == "six months after the year that counts"


@pytest.mark.parametrize(
    ("data_cut", "followed"),
    [
        (after(547), True),  # a year of 365 days and 182 after it
        (after(546), False),  # a day short: not a part of the window, but none of it
    ],
)
def test_the_whole_year_and_six_months_or_nothing(data_cut: str, followed: bool) -> None:
    tables = lived(Life(started=-5), Life(started=-5), Life(offends="10 violent"))
    data = cohort(tables, data_cut=data_cut, outcomes=MOJ).outcome("moj")
    assert (3 in data.baseline["person_id"].tolist()) is followed
    assert ("no_follow_up" in notes(data)) is not followed


def test_under_the_window_rule_too_nobody_is_followed_beyond_the_horizon(year_and_a_half: Reframed) -> None:
    found = ended(cohort(year_and_a_half, data_cut=CUT, outcomes=MOJ, horizon=182), "moj")
    assert (found["p1"], found["p3"], found["p6"]) == ((182, "censored"), (10, "moj"), (182, "censored"))


EVERY = [
    # what happened, and the rows that come of it
    (Life(offends="100 violent; 300 drugs; 500 other"),
     [(0, 100, "any"), (100, 300, "any"), (300, 500, "any"), (500, 730, "")]),
    (Life(offends="100 violent; 100 drugs; 300 other"), [(0, 100, "any"), (100, 300, "any"), (300, 730, "")]),  # two on one day
    (Life(offends="0 violent; 100 violent"), [(0, 0.5, "any"), (0.5, 100, "any"), (100, 730, "")]),  # one on time zero
    (Life(offends="1 violent"), [(0, 1, "any"), (1, 730, "")]),
    (Life(offends="0 violent; 1 violent"), [(0, 0.5, "any"), (0.5, 1, "any"), (1, 730, "")]),
    (Life(offends="150 violent; 300 violent", away="100..200 custody"), [(0, 300, "any"), (300, 730, "")]),  # one in custody
    (Life(offends="100 violent; 400 violent", leaves="300 death"), [(0, 100, "any"), (100, 300, "death")]),  # one after death
    (Life(offends="300 violent", leaves="300 death"), [(0, 300, "any"), (300, 300.5, "death")]),  # on the day of death: before it
    (Life(offends="100 violent; 400 violent", leaves="300 lost"), [(0, 100, "any"), (100, 300, "")]),
    (Life(offends="300 violent", leaves="300 lost"), [(0, 300, "any")]),
    (Life(offends="100 violent; 400 violent", leaves="300 deportation"), [(0, 100, "any"), (100, 300, "deportation")]),
    (Life(offends="730 violent; 731 violent"), [(0, 730, "any")]),  # on the last usable day, and the day after
    (Life(offends="100..201 violent; 200 violent"), [(0, 200, "any"), (200, 730, "")]),  # proven late
    (Life(offends="-20..10 violent; 200 violent"), [(0, 200, "any"), (200, 730, "")]),  # committed before
    (Life(), [(0, 730, "")]),
]  # fmt: skip


@pytest.fixture(scope="module")
def repeaters() -> Reframed:
    return held(lived(*(life for life, _ in EVERY)))


@pytest.fixture(scope="module")
def every_row(repeaters: Reframed) -> dict[str, list[tuple[float, float, str]]]:
    return intervals(cohort(repeaters, data_cut=CUT), every=True)


@pytest.mark.parametrize("number", range(len(EVERY)))
def test_every_event_has_its_row_and_only_what_competes_ends_them(
    every_row: dict[str, list[tuple[float, float, str]]], number: int
) -> None:
    assert every_row[f"p{number + 1}"] == EVERY[number][1]


def test_with_time_away_out_of_the_clock_rows_end_and_begin_with_the_spells() -> None:
    people = lived(
        Life(offends="50 violent; 300 violent", away="100..200 custody"),
        Life(offends="100 violent; 200 violent", away="100..200 custody"),  # on the day of going, and on the day back
    )
    found = cohort(people, data_cut=CUT, scale="at_risk")
    assert intervals(found, every=True) == {
        "p1": [(0, 50, "any"), (50, 100, ""), (200, 300, "any"), (300, 730, "")],
        "p2": [(0, 100, "any"), (200, 200.5, "any"), (200.5, 730, "")],
    }


def test_recall_ends_the_count_where_it_competes() -> None:
    people = lived(Life(offends="50 violent; 300 violent", away="100..200 recall"), Life())
    found = cohort(people, data_cut=CUT, outcomes={"any": outcome(competing=("death", "recall"))})
    assert intervals(found, every=True)["p1"] == [(0, 50, "any"), (50, 100, "recall")]


def test_every_event_is_marked_as_such_and_refused_on_a_stopped_clock(repeaters: Reframed) -> None:
    found = cohort(repeaters, data_cut=CUT)
    assert (found.every_event("any").repeated, found.outcome("any").repeated) == (True, False)
    with pytest.raises(oc.errors.NotSupportedError, match="on the scale 'community' a person has one interval"):
        cohort(repeaters, data_cut=CUT, scale="community").every_event("any")
