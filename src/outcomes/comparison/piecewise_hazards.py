"""Hazards that are constant in pieces of time, times a ratio of each person: what an illness-death process is put together from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from outcomes.results import Array

__all__ = ["Hazard", "everybodys", "in_pieces"]


@dataclass(frozen=True)
class Hazard:
    """A hazard in K pieces of time and everybody's log hazard ratio; P people."""

    pieces: Array
    log_ratio: Array

    def of(self, people: Any) -> Array:
        """Return the cumulative hazard of some people in each piece, shape (n, K)."""
        found: Array = np.exp(self.log_ratio[people])[:, None] * self.pieces
        return found


def in_pieces(time: Array, jumps: Array, edges: Array) -> Array:
    """Return the sum of the jumps in each piece (edge, next] of time."""
    reached = np.append(0.0, np.cumsum(jumps))[np.searchsorted(time, edges, side="right")]
    return np.diff(reached)


def everybodys(entry: Array, exit_: Array, hit: Any, edges: Array, people: int) -> Hazard:
    """Return a hazard that is the same for everybody: events over those at risk."""
    times, counts = np.unique(exit_[hit], return_counts=True)
    at_risk = np.searchsorted(np.sort(entry), times, side="left") - np.searchsorted(np.sort(exit_), times, side="left")
    return Hazard(in_pieces(times, counts / at_risk, edges), np.zeros(people))
