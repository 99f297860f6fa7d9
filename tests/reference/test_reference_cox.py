"""Cox regression and its test of proportional hazards against R's coxph and cox.zph, entry by entry."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from r_numbers import ITERATED, check, data_set, entries, matrix, same, surv

import outcomes as oc

TERMS = {
    "rossi": ["fin", "age", "race", "wexp", "mar", "paro", "prio"],
    "recid": ["workprg", "priors", "tserved", "felon", "alcohol", "drugs", "black", "married", "educ", "age"],
}
COLUMNS = {"rossi.csv": ("week", "arrest"), "recid.csv": ("durat", "fail"), "uis575.csv": ("time", "event"),
           "rearrest_vermont.csv": ("days", "event"), "alcohol_relapse.csv": ("weeks", "event"),
           "cocaine_relapse.csv": ("weeks", "event")}  # fmt: skip


def _strata(call: str) -> list[str] | None:
    found = re.search(r"strata\(([\w,]+)\)", call)
    return found[1].split(",") if found else None


def _fit(entry: dict[str, Any], terms: list[str]) -> oc.Cox:
    call, frame = entry["call"], data_set(entry["file"])
    ties = entry["values"].get("method", "efron")
    if entry["file"] == "rossi_tvc.csv":
        data = oc.survival_data(frame, entry="start", exit="stop", event="event", id="id")
        robust = None if "se_robust" in entry["values"] else False
        return oc.cox(data, " + ".join(terms), ties=ties, robust=robust)
    frequency = cluster = None
    if "weights_int" in entry["id"]:
        frame, frequency = frame.assign(iw=1 + frame["id"] % 3), "iw"
    found = re.search(r"cluster=(\w+)", call)
    if found:
        cluster = found[1]
    duration, event = surv(call) if "Surv(" in call else COLUMNS[entry["file"]]
    data = oc.survival_data(frame, duration=duration, event=event, frequency=frequency)
    return oc.cox(data, " + ".join(terms), strata=_strata(call), cluster=cluster, ties=ties)


def _check_fit(entry: dict[str, Any]) -> None:
    values = entry["values"]
    fit = _fit(entry, values["terms"])
    frame, ratio = fit.to_frame(), fit.to_frame(exponentiate=True)
    same(frame["estimate"], values["coef"], ITERATED, "coefficients")
    same(np.sqrt(np.diag(fit.model_covariance)), values["se_model"], ITERATED, "model standard errors")
    if "se_robust" in values:
        assert fit.asked.variance == "robust"
        same(frame["std_error"], values["se_robust"], ITERATED, "robust standard errors")
    same(fit.covariance, matrix(values["vcov"]), ITERATED, "covariance")
    same(ratio["estimate"], values["hr"], ITERATED, "ratios")
    if fit.asked.n_clusters is None:
        same(ratio["conf_low"], values["hr_lower95"], ITERATED, "lower limits")
        same(ratio["conf_high"], values["hr_upper95"], ITERATED, "upper limits")
        same(frame["statistic"], values["z"], ITERATED, "z")
        same(frame["p_value"], values["p"], 1e-5, "p")
    else:  # R reads clusters on the normal distribution, however few
        same(frame["estimate"] / frame["std_error"], values["z"], ITERATED, "z")
    same([fit.loglik_null, fit.loglik], [values["loglik_null"], values["loglik"]], ITERATED, "log likelihood")
    counted = fit.data.frequency is not None  # R knows no counts: it squares the weighted sum, and counts rows
    if not counted:
        assert fit.n_events == values["nevent"]
    found = fit.concordance()
    same(found.estimate, values["concordance"], ITERATED, "concordance")
    if not counted and not (fit.data.multi_row and fit.asked.variance == "model"):  # R: by row there, here by person
        same(found.std_error, values["concordance_se"], ITERATED, "concordance se")
    tests = fit.tests().set_index("test")["statistic"]
    if fit.asked.n_clusters is None or fit.asked.n_clusters > len(values["terms"]):
        same(tests["wald"], values["wald"]["test"], ITERATED, "Wald")
    else:
        assert np.isnan(tests["wald"])  # R inverts a singular matrix as far as it goes
    if fit.asked.variance == "model":
        same(tests["likelihood ratio"], values["lrt"]["test"], ITERATED, "likelihood ratio")
        same(tests["score"], values["score"]["test"], ITERATED, "score")


def _check_nested(entry: dict[str, Any]) -> None:
    """The larger model is abbreviated in the call, so that only the smaller one can be fitted."""
    data = oc.survival_data(data_set("rossi.csv"), duration="week", event="arrest")
    values = entry["values"]
    same(oc.cox(data, "fin + prio").loglik, values["loglik"][0], ITERATED)
    same(2 * (values["loglik"][1] - oc.cox(data, "fin + prio").loglik), values["chisq"], ITERATED)


def _check_profile(entry: dict[str, Any]) -> None:
    data = oc.survival_data(data_set("rossi.csv"), duration="week", event="arrest")
    found = oc.cox(data, " + ".join(TERMS["rossi"])).profile().set_index("term").loc["fin"]
    same([found["conf_low"], found["conf_high"]], [entry["values"]["lower"], entry["values"]["upper"]], ITERATED)


RULES = {
    r"cox\..*lrt_nested": _check_nested,
    r"cox\..*profile_ci_fin": _check_profile,
    r"cox\.": _check_fit,
}


@pytest.mark.parametrize("entry", entries("cox"))
def test_cox_agrees_with_coxph(entry: dict[str, Any]) -> None:
    check(entry, RULES)


def _check_zph(entry: dict[str, Any]) -> None:
    call, frame, expected = entry["call"], data_set(entry["file"]), matrix(entry["values"])
    duration, event = COLUMNS[entry["file"]]
    data = oc.survival_data(frame, duration=duration, event=event)
    names = [name for name in expected.index if name != "GLOBAL"]
    terms = names
    if ".factor_" in entry["id"]:
        terms = [*[name for name in names if not name.startswith("hercoc")], "C(hercoc)"]
    ties = "breslow" if ".breslow." in entry["id"] else "efron"
    found = re.search(r"transform='(\w+)'", call)
    fit = oc.cox(data, " + ".join(terms), strata=_strata(call), ties=ties)
    ours = fit.proportional_hazards(
        transform=found[1] if found else "km", by_term="noterms" not in entry["id"]
    ).to_frame()
    ours.index = pd.Index([_as_r(name) for name in ours["term"]])
    assert sorted(ours.index) == sorted(expected.index)
    ours = ours.loc[expected.index]
    same(ours["statistic"], expected["chisq"], ITERATED, "chi-squared")
    same(ours["df"], expected["df"], 0, "df")
    same(ours["p_value"], expected["p"], 1e-5, "p")


def _as_r(name: str) -> str:
    return re.sub(r"^C\((\w+)\)(?:\[(\w+)\])?$", lambda m: m[1] + (m[2] or ""), name)


def _model(entry: dict[str, Any], **more: Any) -> oc.Cox:
    """Return the full model of the entry's data set, ties as its id says."""
    name = entry["file"].removesuffix(".csv")
    duration, event = COLUMNS[entry["file"]]
    data = oc.survival_data(data_set(entry["file"]), duration=duration, event=event, **more)
    terms = TERMS.get(name) or list(entry["values"]["means"])
    return oc.cox(data, " + ".join(terms), ties="breslow" if ".breslow" in entry["id"] else "efron")


def _check_baseline(entry: dict[str, Any]) -> None:
    values, fit = entry["values"], _model(entry)
    if entry["id"].endswith("zero"):
        steps = fit.baseline_hazard().set_index("time")["cumulative_hazard"]
        ours = steps.reindex(np.union1d(steps.index, values["time"])).ffill().loc[values["time"]]
    else:
        ours = fit.predict(pd.DataFrame([values["means"]]), times=values["time"]).to_frame()["cumulative_hazard"]
    same(ours, values["cumhaz"], ITERATED, "cumulative hazard")


def _check_curves(entry: dict[str, Any]) -> None:
    values, last = entry["values"], entry["id"].rsplit(".", 1)[1]
    scale = last if last in ("plain", "log", "log-log") else "log"
    new = pd.DataFrame(values["newdata"])
    found = _model(entry).predict(new, times=values["times"], conf_type=scale).to_frame()
    for theirs, ours in {"surv": "estimate", "std_err": "std_error", "lower": "conf_low", "upper": "conf_high"}.items():
        table = matrix(values[theirs])
        same(found[ours].to_numpy().reshape(table.shape[::-1]).T, table, ITERATED, theirs)


def _check_g_formula(entry: dict[str, Any]) -> None:
    values = entry["values"]
    arm = "fin" if entry["file"] == "rossi.csv" else "workprg"
    curves = _model(entry, arm=arm, reference=0).standardised()
    ours = curves.at(values["times"]).pivot_table(index="time", columns="arm", values="estimate")
    same(ours["0"], values["surv_a0"], ITERATED, "reference")
    same(ours["1"], values["surv_a1"], ITERATED, "arm")
    gap = oc.compare(curves, measure="risk_difference", at=values["times"]).to_frame()["estimate"]
    same(gap, values["risk_diff_a1_minus_a0"], ITERATED, "difference")


def _check_residuals(entry: dict[str, Any]) -> None:
    values, fit = entry["values"], _model(entry)
    people = np.array(values["ids"]) - 1
    for kind in ("martingale", "deviance"):
        same(fit.residuals(kind)[kind].to_numpy()[people], values[kind], ITERATED, kind)
    for kind in ("score", "dfbeta", "dfbetas"):
        same(fit.residuals(kind).to_numpy()[people], matrix(values[kind]), ITERATED, kind)
    for kind, theirs in {"schoenfeld": "schoenfeld_first5", "scaled_schoenfeld": "scaledsch_first5"}.items():
        same(fit.residuals(kind).iloc[:5, 1:], matrix(values[theirs]), ITERATED, kind)
    expected = (data_set(entry["file"])["arrest"] - fit.residuals()["martingale"]).to_numpy()[people]
    same(expected, values["expected"], ITERATED, "expected")
    same(np.exp(-expected), values["survival"], ITERATED, "survival")


def _check_concordance(entry: dict[str, Any]) -> None:
    values, last = entry["values"], entry["id"].rsplit(".", 1)[1]
    asked = {"up_to": 26} if last == "ymax26" else {"time_weight": last.replace("_over_", "/")}
    found = _model(entry).concordance(**asked)
    same([found.estimate, found.std_error], [values["concordance"], values["se"]], ITERATED, "concordance")
    if "counts" in values:
        counts = values["counts"]
        same(
            [found.concordant, found.discordant, found.tied],
            [counts["concordant"], counts["discordant"], counts["tied.x"]],
            ITERATED,
        )


DIAGNOSTICS = {
    r"zph\.": _check_zph,
    r"zph_old": "the superseded approximation of survival 2",
    r"basehaz": _check_baseline,
    r"survfit_cox": _check_curves,
    r"gformula": _check_g_formula,
    r"resid\.": _check_residuals,
    r"concordance": _check_concordance,
}


@pytest.mark.parametrize("entry", entries("cox_diagnostics"))
def test_what_is_asked_of_a_fit_agrees_with_survival(entry: dict[str, Any]) -> None:
    check(entry, DIAGNOSTICS)
