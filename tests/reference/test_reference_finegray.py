"""Fine–Gray and cause-specific regressions against cmprsk::crr, survival::finegray with coxph, and coxph, entry by entry."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from r_numbers import ITERATED, check, data_set, entries, matrix, same

import outcomes as oc

TIME = {"mgus2_cr.csv": ("etime", "event"), "melanoma.csv": ("time", "status")}
CAUSES = {1: "first", 2: "second"}
ACROSS = 1e-2  # of the same model under another rule for ties of events with censorings: the third digit


def _data(file: str) -> oc.SurvivalData:
    frame = data_set(file)
    if file == "melanoma.csv":
        frame = frame.assign(ulc=frame["ulcer"] == "present", male=frame["sex"] == "Male", lt=np.log(frame["thick"]))
        frame = frame.astype({"ulc": int, "male": int})
    else:
        frame = frame.dropna(subset=["hgb", "mspike"]).assign(male=lambda d: (d["sex"] == "M").astype(int))
    duration, event = TIME[file]
    return oc.survival_data(frame, duration=duration, event=event, causes=CAUSES)


def _cause(entry: dict[str, Any]) -> str:
    return CAUSES[int(entry["id"][-1])]


def _check_crr(entry: dict[str, Any]) -> None:
    values = entry["values"]
    fit = oc.fine_gray(_data(entry["file"]), " + ".join(values["terms"]), cause=_cause(entry))
    frame, ratio = fit.to_frame(), fit.to_frame(exponentiate=True)
    same(frame["estimate"], values["coef"], ITERATED, "coefficients")
    same(frame["std_error"], values["se_robust"], ITERATED, "standard errors")
    same(np.sqrt(np.diag(fit.model_covariance)), values["se_invinf"], ITERATED, "inverse information")
    same(ratio["estimate"], values["shr"], ITERATED, "ratios")
    same(frame["p_value"], values["p"], 1e-5, "p")
    same([fit.loglik_null, fit.loglik], [values["loglik_null"], values["loglik"]], ITERATED, "log pseudo-likelihood")
    assert (fit.n, fit.n_events) == (values["n"], values["n_events"])


def _check_finegray(entry: dict[str, Any]) -> None:
    values, data = entry["values"], _data(entry["file"])
    formula = " + ".join(values["terms"])
    fit = oc.fine_gray(data, formula, cause=_cause(entry), ties="efron").to_frame()
    same(fit["estimate"], values["coef_efron"], ITERATED, "coefficients")
    same(fit["std_error"], values["se_robust_efron"], ITERATED, "standard errors")
    breslow = oc.fine_gray(data, formula, cause=_cause(entry)).to_frame()
    same(breslow["estimate"], values["coef_breslow"], ACROSS, "coefficients of the other convention")
    same(breslow["std_error"], values["se_robust_breslow"], ACROSS, "standard errors of the other convention")


def _check_prediction(entry: dict[str, Any]) -> None:
    values = entry["values"]
    new = matrix(values["newdata"])
    fit = oc.fine_gray(_data(entry["file"]), " + ".join(new.columns), cause=_cause(entry))
    found = fit.predict(new).at(values["times"])
    for name in new.index:
        same(found.loc[found["profile"] == name, "estimate"], values[f"cif_{name}"], ITERATED, name)


def _check_cause_specific(entry: dict[str, Any]) -> None:
    values = entry["values"]
    fit = oc.cause_specific(_data(entry["file"]), " + ".join(values["terms"]))[_cause(entry)]
    same(fit.to_frame()["estimate"], values["coef"], ITERATED, "coefficients")
    same(fit.to_frame()["std_error"], values["se"], ITERATED, "standard errors")
    same(fit.loglik, values["loglik"], ITERATED, "log likelihood")


RULES = {
    r"crr_predict": _check_prediction,
    r"crr\.": _check_crr,
    r"finegray": _check_finegray,
    r"causespecific": _check_cause_specific,
    r"csc_risk": "cause-specific models do not predict incidences at covariates; adjusted_curves averages them over people",
}


@pytest.mark.parametrize("entry", entries("finegray"))
def test_competing_risks_regressions_agree_with_r(entry: dict[str, Any]) -> None:
    check(entry, RULES)


def test_the_worked_example_of_mgus2(reference: object) -> None:
    """Worked examples 5.5: all with a known spike, both conventions, and both cause-specific models."""
    frame = data_set("mgus2_cr.csv").dropna(subset=["mspike"]).assign(male=lambda d: (d["sex"] == "M").astype(int))
    data = oc.survival_data(frame, duration="etime", event="event", causes={1: "pcm", 2: "death"})
    formula = "age + male + mspike"
    crr = oc.fine_gray(data, formula, cause="pcm").to_frame()
    same(crr["estimate"], [-0.01694253, -0.2136160, 0.8884641], 1e-6)
    same(crr["std_error"], [0.00582979, 0.18520147, 0.15523130], 1e-6)
    finegray = oc.fine_gray(data, formula, cause="pcm", ties="efron").to_frame()
    same(finegray["estimate"], [-0.0168972, -0.2133706, 0.8884201], 1e-5)
    same(finegray["std_error"], [0.00580035, 0.18516745, 0.15531162], 1e-5)
    both = oc.cause_specific(data, formula).to_frame()
    same(both["estimate"], [0.01635219, -0.005030024, 0.8840781, 0.0652003, 0.3888989, -0.05926027], 1e-5)
