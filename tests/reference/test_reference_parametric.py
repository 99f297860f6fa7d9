"""Parametric models against R's survreg, entry by entry."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from r_numbers import ITERATED, check, data_set, entries, matrix, same, surv

import outcomes as oc

ROSSI = "fin + age + race + wexp + mar + paro + prio"
NEW = pd.DataFrame({"fin": [0, 1], "age": 24, "race": 1, "wexp": 1, "mar": 0, "paro": 1, "prio": 3})


def _data(entry: dict[str, Any]) -> oc.SurvivalData:
    duration, event = surv(entry["call"]) if "Surv(" in entry["call"] else ("week", "arrest")
    return oc.survival_data(data_set(entry["file"]), duration=duration, event=event)


def _fit(entry: dict[str, Any], distribution: str, **more: Any) -> oc.Parametric:
    terms = entry["values"].get("terms", ["(Intercept)", *ROSSI.split(" + ")])
    return oc.parametric(_data(entry), " + ".join(terms[1:]) or "1", distribution=distribution, **more)


def _check_fit(entry: dict[str, Any]) -> None:
    values, size = entry["values"], len(entry["values"]["terms"])
    robust = entry["id"].endswith(".robust")
    fit = _fit(entry, values["dist"], robust=True if robust else None)
    frame = fit.to_frame()
    assert fit.n == values["n"]
    same(frame["estimate"][:size], values["coef"], ITERATED, "coefficients")
    same(frame["std_error"][:size], values["se"], ITERATED, "standard errors")
    same(fit.covariance, matrix(values["vcov"]), ITERATED, "covariance")
    if values["se_log_scale"] is not None:
        same(frame["estimate"][size:], [values["log_scale"]], ITERATED, "log scale")
        same(frame["std_error"][size:], [values["se_log_scale"]], ITERATED, "its standard error")
        same(fit.to_frame(exponentiate=True)["estimate"][size:], [values["scale"]], ITERATED, "scale")
    same([fit.loglik, fit.aic, fit.bic], [values[k] for k in ("loglik", "aic", "bic")], ITERATED, "likelihood")
    null = oc.parametric(fit.data, "1", distribution=values["dist"])
    same([null.loglik], [values["loglik_null"]], ITERATED, "likelihood without covariates")
    if robust:
        same(np.sqrt(np.diag(fit.model_covariance)), values["naive_se"], ITERATED, "model standard errors")
    if "ph" in values and size > 1:
        ratios = fit.hazard_ratios()
        same(np.log(ratios["estimate"]), values["ph"]["coef"][1:], ITERATED, "log hazard ratios")
        same(ratios["std_error"], values["ph"]["se"][1:], ITERATED, "their standard errors")
    if "ph" in values:
        _check_log_rate(fit, values["ph"])


def _check_log_rate(fit: oc.Parametric, theirs: dict[str, Any]) -> None:
    """The intercept of the hazard p lambda t^(p-1): log lambda = -location / scale."""
    scale = float(np.exp(fit.coefficients[-1])) if fit.distribution == "weibull" else 1.0
    slope = np.zeros(len(fit.coefficients))
    slope[0] = -1 / scale
    if fit.distribution == "weibull":
        slope[-1] = fit.coefficients[0] / scale
        same([1 / scale], [theirs["shape_p"]], ITERATED, "shape")
    same([-fit.coefficients[0] / scale], theirs["coef"][:1], ITERATED, "log rate")
    same([np.sqrt(slope @ fit.covariance @ slope)], theirs["se"][:1], ITERATED, "its standard error")


def _check_strata(entry: dict[str, Any]) -> None:
    values = entry["values"]
    fit = _fit(entry, "weibull", ancillary={"log_scale": "race"})
    frame = fit.to_frame()
    same(frame["estimate"][frame["parameter"] == "location"], values["coef"], ITERATED, "coefficients")
    base, more = frame["estimate"][frame["parameter"] == "log_scale"]
    same(np.exp([base, base + more]), list(values["scale"].values()), ITERATED, "scales")
    same([fit.loglik], [values["loglik"]], ITERATED, "likelihood")


def _check_predictions(entry: dict[str, Any]) -> None:
    values = entry["values"]
    fit = _fit(entry, re.search(r"predict\.(\w+)", entry["id"])[1])  # type: ignore[index]
    location = fit.to_frame().query("parameter == 'location'")["estimate"].to_numpy()
    same(np.column_stack([np.ones(2), NEW]) @ location, values["lp"], ITERATED, "linear predictors")
    times = fit.quantile(NEW, [0.1, 0.25, 0.5])
    for column, name in (("time", "quantile"), ("std_error", "quantile_se")):
        same(times[column].to_numpy().reshape(2, 3), matrix(values[name]), ITERATED, name)
    shares = fit.predict(NEW, [13, 26, 52])["estimate"].to_numpy()
    same(shares.reshape(2, 3), matrix(values["surv"]), ITERATED, "survival")


RULES = {
    r"survreg\.rossi\.predict\.": _check_predictions,
    r"survreg\.rossi\.weibull\.strata_race": _check_strata,
    r"survreg\.": _check_fit,
    r"discrete\.": "a discrete-time hazard is another model; oc.parametric is about continuous time",
    r"rates\.": "events per person-time are not a distribution with covariates; their exact limits belong to event_rate",
}


@pytest.mark.parametrize("entry", entries("parametric"))
def test_parametric(entry: dict[str, Any]) -> None:
    check(entry, RULES)
