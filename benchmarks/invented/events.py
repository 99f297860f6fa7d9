"""What happened afterwards: proven reoffences, and spells out of the community that do not overlap."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from invented.columns import NEVER, codes, days, emptied, numbered_within, pseudonyms
from invented.people import CUT, People
from outcomes.results import IntArray
from outcomes.synthetic.draws import below, exponential, pick

__all__ = ["draw_events"]

_TYPES = ("sexual_contact", "sexual_noncontact", "sexual_image", "violent", "acquisitive", "motoring", "drugs",
          "breach_order", "breach_notification", "other")  # fmt: skip
_DISPOSALS = ("custody", "community_order", "fine", "caution")
_STATES = ("custody", "recall", "hospital", "abroad")
_REASONS = ("new_sentence", "remand", "recall")
_OFTEN = np.array([0.41, 0.54, 0.66, 0.75, 0.82])  # by risk band: chance of one more offence


def draw_events(people: People, first: int, rng: np.random.Generator) -> tuple[pa.Table, pa.Table]:
    """Return the tables of reoffences and of spells; `first` is the running number of the first reoffence."""
    person, offended, proven = _offences(people, rng)
    n = len(person)
    ids = pseudonyms(first + np.arange(n), "reoffence")
    reoffences = pa.table(
        {
            "reoffence_id": ids,
            "person_id": people.ids[person],
            "offence_date": days(offended),
            "proven_date": days(proven),
            "offence_type": codes(pick(rng.random(n), (2, 2, 3, 15, 26, 10, 10, 12, 10, 10)), _TYPES),
            "severity": below(rng.random(n), 1, 5),
            "disposal": codes(pick(rng.random(n), (30, 35, 25, 10)), _DISPOSALS),
        }
    )
    return reoffences, _spells(people, person, proven, ids, rng)


def _offences(people: People, rng: np.random.Generator) -> tuple[IntArray, IntArray, IntArray]:
    """Return person, day of the offence and day of the proof, of what was proven before the extract ends.

    One in seventy was committed before the first sentence and proven after it.
    """
    out = people.free < NEVER
    q = _OFTEN[people.band]
    counts = np.where(out, np.floor(np.log(1 - rng.random(len(q))) / np.log(q)), 0).astype(np.int64)
    person, _ = numbered_within(np.minimum(counts, 60))
    n = len(person)
    window = people.last[person] - people.free[person] + 1
    offended = people.free[person] + np.floor(rng.random(n) ** 1.5 * window).astype(np.int64)
    proven = offended + 15 + np.floor(100 * exponential(rng.random(n))).astype(np.int64)
    earlier = rng.random(n) < 1 / 70
    offended = np.where(earlier, people.sentenced[person] - below(rng.random(n), 1, 400), offended)
    kept = proven <= CUT
    return person[kept], offended[kept], proven[kept]


def _spells(people: People, offender: IntArray, proven: IntArray, ids: IntArray, rng: np.random.Generator) -> pa.Table:
    """Return spells between the first release and the end of what is seen: each in a part of that time of its own."""
    counts = np.floor(np.log(1 - rng.random(len(people.band))) / np.log(0.53)).astype(np.int64)
    until = np.minimum(people.last, people.again - 1)
    part = (until - people.free) // np.maximum(np.minimum(counts, 6), 1)
    counts = np.where((people.free < NEVER) & (part >= 60), np.minimum(counts, 6), 0)
    person, number = numbered_within(counts)
    n, part = len(person), part[person]
    start = people.free[person] + number * part + np.floor(0.5 * part * rng.random(n)).astype(np.int64)
    lasts = 3 + np.floor(np.minimum(60 * exponential(rng.random(n)), 0.4 * part)).astype(np.int64)
    open_end = (number == counts[person] - 1) & (people.exit_reason[person] < 0) & (rng.random(n) < 0.05)
    state = pick(rng.random(n), (60, 33, 4, 3))
    reason = np.where(state == 0, pick(rng.random(n), (70, 30)), np.where(state == 1, 2, -1))
    reoffence = _led_to(person, number, start, offender, proven, ids, len(people.band))
    return pa.table(
        {
            "person_id": people.ids[person],
            "start_date": days(start),
            "end_date": days(np.where(open_end, NEVER, start + lasts)),
            "state": codes(state, _STATES),
            "reason": codes(reason, _REASONS),
            "reoffence_id": emptied(reoffence, (reason != 0) | (reoffence < 0)),
        }
    )


def _led_to(
    person: IntArray,
    number: IntArray,
    start: IntArray,
    offender: IntArray,
    proven: IntArray,
    ids: IntArray,
    people: int,
) -> IntArray:
    """Return the id of the person's reoffence of the same number as the spell, if it was proven by then; else -1."""
    counts = np.bincount(offender, minlength=people)
    place = (np.cumsum(counts) - counts)[person] + number
    found = number < counts[person]
    place = np.where(found, place, 0)
    if not len(ids):
        return np.full(len(person), -1)
    return np.where(found & (proven[place] <= start), ids[place], -1)
