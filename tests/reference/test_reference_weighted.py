"""Weighted curves, restricted means, Cox and log-rank against survfit, coxph and svylogrank, entry by entry.

The propensity score is fitted here with statsmodels, so that only the survival estimates are under test.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from r_numbers import ITERATED, check, data_set, entries, matrix, same, surv

import outcomes as oc

SCORE = {
    "recid": "workprg ~ age + educ + priors + tserved + rules + felon + alcohol + drugs + black + married + property + person + super",
    "uis575": "treat ~ age + beck + ndrugtx + race + site + factor(hercoc) + factor(ivhx)",
    "rossi": "wexp ~ age + race + mar + paro + prio",
}
COLUMNS = {"recid": ("durat", "fail"), "uis575": ("time", "event"), "rossi": ("week", "arrest")}


def _weighted(entry: dict[str, Any], kind: str) -> oc.SurvivalData:
    import statsmodels.formula.api as smf

    name = entry["id"].split(".")[1]
    score = re.search(r"glm\((.+?), binomial\)", entry["call"])
    formula = (score[1] if score else SCORE[name]).replace("factor(", "C(")
    duration, event = surv(entry["call"]) if "Surv(" in entry["call"] else COLUMNS[name]
    arm = formula.split("~")[0].strip()
    frame = data_set(entry["file"])
    e = smf.logit(formula, frame).fit(disp=0, tol=1e-14, maxiter=100).predict(frame).to_numpy()
    a = frame[arm].to_numpy()
    ate = a / e + (1 - a) / (1 - e)
    share = a.mean()
    weights = {
        "ATE": ate,
        "ATE_stab": a * share / e + (1 - a) * (1 - share) / (1 - e),
        "ATT": a + (1 - a) * e / (1 - e),
        "ATC": a * (1 - e) / e + (1 - a),
        "ATO": a * (1 - e) + (1 - a) * e,
        "ATM": np.minimum(e, 1 - e) / np.where(a == 1, e, 1 - e),
        "ATE_trunc0199": np.clip(ate, *np.quantile(ate, [0.01, 0.99])),
        "ATE_crump01": np.where((e > 0.1) & (e < 0.9), ate, 0.0),
    }
    frame = frame.assign(w=weights[kind])
    frame = frame[frame["w"] > 0]
    return oc.survival_data(frame, duration=duration, event=event, arm=arm, reference=0)


def _check_iptw(entry: dict[str, Any]) -> None:
    values = entry["values"]
    data = _weighted(entry, entry["id"].split(".")[2])
    w = data.baseline["w"].to_numpy()
    assert len(w) == values["n_used"]
    same(w[:10], values["w_first10"], ITERATED, "weights")
    for ties in ("efron", "breslow"):
        expected = values[f"cox_{ties}"]
        fit = oc.cox(data, str(data.arm_column), weights="w", ties=ties)
        row = fit.to_frame().iloc[0]
        same([row["estimate"], row["std_error"]], [expected["coef"], expected["se_robust"]], ITERATED, ties)
        if "se_model" in expected:
            same(np.sqrt(fit.model_covariance[0, 0]), expected["se_model"], ITERATED, "model standard error")
    curve, km = values["weighted_km"], oc.kaplan_meier(data, weights="w")
    for index, arm in enumerate(data.arms):
        rows = [i for i, label in enumerate(curve["arm"]) if label == f"A={arm}"]
        times = [curve["time"][i] for i in rows]
        ours = km.at(times)
        ours = ours[ours["arm"] == arm]
        same(ours["estimate"], [curve["surv"][i] for i in rows], ITERATED, "survival")
        same(ours["std_error"], [curve["se_robust_ij"][i] for i in rows], ITERATED, "jackknife")
        passed = km.fits[index].passed(np.array(times) - 1e-9)
        at_risk = np.append(km.fits[index].table.at_risk, 0.0)[passed]
        same(at_risk, [curve["n_risk_w"][i] for i in rows], ITERATED, "weighted number at risk")
    mean = oc.rmst(data, horizon=values["rmst_tau"], weights="w").to_frame()
    same(mean.loc[mean["measure"] == "rmst", "estimate"], values["weighted_rmst"], ITERATED, "restricted mean")


def _check_survey(entry: dict[str, Any]) -> None:
    values = entry["values"]
    data = _weighted(entry, entry["id"].split(".")[2])
    n = len(data.baseline)
    found = oc.logrank_test(data, weights="w")
    gap = float((found.observed - found.expected)[1])
    # The survey package centres the scores and multiplies by n / (n - 1); it also takes Efron's means of tied events beside
    # increments for single ones, which is neither Efron nor Breslow: agreement to a few in a thousand is what there can be.
    same(gap, values["logrank_score"], 1e-4, "score")
    theirs = np.sqrt((found.covariance[1, 1] - gap**2 / n) * n / (n - 1))
    same(theirs, values["logrank_se"], 3e-3, "standard error")
    fit = oc.cox(data, str(data.arm_column), weights="w").to_frame().iloc[0]
    same(
        [fit["estimate"], fit["std_error"] * np.sqrt(n / (n - 1))],
        [values["cox_coef"], values["cox_se"]],
        ITERATED,
        "Cox",
    )


def _check_estimated_weights(entry: dict[str, Any]) -> None:
    """The variance that knows the weights were estimated: everybody is followed for 24 months, so the curve is a weighted mean."""
    values = entry["values"]
    data = oc.survival_data(data_set("recid.csv"), duration="durat", event="fail", arm="workprg", reference=0)
    weights = oc.weight(data, SCORE["recid"].split("~")[1], estimand="ate" if entry["id"].endswith("IPW") else "ato")
    found = oc.kaplan_meier(data, weights=weights).influence(24, variance="stacked")
    same(found.estimate[:, 0], values["mu"], ITERATED, "risks")
    same(found.covariance[0], matrix(values["vcov_mu"]), ITERATED, "covariance by M-estimation")
    over_time = oc.kaplan_meier(data, weights=weights, variance="stacked").at(24)
    same(over_time["std_error"] ** 2, np.diag(matrix(values["vcov_mu"])), ITERATED, "the same in the table")


RULES = {
    r"psweight\.recid24\.(IPW|overlap)": _check_estimated_weights,
    r"iptw\.": _check_iptw,
    r"svy\.": _check_survey,
    r"psweight": "matching weights have a kink: PSweight smooths it",
}


@pytest.mark.parametrize("entry", entries("weights", r"iptw\.|svy\.|psweight\."))
def test_weighted_estimates_agree_with_r(entry: dict[str, Any]) -> None:
    check(entry, RULES)
