"""When people were at risk and what befell them, worked out by hand: person by person, day by day, from the rules.

The day d is a point; between two days lies a stretch (d, d + 1]. Whoever comes back on day d was away in the stretch before it and
is at risk in the one after it, and on the day itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from by_hand import Lists, Row, Told, programmes_by_arm

from outcomes.design.study import Outcome, Study

AWAY = ("custody", "recall", "hospital", "abroad")
LEAVING = ("death", "deportation", "emigration", "lost")
HALF = 0.5

Interval = tuple[float, float, Any]


def at_risk_by_hand(told: Told, tables: Lists, study: Study, outcome: Outcome, every: bool = False) -> list[Interval]:
    """Return the intervals at risk of somebody compared, in days since time zero, each with the cause that ended it, if any."""
    life = _Life(told, tables, study, outcome)
    if life.last <= life.zero:
        return []
    end, cause = life.ending(every)
    seen_from = max(0, (study.follow_up.observed_from or life.zero) - life.zero)
    marks = [(day - life.zero, outcome.name) for day in sorted(life.counted) if every and day <= end]
    if cause is not None:
        marks.append((end - life.zero, cause))
    where = Whereabouts(lambda day: life.at_large(life.zero + day), lambda day: life.out_after(life.zero + day))
    rows = intervals_by_hand(seen_from, end - life.zero, marks, where)
    return (
        on_own_clock(rows, seen_from, study.follow_up.horizon, where) if study.follow_up.scale == "community" else rows
    )


@dataclass
class Whereabouts:
    """Whether a day counts as one at risk, and whether the stretch from a day to the next is out of the clock."""

    at_large: Callable[[int], bool]
    out_after: Callable[[int], bool]


def intervals_by_hand(seen_from: int, end: int, marks: list[tuple[int, Any]], where: Whereabouts) -> list[Interval]:
    """Return the stretches at risk, cut at what happened in them (`marks`, in order). What happens as one begins counts half a day."""
    if end < seen_from:
        return []
    stretches: list[list[int]] = []
    for day in range(seen_from, end):
        if where.out_after(day):
            continue
        if stretches and stretches[-1][1] == day:
            stretches[-1][1] = day + 1
        else:
            stretches.append([day, day + 1])
    marks = [(day, what) for day, what in marks if seen_from <= day and where.at_large(day)]
    for day, _ in marks:
        if not any(a <= day <= b for a, b in stretches):
            stretches.append([day, day])
    pieces: list[Interval] = []
    if end == seen_from == 0 and not marks and not where.out_after(0):  # left on the day of time zero
        pieces.append((0, HALF, None))
    for a, b in sorted(stretches):
        reached: float = a
        for day, what in marks:
            if a <= day <= b:
                moment = day if day > reached else reached + HALF
                pieces.append((reached, moment, what))
                reached = moment
        if reached < b:
            pieces.append((reached, b, None))
    return pieces


def on_own_clock(rows: list[Interval], seen_from: int, horizon: float, where: Whereabouts) -> list[Interval]:
    """Return one interval, on a clock that stands still while away; the horizon is one of that clock."""
    entry = sum(not where.out_after(day) for day in range(seen_from))
    if not rows or entry >= horizon:
        return []
    reached = entry + sum(b - a for a, b, _ in rows)
    return [(entry, min(reached, horizon), rows[-1][2] if reached <= horizon else None)]


class _Life:
    """What the tables say of one person from the day their follow-up starts, asked day by day."""

    def __init__(self, told: Told, tables: Lists, study: Study, outcome: Outcome) -> None:
        assert told.time_zero is not None
        self.study, self.outcome = study, outcome
        self.zero = told.time_zero
        self.start = self.zero  # from here on an event ends follow-up: with a landmark, before it
        if study.time_zero.strategy == "landmark":
            self.start -= int(study.time_zero.grace or 0)
        mine: dict[str, list[Row]] = {
            name: [row for row in tables[name] if row["person_id"] == told.person]
            for name in ("sentences", "spells", "reoffences", "exits")
        }
        self.spells, self.exits = mine["spells"], mine["exits"]
        self.served = [
            {"start_date": row["sentence_date"], "end_date": row["release_date"]}
            for row in mine["sentences"] if row["setting"] == "custody"
        ]  # fmt: skip
        self.last = study.follow_up.data_cut - int(outcome.proving_period)
        if outcome.rule == "moj_window":  # the whole window or nothing
            self.last = self.zero + 365 if study.follow_up.data_cut >= self.zero + 365 + 182 else self.zero
        self.counted = self._counted(told, tables, mine["reoffences"])

    def ending(self, every: bool) -> tuple[int, str | None]:
        """Return the day follow-up ended and the cause: the outcome before what competes, and that before censoring."""
        limit = self.last
        if self.study.follow_up.scale != "community":
            limit = min(limit, self.zero + int(self.study.follow_up.horizon))
        for day in range(self.start, limit + 1):
            if not every and day in self.counted:
                return day, self.outcome.name
            left = {row["reason"] for row in self.exits if row["exit_date"] == day}
            for cause in self.outcome.competing:
                if cause in left or (cause not in LEAVING and self.begins(day, cause)):
                    return day, cause
            if left:
                return day, None
        return limit, None

    def _counted(self, told: Told, tables: Lists, offences: list[Row]) -> set[int]:
        """Return the days of what counts as the outcome."""
        if self.outcome.kind in AWAY:
            return {day for day in range(self.start, self.last + 1) if self.begins(day, self.outcome.kind)}
        if self.outcome.kind == "drop_out":
            arm_of = programmes_by_arm(tables, self.study)
            return {
                row["end_date"]
                for row in tables["participation"]
                if row["sentence_id"] == told.sentence and arm_of.get(row["programme_id"]) == told.arm
                and row["status"] in ("dropped_out", "removed") and row["end_date"] is not None
                and row["end_date"] >= self.start
            }  # fmt: skip
        return {row["offence_date"] for row in offences if self._counts(row)}

    def _counts(self, offence: Row) -> bool:
        asked, committed, proven = self.outcome, offence["offence_date"], offence["proven_date"]
        if offence["offence_type"] not in asked.types or committed < self.start:
            return False
        if asked.severity is not None and (offence["severity"] is None or offence["severity"] > asked.severity):
            return False
        if asked.disposals and offence["disposal"] not in asked.disposals:
            return False
        if asked.rule == "moj_window":
            in_time = committed <= self.zero + 365 and proven <= self.zero + 365 + 182
        else:
            in_time = committed <= self.last and proven - committed <= asked.proving_period
        states = ("custody", "recall") if self.study.follow_up.scale == "calendar" else AWAY
        return in_time and not self.inside(committed, states)

    def begins(self, day: int, state: str) -> bool:
        """Whether a spell of a state begins on a day. None does that goes on from one of its kind, or lies in one of another."""
        spells = [row for row in self.spells if row["state"] == state]
        served = self.served if state == "custody" else []
        anew = any(row["start_date"] == day for row in spells) and not any(_reaches(row, day) for row in spells)
        again = any(row["start_date"] == day for row in served) and not any(_reaches(row, day) for row in served)
        return (anew and not any(_contains(row, day) for row in served)) or (
            again and day > self.start and not any(_contains(row, day) for row in spells)
        )

    def inside(self, day: int, states: tuple[str, ...]) -> bool:
        """Whether a day lies inside: not the first of a spell, nor the last. Custody under sentences is a thing of its own."""
        spells = [row for row in self.spells if row["state"] in states]
        return any(
            any(_reaches(row, day) for row in rows) and any(_covers(row, day) for row in rows)
            for rows in (spells, self.served)
        )

    def at_large(self, day: int) -> bool:
        """Whether a day counts as one at risk: the first day away and the day back do."""
        return self.study.follow_up.scale == "calendar" or not self.inside(day, AWAY)

    def out_after(self, day: int) -> bool:
        """Whether the stretch from a day to the next is out of the clock."""
        if self.study.follow_up.scale == "calendar":
            return False
        return any(_covers(row, day) for row in [*self.served, *(r for r in self.spells if r["state"] in AWAY)])


def _reaches(spell: Row, day: int) -> bool:
    """Whether a spell covers the stretch up to a day."""
    return spell["start_date"] < day and (spell["end_date"] is None or day <= spell["end_date"])


def _covers(spell: Row, day: int) -> bool:
    """Whether a spell covers the stretch from a day to the next."""
    return spell["start_date"] <= day and (spell["end_date"] is None or day < spell["end_date"])


def _contains(spell: Row, day: int) -> bool:
    """Whether a day lies in a spell and is neither its first nor its last."""
    return _reaches(spell, day) and _covers(spell, day)
