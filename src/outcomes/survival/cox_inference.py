"""Tables and tests of the coefficients of a Cox model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from outcomes.survival.coefficient_table import coefficient_columns, wald_test
from outcomes.survival.few_clusters import few_clusters

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.survival.cox_result import Cox

__all__ = ["overall_tests", "term_table"]


def term_table(model: Cox, *, exponentiate: bool, profile: pd.DataFrame | None) -> pd.DataFrame:
    """Return one row a term; limits and p-values from `profile` where there is one, else from standard errors."""
    import pandas as pd

    few = few_clusters(model.data, model.asked, model.owners)
    instead = (
        None if profile is None else {name: profile[name].to_numpy() for name in ("p_value", "conf_low", "conf_high")}
    )
    columns = coefficient_columns(
        model.coefficients, model.covariance, few, model.conf_level, exponentiate=exponentiate, instead=instead
    )
    return pd.DataFrame(
        {
            "outcome": model.data.labels.get("outcome", ""),
            "cause": model.cause,
            "term": model.terms,
            "measure": "hazard_ratio" if exponentiate else "log_hazard_ratio",
            **columns,
            "n": model.n,
            "n_events": model.n_events,
        }
    )


def overall_tests(model: Cox) -> pd.DataFrame:
    """Return the tests of all terms at once."""
    import pandas as pd
    from scipy.special import chdtrc

    df = len(model.terms)
    few = few_clusters(model.data, model.asked, model.owners)
    wald = {"test": "wald", **wald_test(model.coefficients, model.covariance, few, model.asked.n_clusters)}
    rows: list[tuple[str, float]] = []
    if model.asked.variance == "model" and not isinstance(model.penalty, float):
        rows.append(("likelihood ratio", 2 * (model.loglik - model.loglik_null)))
        if model.penalty is None:
            rows.append(("score", model.score_statistic))
    plain = [
        {"test": n, "statistic": s, "df": df, "df_residual": float("inf"), "p_value": float(chdtrc(df, s))}
        for n, s in rows
    ]
    return pd.DataFrame([wald, *plain])
