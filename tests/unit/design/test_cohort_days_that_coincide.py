"""What begins, ends and happens on one day: everyone here starts on 2010-01-01, and ``after(50)`` is fifty days later."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType
from typing import Any

import pytest
from small_study import Reframed, after, exits, extract, held, offences, outcome, small_study, spells, starters

import outcomes as oc
from outcomes.design.study import Outcome

RECALLED = Outcome("recalled", (), 0.0, ("death",), kind="recall")


def _told(tables: Reframed, name: str = "any", *, every: bool = False, **study: Any) -> dict[str, list[Any]]:
    """Return the intervals of each person, each with what ended it."""
    spec = study.pop("spec", dataclasses.replace(outcome(), name=name))
    index = study.pop("index", "first")
    asked = small_study(data_cut="2015-01-01", **study)
    asked = asked.replace(
        outcomes=MappingProxyType({name: spec}), eligibility=dataclasses.replace(asked.eligibility, index=index)
    )
    found = oc.build_cohort(tables, asked)
    data = found.every_event(name) if every else found.outcome(name)
    causes, told = (None, *data.causes), {}
    for person, entry, leave, event in zip(data.frame["person_id"], data.entry, data.exit, data.event, strict=True):
        told.setdefault(f"p{person}", []).append((entry, leave, causes[event]))
    return told


@pytest.fixture(scope="module")
def written_in_parts() -> Reframed:
    """One recall each, from before time zero: whole, in two parts, in overlapping parts; p4's second one is another."""
    return held(
        starters(
            4,
            spells=spells(
                f"p1 {after(-10)} {after(40)} recall",
                f"p2 {after(-10)} {after(20)} recall",
                f"p2 {after(20)} {after(40)} recall",
                f"p3 {after(10)} {after(40)} recall",
                f"p3 {after(-10)} {after(15)} recall",
                f"p4 {after(-10)} {after(19)} recall",
                f"p4 {after(20)} {after(40)} recall",
            ),
        )
    )


def test_a_recall_written_in_parts_begins_once(written_in_parts: Reframed) -> None:
    found = _told(written_in_parts, "recalled", spec=RECALLED, horizon=100)
    whole = [(0, 100, None)]
    assert found == {"p1": whole, "p2": whole, "p3": whole, "p4": [(0, 20, "recalled")]}


def test_a_recall_written_in_parts_competes_once(written_in_parts: Reframed) -> None:
    found = _told(written_in_parts, spec=outcome(competing=("recall",)), horizon=100)
    assert (found["p2"], found["p4"]) == ([(0, 100, None)], [(0, 20, "recall")])


@pytest.fixture(scope="module")
def on_the_landmark() -> Reframed:
    """All start on the day of sentence; the landmark lies ninety days later."""
    return held(
        extract(
            *(f"p{n} {'m1' if n % 2 else 'b1'} community 2010-01-01 - 2010-01-01" for n in range(1, 5)),
            reoffences=offences(f"p1 {after(89)} {after(95)} violent", f"p2 {after(90)} {after(95)} violent"),
            exits=exits(f"p3 {after(90)} death"),
        )
    )


@pytest.mark.parametrize("every", [False, True])
def test_what_happens_on_the_landmark_counts_half_a_day(on_the_landmark: Reframed, every: bool) -> None:
    found = _told(on_the_landmark, every=every, strategy="landmark", grace=90, horizon=100)
    assert found["p2"][0] == (0, 0.5, "any")
    assert found["p3"] == [(0, 0.5, "death")]
    assert ("p1" in found) is every  # offended the day before: no longer there to have a first offence


@pytest.fixture(scope="module")
def days_back() -> Reframed:
    """Back in the community on day 50, or inside from before time zero; p4's recall begins on the day of release."""
    return held(
        extract(
            "p1 m1 community 2010-01-01 - 2010-01-01",
            "p2 b1 community 2010-01-01 - 2010-01-01",
            "p3 m1 community 2010-01-01 - 2010-01-01",
            f"p4 b1 custody 2010-01-01 {after(30)} 2010-01-01",
            spells=spells(
                f"p1 {after(10)} {after(50)} custody",
                f"p2 {after(10)} {after(50)} custody",
                f"p3 {after(-10)} {after(50)} custody",
                f"p4 {after(30)} {after(60)} recall",
            ),
            reoffences=offences(f"p1 {after(50)} {after(55)} violent", f"p4 {after(30)} {after(35)} violent"),
            exits=exits(f"p3 {after(0)} death", f"p2 {after(200)} lost"),
        )
    )


@pytest.mark.parametrize("every", [False, True])
def test_an_offence_on_the_day_back_counts_even_if_follow_up_ends_with_that_day(
    days_back: Reframed, every: bool
) -> None:
    found = _told(days_back, every=every, scale="at_risk", horizon=50, event="sentence")
    assert found["p1"] == [(0, 10, None), (50, 50.5, "any")]
    assert found["p2"] == [(0, 10, None)]


def test_an_offence_between_release_and_recall_on_one_day_counts(days_back: Reframed) -> None:
    gaps = _told(days_back, scale="at_risk", event="sentence")
    assert gaps["p4"] == [(30, 30.5, "any")]
    assert _told(days_back, event="sentence")["p4"] == [(0, 30, "any")]


def test_who_dies_on_time_zero_in_custody_since_before_was_never_at_risk(days_back: Reframed) -> None:
    assert "p3" not in _told(days_back, scale="at_risk", event="sentence")
    assert _told(days_back, event="sentence")["p3"] == [(0, 0.5, "death")]


def test_the_ministry_s_window_ends_with_the_horizon(days_back: Reframed) -> None:
    window = dataclasses.replace(outcome(), rule="moj_window")
    assert _told(days_back, spec=window, horizon=20, event="sentence")["p1"] == [(0, 20, None)]


def test_custody_that_goes_on_under_a_sentence_begins_once() -> None:
    tables = held(
        extract(
            "p1 m1 community 2009-12-01 - 2010-01-01",
            f"p1 - custody {after(30)} {after(60)}",
            "p2 b1 community 2009-12-01 - 2010-01-01",
            spells=spells(f"p1 {after(20)} {after(40)} custody", f"p1 {after(60)} {after(70)} custody"),
        )
    )
    spec = Outcome("custody", (), 0.0, (), kind="custody")
    found = _told(tables, "custody", spec=spec, every=True, horizon=100)
    assert found["p1"] == [(0, 20, "custody"), (20, 60, "custody"), (60, 100, None)]
