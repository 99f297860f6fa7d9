"""Lives after sentence or release: many at once, event by event.

The same function draws the factual record and every potential course of life. The state of a course is its clock (days
since sentence or release), whether the programme has started, and a custody spell still to come from a conviction.
Between events hazards are a rate times the shared shape, so the next event is drawn by inversion and, the past being
irrelevant, drawn anew after each event. Nothing happens while someone is away. Recorded days are rounded up, so that an
event by time t is an event on a day up to t; a spell starts the day after what led to it and ends on a whole day.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from outcomes.results import Array, IntArray
from outcomes.synthetic.draws import exponential, lag
from outcomes.synthetic.hazards import CONTROL, GENERAL, OFFENCES, SEXUAL, elapsed, operational

__all__ = ["RECALLED", "REMANDED", "SENTENCED", "Courses", "Lives", "live"]

_NEVER = np.inf


@dataclass(frozen=True, eq=False)
class Courses:
    """Courses of life to draw; arrays of shape (N,), days on the clock since sentence or release, rates a day.

    Attributes
    ----------
    begin, end : ndarray
        When to start and stop watching.
    exit : ndarray
        Death or leaving (inf = never).
    onset : ndarray
        When the programme starts (inf = never); if the person is away then, it never does.
    sexual, general, control, recall : ndarray
        Rates without a programme.
    effect, recall_effect : ndarray
        Log ratios from onset, of sexual and general offences, and of recall.
    licence_end, detection : ndarray
        End of the licence; chance that an offence comes to be proven.
    """

    begin: Array
    end: Array
    exit: Array
    onset: Array
    sexual: Array
    general: Array
    control: Array
    recall: Array
    effect: Array
    recall_effect: Array
    licence_end: Array
    detection: Array

    def take(self, rows: IntArray) -> Courses:
        """Return some of the courses."""
        return replace(self, **{f.name: getattr(self, f.name)[rows] for f in fields(self)})


@dataclass(frozen=True, eq=False)
class Lives:
    """What happened: offences, recalls as spells, custody as spells; started by course.

    Offences, shape (E,): ``course, day, kind`` (index into `OFFENCES`), ``lag`` (days to proof), ``detected``.
    Spells, shape (S,): ``away_course, away_from, away_to, away_kind`` (REMANDED, SENTENCED, RECALLED) and ``away_offence``
    (row of the offence, or -1).
    """

    course: IntArray
    day: IntArray
    kind: IntArray
    lag: IntArray
    detected: np.typing.NDArray[np.bool_]
    away_course: IntArray
    away_from: IntArray
    away_to: IntArray
    away_kind: IntArray
    away_offence: IntArray
    started: np.typing.NDArray[np.bool_]


REMANDED, SENTENCED, RECALLED = 0, 1, 2
_GROUPS = tuple(np.array([k for k, o in enumerate(OFFENCES) if o.group == g]) for g in (SEXUAL, GENERAL, CONTROL))
_CUMULATIVE = np.concatenate([g + np.cumsum([OFFENCES[k].share for k in rows]) for g, rows in enumerate(_GROUPS)])
_LAG = np.array([o.lag for o in OFFENCES])
_LAG_SHAPE = np.array([o.lag_shape for o in OFFENCES])
_REMAND = np.array([o.remand for o in OFFENCES])
_SENTENCE = np.array([o.sentence for o in OFFENCES])
_AWAY = np.array([o.away for o in OFFENCES])


class _Rows:
    """Rows gathered step by step, joined at the end."""

    def __init__(self, *names: str) -> None:
        self.parts: dict[str, list[np.typing.NDArray[Any]]] = {name: [] for name in names}
        self.count = 0

    def add(self, **columns: np.typing.NDArray[Any]) -> None:
        for name, values in columns.items():
            self.parts[name].append(values)
        self.count += len(next(iter(columns.values())))

    def joined(self) -> dict[str, np.typing.NDArray[Any]]:
        empty = np.zeros(0, dtype=np.int64)
        return {name: np.concatenate([empty, *parts]).astype(np.int64) for name, parts in self.parts.items()}


class _State:
    """Where the courses still under way stand; every array is indexed alike."""

    def __init__(self, courses: Courses) -> None:
        self.stop = np.minimum(courses.end, courses.exit)
        self.index = np.flatnonzero(courses.begin < self.stop)
        self.stop = self.stop[self.index]
        self.fixed = courses.take(self.index)
        self.clock = self.fixed.begin.copy()
        self.started = self.fixed.onset <= self.clock
        self.onset = np.where(self.started, _NEVER, self.fixed.onset)
        self.custody_at = np.full(len(self.index), _NEVER)
        self.custody_for = np.zeros(len(self.index))
        self.custody_why = np.full(len(self.index), -1)

    def rates(self) -> tuple[Array, Array, Array, Array]:
        """Return the rates now of sexual, general and control offences and of recall, each added to those before."""
        c = self.fixed
        factor = np.where(self.started, np.exp(c.effect), 1.0)
        recall = np.where(self.started, c.recall * np.exp(c.recall_effect), c.recall)
        sexual = c.sexual * factor
        general = sexual + c.general * factor
        control = general + c.control
        return sexual, general, control, control + np.where(self.clock < c.licence_end, recall, 0.0)

    def away(self, rows: IntArray, until: Array) -> None:
        """Move the clock to the day of return; a start or a custody spell that falls before it is lost or put off."""
        self.clock[rows] = until
        self.onset[rows] = np.where(until >= self.onset[rows], _NEVER, self.onset[rows])
        self.custody_at[rows] = np.maximum(self.custody_at[rows], until + 1)

    def keep(self, rows: IntArray) -> None:
        """Drop the courses that are over."""
        self.fixed = self.fixed.take(rows)
        for name in ("index", "stop", "clock", "started", "onset", "custody_at", "custody_for", "custody_why"):
            setattr(self, name, getattr(self, name)[rows])


def live(courses: Courses, rng: np.random.Generator, *, lag_strength: float) -> Lives:
    """Return what happens in each course of life.

    Parameters
    ----------
    courses : Courses
        N courses.
    rng : numpy.random.Generator
        Only its uniform numbers are used.
    lag_strength : float
        Multiple of the usual time from offence to proof; 0 proves at once.
    """
    now = _State(courses)
    started = courses.onset <= courses.begin
    offences = _Rows("course", "day", "kind", "lag", "detected")
    spells = _Rows("away_course", "away_from", "away_to", "away_kind", "away_offence")
    while len(now.index):
        u = rng.random((7, len(now.index)))
        cumulative = now.rates()
        following = elapsed(operational(now.clock) + exponential(u[0]) / cumulative[3])
        first = np.minimum(np.minimum(following, now.onset), np.minimum(now.custody_at, now.stop))
        over = first == now.stop
        begins = np.flatnonzero(~over & (first == now.onset))
        custody = np.flatnonzero(~over & (first == now.custody_at) & (first < now.onset))
        event = np.flatnonzero(~over & (first == following) & (first < now.onset) & (first < now.custody_at))
        now.clock = first
        now.started[begins], now.onset[begins] = True, _NEVER
        started[now.index[begins]] = True
        _into_custody(now, custody, spells)
        # the day before a start or a custody spell is left free, so that no event shares its date
        event = event[np.ceil(first[event]) < np.minimum(now.onset, now.custody_at)[event]]
        _happen(now, event, u[:, event], tuple(c[event] for c in cumulative), offences, spells, lag_strength)
        now.keep(np.flatnonzero(~over))
    columns = offences.joined() | spells.joined()
    return Lives(**(columns | {"detected": columns["detected"].astype(bool)}), started=started)


def _into_custody(now: _State, rows: IntArray, spells: _Rows) -> None:
    """Begin the custody spell that a conviction led to."""
    begin = now.clock[rows]
    until = begin + now.custody_for[rows]
    spells.add(
        away_course=now.index[rows],
        away_from=begin,
        away_to=until,
        away_kind=np.full(len(rows), SENTENCED),
        away_offence=now.custody_why[rows],
    )
    now.custody_at[rows] = _NEVER
    now.away(rows, until)


def _happen(
    now: _State,
    rows: IntArray,
    u: Array,
    cumulative: tuple[Array, ...],
    offences: _Rows,
    spells: _Rows,
    lag_strength: float,
) -> None:
    """Let the events of this step happen: an offence of some kind, or a recall."""
    sexual, general, control, total = cumulative
    point = u[1] * total
    edges = (np.zeros(len(rows)), sexual, general, control)
    group = np.minimum((point >= sexual).astype(np.int64) + (point >= general), CONTROL)
    low, high = np.choose(group, edges[:3]), np.choose(group, edges[1:])
    within = group + (point - low) / np.maximum(high - low, np.finfo(np.float64).tiny)
    recalled = point >= control
    # a recall drawn for after the licence does not happen
    back = np.flatnonzero(recalled & (now.clock[rows] < now.fixed.licence_end[rows]))
    _recall(now, rows[back], u[:, back], spells)
    one = np.flatnonzero(~recalled)
    kind = np.minimum(np.searchsorted(_CUMULATIVE, within[one], side="right"), len(OFFENCES) - 1)
    _offend(now, rows[one], kind, u[:, one], offences, spells, lag_strength)


def _recall(now: _State, rows: IntArray, u: Array, spells: _Rows) -> None:
    """Send people on licence back: 28 days for most, months for the rest."""
    begin = np.ceil(now.clock[rows]) + 1
    until = begin + np.where(u[2] < 0.65, 28.0, 40.0 + np.floor(150.0 * exponential(u[3])))
    spells.add(
        away_course=now.index[rows],
        away_from=begin,
        away_to=until,
        away_kind=np.full(len(rows), RECALLED),
        away_offence=np.full(len(rows), -1),
    )
    now.away(rows, until)


def _offend(
    now: _State, rows: IntArray, kind: IntArray, u: Array, offences: _Rows, spells: _Rows, lag_strength: float
) -> None:
    """Record offences, and the custody they lead to at once (remand) or from conviction on."""
    day = np.ceil(now.clock[rows])
    to_proof = np.floor(lag_strength * lag(u[2], _LAG[kind], _LAG_SHAPE[kind])) + (lag_strength > 0)
    detected = u[3] < now.fixed.detection[rows]
    serial = offences.count + np.arange(len(rows))
    offences.add(course=now.index[rows], day=day, kind=kind, lag=to_proof, detected=detected)
    length = 14.0 + np.floor(_AWAY[kind] * exponential(u[5]))
    remanded = np.flatnonzero(detected & (u[4] < _REMAND[kind]))
    sentenced = np.flatnonzero(
        detected & (u[4] >= _REMAND[kind]) & (u[4] < _REMAND[kind] + _SENTENCE[kind]) & np.isinf(now.custody_at[rows])
    )
    now.custody_at[rows[sentenced]] = day[sentenced] + to_proof[sentenced] + 1
    now.custody_for[rows[sentenced]] = length[sentenced]
    now.custody_why[rows[sentenced]] = serial[sentenced]
    begin = day[remanded] + 1
    spells.add(
        away_course=now.index[rows[remanded]],
        away_from=begin,
        away_to=begin + length[remanded],
        away_kind=np.full(len(remanded), REMANDED),
        away_offence=serial[remanded],
    )
    now.away(rows[remanded], begin + length[remanded])
