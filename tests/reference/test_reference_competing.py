"""Cumulative incidences against survfit (Aalen–Johansen), cmprsk and mstate, entry by entry."""

from __future__ import annotations

from typing import Any

import pytest
from r_numbers import CLOSED_FORM, check, data_set, entries, matrix, same

import outcomes as oc

TIME = {"mgus2_cr.csv": ("etime", "event"), "melanoma.csv": ("time", "status")}
CAUSES = {1: "first", 2: "second"}


def _data(file: str, arm: str | None) -> oc.SurvivalData:
    frame = data_set(file)
    duration, event = TIME[file]
    reference = None if arm is None else sorted(frame[arm].unique())[0]
    return oc.survival_data(
        frame, duration=duration, event=event, censored=0, causes=CAUSES, arm=arm, reference=reference
    )


def _check_states(entry: dict[str, Any]) -> None:
    arm, kind = entry["id"].split(".")[2:]
    data = _data(entry["file"], None if arm == "all" else arm)
    found = oc.cumulative_incidence(data, conf_type="arcsine" if kind == "arcsin" else kind)
    values = entry["values"]
    strata, times = values["strata"], values["time"]
    for index, name in enumerate(data.arms):
        rows = [i for i, s in enumerate(strata) if arm == "all" or s == f"{arm}={name}"]
        at = [times[i] for i in rows]
        free = found.event_free(at)
        incidence = found.at(at)
        tables = [free[free["arm"] == name]]
        tables += [incidence[(incidence["arm"] == name) & (incidence["cause"] == cause)] for cause in data.causes]
        for state, ours in enumerate(tables):
            for column, theirs in (
                ("estimate", "pstate"),
                ("std_error", "std_err"),
                ("conf_low", "lower"),
                ("conf_high", "upper"),
            ):
                expected = matrix(values[theirs]).iloc[rows, state].astype(float)
                same(ours[column], expected, CLOSED_FORM, f"{name} ({index}) state {state} {column}")
        same(tables[0]["n_at_risk"], matrix(values["n_risk"]).iloc[rows, 0], 0, "at risk")


def _check_cuminc(entry: dict[str, Any]) -> None:
    values, arm = entry["values"], entry["id"].split(".")[2]
    data = _data(entry["file"], None if arm == "all" else arm)
    found = oc.cumulative_incidence(data, variance="aalen").at(values["times"])
    estimate, variance = matrix(values["est"]), matrix(values["var"])
    for label in estimate.index:
        name, cause = label.rsplit(" ", 1)
        picked = found[(found["cause"] == CAUSES[int(cause)]) & ((found["arm"] == name) | (arm == "all"))]
        last = data.exit[data.row_arm == data.arms.index(picked["arm"].iloc[0])].max()
        known = (picked["time"] <= last).to_numpy()
        same(picked["estimate"][known], estimate.loc[label].astype(float)[known], CLOSED_FORM, label)
        same(
            picked["std_error"][known] ** 2, variance.loc[label].astype(float)[known], CLOSED_FORM, f"variance {label}"
        )
    if arm != "all":
        _check_gray(entry)


def _check_gray(entry: dict[str, Any]) -> None:
    """Every event of every cause against cmprsk's test; the id names the arm, and rho or the strata."""
    _, _, arm, *more = entry["id"].split(".")
    rho = next((float(part.removeprefix("rho")) for part in more if part.startswith("rho")), 0.0)
    strata = next((part.removeprefix("strata_") for part in more if part.startswith("strata_")), None)
    tests = matrix(entry["values"]["gray_tests"])
    data = _data(entry["file"], arm)
    for code, row in tests.iterrows():
        found = oc.gray_test(data, cause=CAUSES[int(code)], rho=rho, strata=strata)
        same(
            [found.statistic, found.df, found.p_value],
            [row["stat"], row["df"], row["pv"]],
            CLOSED_FORM,
            f"cause {code}",
        )


def _check_limits(entry: dict[str, Any]) -> None:
    values = entry["values"]
    data = _data("melanoma.csv", None)
    same(1 - oc.kaplan_meier(data, cause="first").at(values["times"])["estimate"], values["one_minus_km"], CLOSED_FORM)
    found = oc.cumulative_incidence(data, variance="aalen").at(values["times"])
    found = found[found["cause"] == "first"]
    same(found["estimate"], values["cif"], CLOSED_FORM)
    same(found["std_error"], values["se"], CLOSED_FORM)
    same(found["conf_low"], values["loglog_lower_F"], CLOSED_FORM)
    same(found["conf_high"], values["loglog_upper_F"], CLOSED_FORM)


def _check_mstate(entry: dict[str, Any]) -> None:
    values = entry["values"]
    found = oc.cumulative_incidence(_data(entry["file"], None))
    at = found.at(values["time"])
    same(found.event_free(values["time"])["estimate"], values["surv"], CLOSED_FORM)
    for cause, column, error in (("first", "ci1", "se1"), ("second", "ci2", "se2")):
        ours = at[at["cause"] == cause]
        same(ours["estimate"], values[column], CLOSED_FORM)
        same(ours["std_error"], values[error], 0.01)  # Greenwood-type there, jackknife here


RULES = {
    r"aj\.mgus2": _check_states,
    r"mstate\..*Cuminc": _check_mstate,
    r"cuminc.*strata": _check_gray,
    r"cuminc.*naive_vs_cif": _check_limits,
    r"cuminc": _check_cuminc,
}


@pytest.mark.parametrize("entry", entries("multistate"))
def test_aalen_johansen_agrees_with_survfit(entry: dict[str, Any]) -> None:
    check(entry, RULES)


@pytest.mark.parametrize("entry", entries("cuminc_gray"))
def test_cumulative_incidence_agrees_with_cuminc(entry: dict[str, Any]) -> None:
    check(entry, RULES)
