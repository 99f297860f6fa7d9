"""Curves and restricted means of the arms pooled over imputed sets: risks on the complementary log-log scale, means as they are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from outcomes.adjust.rubin import RubinRows, rubin
from outcomes.comparison.measures import quantiles
from outcomes.comparison.pooled_results import (
    OfEachSet,
    Pooled,
    about_pooling,
    asked_of,
    notes_of_all,
    same_in_all,
)
from outcomes.results import Array
from outcomes.survival.curve_results import Curves
from outcomes.survival.curves import CumulativeIncidence, KaplanMeier
from outcomes.survival.restricted_mean import Rmst

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData
    from outcomes.survival.inputs import Asked

__all__ = ["PooledCumulativeIncidence", "PooledKaplanMeier", "PooledRmst", "pool_curves", "pool_rmst", "pooled_shares"]

_HINT = (
    "Do it inside: pool(imputed, lambda data: compare(kaplan_meier(data, weights=…), measure='risk_difference', at=…)); for other "
    "tables of estimates and standard errors pool the frame itself, with scale=."
)


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class _PooledCurves(Pooled, Curves):
    """What pooled curves share.

    Attributes
    ----------
    grid : ndarray, shape (T,)
        Times at which they were pooled: all at which somebody left, in any arm.
    pooled : pandas.DataFrame
        One row an arm, cause and time of the grid, as `at` gives them.
    counted : Curves
        Those of the first set, for the numbers of people.
    """

    grid: Array
    pooled: pd.DataFrame
    counted: Curves

    @property
    def last_times(self) -> tuple[float, ...]:
        """Last time anybody was observed in each arm."""
        return self.counted.last_times

    def at(self, times: float | str | Iterable[float | str]) -> pd.DataFrame:
        """Return the pooled curves at chosen times: columns as those of curves, with df, relative_increase and fmi."""
        return self._with_pooled(self.counted.at(times))

    def to_frame(self) -> pd.DataFrame:
        """Return the pooled curves at every time something happened, from time 0; columns as in `at`."""
        return self._with_pooled(self.counted.to_frame())

    def _with_pooled(self, shown: pd.DataFrame) -> pd.DataFrame:
        """Return rows of the first set's curves with the pooled numbers of their arm, cause and time in place."""
        arm, cause = (
            shown[name].map({value: i for i, value in enumerate(order)}).to_numpy(dtype=np.int64)
            for name, order in (("arm", self.arms), ("cause", self.causes))
        )
        step = np.searchsorted(self.grid, shown["time"].to_numpy(), side="right") - 1
        row = (arm * len(self.causes) + cause) * len(self.grid) + step
        unknown = shown["estimate"].isna().to_numpy()
        columns = {name: np.where(unknown, np.nan, self.pooled[name].to_numpy()[row]) for name in _POOLED}
        return shown.assign(**columns)

    def _rows_pooled(self) -> pd.DataFrame:
        return self.pooled

    def describe(self) -> str:
        """Return the risks at the last common time in plain sentences."""
        return f"{Curves.describe(self)} {self.pooled_in_words()}"


_POOLED = ("estimate", "std_error", "conf_low", "conf_high", "df", "relative_increase", "fmi")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PooledKaplanMeier(_PooledCurves, KaplanMeier):
    """Kaplan–Meier curves pooled over imputed sets."""

    title: ClassVar[str] = "Kaplan–Meier, pooled over imputed sets"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PooledCumulativeIncidence(_PooledCurves, CumulativeIncidence):
    """Cumulative incidences pooled over imputed sets."""

    title: ClassVar[str] = "Cumulative incidence, pooled over imputed sets"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PooledRmst(Pooled, Rmst):
    """Restricted mean times pooled over imputed sets."""

    pooled: pd.DataFrame

    title: ClassVar[str] = "Restricted mean time, pooled over imputed sets"

    def to_frame(self) -> pd.DataFrame:
        """Return one row an arm and measure, as `Rmst.to_frame`, with df, relative_increase and fmi."""
        return self.pooled.copy()

    def describe(self) -> str:
        """Return the mean time free of events in each arm, in words."""
        return f"{Rmst.describe(self)} {self.pooled_in_words()}"


_Curves = TypeVar("_Curves", bound=_PooledCurves)


def pool_curves(
    kind: type[_Curves], curves: Sequence[Curves], data: SurvivalData, df_complete: float | None
) -> _Curves:
    """Return curves pooled at every time somebody left."""
    same_in_all(
        curves, lambda one: (one.arms, one.causes, one.conf_type, one.conf_level, one.last_times),
        "the arms, causes, limits or last times",
    )  # fmt: skip
    first = curves[0]
    grid = np.unique(np.concatenate([[0.0], *(fit.times for fit in first.fits)]))
    times = list(map(float, grid))
    base = first.at(times)
    pairs = np.stack([one.at(times)[["estimate", "std_error"]].to_numpy() for one in curves])
    estimates, errors = pairs[:, :, 0], pairs[:, :, 1]
    arm = base["arm"].map({name: a for a, name in enumerate(first.arms)}).to_numpy(dtype=np.int64)
    factor, df = _clusters(first.asked, first.data)
    complete = df[arm] if df_complete is None else np.full(len(arm), float(df_complete))
    pooled = pooled_shares(estimates, errors, complete, factor[arm], survival=not first.rising)
    reach = quantiles(first.conf_level, pooled.rows.df) * pooled.wider
    low, high = first._limits(pooled.estimate, pooled.std_error, reach)
    table = base.assign(
        estimate=pooled.estimate, std_error=pooled.std_error, conf_low=low, conf_high=high, df=pooled.rows.df,
        relative_increase=pooled.rows.relative_increase, fmi=pooled.rows.fmi,
    )  # fmt: skip
    own = {f.name: getattr(first, f.name) for f in fields(first)}
    held = OfEachSet(_HINT)
    changed: dict[str, Any] = {
        "data": data, "asked": asked_of(first.asked, first.data, _HINT), "fits": held, "rows": held, "grid": grid,
        "pooled": table, "counted": first, "rubin": pooled.rows,
        "notes": (*notes_of_all([one.notes for one in curves]), *about_pooling(pooled.rows)),
    }  # fmt: skip
    return kind(**{**own, **changed})


def pool_rmst(found: Sequence[Rmst], data: SurvivalData, df_complete: float | None) -> PooledRmst:
    """Return restricted means pooled, as they are."""
    same_in_all(
        found, lambda one: (one.horizon, one.measures, one.curves.arms, one.conf_level), "the horizon or measures"
    )
    first = found[0]
    factor, df = _clusters(first.curves.asked, first.curves.data)
    width = len(first.measures)
    factor, complete = np.repeat(factor, width), np.repeat(df, width)
    if df_complete is not None:
        complete = np.full(len(complete), float(df_complete))
    estimates = np.stack([one.estimate.ravel() for one in found])
    variances = np.stack([one.std_error.ravel() for one in found]) ** 2
    rows = rubin(estimates, variances * factor, complete)
    error = np.sqrt(rubin(estimates, variances).total)
    reach = quantiles(first.conf_level, rows.df) * np.sqrt(rows.total)
    table = first.to_frame().assign(
        estimate=rows.estimate, std_error=error, conf_low=rows.estimate - reach, conf_high=rows.estimate + reach, df=rows.df,
        relative_increase=rows.relative_increase, fmi=rows.fmi,
    )  # fmt: skip
    curves: Any = OfEachSet(_HINT, data=data, arms=data.arms)
    return PooledRmst(
        horizon=first.horizon, curves=curves, measures=first.measures,
        estimate=rows.estimate.reshape(first.estimate.shape), std_error=error.reshape(first.estimate.shape),
        conf_level=first.conf_level, pooled=table, rubin=rows,
        notes=(*notes_of_all([one.notes for one in found]), *about_pooling(rows)),
    )  # fmt: skip


def _clusters(asked: Asked, data: SurvivalData) -> tuple[Array, Array]:
    """Return the factor of the variance and the degrees of freedom of each arm's level, shape (A,)."""
    counts = asked.clusters_by_arm(data)
    if counts is None:
        return np.ones(len(data.arms)), np.full(len(data.arms), np.inf)
    groups = np.array(counts, dtype=np.float64)
    few = groups < 2
    safe = np.where(few, 2.0, groups)
    return np.where(few, np.nan, safe / (safe - 1)), np.where(few, np.nan, groups - 1)


@dataclass(frozen=True)
class PooledShares:
    """Shares between 0 and 1, pooled; k of them.

    Attributes
    ----------
    estimate, std_error : ndarray, shape (k,)
    wider : ndarray, shape (k,)
        By what limits are wider than the standard error says: clusters are few.
    rows : RubinRows
        On the complementary log-log scale; as they are where a set has a share of 0 or 1.
    """

    estimate: Array
    std_error: Array
    wider: Array
    rows: RubinRows


def pooled_shares(
    estimates: Array, errors: Array, df_complete: Array, factor: Array, *, survival: bool
) -> PooledShares:
    """Return shares pooled over m sets on the complementary log-log scale: log(−log(share free of the event)).

    Parameters
    ----------
    estimates, errors : ndarray, shape (m, k)
    df_complete, factor : ndarray, shape (k,)
        Degrees of freedom had nothing been missing; what multiplies variances within sets.
    survival : bool
        Shares free of the event; False: shares that had it.

    Notes
    -----
    Where some set has a share of 0 or 1 the scale has no number for it, and shares are pooled as they are.

    References
    ----------
    Marshall, Altman, Holder & Royston (2009), BMC Medical Research Methodology 9:57.
    """
    free = estimates if survival else 1 - estimates
    inside = ((free > 0) & (free < 1)).all(axis=0)
    p = np.where(inside, free, 0.5)
    slope = np.where(inside, -1 / (p * np.log(p)), 1.0)  # of log(-log p) by p, without its sign
    scaled = np.where(inside, np.log(-np.log(p)), estimates)
    variances = (errors * slope) ** 2
    rows, plain = rubin(scaled, variances * factor, df_complete), rubin(scaled, variances)
    mean = np.where(inside, np.exp(-np.exp(np.where(inside, plain.estimate, 0.0))), plain.estimate)
    back = np.where(inside, -mean * np.log(np.where(inside, mean, 0.5)), 1.0)
    estimate = np.where(inside & (not survival), 1 - mean, mean)
    with np.errstate(divide="ignore", invalid="ignore"):
        wider = np.where(plain.total > 0, np.sqrt(rows.total / plain.total), 1.0)
    return PooledShares(estimate, np.sqrt(plain.total) * back, wider, rows)
