"""What would have happened to each person under each programme: risks and event-free time, by replication.

Every person lives many times under the bespoke programme, the manualised one and none, from their own time zero, in
their own area and site, by the same function that drew the record. Losses (emigration, losing touch) are left out: they
are censoring, not fate.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from outcomes.results import Array, IntArray
from outcomes.synthetic.assignment import ARMS, NONE
from outcomes.synthetic.courses import KEPT_BY_DROP_OUTS, courses, draw_exits
from outcomes.synthetic.hazards import CONTROL, KNOTS, LEVELS, OFFENCES, SEXUAL, YEAR, Rates
from outcomes.synthetic.life import RECALLED, Lives, live

__all__ = ["HORIZONS", "OUTCOMES", "PROVEN_WITHIN", "Potential", "never_away", "proven_share", "replicate"]

HORIZONS = {"2y": 730, "5y": 1826}
PROVEN_WITHIN = {"any": 182, "sexual": 547, "sexual_before_recall": 547}
OUTCOMES = ("any", "sexual", "sexual_before_recall")
_BLOCK = 60_000  # courses at a time: small enough for the processor's cache
_GROUP = np.array([o.group for o in OFFENCES])


@dataclass(frozen=True, eq=False)
class Potential:
    """Means over replicates, keyed by column name ``{arm}_{outcome}_{version}_{measure}_{horizon}``, shape (P,) each."""

    rows: IntArray
    columns: dict[str, Array]


def replicate(
    rates: Rates,
    wait: IntArray,
    rows: IntArray,
    rng: np.random.Generator,
    *,
    replicates: int,
    lag_strength: float,
    arms: Sequence[int] = (0, 1, NONE),
    horizons: Sequence[str] = ("2y", "5y"),
) -> Potential:
    """Return mean risks and event-free times of the people `rows` under each of `arms`, over `replicates` lives each."""
    columns: dict[str, Array] = {}
    longest = max(HORIZONS[h] for h in horizons)
    for arm in arms:
        sums: dict[str, Array] = {}
        for block in _blocks(len(rows), replicates):
            who = np.tile(rows, block)
            exits, lives = _lives(rates, wait, who, arm, longest, rng, lag_strength)
            begin = wait[who].astype(np.float64)
            for name, values in _measures(lives, begin, exits, horizons):
                sums[name] = sums.get(name, np.zeros(len(rows))) + values.reshape(block, -1).sum(axis=0)
        columns |= {f"{ARMS[arm]}_{name}": total / replicates for name, total in sums.items()}
    return Potential(rows=rows, columns=columns)


def _blocks(people: int, replicates: int) -> Iterator[int]:
    """Yield how many replicates to draw at a time."""
    size = max(1, _BLOCK // max(1, people))
    for done in range(0, replicates, size):
        yield min(size, replicates - done)


def _lives(
    rates: Rates, wait: IntArray, who: IntArray, arm: int, longest: int, rng: np.random.Generator, lag_strength: float
) -> tuple[Array, Lives]:
    """Return the time of death or deportation since time zero and the lives of `who` from time zero under `arm`."""
    exit = draw_exits(rates, who, rng.random((3, len(who))), loss=False).time
    treated = np.full(len(who), arm)
    chance = rates.dropping_out[who, arm] if arm != NONE else np.zeros(len(who))
    begin = wait[who].astype(np.float64)
    drawn = courses(
        rates,
        who,
        treated,
        begin=begin,
        onset=begin,
        length=np.full(len(who), float(longest)),
        exit=exit,
        dropped=rng.random(len(who)) < chance,
    )
    return np.ceil(exit), live(drawn, rng, lag_strength=lag_strength)


def _measures(lives: Lives, begin: Array, exits: Array, horizons: Sequence[str]) -> Iterator[tuple[str, Array]]:
    """Yield name and value per course of every risk and event-free time."""
    n = len(begin)
    since = lives.day - begin[lives.course]
    counted = _GROUP[lives.kind] != CONTROL
    sexual = _GROUP[lives.kind] == SEXUAL
    known = lives.detected & (since + lives.lag <= exits[lives.course])
    recalled = lives.away_kind == RECALLED
    recall = _first(n, lives.away_course[recalled], (lives.away_from - begin[lives.away_course])[recalled])
    for horizon in horizons:
        h = HORIZONS[horizon]
        yield f"recall_risk_{horizon}", ((recall <= h) & (recall <= exits)).astype(np.float64)
        for outcome in OUTCOMES:
            of_type = counted if outcome == "any" else sexual
            competing = np.minimum(exits, recall) if outcome == "sexual_before_recall" else exits
            for version in ("committed", "proven"):
                hit = of_type if version == "committed" else of_type & known & (lives.lag <= PROVEN_WITHIN[outcome])
                time = _first(n, lives.course[hit], since[hit])
                yield f"{outcome}_{version}_risk_{horizon}", ((time <= h) & (time <= competing)).astype(np.float64)
                yield f"{outcome}_{version}_rmst_{horizon}", np.minimum(np.minimum(time, competing), h)


def _first(n: int, course: IntArray, time: Array) -> Array:
    """Return the first time of each of `n` courses (inf without one); times of a course come in order."""
    out = np.full(n, np.inf)
    out[course[::-1]] = time[::-1]  # the last to be written is the earliest
    return out


def proven_share(within: int, lag_strength: float) -> Array:
    """Return the chance that an offence of each type, once it comes to court, is proven within so many days."""
    if lag_strength == 0:
        return np.ones(len(OFFENCES))
    median = np.array([o.lag for o in OFFENCES])
    shape = np.array([o.lag_shape for o in OFFENCES])
    return np.asarray(1.0 - 0.5 ** ((within / lag_strength / median) ** shape))


def never_away(
    rates: Rates, wait: IntArray, arm: int, outcome: str, version: str, horizon: int, lag_strength: float
) -> tuple[Array, Array]:
    """Return everyone's risk and mean event-free days as if never out of the community, in closed form, shapes (n,).

    Hazards are constant between the knots of the shape, so each piece adds rate/(rate + exit) x (share that leaves in it).
    Deaths between offence and proof, which the record loses, are left out here.
    """
    share = np.ones(len(OFFENCES)) if version == "committed" else proven_share(PROVEN_WITHIN[outcome], lag_strength)
    each = share * np.array([o.share for o in OFFENCES])
    by_group = np.array([each[g == _GROUP].sum() for g in range(3)])
    groups = (0,) if outcome == "sexual" else (0, 1)
    rate = sum(rates.group[:, g] * by_group[g] for g in groups) / YEAR
    rate = rate * (rates.detection if version == "proven" else 1.0)
    leaving = (rates.death + rates.deportation) / YEAR
    if arm == NONE:
        return _by_pieces(rate, leaving, wait, horizon)
    chance = rates.dropping_out[:, arm]
    full = rate * np.exp(rates.effect[:, arm] + rates.setting[:, arm])
    part = rate * np.exp(KEPT_BY_DROP_OUTS * rates.effect[:, arm] + rates.setting[:, arm])
    stayed, left = (_by_pieces(r, leaving, wait, horizon) for r in (full, part))
    mixed = tuple((1 - chance) * s + chance * d for s, d in zip(stayed, left, strict=True))
    return mixed[0], mixed[1]


def _by_pieces(rate: Array, leaving: Array, wait: IntArray, horizon: int) -> tuple[Array, Array]:
    """Return the chance of the event before leaving within `horizon` days of time zero, and the mean days before either."""
    edges = np.append(KNOTS, np.inf)
    alive, risk, free = np.ones(len(rate)), np.zeros(len(rate)), np.zeros(len(rate))
    for level, low, high in zip(LEVELS, edges[:-1], edges[1:], strict=True):
        days = np.maximum(np.minimum(high, wait + horizon) - np.maximum(low, wait), 0.0)
        total = rate * level + leaving
        gone = -np.expm1(-total * days)
        risk += alive * gone * rate * level / total
        free += alive * gone / total
        alive = alive * (1 - gone)
    return risk, free
