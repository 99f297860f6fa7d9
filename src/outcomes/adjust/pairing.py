"""Pairs of people: by the nearest who is left, with the smallest sum of distances, or in full matching."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from outcomes.adjust.full_matching import full_pairs
from outcomes.adjust.match_request import MatchRequest
from outcomes.adjust.nearest_people import nearest_in_space, nearest_on_a_line
from outcomes.adjust.who_may import WhoMay, who_may
from outcomes.errors import EstimationError
from outcomes.results import Array, IntArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["pair"]

_MOST_CELLS = 60_000_000  # distances held at once: half a gigabyte


def pair(
    request: MatchRequest,
    points: Array,
    limit: float,
    stratum: IntArray,
    asked_about: npt.NDArray[np.bool_],
    usable: npt.NDArray[np.bool_],
    frame: pd.DataFrame,
) -> IntArray:
    """Return pairs, shape (N, 2): a person asked about, and one of the other arm; both are rows of the baseline.

    Parameters
    ----------
    points : ndarray, shape (P, d)
        Where people stand; distance is straight.
    limit : float
        Widest distance.
    stratum : ndarray of int, shape (P,)
        Pairs are made inside a stratum only.
    asked_about, usable : ndarray of bool, shape (P,)
    frame : pandas.DataFrame
        The baseline, for calipers on columns and columns in which a pair must differ.
    """
    order = _order(request, points, asked_about & usable)
    found = [np.empty((0, 2), dtype=np.int64)]
    by_stratum = np.argsort(stratum[order], kind="stable")
    starts = np.flatnonzero(np.diff(stratum[order][by_stratum]) != 0) + 1
    rest = np.flatnonzero(~asked_about & usable)
    rest = rest[np.argsort(stratum[rest], kind="stable")]
    for people in np.split(order[by_stratum], starts):
        if not len(people):
            continue
        code = stratum[people[0]]
        low, high = np.searchsorted(stratum[rest], [code, code + 1])
        others = rest[low:high]
        if request.method == "full":
            person, other = _full(request, points, limit, people, others, frame).T
        else:
            taken = _taken(request, points, limit, people, others, frame)
            person, place = np.nonzero(taken >= 0)
            other = taken[person, place]
        found.append(np.column_stack([people[person], others[other]]))
    pairs = np.concatenate(found)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _order(request: MatchRequest, points: Array, asked_about: npt.NDArray[np.bool_]) -> IntArray:
    """Return the people asked about in the order in which they take; people alike in it in the order of the data."""
    people = np.flatnonzero(asked_about)
    if request.order == "random":
        return np.asarray(np.random.default_rng(request.seed).permutation(people), dtype=np.int64)
    if request.order == "data" or not request.on_a_line:
        return people
    at = points[people, 0]
    return people[np.argsort(-at if request.order == "largest" else at, kind="stable")]


def _taken(
    request: MatchRequest, points: Array, limit: float, people: IntArray, others: IntArray, frame: pd.DataFrame
) -> IntArray:
    """Return whom each of some people takes, as places in `others`, shape (number of people, ratio)."""
    may = who_may(frame, request.widths, request.unlike, people, others)
    if request.method == "optimal":
        return _optimal(request, points, limit, people, others, may)
    order = np.arange(len(people))
    if request.on_a_line and not request.replace and may is None:
        return nearest_on_a_line(points[people, 0], points[others, 0], order=order, ratio=request.ratio, limit=limit)
    return nearest_in_space(
        points[people],
        points[others],
        order=order,
        ratio=request.ratio,
        limit=limit,
        replace=request.replace,
        may=may,
    )


def _full(
    request: MatchRequest, points: Array, limit: float, people: IntArray, others: IntArray, frame: pd.DataFrame
) -> IntArray:
    """Return the pairs of a full matching of some people and others, as places in them, shape (N, 2)."""
    most_people = np.floor(1 / request.min_controls + 1e-9) if request.min_controls else np.inf
    return full_pairs(
        points[people],
        points[others],
        limit=limit,
        most_others=request.max_controls,
        most_people=float(most_people),
        may=who_may(frame, request.widths, request.unlike, people, others),
    )


def _optimal(
    request: MatchRequest, points: Array, limit: float, people: IntArray, others: IntArray, may: WhoMay | None
) -> IntArray:
    """Return the pairs with the smallest sum of distances, of those with the most pairs, shape (number of people, ratio)."""
    from scipy.optimize import linear_sum_assignment
    from scipy.spatial.distance import cdist

    taken = np.full((len(people), request.ratio), -1, dtype=np.int64)
    cells = len(people) * request.ratio * len(others)
    if cells > _MOST_CELLS:
        raise EstimationError(
            f"match: method='optimal' would hold {cells:,} distances ({len(people):,} people by {len(others):,}); at most {_MOST_CELLS:,} "
            "are taken. Match within strata (exact=), or take method='nearest'."
        )
    if not len(others):
        return taken
    distance = cdist(points[people], points[others])
    open_ = distance <= limit
    if may is not None:
        open_ &= may.block(slice(None))
    far = (distance[open_].max(initial=0.0) + 1) * (len(people) * request.ratio + 1)
    cost = np.repeat(np.where(open_, distance, far), request.ratio, axis=0)
    row, column = linear_sum_assignment(cost)
    kept = open_[row // request.ratio, column]
    taken[row[kept] // request.ratio, row[kept] % request.ratio] = column[kept]
    return taken
