"""Matched sets, and what the people in them weigh."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from outcomes.overlapping_sets import OverlappingSets
from outcomes.results import Array, IntArray

__all__ = ["MatchedSets", "of_full", "of_pairs", "of_radius", "of_strata"]


@dataclass(frozen=True)
class MatchedSets:
    """Who is matched, with what weight; P people.

    Attributes
    ----------
    weights : ndarray, shape (P,)
        0 for people in no set. Those of the arm asked about weigh 1; the others stand for them, and weigh together as many as they are.
    sets : ndarray of int, shape (P,), or None
        Number of the set of each person, one of their own for people in none; None where a person may be in several, or is put into a
        class with many.
    classes : ndarray of int, shape (P,), or None
        Class of each person, where people are put into classes.
    pairs : ndarray of int, shape (N, 2), or None
        A person asked about and one who stands for them; None where people are matched in classes or by a radius. In full
        matching either may be in several pairs of a set.
    overlapping : OverlappingSets or None
        The sets where a person may be in several.
    """

    weights: Array
    sets: IntArray | None
    pairs: IntArray | None = None
    classes: IntArray | None = None
    overlapping: OverlappingSets | None = None


def of_pairs(pairs: IntArray, asked_about: npt.NDArray[np.bool_]) -> MatchedSets:
    """Return the sets of pairs: one a person asked about. Those who stand for one person share them equally."""
    people = len(asked_about)
    person, other = pairs[:, 0], pairs[:, 1]
    in_set = np.bincount(person, minlength=people)
    share = np.bincount(other, weights=1 / in_set[person], minlength=people).astype(np.float64)
    sets = np.arange(people)
    sets[other] = person
    weights = _as_many_as_they_are(share, in_set > 0)
    if len(np.unique(other)) == len(other):
        return MatchedSets(weights, sets, pairs)
    listed = other[np.argsort(person, kind="stable")]
    asked = np.flatnonzero(in_set)
    last = np.cumsum(in_set[asked])
    overlapping = OverlappingSets(people, asked, listed, last - in_set[asked], last, 1 / in_set[asked])
    return MatchedSets(weights, None, pairs, overlapping=overlapping)


def of_full(pairs: IntArray, arm: IntArray, estimand: str) -> MatchedSets:
    """Return the sets of a full matching, in which one of the two of each pair is in no other: each is a class of its own."""
    sets = np.arange(len(arm))
    often = np.bincount(pairs.ravel(), minlength=len(arm))
    alone = often[pairs[:, 1]] == 1  # the second of the pair has no other: the set is the first one's
    sets[np.where(alone, pairs[:, 1], pairs[:, 0])] = np.where(alone, pairs[:, 0], pairs[:, 1])
    return MatchedSets(of_strata(sets, arm, often > 0, estimand).weights, sets, pairs)


def of_radius(
    line: Array, stratum: IntArray, asked_about: npt.NDArray[np.bool_], usable: npt.NDArray[np.bool_], limit: float
) -> MatchedSets:
    """Return the weights where everyone of the same stratum within `limit` stands, in equal parts, for a person asked about."""
    sets, listed, before = list[IntArray](), list[IntArray](), 0
    for code in np.unique(stratum[asked_about & usable]):
        people = np.flatnonzero(asked_about & usable & (stratum == code))
        people = people[np.argsort(line[people], kind="stable")]
        others = np.flatnonzero(~asked_about & usable & (stratum == code))
        others = others[np.argsort(line[others], kind="stable")]
        first = np.searchsorted(line[others], line[people] - limit, side="left")
        last = np.searchsorted(line[others], line[people] + limit, side="right")
        sets.append(np.column_stack([people, first + before, last + before])[last > first])
        listed.append(others)
        before += len(others)
    if not sets:
        return MatchedSets(np.zeros(len(line)), None)
    asked, first, last = np.concatenate(sets).T
    found = OverlappingSets(len(line), asked, np.concatenate(listed), first, last, 1 / (last - first))
    return MatchedSets(_as_many_as_they_are(found.total, np.isin(np.arange(len(line)), asked)), None, overlapping=found)


def of_strata(stratum: IntArray, arm: IntArray, usable: npt.NDArray[np.bool_], estimand: str) -> MatchedSets:
    """Return the weights of people in classes that hold both arms: those asked about weigh 1, or everyone for the ATE."""
    number = int(stratum.max(initial=0)) + 1
    counts = [np.bincount(stratum[usable & (arm == a)], minlength=number) for a in (0, 1)]
    both = usable & ((counts[0] > 0) & (counts[1] > 0))[stratum]
    target = {"att": counts[1], "atc": counts[0], "ate": counts[0] + counts[1]}[estimand]
    own = np.where(arm == 1, counts[1][stratum], counts[0][stratum])
    weights = np.where(both, target[stratum] / np.maximum(own, 1), 0.0)
    for side in (0, 1):
        mine = both & (arm == side)
        if mine.any():
            weights[mine] *= mine.sum() / weights[mine].sum()
    return MatchedSets(weights, None, classes=stratum)


def _as_many_as_they_are(share: Array, asked_about: npt.NDArray[np.bool_]) -> Array:
    """Return 1 for those asked about, and their shares for the others, scaled to sum to their number."""
    others = share > 0
    scale = others.sum() / share.sum() if others.any() else 0.0
    return np.where(asked_about, 1.0, share * scale)
