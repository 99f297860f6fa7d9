"""Small extracts and studies drawn at random, on days so close together that everything falls on one day sooner or later."""

from __future__ import annotations

import dataclasses
from functools import cache
from types import MappingProxyType
from typing import Any

import pandas as pd
from hypothesis import strategies as st
from small_study import TWO_ARMS, UNTREATED, Reframed, held, small_study, starters
from small_tables import rows

from outcomes.design.study import Outcome, Study

FIRST = 14_600  # the day other days are drawn around
LATEST = 60  # days after it
CUT = FIRST + 75
B1, B2, C1, M1 = 1, 2, 3, 4  # the programmes, numbered as loading numbers them: in the order of their names

TYPES = ("violent", "sexual_contact", "motoring")
OUTCOMES = {
    "any": Outcome("any", ("violent", "sexual_contact"), 9.0),
    "sexual": Outcome("sexual", ("sexual_contact",), 14.0, ("emigration", "death")),
    "grave": Outcome("grave", TYPES, 9.0, (), severity=2, disposals=("custody", "fine")),
    "drop_out": Outcome("drop_out", (), 0.0, kind="drop_out"),
}
IN_COMMUNITY = {  # these count leaving the community, which only the scale calendar leaves in the clock
    "recalled": Outcome("recalled", ("violent", "motoring"), 9.0, ("death", "recall", "custody")),
    "recall": Outcome("recall", (), 0.0, ("custody", "death"), kind="recall"),
    "custody": Outcome("custody", (), 0.0, (), kind="custody"),
    "hospital": Outcome("hospital", (), 0.0, ("death", "recall"), kind="hospital"),
    "window": Outcome("window", ("violent", "sexual_contact"), 182.0, rule="moj_window"),
}

_days = st.integers(FIRST, FIRST + LATEST)
_lengths = st.sampled_from([0, 1, 1, 2, 3, 5, 8, 12, 20, None])


@cache
def loaded() -> Reframed:
    """Return tables once loaded, whose programmes and people the drawn ones share."""
    programmes = rows(
        "programme_id family_id name design strand format setting accredited recorded",
        "m1 core_manual Core manualised core group both true true",
        "b1 south_project Project bespoke core group both false false",
        "b2 south_project Maintenance bespoke maintenance group community false false",
        "c1 circles Circles bespoke circle group community false false",
    )
    return held(starters(12, programmes=programmes))


def typed(name: str, found: list[dict[str, Any]]) -> pd.DataFrame:
    """Return rows of a table in the columns and kinds it has once loaded."""
    like = loaded().frame(name)
    columns = {column: [row.get(column) for row in found] for column in like.columns}
    return pd.DataFrame(columns).astype(like.dtypes)


@st.composite
def extracts(draw: st.DrawFn, people: tuple[int, int] = (4, 9)) -> dict[str, pd.DataFrame]:
    """Draw the tables of three plain people, one an arm, so that none is empty, and of others whose lives are anything."""
    number = draw(st.integers(*people))
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in loaded().names}
    for person, area in enumerate(("east", "west", "midlands"), start=1):
        found["people"].append({"person_id": person, "sex": "male"})
        found["assessments"].append(_assessed(person, FIRST, 1.0, "high", "none", False))
        _sentenced(found, person, "community", FIRST, None, area)
        if person < 3:
            programme = (M1, B1)[person - 1]
            _started(found, programme, FIRST, _referred(found, programme, FIRST), "completed")
    for person in range(4, number + 4):
        found["people"].append({"person_id": person, "sex": draw(st.sampled_from(["male", "male", "female"]))})
        for _ in range(draw(st.sampled_from([0, 1, 1, 1, 1, 2]))):
            _draw_sentence(draw, found, person)
        _draw_life(draw, found, person)
    found["provision"] = [
        *draw(st.lists(_provision(), max_size=4)),
        {"programme_id": M1, "area": "east", "open_from": FIRST - 9, "open_to": FIRST + 20},
        {"programme_id": B1, "area": "west", "open_from": FIRST},
    ]
    found["eligibility"] = draw(st.lists(_entry_rule(), max_size=4))
    found["programmes"] = loaded().frame("programmes").to_dict("records")
    return {name: typed(name, lines) for name, lines in found.items()}


def _sentenced(found: Any, person: int, setting: str, day: int, release: int | None, area: str) -> None:
    found["sentences"].append(
        {
            "sentence_id": len(found["sentences"]) + 1, "person_id": person, "sentence_date": day, "setting": setting,
            "sentence_type": "any", "index_offence": "violent", "release_date": release, "age_at_sentence": 30.5,
            "prior_sanctions": person % 4 if person > 3 else 0, "prior_sexual_sanctions": 0, "area": area, "linkage_quality": 1.0,
        }
    )  # fmt: skip


def _referred(found: Any, programme: int, day: int) -> int:
    sentence = found["sentences"][-1]
    found["referrals"].append(
        {
            "referral_id": len(found["referrals"]) + 1, "person_id": sentence["person_id"], "programme_id": programme,
            "sentence_id": sentence["sentence_id"], "referral_date": day, "stage": "order", "decision": "accepted",
        }
    )  # fmt: skip
    return len(found["referrals"])


def _started(found: Any, programme: int, day: int, referral: int | None, status: str, end: int | None = None) -> None:
    sentence = found["sentences"][-1]
    found["participation"].append(
        {
            "participation_id": len(found["participation"]) + 1, "referral_id": referral, "voluntary": False,
            "person_id": sentence["person_id"], "sentence_id": sentence["sentence_id"], "programme_id": programme,
            "start_date": day, "end_date": end, "status": status,
        }
    )  # fmt: skip


def _assessed(
    person: int, day: int, score: float | None, band: str | None, denial: str | None, disabled: bool | None
) -> Any:
    return {
        "person_id": person, "date": day, "instrument": "static", "score": score, "band": band, "denial": denial,
        "learning_disability": disabled,
    }  # fmt: skip


def _draw_sentence(draw: st.DrawFn, found: Any, person: int) -> None:
    """Draw a sentence, referrals and starts under it: before release, on its day, after it."""
    day = FIRST + draw(st.integers(0, 12))
    setting = draw(st.sampled_from(["custody", "community"]))
    wait = draw(st.sampled_from([0, 1, 3, 8, 15, None])) if setting == "custody" else None
    _sentenced(
        found, person, setting, day, None if wait is None else day + wait, draw(st.sampled_from(["north", "south"]))
    )
    for _ in range(draw(st.sampled_from([0, 1, 1, 1, 2, 3]))):
        programme = draw(st.sampled_from([M1, M1, B1, B1, B2, C1]))
        start = day + draw(st.integers(-1, 12))
        referral = _referred(found, programme, start - draw(st.integers(0, 6))) if draw(st.booleans()) else None
        status = draw(st.sampled_from(["completed", "dropped_out", "removed", "ongoing"]))
        length = draw(st.sampled_from([None, 0, 1, 6, 20]))
        if referral is None or draw(st.sampled_from([True, True, False])):
            _started(found, programme, start, referral, status, None if length is None else start + length)


def _draw_life(draw: st.DrawFn, found: Any, person: int) -> None:
    for _ in range(draw(st.integers(0, 5))):
        start, length = draw(_days), draw(_lengths)
        state = draw(st.sampled_from(["custody", "recall", "recall", "hospital", "abroad"]))
        end = None if length is None else start + length
        found["spells"].append({"person_id": person, "start_date": start, "end_date": end, "state": state})
    for _ in range(draw(st.integers(0, 5))):
        day = draw(_days) - 5 if draw(st.booleans()) else _day_of_something(draw, found, person)
        lag = draw(st.sampled_from([0, 1, 5, 9, 10, 14, 15, 30, 365, 547]))
        found["reoffences"].append(
            {
                "reoffence_id": len(found["reoffences"]) + 1, "person_id": person, "offence_date": day, "proven_date": day + lag,
                "offence_type": draw(st.sampled_from(TYPES)), "severity": draw(st.sampled_from([1, 2, 3, None])),
                "disposal": draw(st.sampled_from(["custody", "fine", "caution", None])),
            }
        )  # fmt: skip
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2]))):
        day = draw(_days) if draw(st.booleans()) else _day_of_something(draw, found, person)
        reason = draw(st.sampled_from(["death", "deportation", "emigration", "lost"]))
        found["exits"].append({"person_id": person, "exit_date": day, "reason": reason})
    for _ in range(draw(st.integers(0, 3))):
        score, band = draw(st.sampled_from([1.0, 2.5, None])), draw(st.sampled_from(["low", "high", None]))
        denial, disabled = draw(st.sampled_from(["none", "full", None])), draw(st.sampled_from([True, False, None]))
        day = FIRST + draw(st.integers(-3, 15))
        found["assessments"].append(_assessed(person, day, score, band, denial, disabled))


def _day_of_something(draw: st.DrawFn, found: Any, person: int) -> int:
    """Draw a day on which something else happened to the person already."""
    days = [
        row[column]
        for table, columns in (("sentences", ("sentence_date", "release_date")), ("participation", ("start_date", "end_date")),
                               ("spells", ("start_date", "end_date")), ("reoffences", ("offence_date",)))
        for row in found[table] if row["person_id"] == person
        for column in columns if row[column] is not None
    ]  # fmt: skip
    return draw(st.sampled_from(days or [FIRST + 10])) + draw(st.sampled_from([0, 0, 0, 1, -1]))


@st.composite
def _provision(draw: st.DrawFn) -> dict[str, Any]:
    start, length = FIRST + draw(st.integers(-5, 20)), draw(_lengths)
    return {
        "programme_id": draw(st.sampled_from([M1, B1, B2, C1])), "area": draw(st.sampled_from(["north", "south"])), "open_from": start,
        "open_to": None if length is None else start + length,
    }  # fmt: skip


@st.composite
def _entry_rule(draw: st.DrawFn) -> dict[str, Any]:
    column, operator, value = draw(
        st.sampled_from(
            [
                ("denial", "==", "full"), ("learning_disability", "==", "true"), ("risk_band", "in", "low|medium"),
                ("wait_days", ">", "6"), ("prior_sanctions", ">=", "3"), ("risk_score", "!=", "1"),
            ]
        )
    )  # fmt: skip
    limits = [None, None, FIRST, FIRST + 5, FIRST + 8, FIRST + 12]
    return {
        "programme_id": draw(st.sampled_from([M1, M1, B1, B2])), "column": column, "operator": operator, "value": value, "reason": column,
        "valid_from": draw(st.sampled_from(limits)), "valid_to": draw(st.sampled_from(limits)),
    }  # fmt: skip


@st.composite
def studies(draw: st.DrawFn) -> Study:
    """Draw a study on the scale calendar, with outcomes that every scale allows."""
    assigned_by = draw(st.sampled_from(["start", "start", "start", "referral", "provision"]))
    landmark = assigned_by == "start" and draw(st.sampled_from([False, True]))
    arms = draw(st.sampled_from([TWO_ARMS, TWO_ARMS, UNTREATED])) if landmark or assigned_by != "start" else TWO_ARMS
    events = ["auto", "auto", "release", "sentence"]
    if assigned_by == "start" and not landmark:
        events = ["auto", "auto", "auto", "start", "release", "referral", "sentence"]
    if assigned_by == "referral":
        events = ["auto", "auto", "referral", "start"]
    include = st.sampled_from(
        ["sex == 'male'", "wait_days <= 7", "risk_band == 'high'", "denial != 'full'", "prior_sanctions in [0, 1, 2]"]
    )
    found = small_study(
        arms=arms,
        assigned_by=assigned_by,
        window=None if landmark or assigned_by == "provision" else draw(st.sampled_from([None, None, 3, 8])),
        if_both=draw(st.sampled_from(["first", "first", "exclude"])),
        population=draw(st.sampled_from(["both"] + ["caseload" if assigned_by == "provision" else "own"] * 3)),
        include=draw(st.lists(include, unique=True, max_size=1)),
        covariate_window=draw(st.sampled_from([None, None, 4])),
        event=draw(st.sampled_from(events)),
        strategy="landmark" if landmark else "none",
        grace=draw(st.sampled_from([1, 4, 9])) if landmark else None,
        data_cut=CUT + draw(st.sampled_from([0, 0, -20, 500])),
        horizon=draw(st.sampled_from([1, 10, 25, 40, 400])),
        headline=draw(st.sampled_from([None, "any"])),
    )
    return found.replace(
        outcomes=MappingProxyType(OUTCOMES),
        eligibility=dataclasses.replace(found.eligibility, index=draw(st.sampled_from(["first", "first", "all"]))),
        follow_up=dataclasses.replace(
            found.follow_up, observed_from=draw(st.sampled_from([None, None, FIRST, FIRST + 10, FIRST + 18]))
        ),
    )


def on_scale(study: Study, scale: str) -> Study:
    """Return the study on another scale, with the outcomes that scale allows."""
    outcomes = dict(OUTCOMES)
    if scale == "calendar":
        window = study.time_zero.strategy == "none"
        outcomes |= {name: spec for name, spec in IN_COMMUNITY.items() if window or name != "window"}
    return study.replace(
        outcomes=MappingProxyType(outcomes), follow_up=dataclasses.replace(study.follow_up, scale=scale)
    )
