"""Observed less expected events by arm, weighted over time, and how they vary: the arrays of the log-rank family."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from outcomes.results import Array, IntArray, Note
from outcomes.survival.arm_tables import ArmTables
from outcomes.survival.estimates import by_person, covariance_of, stack
from outcomes.survival.inputs import Asked

if TYPE_CHECKING:
    from outcomes.design.data import SurvivalData

__all__ = ["LogRankSums", "chi_squared", "logrank_sums", "nothing_to_test"]


@dataclass(frozen=True)
class LogRankSums:
    """Weighted log-rank sums; A arms, M weightings of time.

    Attributes
    ----------
    observed, expected : ndarray, shape (M, A)
    covariance : ndarray, shape (M, A, M, A)
        Of observed less expected, between arms and weightings.
    """

    observed: Array
    expected: Array
    covariance: Array


def logrank_sums(
    data: SurvivalData,
    asked: Asked,
    tables: ArmTables,
    family: Sequence[tuple[float, float]],
    arms: IntArray,
) -> LogRankSums:
    """Return the sums of some arms for some weightings S(t-)^rho (1 - S(t-))^gamma of the pooled curve of each stratum.

    The covariance is hypergeometric for plain data, otherwise of the scores summed by person or cluster. How the weightings
    themselves vary does not matter to the first order where the hazards are the same.

    Parameters
    ----------
    family : sequence of (rho, gamma)
    arms : ndarray of int
        Which arms are tested against one another; risk sets are theirs.
    """
    at_risk, ended = tables.at_risk[arms], tables.events[arms, 0]
    total, deaths = at_risk.sum(axis=0), ended.sum(axis=0)
    someone = total > 0
    hazard = np.divide(deaths, total, out=np.zeros(len(total)), where=someone)
    share = np.divide(at_risk, total, out=np.zeros(at_risk.shape), where=someone)
    before = _survival_before(np.maximum(1.0 - hazard, 0.0), tables)
    over_time = np.stack([before**rho * (1.0 - before) ** gamma for rho, gamma in family])
    if asked.variance == "model":
        covariance = _hypergeometric(total, deaths, share, over_time)
    else:
        covariance = _robust(data, asked, tables, arms, hazard, share, over_time)
    return LogRankSums(over_time @ ended.T, (over_time * deaths) @ share.T, covariance)


def chi_squared(gap: Array, covariance: Array) -> tuple[float, int]:
    """Return the statistic and its degrees of freedom of A sums that add to 0, their covariance (A, A)."""
    inner = covariance[1:, 1:]
    df = int(np.linalg.matrix_rank(inner, hermitian=True))
    return float(gap[1:] @ np.linalg.pinv(inner, hermitian=True) @ gap[1:]), df


def nothing_to_test(df: int) -> tuple[Note, ...]:
    """Return what must be said of a test with no degrees of freedom; nothing where it has some."""
    if df > 0:
        return ()
    text = (
        "Nothing tells the arms apart: at every event one arm alone was at risk, or everybody at risk had it. "
        "The test has no p-value."
    )
    return (Note("nothing_to_test", text),)


def _survival_before(factor: Array, tables: ArmTables) -> Array:
    """Return the product of the factors of earlier groups of the same stratum, shape (G,)."""
    parts = [factor[inside] for inside in tables.strata()]
    return np.concatenate([np.cumprod(np.concatenate(([1.0], part[:-1]))) for part in parts])


def _hypergeometric(total: Array, deaths: Array, share: Array, over_time: Array) -> Array:
    """Return the covariance of fixed margins at each time, added over times; shape (M, A, M, A)."""
    spread = np.divide(deaths * (total - deaths), total - 1, out=np.zeros(len(total)), where=total > 1)
    between = np.einsum("mg,ng,g->mng", over_time, over_time, spread)
    found = np.einsum("mng,ag,ab->manb", between, share, np.eye(len(share)), optimize=True)
    return np.asarray(found - np.einsum("mng,ag,bg->manb", between, share, share, optimize=True))


def _robust(
    data: SurvivalData,
    asked: Asked,
    tables: ArmTables,
    arms: IntArray,
    hazard: Array,
    share: Array,
    over_time: Array,
) -> Array:
    """Return the covariance of scores summed by person or cluster, shape (M, A, M, A)."""
    rows = np.concatenate([tables.rows[arm] for arm in arms])
    score = np.concatenate(
        [_scores(tables, arm, position, hazard, share, over_time) for position, arm in enumerate(arms)]
    )
    each = by_person(score * np.reshape(asked.beside(rows), (-1, 1)), data.person[rows], len(data.baseline))
    shape = (len(over_time), len(arms))
    return covariance_of(asked, stack(asked, each)).reshape(*shape, *shape)


def _scores(tables: ArmTables, arm: np.int64, position: int, hazard: Array, share: Array, over_time: Array) -> Array:
    """Return how each sum moves with the weight of each row of one arm, shape (N, M * A)."""
    table = tables.tables[arm]
    own = (np.arange(len(share)) == position).astype(np.float64)
    step = (over_time[:, None, :] * (own[:, None] - share)).reshape(-1, len(hazard))
    spent = np.concatenate((np.zeros((len(step), 1)), np.cumsum(step * hazard, axis=1)), axis=1)
    moved = (tables.event[arm] > 0) * step[:, table.last] - (spent[:, table.last + 1] - spent[:, table.first])
    return np.asarray(moved.T)
