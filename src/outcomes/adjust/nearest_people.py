"""Greedy nearest neighbours: each person in turn takes the nearest who is left, in one dimension or in several."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outcomes.adjust.who_may import WhoMay
from outcomes.results import Array, IntArray

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

__all__ = ["nearest_in_space", "nearest_on_a_line"]

_FIRST_LOOK = 16  # candidates asked for at first; four times as many where they do not suffice
_ALIKE = 1e-9  # distances that differ by less are one: which is the larger would hang on the machine


def nearest_on_a_line(people: Array, others: Array, *, order: IntArray, ratio: int, limit: float) -> IntArray:
    """Return whom each person takes, shape (P, ratio); -1 where nobody is left within the limit.

    Everyone takes one before anyone takes a second; nobody is taken twice.

    Parameters
    ----------
    people, others : ndarray, shape (P,) and (Q,)
        Where they stand: finite numbers.
    order : ndarray of int, shape (P,)
        Who comes first.
    ratio : int
    limit : float
        Largest distance, itself included.

    Notes
    -----
    Of two at one distance the one who stands first in `others` is taken. After sorting the cost is nearly linear: a place whose
    people are all taken points to the next place that has some, and such pointers are shortened as they are followed.
    """
    taken = np.full((len(people), ratio), -1, dtype=np.int64)
    if not len(people) or not len(others):
        return taken
    by_place = np.argsort(others, kind="stable")
    places, first = np.unique(others[by_place], return_index=True)
    queue, end = by_place.tolist(), [*first[1:].tolist(), len(others)]
    nxt = first.tolist()  # position in `queue` of the next free person of each place
    at = np.searchsorted(places, people)
    n = len(places)
    below, above = (
        list(range(-1, n)),
        list(range(n + 1)),
    )  # below[i + 1], above[i]: the nearest place with somebody left
    place, stand, start = [-np.inf, *places.tolist(), np.inf], people.tolist(), at.tolist()

    def free_below(i: int) -> int:
        while below[i + 1] != i:
            below[i + 1] = below[below[i + 1] + 1]
            i = below[i + 1]
        return i

    def free_above(i: int) -> int:
        while above[i] != i:
            above[i] = above[above[i]]
            i = above[i]
        return i

    for round_ in range(ratio):
        column = [-1] * len(people)
        for person in order.tolist():
            low, high = free_below(start[person] - 1), free_above(start[person])
            down, up = stand[person] - place[low + 1], place[high + 1] - stand[person]
            if min(down, up) > limit or (low < 0 and high == n):
                continue
            chosen = low if down < up or (down == up and queue[nxt[low]] < queue[nxt[high]]) else high
            column[person] = queue[nxt[chosen]]
            nxt[chosen] += 1
            if nxt[chosen] == end[chosen]:
                below[chosen + 1], above[chosen] = chosen - 1, chosen + 1
        taken[:, round_] = column
    return taken


def nearest_in_space(
    people: Array,
    others: Array,
    *,
    order: IntArray,
    ratio: int,
    limit: float,
    replace: bool = False,
    may: WhoMay | None = None,
) -> IntArray:
    """Return whom each person takes by straight distance, as `nearest_on_a_line` does, in any number of dimensions.

    Parameters
    ----------
    people, others : ndarray, shape (P, d) and (Q, d)
    replace : bool
        Whether one may be taken by several people; nobody takes the same twice.
    may : WhoMay, optional
        Who may be taken by whom.
    """
    from scipy.spatial import cKDTree

    taken = np.full((len(people), ratio), -1, dtype=np.int64)
    if not len(people) or not len(others):
        return taken
    tree, free = cKDTree(others), np.ones(len(others), dtype=bool)
    looked = min(len(others), _FIRST_LOOK + ratio)
    near, far = _neighbours(tree, people, looked)
    first_open = far <= limit
    if may is not None:
        first_open &= may.each(near)
    for round_ in range(ratio):
        for person in order.tolist():
            candidates, distances, within = near[person], far[person], first_open[person]
            while True:
                if not replace:  # whom a person has taken is not free
                    within = within & free[candidates]
                elif round_:
                    within = within & ~np.isin(candidates, taken[person, :round_])
                # the last of those looked at may stand as near as one not looked at, who comes first
                complete = len(candidates) == len(others)
                sure = within & (complete | (distances < distances[-1] * (1 - _ALIKE)))
                if sure.any():
                    best = distances[sure].min()
                    taken[person, round_] = candidates[sure & (distances <= best * (1 + _ALIKE))].min()
                    free[taken[person, round_]] = False
                    break
                if complete or distances[-1] > limit:
                    break
                candidates, distances = (x[0] for x in _neighbours(tree, people[[person]], 4 * len(candidates)))
                within = distances <= limit
                if may is not None:
                    within &= may.of(person, candidates)
    return taken


def _neighbours(tree: cKDTree, people: Array, k: int) -> tuple[IntArray, Array]:
    """Return the nearest `k` of a tree for each person, with the distances, (P, k) each."""
    k = min(k, tree.n)
    distance, index = tree.query(people, k=np.arange(1, k + 1))
    return np.asarray(index, dtype=np.int64), np.asarray(distance, dtype=np.float64)
