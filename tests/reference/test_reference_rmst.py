"""Restricted means against survRM2 and survfit, entry by entry."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from r_numbers import CLOSED_FORM, ITERATED, check, data_set, entries, matrix, same

import outcomes as oc

COLUMNS = {"rossi.csv": ("week", "arrest"), "recid.csv": ("durat", "fail"), "uis575.csv": ("time", "event"),
           "rearrest_vermont.csv": ("days", "event")}  # fmt: skip
ARM = {"rossi.csv": "fin", "recid.csv": "workprg", "uis575.csv": "treat", "rearrest_vermont.csv": "property_crime"}


def _rmst(entry: dict[str, Any], **asked: Any) -> oc.Rmst:
    file = entry["file"]
    duration, event = COLUMNS[file]
    data = oc.survival_data(data_set(file), duration=duration, event=event, arm=ARM[file], reference=0)
    found = re.search(r"tau(\d+)", entry["id"])
    assert found is not None
    return oc.rmst(data, horizon=float(found[1]), **asked)


def _check_survrm2(entry: dict[str, Any]) -> None:
    result, values = _rmst(entry), entry["values"]
    frame = result.to_frame()
    for arm in (0, 1):
        table = matrix(values[f"arm{arm}"])
        for measure, row in (("rmst", "RMST"), ("rmtl", "RMTL")):
            ours = frame[(frame["arm"] == str(arm)) & (frame["measure"] == measure)].iloc[0]
            got = [ours["estimate"], ours["std_error"], ours["conf_low"], ours["conf_high"]]
            same(got, table.loc[row].astype(float), CLOSED_FORM, f"arm {arm} {measure}")
    contrasts = matrix(values["unadjusted"])
    _check_contrasts(result, contrasts)


def _check_contrasts(result: oc.Rmst, table: Any) -> None:
    """Difference and ratios by the delta method from our estimates and standard errors alone."""
    for measure, row, log in (("rmst", 0, False), ("rmst", 1, True), ("rmtl", 2, True)):
        found = result.arm_estimates(measure=measure)
        (low, high), variance = found.estimate[0], found.covariance[0]
        slope = np.array([-1 / low, 1 / high]) if log else np.array([-1.0, 1.0])
        value = np.log(high / low) if log else high - low
        reach = 1.959963984540054 * np.sqrt(slope @ variance @ slope)
        got = np.array([value, value - reach, value + reach])
        same(np.exp(got) if log else got, table.iloc[row, :3].astype(float), CLOSED_FORM, str(table.index[row]))


def _check_survfit(entry: dict[str, Any]) -> None:
    frame, table = _rmst(entry).to_frame(), matrix(entry["values"])
    ours = frame[frame["measure"] == "rmst"]
    same(ours["estimate"], table["rmean"], CLOSED_FORM, "restricted mean")
    same(ours["std_error"], table["se(rmean)"], CLOSED_FORM, "standard error")
    assert ours["n"].tolist() == table["records"].tolist()


def _check_regression(entry: dict[str, Any]) -> None:
    """Every coefficient of the difference; the arm's for ratios, which are fitted by iteration."""
    values, file = entry["values"], entry["file"]
    duration, event = COLUMNS[file]
    data = oc.survival_data(data_set(file), duration=duration, event=event, arm=ARM[file], reference=0)
    tau, covariates = re.search(r"tau=(\d+), covariates=([\w+]+)", entry["call"]).groups()  # type: ignore[union-attr]
    asked = {"formula": f"{ARM[file]} + {covariates}", "horizon": float(tau)}
    found = oc.rmst_regression(data, **asked).to_frame()
    shown = ["estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"]
    table = matrix(values["diff_model"]).astype(float)
    got = found[shown].to_numpy()
    got[table["p"] < 1e-9, 3] = 0  # below, theirs is 1 less a number near 1
    table["p"] = table["p"].where(table["p"] >= 1e-9, 0)
    same(got, table, CLOSED_FORM, "difference")
    for measure, row in (("ratio", 1), ("lost_ratio", 2)):
        ours = oc.rmst_regression(data, measure=measure, **asked).to_frame(exponentiate=True).iloc[1]
        got = [ours["estimate"], ours["conf_low"], ours["conf_high"], ours["p_value"]]
        same(got, matrix(values["adjusted"]).iloc[row].astype(float), ITERATED, measure)


RULES = {
    r"rmst_adjusted": _check_regression,
    r"rmst\.": _check_survrm2,
    r"rmean_survfit": _check_survfit,
}


@pytest.mark.parametrize("entry", entries("rmst"))
def test_restricted_means_agree_with_survrm2(entry: dict[str, Any]) -> None:
    check(entry, RULES)
