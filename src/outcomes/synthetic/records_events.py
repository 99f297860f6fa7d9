"""Tables about what happened afterwards: proven reoffences and spells out of the community."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from outcomes.results import IntArray
from outcomes.synthetic.draws import below, lag, pick
from outcomes.synthetic.hazards import OFFENCES
from outcomes.synthetic.life import RECALLED
from outcomes.synthetic.provision import day
from outcomes.synthetic.records_people import person_ids
from outcomes.synthetic.shelf import MISSING, codes, frame
from outcomes.synthetic.story import EXTRACTED, NEVER, Story

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["event_tables"]

KIND = {offence.code: k for k, offence in enumerate(OFFENCES)}
FROM_LIFE, BEFORE, INSIDE = 0, 1, 2
_DISPOSALS = ("custody", "community_order", "fine", "caution")


@dataclass(frozen=True, eq=False)
class _Offences:
    """Offences that came to be proven; arrays of shape (R,). `serial` is the row in the lives, -1 for the others."""

    row: IntArray
    date: IntArray
    proven: IntArray
    kind: IntArray
    serial: IntArray


def event_tables(story: Story, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Return reoffences and spells."""
    found = _joined([_from_lives(story), _before_time_zero(story, rng), _while_away(story, rng)])
    seen = (found.proven <= story.last[found.row]) & (found.proven <= day(EXTRACTED))
    found = _taken(found, np.flatnonzero(seen))
    order = np.lexsort((found.serial, found.kind, found.proven, found.date, found.row))
    found = _taken(found, order)
    ids = 200_001 + np.arange(len(found.row))
    id_of = np.full(len(story.lives.day) + 1, MISSING)
    id_of[found.serial[found.serial >= 0]] = ids[found.serial >= 0]
    return {"reoffences": _reoffences(story, found, ids, rng), "spells": _spells(story, id_of)}


def _from_lives(story: Story) -> _Offences:
    lives = story.lives
    serial = np.flatnonzero(lives.detected)
    row = lives.course[serial]
    date = story.origin[row] + lives.day[serial]
    return _Offences(row, date, date + lives.lag[serial], lives.kind[serial], serial)


def _before_time_zero(story: Story, rng: np.random.Generator) -> _Offences:
    """Offences dated before sentence and proven after time zero: neither events nor history."""
    u = rng.random((4, story.people.n))
    row = np.flatnonzero(u[0] < 0.02)
    kind = pick(u[1][row], (0.35, 0.15, 0.25, 0.1, 0.1, 0.02, 0.03))
    date = story.sentence[row] - below(u[2][row], 20, 500)
    return _Offences(row, date, story.time_zero[row] + below(u[3][row], 1, 300), kind, np.full(len(row), -1))


def _while_away(story: Story, rng: np.random.Generator) -> _Offences:
    """Offences in custody, before release and during later spells."""
    lives, people = story.lives, story.people
    u, v = rng.random((3, people.n)), rng.random((3, len(lives.away_course)))
    before = np.flatnonzero(people.custody & (u[0] < 0.006))
    away = np.flatnonzero((v[0] < 0.03) & (lives.away_to - lives.away_from >= 10))
    room = np.concatenate([story.custody_days[before], (lives.away_to - lives.away_from)[away]])
    first = np.concatenate([story.sentence[before], (story.origin[lives.away_course] + lives.away_from)[away]])
    row = np.concatenate([before, lives.away_course[away]])
    where, which = np.concatenate([u[1][before], v[1][away]]), np.concatenate([u[2][before], v[2][away]])
    date = first + 1 + np.floor(where * (room - 2)).astype(np.int64)
    kind = np.where(which < 0.5, KIND["violent"], np.where(which < 0.85, KIND["drugs"], KIND["other"]))
    usual = np.array([o.lag for o in OFFENCES])[kind], np.array([o.lag_shape for o in OFFENCES])[kind]
    to_proof = 1 + np.floor(lag(rng.random(len(row)), *usual)).astype(np.int64)
    return _Offences(row, date, date + to_proof, kind, np.full(len(row), -1))


def _joined(parts: list[_Offences]) -> _Offences:
    return _Offences(
        *(np.concatenate([getattr(p, n) for p in parts]) for n in ("row", "date", "proven", "kind", "serial"))
    )


def _taken(offences: _Offences, at: IntArray) -> _Offences:
    return _Offences(*(getattr(offences, n)[at] for n in ("row", "date", "proven", "kind", "serial")))


def _reoffences(story: Story, found: _Offences, ids: IntArray, rng: np.random.Generator) -> pd.DataFrame:
    jailed = np.zeros(len(story.lives.day) + 1, dtype=bool)
    jailed[story.lives.away_offence[story.lives.away_offence >= 0]] = True
    severity = np.array([o.severity for o in OFFENCES])[found.kind]
    milder = np.where(severity <= 2, 1, 1 + pick(rng.random(len(ids)), (0.5, 0.35, 0.15)))
    return frame(
        "reoffences",
        {
            "reoffence_id": ids,
            "person_id": person_ids(found.row),
            "offence_date": found.date,
            "proven_date": found.proven,
            "offence_type": codes(found.kind, tuple(o.code for o in OFFENCES)),
            "severity": severity,
            "disposal": codes(np.where(jailed[found.serial], 0, milder), _DISPOSALS),
        },
    )


def _spells(story: Story, id_of: IntArray) -> pd.DataFrame:
    """Spells that began in the record; an end after death or departure is that day, one after the extract is open."""
    lives = story.lives
    begin = story.origin[lives.away_course] + lives.away_from
    end = np.minimum(story.origin[lives.away_course] + lives.away_to, story.last[lives.away_course])
    kept = np.flatnonzero((begin < story.last[lives.away_course]) & (begin < day(EXTRACTED)))
    kept = kept[np.lexsort((begin[kept], lives.away_course[kept]))]
    recalled = (lives.away_kind[kept] == RECALLED).astype(np.int64)
    return frame(
        "spells",
        {
            "person_id": person_ids(lives.away_course[kept]),
            "start_date": begin[kept],
            "end_date": np.where(end > day(EXTRACTED), NEVER, end)[kept],
            "state": codes(recalled, ("custody", "recall")),
            "reason": codes(lives.away_kind[kept], ("remand", "new_sentence", "recall")),
            "reoffence_id": id_of[lives.away_offence[kept]],
        },
    )
