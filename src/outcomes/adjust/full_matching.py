"""Full matching: everyone in a set of one and several, one of either arm, with the smallest sum of distances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from outcomes.adjust.who_may import WhoMay
from outcomes.errors import EstimationError
from outcomes.results import Array, IntArray

__all__ = ["full_pairs"]

_MOST_CELLS = 400_000_000  # distances looked at each round, a few at once
_MOST_BOUNDED = 1_000_000  # where sets are bounded the programme is far harder: half a minute
_CELLS = 4_000_000  # distances held at once
_FIRST_LOOK = 8  # nearest of the other arm among which a solution is first sought
_FIRST_ROUND = 8  # pairs a person adds where the solution could be better; twice as many each round after
_ALIKE = 1e-9  # of the longest distance: what is gained by less is rounding


@dataclass(frozen=True)
class _Solution:
    """Chosen pairs, what a pair of each person (P,) and each other (Q,) may cost and be worth it, and the longest distance."""

    chosen: npt.NDArray[np.bool_]
    worth: Array
    worth_of_others: Array
    unit: float


def full_pairs(
    people: Array, others: Array, *, limit: float, most_others: float, most_people: float, may: WhoMay | None = None
) -> IntArray:
    """Return the pairs of a full matching as places, shape (N, 2): sets are one person and several others, or the reverse.

    Parameters
    ----------
    people, others : ndarray, shape (P, d) and (Q, d)
        Where they stand; distance is straight.
    limit : float
        Largest distance, itself included.
    most_others, most_people : float
        How many others a set may hold beside one person, and how many people beside one other; infinite where any number.
    may : WhoMay, optional
        Who may be in a set with whom.

    Notes
    -----
    Of all choices that leave the fewest out, the one with the smallest sum of distances between a set's one and its several. It
    is a cover of a two-sided graph by pairs with bounds on how many touch each one: a linear programme whose corners are whole
    numbers. It is solved among near pairs first; prices then name the pairs that would make it better, until there are none, so
    that the result is that of all pairs.

    References
    ----------
    Rosenbaum (1991), Journal of the Royal Statistical Society B 53:597; Hansen (2004), Journal of the American Statistical
    Association 99:609.
    """
    size = (len(people), len(others))
    if not min(size):
        return np.empty((0, 2), dtype=np.int64)
    bounds = (min(most_others, size[1]), min(most_people, size[0]))
    bounded = bounds[0] < size[1] or bounds[1] < size[0]
    most = _MOST_BOUNDED if bounded else _MOST_CELLS
    if size[0] * size[1] > most:
        named = "with min_controls or max_controls " if bounded else ""
        raise EstimationError(
            f"match: method='full' {named}would look at {size[0] * size[1]:,} distances ({size[0]:,} people by {size[1]:,}); at most "
            f"{most:,} are taken. Match within strata (exact=)"
            + (", or leave the bounds out." if bounded else ", or take method='subclass'.")
        )
    field = _Field(people, others, limit, may)
    edges, adding = field.first_look(wide=bounded), _FIRST_ROUND
    while len(edges):
        distance = field.distance(edges)
        found = _solve(edges, distance, size, bounds)
        better = field.worth_adding(found, edges, adding)
        if not len(better):
            return _stars(edges[found.chosen], distance[found.chosen], size)
        edges, adding = np.concatenate([edges, better]), 2 * adding
    return edges


@dataclass(frozen=True)
class _Field:
    """Where people and others stand, and who may be in a set with whom."""

    people: Array
    others: Array
    limit: float
    may: WhoMay | None

    def distance(self, edges: IntArray) -> Array:
        found: Array = np.sqrt(((self.people[edges[:, 0]] - self.others[edges[:, 1]]) ** 2).sum(axis=1))
        return found

    def _blocks(self) -> list[slice]:
        step = max(1, _CELLS // len(self.others))
        return [slice(start, start + step) for start in range(0, len(self.people), step)]

    def _far(self, part: slice) -> Array:
        """Return the distances of some people from all others; infinite where they may not be in a set."""
        from scipy.spatial.distance import cdist

        far: Array = cdist(self.people[part], self.others)
        far[far > self.limit] = np.inf
        if self.may is not None:
            far[~self.may.block(part)] = np.inf
        return far

    def first_look(self, wide: bool) -> IntArray:
        """Return the nearest few of each person and of each other, of those they may be in a set with, shape (N, 2)."""
        number, n_others = len(self.people), len(self.others)
        near_others = np.full((_FIRST_LOOK, n_others), -1)
        distance_so_far = np.full((_FIRST_LOOK, n_others), np.inf)
        found = []
        for part in self._blocks():
            far = self._far(part)
            found.append(_nearest_in_rows(far, part.start, _FIRST_LOOK))
            if wide:
                found.append(_ever_farther(far, part.start))
            rows = np.arange(part.start, part.start + len(far))
            both = np.concatenate([distance_so_far, far])
            who = np.concatenate([near_others, np.broadcast_to(rows[:, None], far.shape)])
            pick = np.argpartition(both, _FIRST_LOOK - 1, axis=0)[:_FIRST_LOOK]
            distance_so_far, near_others = (np.take_along_axis(x, pick, axis=0) for x in (both, who))
        place, other = np.nonzero(np.isfinite(distance_so_far))
        found.append(np.column_stack([near_others[place, other], other]))
        edges = np.concatenate(found)
        return _edges(np.unique(edges[:, 0] * n_others + edges[:, 1]), number, n_others)

    def worth_adding(self, found: _Solution, edges: IntArray, most: int) -> IntArray:
        """Return pairs not yet looked at with which the sum of distances would be smaller, at most `most` a person."""
        better = []
        for part in self._blocks():
            gain = self._far(part) - found.worth[part, None] - found.worth_of_others[None, :]
            gain[gain >= -_ALIKE * found.unit] = np.inf
            better.append(_nearest_in_rows(gain, part.start, most))
        n_others = len(self.others)
        new, old = (x[:, 0] * n_others + x[:, 1] for x in (np.concatenate(better), edges))
        return _edges(np.setdiff1d(new, old), len(self.people), n_others)


def _edges(codes: IntArray, number: int, n_others: int) -> IntArray:
    return np.column_stack(np.unravel_index(codes, (number, n_others))).astype(np.int64)


def _nearest_in_rows(far: Array, start: int, most: int) -> IntArray:
    """Return row (counted from `start`) and column of the smallest few finite cells of each row."""
    most = min(most, far.shape[1])
    column = np.argpartition(far, most - 1, axis=1)[:, :most]
    row, place = np.nonzero(np.isfinite(np.take_along_axis(far, column, axis=1)))
    return np.column_stack([row + start, column[row, place]]).astype(np.int64)


def _ever_farther(far: Array, start: int) -> IntArray:
    """Return row (counted from `start`) and column of the cells of each row at ranks 8, 16, 32, …, where finite."""
    ranks = 2 ** np.arange(3, max(4, int(np.log2(far.shape[1])) + 1))
    ranks = ranks[ranks < far.shape[1]]
    column = np.argsort(far, axis=1)[:, ranks]
    row, place = np.nonzero(np.isfinite(np.take_along_axis(far, column, axis=1)))
    return np.column_stack([row + start, column[row, place]]).astype(np.int64)


def _solve(edges: IntArray, distance: Array, size: tuple[int, int], bounds: tuple[float, float]) -> _Solution:
    """Return the cheapest pairs that touch everyone who can be touched, and nobody more often than the bounds say."""
    from scipy import sparse
    from scipy.optimize import linprog

    everyone, number = sum(size), len(edges)
    ends = np.concatenate([edges[:, 0], size[0] + edges[:, 1]])
    touches = sparse.csr_array((np.ones(2 * number), (ends, np.tile(np.arange(number), 2))), shape=(everyone, number))
    some = np.unique(ends)
    bounded = np.repeat([bounds[0] < size[1], bounds[1] < size[0]], size)
    unit = float(distance.max(initial=0.0)) or 1.0
    left_out = sparse.eye_array(everyone, format="csr")[some][:, some if bounded.any() else []]
    dear = np.full(left_out.shape[1], everyone + 1.0)  # leaving one out costs more than all pairs together
    at_most = sparse.hstack([touches[bounded], sparse.csr_array((int(bounded.sum()), left_out.shape[1]))])
    found = linprog(
        np.concatenate([distance / unit, dear]),
        A_ub=sparse.vstack([sparse.hstack([-touches[some], -left_out]), at_most], format="csr"),
        b_ub=np.concatenate([-np.ones(len(some)), np.repeat(bounds, size)[bounded]]),
        bounds=(0, None),
        method="highs-ds",
        options={"dual_feasibility_tolerance": 1e-10, "primal_feasibility_tolerance": 1e-10},
    )
    if found.status != 0:
        raise EstimationError(f"match: method='full' came to no solution: {found.message}")
    worth = np.zeros(everyone)
    worth[some] = -found.ineqlin.marginals[: len(some)]
    worth[bounded] += found.ineqlin.marginals[len(some) :]
    return _Solution(found.x[:number] > 0.5, worth[: size[0]] * unit, worth[size[0] :] * unit, unit)


def _stars(edges: IntArray, distance: Array, size: tuple[int, int]) -> IntArray:
    """Return the pairs without those whose two ends both have others: longest first, all of length 0 or rounding."""
    touched = [np.bincount(edges[:, side], minlength=size[side]) for side in (0, 1)]
    kept = np.ones(len(edges), dtype=bool)
    crowded = np.flatnonzero((touched[0][edges[:, 0]] > 1) & (touched[1][edges[:, 1]] > 1))
    for edge in crowded[np.argsort(-distance[crowded], kind="stable")].tolist():
        person, other = edges[edge]
        if touched[0][person] > 1 and touched[1][other] > 1:
            kept[edge] = False
            touched[0][person] -= 1
            touched[1][other] -= 1
    return edges[kept]
