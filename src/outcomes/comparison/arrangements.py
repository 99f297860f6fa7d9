"""The ways in which units could have got their arms, each arm keeping its number of them: all of them, or some at random."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import comb

import numpy as np

from outcomes.results import Array, IntArray

__all__ = ["Arrangements", "as_extreme"]

_ROUNDING = 1e-10  # of the largest value: closer ones are the same number


@dataclass(frozen=True)
class Arrangements:
    """Arms of units and the strata within which they could have been others; U units, A arms.

    Attributes
    ----------
    arm : ndarray of int, shape (U,)
        Arms as they were given, from 0.
    stratum : ndarray of int, shape (U,)
        Stratum of each unit, from 0; each keeps its number of units in each arm.
    """

    arm: IntArray
    stratum: IntArray

    @cached_property
    def counts(self) -> IntArray:
        """Number of units by stratum and arm, shape (S, A)."""
        arms = int(self.arm.max()) + 1
        found = np.bincount(self.stratum * arms + self.arm, minlength=(int(self.stratum.max()) + 1) * arms)
        return found.reshape(-1, arms).astype(np.int64)

    @cached_property
    def number(self) -> int:
        """How many ways there are."""
        total = 1
        for row in self.counts.tolist():
            for arm, count in enumerate(row):
                total *= comb(sum(row[: arm + 1]), count)
        return total

    def every(self) -> IntArray:
        """Return all of them, shape (N, U)."""
        found = np.zeros((1, len(self.arm)), dtype=np.int64)
        for stratum, row in enumerate(self.counts.tolist()):
            mine, ways = np.flatnonzero(self.stratum == stratum), _of_one(row)
            found = np.repeat(found, len(ways), axis=0)
            found[:, mine] = np.tile(ways, (len(found) // len(ways), 1))
        return found

    def at_random(self, seed: int, repeat: int) -> IntArray:
        """Return one of them, each as likely as any other, by the seed and its number alone, shape (U,)."""
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(repeat,)))
        mixed, held = rng.permutation(len(self.arm)), np.argsort(self.stratum, kind="stable")
        found = np.empty(len(self.arm), dtype=np.int64)
        found[mixed[np.argsort(self.stratum[mixed], kind="stable")]] = self.arm[held]
        return found


def _of_one(counts: list[int]) -> IntArray:
    """Return the ways to give so many units to each arm, shape (N, sum of the counts)."""
    size, last = sum(counts), counts[-1]
    if len(counts) == 1:
        return np.zeros((1, size), dtype=np.int64)
    chosen = np.array(list(combinations(range(size), last)), dtype=np.int64).reshape(comb(size, last), last)
    taken = np.zeros((len(chosen), size), dtype=np.bool_)
    np.put_along_axis(taken, chosen, True, axis=1)
    left, rest = np.argsort(taken, axis=1, kind="stable")[:, : size - last], _of_one(counts[:-1])
    found = np.full((len(chosen), len(rest), size), len(counts) - 1, dtype=np.int64)
    where = np.broadcast_to(left[:, None, :], (len(chosen), len(rest), size - last))
    np.put_along_axis(found, where, np.broadcast_to(rest, where.shape), axis=2)
    return found.reshape(len(chosen) * len(rest), size)


def as_extreme(observed: Array, arranged: Array, alternative: str, *, everything: bool) -> Array:
    """Return the share of arrangements as extreme as what was observed, shape (K,); missing where nothing was observed.

    Parameters
    ----------
    observed : ndarray, shape (K,)
    arranged : ndarray, shape (N, K)
        Missing where an arrangement gave no number: it counts as extreme.
    alternative : {"two-sided", "greater", "less"}
        Two-sided: twice the smaller of the two shares.
    everything : bool
        Whether these are all arrangements, the observed one among them; else it is added to them (Phipson & Smyth 2010).
    """
    lost = np.isnan(arranged)
    gap = _ROUNDING * np.max(np.abs(arranged), axis=0, where=np.isfinite(arranged), initial=0.0)
    above, below = (
        ((lost | beyond).sum(axis=0) + (not everything)) / (len(arranged) + (not everything))
        for beyond in (arranged >= observed - gap, arranged <= observed + gap)
    )
    both = np.minimum(1.0, 2 * np.minimum(above, below))
    found = {"greater": above, "less": below, "two-sided": both}[alternative]
    return np.where(np.isnan(observed), np.nan, found)
