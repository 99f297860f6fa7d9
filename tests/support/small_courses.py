"""Courses through programmes written one line each, in days since 2010-01-01, on top of the lives of `small_lives`.

Attending is ``m1 30..100 completed`` (first day 30, last day 100; ``m1 30.. ongoing`` is open; ``… voluntary`` after it), being
referred ``m1 10 declined``. Several are separated by ``;``. Programme `c1` is a circle that belongs to no arm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from small_lives import Life, lived
from small_study import after, intervals
from small_tables import rows

import outcomes as oc

PROGRAMMES = rows(
    "programme_id family_id name design strand format setting accredited recorded",
    "m1 core_manual Core manualised core group both true true",
    "b1 south_project Project bespoke core group both false false",
    "b2 south_project Maintenance bespoke maintenance group community false false",
    "c1 circles Circle bespoke circle group community false false",
)


@dataclass(frozen=True)
class Course:
    """One person on a community order of day 0: what they attended and were referred to, and their life."""

    attends: str = ""
    referred: str = ""
    offends: str = ""
    away: str = ""
    leaves: str = ""


def taken(*courses: Course, **changed: Any) -> dict[str, pd.DataFrame]:
    """Return tables of people p1, p2, … (p01, p02, … of ten or more), one a course."""
    width = len(str(len(courses)))
    people = [(f"p{n:0{width}}", f"s{n}", course) for n, course in enumerate(courses, start=1)]
    attended = [_attended(who, sentence, part) for who, sentence, course in people for part in _parts(course.attends)]
    referred = [_referred(who, sentence, part) for who, sentence, course in people for part in _parts(course.referred)]
    numbers = len(str(len(attended)))
    tables = {
        "programmes": PROGRAMMES,
        "participation": rows(
            "participation_id person_id sentence_id programme_id start_date end_date status voluntary",
            *(f"t{n:0{numbers}} {line}" for n, line in enumerate(attended, start=1)),
        ),
        "referrals": rows(
            "referral_id person_id sentence_id programme_id referral_date stage decision",
            *(f"r{n} {line}" for n, line in enumerate(referred, start=1)),
        ),
    }
    lives = (
        Life(programme="-", sentenced=0, started=None, offends=c.offends, away=c.away, leaves=c.leaves) for c in courses
    )
    return lived(*lives, **(tables | changed))


def _parts(text: str) -> list[list[str]]:
    return [part.split() for part in text.split(";") if part.strip()]


def _attended(who: str, sentence: str, part: list[str]) -> str:
    programme, days, status, *more = part
    start, end = days.split("..")
    last = after(int(end)) if end else "-"
    return f"{who} {sentence} {programme} {after(int(start))} {last} {status} {str(more == ['voluntary']).lower()}"


def _referred(who: str, sentence: str, part: list[str]) -> str:
    programme, day, decision = part
    return f"{who} {sentence} {programme} {after(int(day))} order {decision}"


def courses(found: oc.Cohort, *, every: bool = False) -> dict[str, list[str]]:
    """Return, by person, lines ``0..30 none not_referred none``, with ``voluntary`` and what ended a row after it."""
    data = found.every_event("any") if every else found.outcome("any")
    shown: dict[str, list[str]] = {}
    ends = iter([row for rows_ in intervals(found, every=every).values() for row in rows_])
    for row in data.frame.to_dict("records"):
        entry, leave, event = next(ends)
        said = [f"{entry:g}..{leave:g}", row["exposure"], row["state"], row["strand"]]
        said += ["voluntary"] * row["voluntary"] + [event.upper()] * (event != "")
        shown.setdefault(f"p{row['person_id']}", []).append(" ".join(said))
    return shown
