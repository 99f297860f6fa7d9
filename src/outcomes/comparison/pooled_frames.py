"""Tidy tables of estimates and standard errors pooled over imputed sets, on a scale that is named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from outcomes.adjust.rubin import rubin
from outcomes.comparison.measures import RATIOS, quantiles
from outcomes.comparison.pooled_curves import pooled_shares
from outcomes.comparison.pooled_results import same_in_all
from outcomes.errors import EstimationError, NotSupportedError, one_of
from outcomes.results import Array
from outcomes.survival.intervals import probability_limits

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SCALES", "pool_frames"]

SCALES = ("plain", "log", "loglog", "cloglog")
_NAMING = ("time", "row", "share", "profile")  # numbers that say which row it is
_RESULTS = (
    "estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high", "p_holm", "p_bh", "verdict", "relative_increase",
    "fmi",
)  # fmt: skip


def pool_frames(
    frames: Sequence[pd.DataFrame], scale: str | None, df_complete: float | None, conf_level: float
) -> pd.DataFrame:
    """Return tables with columns estimate and std_error pooled row by row.

    Parameters
    ----------
    frames : sequence of pandas.DataFrame
        With the same rows in the same order.
    scale : {"plain", "log", "loglog", "cloglog"} or None
        On which estimates are pooled: as they are; their logarithms (std_error is taken to be of the log, as everywhere here); shares
        p free of the event as log(−log p); risks p as log(−log(1 − p)). None: as the column ``measure`` says.
    df_complete : float or None
    conf_level : float

    Returns
    -------
    pandas.DataFrame
        The columns that are the same in all sets, then estimate, std_error, statistic and p_value (not of shares), df, conf_low, conf_high,
        relative_increase, fmi.
    """
    import pandas as pd

    for frame in frames:
        if not {"estimate", "std_error"} <= set(frame.columns):
            raise NotSupportedError(
                "pool: a table is pooled by its columns estimate and std_error; this one does not have both. Return a result of this "
                "library, or a table such as at(times) gives."
            )
    first = frames[0]
    others = [name for name in first.columns if name not in _RESULTS]
    naming = [name for name in others if name in _NAMING or first[name].dtype.kind not in "fiu"]
    same_in_all(frames, lambda one: one[naming].to_csv(index=False), "the rows")
    names = [name for name in others if all(one[name].equals(first[name]) for one in frames)]
    chosen = _scale_of(first, scale)
    estimates, errors = (np.stack([f[n].to_numpy(dtype=np.float64) for f in frames]) for n in ("estimate", "std_error"))
    complete = _complete(frames, df_complete)
    kept = first[names].reset_index(drop=True)
    if chosen in ("loglog", "cloglog"):
        pooled = pooled_shares(estimates, errors, complete, np.ones(len(complete)), survival=chosen == "loglog")
        free = pooled.estimate if chosen == "loglog" else 1 - pooled.estimate
        low, high = probability_limits(free, pooled.std_error, quantiles(conf_level, pooled.rows.df))
        return kept.assign(
            estimate=pooled.estimate, std_error=pooled.std_error, df=pooled.rows.df,
            conf_low=low if chosen == "loglog" else 1 - high, conf_high=high if chosen == "loglog" else 1 - low,
            relative_increase=pooled.rows.relative_increase, fmi=pooled.rows.fmi,
        )  # fmt: skip
    return pd.concat([kept, _wald(estimates, errors, complete, conf_level, log=chosen == "log")], axis=1)


def _wald(estimates: Array, errors: Array, complete: Array, conf_level: float, *, log: bool) -> pd.DataFrame:
    import pandas as pd
    from scipy.special import ndtr, stdtr

    with np.errstate(divide="ignore", invalid="ignore"):
        rows = rubin(np.log(estimates) if log else estimates, errors**2, complete)
        error = np.sqrt(rows.total)
        statistic = np.where(error > 0, rows.estimate / error, np.nan)
    reach = quantiles(conf_level, rows.df) * error
    finite, size = np.isfinite(rows.df), -np.abs(statistic)
    p_value = 2 * np.where(finite, stdtr(np.where(finite, rows.df, 1.0), size), ndtr(size))
    found = {"estimate": rows.estimate, "conf_low": rows.estimate - reach, "conf_high": rows.estimate + reach}
    shown = {name: np.exp(values) if log else values for name, values in found.items()}
    return pd.DataFrame(
        {
            "estimate": shown["estimate"],
            "std_error": error,
            "statistic": statistic,
            "df": rows.df,
            "p_value": p_value,
            "conf_low": shown["conf_low"],
            "conf_high": shown["conf_high"],
            "relative_increase": rows.relative_increase,
            "fmi": rows.fmi,
        }
    )


def _scale_of(frame: pd.DataFrame, scale: str | None) -> str:
    """Return the scale that was named, or that the table's measures say."""
    if scale is not None:
        return one_of(scale, SCALES, what="pool: scale")
    if "measure" in frame.columns:
        measures = set(frame["measure"])
        if measures in ({"survival"}, {"risk"}, {"cured_share"}):
            return "loglog" if measures == {"survival"} else "cloglog"
        if measures <= {*RATIOS, "subdistribution_hazard_ratio", "time_ratio"}:
            return "log"
        if all(str(m).startswith("log_") or str(m).endswith("difference") for m in measures):
            return "plain"
    raise EstimationError(
        "pool: say on which scale this table is pooled: scale='loglog' for shares free of the event, 'cloglog' for risks, 'log' for "
        "ratios, 'plain' for means, differences and coefficients."
    )


def _complete(frames: Sequence[pd.DataFrame], df_complete: float | None) -> Array:
    if df_complete is not None:
        return np.full(len(frames[0]), float(df_complete))
    if "df" in frames[0].columns:
        return np.asarray(np.stack([f["df"].to_numpy(dtype=np.float64) for f in frames]).min(axis=0))
    return np.full(len(frames[0]), np.inf)
