"""Pairs of people: by the nearest who is left, or with the smallest sum of distances."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from outcomes.adjust.match_request import MatchRequest
from outcomes.adjust.nearest_people import Allowed, nearest_in_space, nearest_on_a_line
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
    found = []
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
        taken = _taken(request, points, limit, people, others, frame)
        person, place = np.nonzero(taken >= 0)
        found.append(np.column_stack([people[person], others[taken[person, place]]]))
    pairs = np.concatenate(found) if found else np.empty((0, 2), dtype=np.int64)
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
    allowed = _allowed(request, frame, people, others)
    if request.method == "optimal":
        return _optimal(request, points, limit, people, others, allowed)
    order = np.arange(len(people))
    if request.on_a_line and not request.replace and allowed is None:
        return nearest_on_a_line(points[people, 0], points[others, 0], order=order, ratio=request.ratio, limit=limit)
    return nearest_in_space(
        points[people],
        points[others],
        order=order,
        ratio=request.ratio,
        limit=limit,
        replace=request.replace,
        allowed=allowed,
    )


def _allowed(request: MatchRequest, frame: pd.DataFrame, people: IntArray, others: IntArray) -> Allowed | None:
    """Return who may stand for whom by the columns of the baseline; None where they say nothing."""
    if not request.widths and not request.unlike:
        return None
    import pandas as pd

    numbers = [(frame[c].to_numpy(dtype=np.float64, na_value=np.nan), width) for c, width in request.widths.items()]
    codes = [pd.factorize(frame[c], use_na_sentinel=False)[0] for c in request.unlike]

    def may(person: int, candidates: IntArray) -> npt.NDArray[np.bool_]:
        mine, theirs = people[person], others[candidates]
        open_ = np.ones(len(theirs), dtype=bool)
        for values, width in numbers:
            open_ &= np.abs(values[theirs] - values[mine]) <= width
        for code in codes:
            open_ &= code[theirs] != code[mine]
        return open_

    return may


def _optimal(
    request: MatchRequest, points: Array, limit: float, people: IntArray, others: IntArray, allowed: Allowed | None
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
    may = distance <= limit
    if allowed is not None:
        may &= np.array([allowed(i, np.arange(len(others))) for i in range(len(people))])
    far = (distance[may].max(initial=0.0) + 1) * (len(people) * request.ratio + 1)
    cost = np.repeat(np.where(may, distance, far), request.ratio, axis=0)
    row, column = linear_sum_assignment(cost)
    kept = may[row // request.ratio, column]
    taken[row[kept] // request.ratio, row[kept] % request.ratio] = column[kept]
    return taken
