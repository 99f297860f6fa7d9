"""Harrell's concordance of a fitted score with the order of events, and its standard error.

Pairs are counted by dividing time in halves, again and again: within each half the order by score is kept, so a running sum
answers for every row how many of the later half score lower. O(N log N) whatever the ties, late entry or strata.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from outcomes.durations import days
from outcomes.errors import one_of
from outcomes.results import Array, IntArray
from outcomes.survival.cox_rows import CoxRows
from outcomes.survival.curve_kernel import fit_arm
from outcomes.survival.estimates import by_person, covariance_of, stack

if TYPE_CHECKING:
    from outcomes.survival.cox_result import Cox

__all__ = ["TIME_WEIGHTS", "Concordance", "PairCounts", "concordance_of", "count_pairs"]

TIME_WEIGHTS = ("n", "S", "S/G", "n/G2", "I")


@dataclass(frozen=True)
class Concordance:
    """Share of comparable pairs in which the higher score had the event first; tied scores count half.

    Attributes
    ----------
    estimate, std_error : float
        Standard error by infinitesimal jackknife, summed by person or cluster.
    concordant, discordant, tied : float
        Weighted numbers of pairs.
    """

    estimate: float
    std_error: float
    concordant: float
    discordant: float
    tied: float


@dataclass(frozen=True)
class PairCounts:
    """Weighted pairs each row is part of, per unit of its own weight; R rows.

    Attributes
    ----------
    concordant, discordant, tied : ndarray, shape (R,)
        Summed with the rows' weights each pair counts twice.
    """

    concordant: Array
    discordant: Array
    tied: Array


def concordance_of(model: Cox, time_weight: str, up_to: float | str | None) -> Concordance:
    """Return the concordance of a Cox model's linear predictor, as `Cox.concordance` says."""
    one_of(time_weight, TIME_WEIGHTS, what="concordance: time_weight")
    rows, asked, data = model.rows, model.asked, model.data
    times = _time_weights(model, time_weight)
    if up_to is not None:
        times = times * (rows.time <= days(up_to, what="up_to", unit=data.unit))
    # summed row by row, so that the same covariates give the same score to the last bit
    score = np.sum(rows.x * model.scaled[:, None], axis=0)
    if rows.offset is not None:
        score = score + rows.offset
    pairs = count_pairs(rows, score, times)
    concordant, discordant, tied = (
        float(rows.weight @ part) / 2 for part in (pairs.concordant, pairs.discordant, pairs.tied)
    )
    total = concordant + discordant + tied
    share = (concordant - discordant) / total if total > 0 else float("nan")
    moved = (pairs.concordant - pairs.discordant) - share * (pairs.concordant + pairs.discordant + pairs.tied)
    moved = moved * asked.beside(rows.order)
    each = by_person(moved[:, None], data.person[rows.order], len(data.baseline))
    known = replace(asked, variance="robust")
    error = float(np.sqrt(covariance_of(known, stack(known, each))[0, 0])) / (2 * total) if total > 0 else share
    return Concordance((share + 1) / 2, error, concordant, discordant, tied)


def _time_weights(model: Cox, time_weight: str) -> Array:
    """Return what a pair weighs at each event time, shape (G,)."""
    rows, data = model.rows, model.data
    if time_weight == "n":
        return np.ones(len(rows.time))
    at_risk = rows.over_risk_sets(rows.weight)
    if time_weight == "I":
        return np.asarray(1.0 / at_risk)
    weight, count = model.asked.by_row(data) * model.asked.count[data.person], model.asked.count[data.person]
    used = weight > 0
    died = ((data.event == 1 + data.causes.index(model.cause)) & used).astype(np.int64)
    final = np.append(data.person[1:] != data.person[:-1], True)

    def before(event: IntArray, until: Array) -> Array:
        fit = fit_arm(data.entry[used], until[used], event[used], weight[used], count[used], 1)
        at = np.concatenate(([1.0], fit.survival))
        return np.asarray(at[np.searchsorted(fit.times, rows.time, side="left")])

    free, uncensored = before(died, data.exit), np.ones(len(rows.time))
    if time_weight in ("S/G", "n/G2"):
        lost = (died == 0) & final  # at one time events come first, and those who had one are not at risk of being lost
        uncensored = before(lost.astype(np.int64), np.where(lost, np.nextafter(data.exit, np.inf), data.exit))
    with np.errstate(divide="ignore"):
        if time_weight == "S":
            return np.asarray(weight.sum() * free / at_risk)
        return np.asarray(weight.sum() * free / (uncensored * at_risk) if time_weight == "S/G" else 1.0 / uncensored**2)


def count_pairs(rows: CoxRows, score: Array, times: Array | None = None) -> PairCounts:
    """Return the pairs of each row: with an event, and another still at risk without the event at that time.

    Parameters
    ----------
    rows : CoxRows
        R rows.
    score : ndarray, shape (R,)
    times : ndarray, shape (G,), optional
        What a pair weighs at each event time; default 1.
    """
    by_event = 1.0 if times is None else times[rows.own]
    size, own, low = len(rows.time), rows.own, rows.low
    last = rows.high - 1  # last group at which the row can be the later one of a pair
    last[rows.event] -= 1
    late = rows.late
    # in order of time: entries before the events of a group, exits after them
    key = np.concatenate((3 * own + 1, 3 * last + 2, 3 * low[late]))
    position = np.empty(len(key), dtype=np.int64)
    position[np.argsort(key, kind="stable")] = np.arange(len(key))
    ordered = _rank(rows.end[low], score)
    rank = np.concatenate((ordered[rows.event], ordered, ordered[late]))
    events, count = len(own), len(score)
    zero = np.zeros

    weight = np.concatenate((zero(events), rows.weight, -rows.weight[late]))
    lower, equal = _later_and_lower(position, rank, weight)
    lower, equal = lower[:events], equal[:events]
    comparable = (rows.over_risk_sets(rows.weight) - rows.over_events(rows.weight[rows.event]))[own]

    weight = np.concatenate((rows.weight[rows.event] * by_event, zero(count), zero(len(late))))
    higher, same = _later_and_lower(len(key) - 1 - position, rank.max() - rank, weight)
    concordant, tied = higher[events : events + count], same[events : events + count]
    concordant[late] -= higher[events + count :]
    tied[late] -= same[events + count :]
    passed = np.concatenate(([0.0], np.cumsum(rows.over_events(rows.weight[rows.event] * by_event))))
    discordant = passed[np.minimum(last + 1, size)] - passed[low] - concordant - tied

    concordant[rows.event] += lower * by_event
    tied[rows.event] += equal * by_event
    discordant[rows.event] += (comparable - lower - equal) * by_event
    return PairCounts(concordant, discordant, tied)


def _rank(stratum: IntArray, score: Array) -> IntArray:
    """Return the rank of the score, strata one after another, shape (R,)."""
    _, within = np.unique(score, return_inverse=True)
    return np.asarray(stratum * (int(within.max()) + 1) + within, dtype=np.int64)


def _later_and_lower(position: IntArray, rank: IntArray, weight: Array) -> tuple[Array, Array]:
    """Return for each element the weight at later positions with a lower rank, and with the same rank, shape (M,).

    Positions are 0..M-1, each once.
    """
    size = len(position)
    lower, equal = np.zeros(size), np.zeros(size)
    order = np.argsort(rank, kind="stable")
    for bit in range(max(1, int(size - 1).bit_length()) - 1, -1, -1):
        where, ranks = position[order], rank[order]
        block = (where >> (bit + 1)) << (bit + 1)  # blocks are whole, so a block begins where its first position stands
        right = ((where >> bit) & 1).astype(bool)
        running = np.concatenate(([0.0], np.cumsum(np.where(right, weight[order], 0.0))))
        fresh = np.append(True, (ranks[1:] != ranks[:-1]) | (block[1:] != block[:-1]))
        begins = np.flatnonzero(fresh)
        tie = np.cumsum(fresh) - 1
        ends = np.append(begins[1:], size)
        left = ~right
        begin, end = begins[tie[left]], ends[tie[left]]
        lower[order[left]] += running[begin] - running[block[left]]
        equal[order[left]] += running[end] - running[begin]
        lefts = np.concatenate(([0], np.cumsum(left)))
        before = lefts[:-1] - lefts[block]
        index = np.arange(size)
        target = np.where(left, block + before, block + (1 << bit) + (index - block - before))
        moved = np.empty_like(order)
        moved[target] = order
        order = moved
    return lower, equal
