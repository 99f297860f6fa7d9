"""Tables and tests of the coefficients of a Cox model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outcomes.results import Array
from outcomes.survival.few_clusters import few_clusters
from outcomes.survival.inputs import normal_quantile

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.survival.cox_result import Cox

__all__ = ["overall_tests", "term_table"]


def term_table(model: Cox, *, exponentiate: bool, profile: pd.DataFrame | None) -> pd.DataFrame:
    """Return one row a term; limits and p-values from `profile` where there is one, else from standard errors."""
    import pandas as pd

    estimate, error = np.asarray(model.coefficients), np.sqrt(np.diag(model.covariance))
    few = few_clusters(model.data, model.asked, model.owners)
    statistic = estimate / (error * np.sqrt(few.factor))
    reach = _quantile(model.conf_level, few.df) * error * np.sqrt(few.factor)
    low, high, p_value = estimate - reach, estimate + reach, _two_sided(statistic, few.df)
    if profile is not None:
        low, high = profile["conf_low"].to_numpy(), profile["conf_high"].to_numpy()
        p_value = profile["p_value"].to_numpy()
    if exponentiate:
        with np.errstate(over="ignore"):  # the limits of a term that separates are infinite
            estimate, low, high = np.exp(estimate), np.exp(low), np.exp(high)
    return pd.DataFrame(
        {
            "outcome": model.data.labels.get("outcome", ""),
            "cause": model.cause,
            "term": model.terms,
            "measure": "hazard_ratio" if exponentiate else "log_hazard_ratio",
            "estimate": estimate,
            "std_error": error,
            "statistic": statistic,
            "df": few.df,
            "p_value": p_value,
            "conf_low": low,
            "conf_high": high,
            "n": model.n,
            "n_events": model.n_events,
        }
    )


def _quantile(conf_level: float, df: Array) -> Array:
    from scipy.special import stdtrit

    normal = normal_quantile(conf_level)
    finite = np.isfinite(df)
    return np.where(finite, stdtrit(np.where(finite, df, 1.0), 0.5 + conf_level / 2), normal)


def _two_sided(statistic: Array, df: Array) -> Array:
    from scipy.special import ndtr, stdtr

    finite = np.isfinite(df)
    size = -np.abs(statistic)
    return np.asarray(2 * np.where(finite, stdtr(np.where(finite, df, 1.0), size), ndtr(size)))


def overall_tests(model: Cox) -> pd.DataFrame:
    """Return the tests of all terms at once."""
    import pandas as pd
    from scipy.special import chdtrc

    df = len(model.terms)
    # G clusters span at most G - 1 directions: with fewer than the terms need there is no test of all of them
    enough = model.asked.n_clusters is None or model.asked.n_clusters > df
    wald = model.coefficients @ np.linalg.solve(model.covariance, model.coefficients) if enough else np.nan
    rows = [("wald", float(wald))]
    if model.asked.variance == "model" and not isinstance(model.penalty, float):
        rows.append(("likelihood ratio", 2 * (model.loglik - model.loglik_null)))
        if model.penalty is None:
            rows.append(("score", model.score_statistic))
    return pd.DataFrame([{"test": n, "statistic": s, "df": df, "p_value": float(chdtrc(df, s))} for n, s in rows])
