"""Repeated events, event rates and state probabilities against R (survfit, coxph, glm, glm.nb, mstate), entry by entry."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from r_numbers import CLOSED_FORM, ITERATED, check, data_set, entries, matrix, same

import outcomes as oc

SHAPE = 1e-5  # theta of the negative binomial
STATES = {1: "pcm", 2: "death"}


@lru_cache
def _infections() -> oc.SurvivalData:
    """Return the rows of the trial with the age of the counts' file."""
    rows = data_set("cgd.csv").assign(trt=lambda f: (f["treat"] == "rIFN-g").astype(int)).drop(columns="age")
    rows = rows.merge(data_set("cgd_counts.csv")[["id", "age"]], on="id")
    return oc.survival_data(
        rows, entry="tstart", exit="tstop", event="status", arm="trt", reference=0, id="id", repeated=True
    )


def _check_mean_count(entry: dict[str, Any]) -> None:
    values, arm = entry["values"], entry["id"][-1]
    data, times = _infections(), values["time"]
    robust, poisson = (oc.mean_count(data, method=m, variance=v) for m, v in (("ghosh-lin", None), ("nelson", "model")))
    ours = robust.at(times)[lambda f: f["arm"] == arm]
    same(ours["estimate"], values.get("mcf", values.get("cumhaz")), CLOSED_FORM)
    same(ours["std_error"], values.get("se_robust_LN", values.get("std_chaz")), CLOSED_FORM)
    if "se_poisson" in values:
        same(poisson.at(times)[lambda f: f["arm"] == arm]["std_error"], values["se_poisson"], CLOSED_FORM)


def _check_cox(entry: dict[str, Any]) -> None:
    values, data = entry["values"], _infections()
    fit = oc.andersen_gill(data, "trt") if entry["id"].startswith("ag") else oc.pwp(data, "trt", ties="breslow")
    frame, ratio = fit.to_frame(), fit.to_frame(exponentiate=True)
    same(frame["estimate"], values["coef"], ITERATED)
    same(np.sqrt(np.diag(fit.model_covariance)), values["se_model"], ITERATED)
    same(fit.covariance, matrix(values["vcov"]), ITERATED)
    for ours, theirs in (
        (frame["std_error"], "se_robust"), (frame["statistic"], "z"), (frame["p_value"], "p"), (ratio["estimate"], "hr"),
        (ratio["conf_low"], "hr_lower95"), (ratio["conf_high"], "hr_upper95"),
    ):  # fmt: skip
        same(ours, values[theirs], ITERATED, theirs)
    same([fit.loglik_null, fit.loglik], [values["loglik_null"], values["loglik"]], ITERATED)
    same(fit.tests()["statistic"], [values["wald"]["test"]], ITERATED)
    same(fit.score_statistic, values["score"]["test"], ITERATED)
    same(fit.concordance().estimate, values["concordance"], ITERATED)
    assert (fit.n_events, len(fit.rows.order) <= values["n"]) == (values["nevent"], True)


def _check_poisson(entry: dict[str, Any]) -> None:
    values, data = entry["values"], _infections()
    for family, variance, column in (
        ("poisson", "model", "se"), ("poisson", None, "se_hc0"), ("quasi_poisson", "model", "se_quasi"),
    ):  # fmt: skip
        fit = oc.rate_model(data, "trt + age", family=family, variance=variance)
        same(fit.coefficients, values["coef"], ITERATED)
        same(np.sqrt(np.diag(fit.covariance)), values[column], ITERATED, column)
    same([fit.dispersion, fit.deviance], [values["dispersion_pearson"], values["deviance"]], ITERATED)
    same(fit.loglik, values["loglik"], ITERATED)


def _check_negative_binomial(entry: dict[str, Any]) -> None:
    values, data = entry["values"], _infections()
    for variance, column in (("expected", "se_expected_given_theta"), ("model", "se_observed_joint")):
        fit = oc.rate_model(data, "trt + age", family="negative_binomial", variance=variance)
        same(np.sqrt(np.diag(fit.covariance)), values[column], SHAPE, column)
    same(fit.coefficients, values["coef"], ITERATED)
    same([fit.theta, 1 / fit.theta], [values["theta"], values["alpha_1_over_theta"]], SHAPE)
    same(fit.theta_std_error, values["se_theta"], SHAPE)
    same([fit.loglik, 2 * fit.loglik], [values["loglik"], values["twologlik"]], ITERATED)
    same([fit.deviance, fit.lr_against_poisson], [values["deviance"], values["lrt_vs_poisson"]], ITERATED)


RECURRENT = {
    r"mcf": _check_mean_count,
    r"(ag|pwp_tt)\.": _check_cox,
    r"poisson": _check_poisson,
    r"negbin": _check_negative_binomial,
}


@pytest.mark.parametrize("entry", entries("recurrent"))
def test_repeated_events_agree_with_r(entry: dict[str, Any]) -> None:
    check(entry, RECURRENT)


@lru_cache
def _gammopathy(arm: str | None) -> oc.SurvivalData:
    frame: pd.DataFrame = data_set("mgus2_cr.csv").assign(was="(s0)")
    return oc.survival_data(
        frame, duration="etime", event="event", censored=0, causes=STATES, from_state="was", unit="months", arm=arm,
        reference=None if arm is None else "F",
    )  # fmt: skip


def _check_states(entry: dict[str, Any]) -> None:
    arm, kind = entry["id"].split(".")[2:]
    data, values = _gammopathy(None if arm == "all" else arm), entry["values"]
    found = oc.state_probabilities(data, conf_type=kind)
    assert found.states == tuple(values["states"])
    for name in data.arms:
        rows = [i for i, s in enumerate(values["strata"]) if arm == "all" or s == f"{arm}={name}"]
        ours = found.at([values["time"][i] for i in rows])
        for state in found.states:
            mine = ours[(ours["arm"] == name) & (ours["state"] == state)]
            for column, theirs in (
                ("estimate", "pstate"), ("std_error", "std_err"), ("conf_low", "lower"), ("conf_high", "upper"),
                ("n_at_risk", "n_risk"),
            ):  # fmt: skip
                expected = matrix(values[theirs]).iloc[rows][state].astype(float)
                same(mine[column], expected, CLOSED_FORM, f"{name} {state} {column}")


def _check_mstate(entry: dict[str, Any]) -> None:
    values = entry["values"]
    found = oc.state_probabilities(_gammopathy(None)).at(values["time"])
    for state, estimate, error in (("(s0)", "surv", "se_surv"), ("pcm", "ci1", "se1"), ("death", "ci2", "se2")):
        ours = found[found["state"] == state]
        same(ours["estimate"], values[estimate], CLOSED_FORM)
        same(ours["std_error"], values[error], 0.01)  # Greenwood-type there, jackknife here


@pytest.mark.parametrize("entry", entries("multistate"))
def test_state_probabilities_agree_with_r(entry: dict[str, Any]) -> None:
    check(entry, {r"aj\.": _check_states, r"mstate": _check_mstate})
