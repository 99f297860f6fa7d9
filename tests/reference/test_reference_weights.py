"""Scores, weights, balance and weighted outcomes against R (glm, WeightIt, cobalt, PSweight, survival), by entry.

Tolerances: closed forms 1e-9, iterated fits 1e-6.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from r_numbers import CLOSED_FORM, ITERATED, check, data_set, entries, matrix, same

import outcomes as oc
from outcomes.results import read_only

ENTROPY = 1e-5
TIMES = {"recid": ("durat", "fail", "workprg"), "uis575": ("time", "event", "treat")}
FORMULAS = {
    "recid": "age + educ + priors + tserved + rules + felon + alcohol + drugs + black + married + property + person + super",
    "uis575": "age + beck + ndrugtx + race + site + C(hercoc) + C(ivhx)",
}


def _data(entry: dict[str, Any]) -> oc.SurvivalData:
    duration, event, arm = TIMES[entry["file"].removesuffix(".csv")]
    return oc.survival_data(data_set(entry["file"]), duration=duration, event=event, arm=arm, reference=0)


def _weights(entry: dict[str, Any], kind: str) -> tuple[oc.SurvivalData, oc.PropensityWeights]:
    """The weights an entry's id names; R's `trunc` cuts weights at percentiles and keeps everyone."""
    data = _data(entry)
    estimand, _, more = kind.lower().partition("_")
    trim = (0.1, 0.9) if more == "crump01" else None
    formula = FORMULAS[entry["file"].removesuffix(".csv")]
    weights = oc.weight(data, formula, estimand=estimand, trim=trim, stabilise=more == "stab")
    if more == "trunc0199":
        low, high = np.quantile(weights.values, [0.01, 0.99])
        weights = replace(weights, values=read_only(np.clip(weights.values, low, high)), influence=None, gradient=None)
    return data, weights


def _kind(entry: dict[str, Any]) -> str:
    return str(entry["id"].split(".")[2])


def _iptw(entry: dict[str, Any]) -> None:
    data, weights = _weights(entry, _kind(entry))
    values = entry["values"]
    kept = weights.values[weights.values > 0]
    assert len(kept) == values["n_used"]
    same(list(weights.effective_sample_size.values()), values["ess"], ITERATED, "ess")
    same([weights.values[data.arm == a].sum() for a in (0, 1)], values["w_sum"], ITERATED, "w_sum")
    same([kept.max(), kept.min()], [values["w_max"], values["w_min"]], ITERATED)
    same(weights.values[:10], values["w_first10"], ITERATED)
    _weighted_outcomes(entry, data, weights)
    balance = weights.balance(denominator="pooled").to_frame()
    label = balance["term"].where(balance["level"] == "", "factor(" + balance["term"] + ")" + balance["level"])
    balance = balance.set_index(label).loc[values["covariates"]]
    same(balance["smd_before"], values["smd_unweighted"], CLOSED_FORM, "smd before")
    np.testing.assert_allclose(balance["smd_after"], values["smd_weighted"], rtol=1e-6, atol=1e-8)


def _weighted_outcomes(entry: dict[str, Any], data: oc.SurvivalData, weights: oc.PropensityWeights) -> None:
    values = entry["values"]
    arm = str(data.arm_column)
    for ties in ("efron", "breslow"):
        found = oc.cox(data, arm, weights=weights, ties=ties).to_frame().iloc[0]
        expected = values[f"cox_{ties}"]
        same([found["estimate"], found["std_error"]], [expected["coef"], expected["se_robust"]], ITERATED, ties)
    expected_curve = pd.DataFrame(values["weighted_km"])
    curve = oc.kaplan_meier(data, weights=weights)
    found_curve = curve.at(sorted(set(expected_curve["time"])))
    same(found_curve["estimate"], expected_curve["surv"], ITERATED, "survival")
    same(found_curve["std_error"], expected_curve["se_robust_ij"], ITERATED, "robust standard error")
    means = oc.rmst(data, horizon=values["rmst_tau"], weights=weights)
    area = means.to_frame().query("measure == 'rmst'")["estimate"]
    same(area, values["weighted_rmst"], ITERATED, "rmst")
    gap = oc.compare(means, measure="rmst_difference").to_frame()["estimate"]
    np.testing.assert_allclose(gap, [values["rmst_diff_1_0"]], rtol=1e-6, atol=1e-7)


def _weightit(entry: dict[str, Any]) -> None:
    data, weights = _weights(entry, _kind(entry))
    values = entry["values"]
    same(weights.values[:10], values["w_first10"], ITERATED)
    same([weights.values[data.arm == a].sum() for a in (0, 1)], values["w_sum"], ITERATED)
    same(list(weights.effective_sample_size.values()), values["ess"], ITERATED)


def _svycoxph(entry: dict[str, Any]) -> None:
    """The survey package multiplies the robust variance by n / (n - 1)."""
    data, weights = _weights(entry, _kind(entry))
    found = oc.cox(data, str(data.arm_column), weights=weights).to_frame().iloc[0]
    n = len(data.baseline)
    expected = entry["values"]
    same(found["estimate"], expected["cox_coef"], ITERATED)
    same(found["std_error"] * np.sqrt(n / (n - 1)), expected["cox_se"], ITERATED)


def _entropy(entry: dict[str, Any]) -> None:
    """WeightIt stops when means are alike to about 1e-7 of a standard deviation."""
    data = _data(entry)
    formula, values = FORMULAS[entry["file"].removesuffix(".csv")], entry["values"]
    weights = oc.weight(data, formula, estimand=_kind(entry).lower(), method="entropy")
    same(weights.values[:10], values["w_first10"], ENTROPY)
    same(list(weights.effective_sample_size.values()), values["ess"], ENTROPY, "ess")
    assert weights.balance().to_frame().query("term != 'propensity score'")["smd_after"].abs().max() < 1e-9
    if "cox_coef" in values:
        fit = oc.cox(data, str(data.arm_column), weights=weights).to_frame().iloc[0]
        same(fit["estimate"], values["cox_coef"], ENTROPY)
        same(fit["std_error"], values["cox_se_robust"], ENTROPY)


def _psweight(entry: dict[str, Any]) -> None:
    """Everybody was followed past 24 months, so the weighted curve there is a weighted mean and M-estimation is exact."""
    estimand = {"IPW": "ate", "overlap": "ato"}[_kind(entry)]
    data, weights = _weights(entry, estimand)
    curve = oc.kaplan_meier(data, weights=weights)
    found = curve.arm_estimates([24], variance="stacked")
    values = entry["values"]
    same(found.estimate[0], values["mu"], ITERATED)
    same(found.covariance[0], values["vcov_mu"]["values"], ITERATED)
    contrast = matrix(values["rd"]).iloc[0]
    row = oc.compare(curve, measure="risk_difference", at=24).to_frame().iloc[0]
    names = ["estimate", "std_error", "statistic", "conf_low", "conf_high", "p_value"]
    theirs = contrast[["Estimate", "Std.Error", "z value", "lwr", "upr", "Pr(>|z|)"]]
    same(row[names].astype(float), theirs, ITERATED)


def _adjusted(entry: dict[str, Any]) -> None:
    """Risks by all three methods.

    Standard errors of weighted risks agree to the digit. Where a Cox model of the outcome counts for much they do not: riskRegression's
    influence functions of its coefficients are not those of survival where event times are tied (by treatment: 0.0844 against the
    0.0940 of the dfbetas of R's survival, which are ours). The doubly robust risk hardly leans on them.
    """
    kind, values = _kind(entry), entry["values"]
    formula, censoring = FORMULAS["uis575"], "arm + age"
    method = {"GFORMULA": "g-formula", "IPTW": "iptw", "AIPTW": "aipw"}[kind]
    curves = oc.adjusted_curves(
        _data(entry), outcome=f"arm + {formula}", treatment=formula, censoring=censoring, estimand="ate", method=method,
        conf_type="plain",
    )  # fmt: skip
    times = values["diff_risk"]["time"]
    found, risks = curves.at(times), values["mean_risk"]
    assert found["arm"].tolist() == risks["treatment"]
    same(found["estimate"], risks["estimate"], CLOSED_FORM, "risk")
    errors = {"IPTW": ITERATED, "AIPTW": 1e-3, "GFORMULA": 0.12}[kind]
    same(found["std_error"], risks["se"], errors, "standard error")
    if kind == "IPTW":
        same(found[["conf_low", "conf_high"]], np.column_stack([risks["lower"], risks["upper"]]), ITERATED, "limits")
    for measure, name in {"risk_difference": "diff_risk", "risk_ratio": "ratio_risk"}.items():
        contrast = oc.compare(curves, measure=measure, at=times).to_frame()
        same(contrast["estimate"], values[name]["estimate"], CLOSED_FORM, name)
        error = contrast["std_error"] * (contrast["estimate"] if measure == "risk_ratio" else 1.0)
        same(error, values[name]["se"], errors, name)


def _direct(entry: dict[str, Any]) -> None:
    """The g-formula of riskRegression, in another package's hands."""
    file = entry["file"].removesuffix(".csv")
    curves = oc.adjusted_curves(_data(entry), outcome=f"arm + {FORMULAS[file]}", estimand="ate", method="g-formula")
    expected = pd.DataFrame(entry["values"])
    found = curves.at(sorted(set(expected["time"])))
    same(1 - found["estimate"], expected["surv"], CLOSED_FORM, "share free")
    same(found["std_error"], expected["se"], 0.12, "standard error")


def _weighted_baseline(entry: dict[str, Any]) -> None:
    """exp(-hazard) of each arm, weighted, ties by Efron: between the product limit and exp(-Nelson–Aalen)."""
    data, weights = _weights(entry, "ATE")
    expected = pd.DataFrame(entry["values"])
    times = sorted(set(expected["time"]))
    low = oc.kaplan_meier(data, weights=weights).at(times)["estimate"]
    high = np.exp(-oc.nelson_aalen(data, weights=weights).at(times)["estimate"])
    assert ((low < expected["surv"]) & (expected["surv"] < high)).all()
    assert (high - low < 0.004).all()


RULES = {
    r"iptw\.": _iptw,
    r"weightit\.": _weightit,
    r"svy\.": _svycoxph,
    r"psweight\.": _psweight,
    r"ebal\.": _entropy,
    r"adjustedCurves\..*\.direct": _direct,
    r"adjustedCurves\..*\.iptw_cox": _weighted_baseline,
    r"ate\.": _adjusted,
}


@pytest.mark.parametrize("entry", entries("weights"))
def test_weights_agree_with_r(entry: dict[str, Any]) -> None:
    check(entry, RULES)


def _score(entry: dict[str, Any]) -> None:
    weights = oc.weight(_data(entry), FORMULAS["recid"], estimand="ate")
    values = entry["values"]
    model = weights.score_model()
    assert ["(Intercept)", *model["term"][1:]] == values["terms"]
    same(model["estimate"], values["coef"], ITERATED)
    same(model["std_error"], values["se"], ITERATED)
    same(weights.loglik, values["loglik"], CLOSED_FORM)
    same(weights.score[:20], values["ps_first20"], ITERATED)
    same([weights.score.sum(), (weights.score**2).sum()], [values["ps_sum"], values["ps_sumsq"]], ITERATED)
    same(weights.linear.std(ddof=1), values["sd_logit"], ITERATED)
    same(weights.c_statistic, values["auc"], CLOSED_FORM)


def _subclass(entry: dict[str, Any]) -> None:
    """MatchIt's and cobalt's statistics before and after, on the weights of their five subclasses of the score."""
    frame = data_set("lalonde.csv").assign(day=1.0, seen=0)
    data = oc.survival_data(frame, duration="day", event="seen", arm="treat", reference=0)
    weights = oc.match(data, _formula_of(entry["call"]), method="subclass", distance="score", subclasses=5)
    values = entry["values"]
    same(list(weights.effective_sample_size.values()), values["ess"], ITERATED, "ess")
    same([weights.values[data.arm == a].sum() for a in (0, 1)], values["sum_weights_by_arm"], CLOSED_FORM)
    same(_difference(weights, frame["re78"]), values["re78_diff"], ITERATED, "re78")
    for block, suffix, when in (("all", "", "before"), ("matched", "_weighted", "after")):
        theirs = matrix(values[block])
        ours = weights.balance(binary="population").to_frame().replace("propensity score", "distance").set_index("term")
        for column, name in {
            f"mean_arm{suffix}": "Means Treated",
            f"mean_reference{suffix}": "Means Control",
            f"smd_{when}": "Std. Mean Diff.",
            f"variance_ratio_{when}": "Var. Ratio",
            f"ks_{when}": "eCDF Max",
        }.items():
            same(ours.loc[theirs.index, column], theirs[name].astype(float), ITERATED, f"MatchIt {block} {name}")
    cobalt = pd.DataFrame(values["cobalt_std_pooled"]).set_index("vars")
    ours = weights.balance(binary="population", denominator="pooled").to_frame().replace("propensity score", "distance")
    ours = ours.set_index("term").loc[cobalt.index]
    for when, theirs in (("before", "un"), ("after", "adj")):
        for column, name in (("smd", "diff"), ("variance_ratio", "vratio"), ("ks", "ks")):
            expected = cobalt[f"{name}_{theirs}"].astype(float)
            same(ours[f"{column}_{when}"], expected, ITERATED, f"cobalt {name} {when}")


def _formula_of(call: str) -> str:
    found = re.search(r"~\s*(.*?), method", call)
    assert found is not None, call
    return found[1]


def _difference(weights: oc.Weights, outcome: pd.Series) -> float:
    means = [np.average(outcome[weights.arm == a], weights=weights.values[weights.arm == a]) for a in (0, 1)]
    return float(means[1] - means[0])


def _cem(entry: dict[str, Any]) -> None:
    """The call in words names where to cut."""
    cutpoints = {"age": [240, 300, 360, 480], "priors": [0.5, 2.5]}
    matched = oc.match(_data(entry), "age + priors + felon + black", method="cem", cutpoints=cutpoints)
    values, counts = entry["values"], matrix(entry["values"]["n"])
    same(matched.summary()["n_matched"], counts.loc["Matched"], CLOSED_FORM)
    same(list(matched.effective_sample_size.values()), counts.loc["Matched (ESS)"], CLOSED_FORM)
    same([matched.values[matched.arm == a].sum() for a in (0, 1)], values["weights_sum"], CLOSED_FORM)
    assert matched.classes is not None
    assert len(np.unique(matched.classes[matched.kept])) == values["n_subclass"]


@pytest.mark.parametrize("entry", entries("matching"))
def test_score_matching_and_balance_agree_with_glm_matchit_and_cobalt(entry: dict[str, Any]) -> None:
    check(entry, {r"ps\.": _score, r"match\.lalonde\.subclass5": _subclass, r"match\.recid\.cem": _cem})


LALONDE = "age + educ + C(race) + married + nodegree + re74 + re75"
LALONDE_MEANS = {  # worked example 5.6; R: lm(re78 ~ treat, weights = w) with vcovHC(type = "HC0")
    "att": (1214.0712, 824.0517),
    "ate": (224.6763, 909.4777),
    "ato": (1242.2006, 775.0973),
    "atm": (1119.5212, 772.5823),
}


def _lalonde(estimand: str) -> tuple[oc.PropensityWeights, np.ndarray]:
    frame = data_set("lalonde.csv").assign(day=1.0, seen=0)
    if "race" not in frame:
        frame["race"] = np.where(frame["black"] == 1, "black", np.where(frame["hispan"] == 1, "hispan", "white"))
    data = oc.survival_data(frame, duration="day", event="seen", arm="treat", reference=0)
    return oc.weight(data, LALONDE, estimand=estimand), frame["re78"].to_numpy(dtype=float)


def _mean_difference(weights: oc.PropensityWeights, y: np.ndarray, *, stacked: bool) -> tuple[float, float]:
    """Difference in weighted means, and its standard error from influences, by hand."""
    w, means, moved = weights.values, [], np.zeros(len(y))
    for arm, sign in ((0, -1.0), (1, 1.0)):
        mine = weights.arm == arm
        mean = np.average(y[mine], weights=w[mine])
        means.append(mean)
        moved += np.where(mine, sign * (y - mean) / w[mine].sum(), 0.0)
    each = w * moved
    if stacked:
        each = each + weights.influence @ (weights.gradient.T @ moved)
    return means[1] - means[0], float(np.sqrt((each**2).sum()))


@pytest.mark.parametrize("estimand", LALONDE_MEANS)
@pytest.mark.usefixtures("reference")
def test_weighted_earnings_of_the_lalonde_data(estimand: str) -> None:
    weights, y = _lalonde(estimand)
    estimate, known = _mean_difference(weights, y, stacked=False)
    assert (estimate, known) == pytest.approx(LALONDE_MEANS[estimand], abs=6e-5)


@pytest.mark.usefixtures("reference")
def test_stacked_standard_error_of_the_lalonde_att_is_that_of_m_estimation() -> None:
    weights, y = _lalonde("att")
    assert _mean_difference(weights, y, stacked=True)[1] == pytest.approx(798.2, abs=0.05)
    assert weights.effective_sample_size["0"] == pytest.approx(99.81539, abs=6e-6)
    assert weights.values[weights.arm == 0].max() == pytest.approx(3.743, abs=6e-4)


@pytest.mark.usefixtures("reference")
def test_unpenalised_scores_weight_each_lalonde_arm_up_to_everybody() -> None:
    """Scores from penalised or resampled fits leave sums of 344 and 873; these come to about the 614 people there are."""
    weights, _ = _lalonde("ate")
    sums = [weights.values[weights.arm == a].sum() for a in (0, 1)]
    assert sums == pytest.approx([614, 614], rel=0.1)
    assert weights.score.mean() == pytest.approx(185 / 614, rel=1e-9)
    assert [weights.effective_sample_size[a] for a in ("1", "0")] == pytest.approx([58.32666, 329.00776], abs=6e-6)
