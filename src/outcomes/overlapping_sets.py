"""Matched sets that share people: what each set and each person adds to a variance, counted once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

__all__ = ["OverlappingSets"]

_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class OverlappingSets:
    """Sets of one person asked about and those who stand for that one, who may stand for others too; P people, S sets.

    Attributes
    ----------
    people : int
        Number of people, P.
    asked : ndarray of int, shape (S,)
        The person asked about of each set; -1 where that one is not among the people.
    listed : ndarray of int, shape (M,)
        People who stand for others, in an order in which those of every set follow each other.
    first, last : ndarray of int, shape (S,)
        Those of a set are ``listed[first:last]``, nobody twice; neither falls from one set to the next.
    part : ndarray, shape (S,)
        How much of the one asked about each of them stands for.

    Notes
    -----
    A person's influence is shared out among their sets by the parts they have in them. The variance is that by set plus that by
    person minus that by person in a set. With b the shares, that is the sum over sets of (sum of b x)² plus the sum over people of
    (1 - sum of b²) x²: a sum of squares, never below 0. Sets that share nobody are plain clusters.

    References
    ----------
    Austin & Cafri (2020), Statistics in Medicine 39:1623; Cameron, Gelbach & Miller (2011), Journal of Business & Economic
    Statistics 29:238.
    """

    people: int
    asked: npt.NDArray[np.int64]
    listed: npt.NDArray[np.int64]
    first: npt.NDArray[np.int64]
    last: npt.NDArray[np.int64]
    part: npt.NDArray[np.float64]

    @cached_property
    def total(self) -> npt.NDArray[np.float64]:
        """How many people each one stands for, shape (P,); 0 for those who stand for nobody."""
        return self._by_listed(self._over_windows(self.part[:, None]))[:, 0]

    @cached_property
    def apart(self) -> npt.NDArray[np.float64]:
        """Root of what each person adds beside their sets, shape (P,): 0 in one set, 1 in none."""
        squares = self._by_listed(self._over_windows(self.part[:, None] ** 2))[:, 0]
        found = 1 - np.divide(squares, self.total**2, where=self.total > 0, out=np.zeros(self.people))
        found[self.asked[self.asked >= 0]] = 0.0
        return np.asarray(np.sqrt(np.where(found < _ROUNDING, 0.0, found)))

    @cached_property
    def label(self) -> npt.NDArray[np.int64]:
        """One set each person is in, shape (P,), to count sets by; those in none have a number of their own."""
        label = len(self.asked) + np.arange(self.people)
        place = np.arange(len(self.listed))
        of_place = np.searchsorted(self.first, place, side="right") - 1
        inside = (of_place >= 0) & (self.last[of_place] > place)
        label[self.listed[inside]] = of_place[inside]
        here = self.asked >= 0
        label[self.asked[here]] = np.flatnonzero(here)
        return label

    @property
    def size(self) -> int:
        """Number of sums that `summed` gives."""
        return len(self.asked) + int((self.apart > 0).sum())

    def summed(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return sums, shape (S + people in several sets, …), of people's influences (P, …): their squares are the variance."""
        flat = values.reshape(self.people, -1)
        share = np.divide(flat, self.total[:, None], where=self.total[:, None] > 0, out=np.zeros(flat.shape))
        running = np.zeros((len(self.listed) + 1, flat.shape[1]))
        np.cumsum(share[self.listed], axis=0, out=running[1:])
        sets = (running[self.last] - running[self.first]) * self.part[:, None]
        here = self.asked >= 0
        sets[here] += flat[self.asked[here]]
        alone = self.apart > 0
        found = np.concatenate([sets, flat[alone] * self.apart[alone, None]])
        return found.reshape(len(found), *values.shape[1:])

    def spread(self, numbers: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return each person's number, shape (P, k), from one number for each of the sums of `summed`, shape (`size`, k).

        People's influences times these sum to the sums of `summed` times `numbers`.
        """
        sets = len(self.asked)
        found = self._by_listed(self._over_windows(self.part[:, None] * numbers[:sets]))
        found = np.divide(found, self.total[:, None], where=self.total[:, None] > 0, out=np.zeros(found.shape))
        here = self.asked >= 0
        found[self.asked[here]] = numbers[:sets][here]
        alone = self.apart > 0
        found[alone] += numbers[sets:] * self.apart[alone, None]
        return found

    def among(self, kept: npt.NDArray[np.int64]) -> OverlappingSets:
        """Return the same sets, of which only the people `kept` are seen; they are numbered in the order of `kept`."""
        place = np.full(self.people + 1, -1)  # the last place is of -1
        place[kept] = np.arange(len(kept))
        seen = place[self.listed] >= 0
        before = np.concatenate([[0], np.cumsum(seen)])
        return OverlappingSets(
            len(kept), place[self.asked], place[self.listed[seen]], before[self.first], before[self.last], self.part
        )

    def _over_windows(self, of_set: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return for each of those listed the sum over the sets they are listed in, shape (M, k)."""
        steps = np.zeros((len(self.listed) + 1, of_set.shape[1]))
        np.add.at(steps, self.first, of_set)
        np.add.at(steps, self.last, -of_set)
        covered = np.zeros(len(self.listed) + 1, dtype=np.int64)
        np.add.at(covered, self.first, 1)
        np.add.at(covered, self.last, -1)
        found: npt.NDArray[np.float64] = np.cumsum(steps, axis=0)[:-1]
        found[np.cumsum(covered)[:-1] == 0] = 0.0
        return found

    def _by_listed(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Sum over places of the same person, shape (P, k)."""
        columns = [np.bincount(self.listed, weights=column, minlength=self.people) for column in values.T]
        return np.stack(columns, axis=1) if columns else np.zeros((self.people, 0))
