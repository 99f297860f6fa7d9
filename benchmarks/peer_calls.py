"""The same question asked of other libraries: what is timed, and how estimates and standard errors are read from the answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from invented_people import TERMS
from our_calls import TIMES

__all__ = ["GREENWOOD", "LIFELINES", "STATSMODELS", "SURPYVAL"]

Numbers = tuple[np.ndarray, np.ndarray]


def _lifelines_cox(frame: pd.DataFrame, *, robust: bool = False) -> Numbers:
    """`robust`: weighted as well."""
    from lifelines import CoxPHFitter

    table = frame[[*TERMS, "days", "event", *(["weight"] if robust else [])]]
    fit = CoxPHFitter().fit(table, "days", "event", weights_col="weight" if robust else None, robust=robust)
    found = fit.summary
    return found["coef"].to_numpy(), found["se(coef)"].to_numpy()


def _lifelines_curve(frame: pd.DataFrame) -> Numbers:
    from lifelines import KaplanMeierFitter

    fit = KaplanMeierFitter().fit(frame["days"], frame["event"])
    return fit.predict(list(TIMES)).to_numpy(), np.full(len(TIMES), np.nan)  # limits only


def _statsmodels_cox(frame: pd.DataFrame) -> Numbers:
    from statsmodels.duration.hazard_regression import PHReg

    fit = PHReg(frame["days"], frame[TERMS], status=frame["event"], ties="efron").fit()
    return np.asarray(fit.params), np.asarray(fit.bse)


def _statsmodels_curve(frame: pd.DataFrame) -> Numbers:
    from statsmodels.duration.survfunc import SurvfuncRight

    fit = SurvfuncRight(frame["days"], frame["event"])
    at = np.searchsorted(fit.surv_times, TIMES, side="right") - 1
    return np.asarray(fit.surv_prob)[at], np.asarray(fit.surv_prob_se)[at]


def _surpyval_cox(frame: pd.DataFrame, *, robust: bool = False) -> Numbers:
    import surpyval

    x, z, censored = frame["days"].to_numpy(), frame[TERMS].to_numpy(), 1 - frame["event"].to_numpy()
    fit = surpyval.CoxPH.fit(x=x, Z=z, c=censored, tie_method="efron")
    covariance = fit.robust_covariance() if robust else fit.covariance()
    return np.asarray(fit.params), np.sqrt(np.diag(covariance))


def _surpyval_fine_gray(frame: pd.DataFrame) -> Numbers:
    import surpyval

    ended = frame["end"].astype(object).where(frame["end"] > 0, None).to_numpy()
    fit = surpyval.FineGray.fit(frame["days"].to_numpy(), frame[TERMS].to_numpy(), ended, event=1)
    return np.asarray(fit.params), np.asarray(fit.standard_errors())


def _surpyval_curve(frame: pd.DataFrame) -> Numbers:
    import surpyval

    fit = surpyval.KaplanMeier.fit(x=frame["days"].to_numpy(), c=1 - frame["event"].to_numpy())
    at = np.searchsorted(fit.x, TIMES, side="right") - 1
    return np.asarray(fit.R)[at], np.full(len(TIMES), np.nan)


def _greenwood_cox(frame: pd.DataFrame, *, robust: bool = False) -> Numbers:
    import greenwood

    fit = greenwood.CoxPH().fit(f"Surv(days, event) ~ {' + '.join(TERMS)}", data=frame, robust=robust)
    return np.asarray(fit.coef_), np.asarray(fit.std_error_)


def _greenwood_curve(frame: pd.DataFrame) -> Numbers:
    import greenwood

    fit = greenwood.KaplanMeier().fit("Surv(days, event) ~ 1", data=frame)
    at = np.searchsorted(fit.time_, TIMES, side="right") - 1
    return np.asarray(fit.survival_)[at], np.asarray(fit.std_error_)[at]


LIFELINES: dict[str, Any] = {
    "cox_robust": lambda frame: _lifelines_cox(frame, robust=True),
    "cox_model": _lifelines_cox,
    "kaplan_meier": _lifelines_curve,
}
STATSMODELS: dict[str, Any] = {"cox_model": _statsmodels_cox, "kaplan_meier": _statsmodels_curve}
SURPYVAL: dict[str, Any] = {
    "cox_robust": lambda frame: _surpyval_cox(frame, robust=True),
    "cox_model": _surpyval_cox,
    "fine_gray": _surpyval_fine_gray,
    "kaplan_meier": _surpyval_curve,
}
GREENWOOD: dict[str, Any] = {
    "cox_robust": lambda frame: _greenwood_cox(frame, robust=True),
    "cox_model": _greenwood_cox,
    "kaplan_meier": _greenwood_curve,
}
