"""The log-rank family against R's survdiff, entry by entry."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from r_numbers import CLOSED_FORM, check, data_set, entries, matrix, same, surv

import outcomes as oc

COLUMNS = {"recid": ("durat", "fail"), "vermont": ("days", "event"), "uis575": ("time", "event"),
           "rossi": ("week", "arrest"), "cocaine": ("weeks", "event"), "alcohol": ("weeks", "event")}  # fmt: skip
NAMES = {"property": "property_crime", "person": "person_crime"}
FAMILY = {"logrank": (0, 0), "fh10": (1, 0), "fh01": (0, 1), "fh11": (1, 1), "fh_half": (0.5, 0)}


def _by(entry: dict[str, Any], arm: str, name: str) -> oc.SurvivalData:
    frame = data_set(entry["file"])
    duration, event = surv(entry["call"]) if "Surv(" in entry["call"] else COLUMNS[name]
    return oc.survival_data(frame, duration=duration, event=event, arm=arm, reference=min(frame[arm].unique()))


def _check_survdiff(entry: dict[str, Any]) -> None:
    _, name, arm, *rest = entry["id"].replace("survdiff.strat.", "survdiff.").split(".", 3)
    strata = None
    if "_by_" in arm:
        arm, by = arm.split("_by_")
        strata = by.split("_")
    rho = next((float(part.removeprefix("rho")) for part in rest if part.startswith("rho")), 0.0)
    found = oc.logrank_test(_by(entry, NAMES.get(arm, arm), name), rho=rho, strata=strata)
    values = entry["values"]
    assert list(found.n) == values["n"]
    same(found.observed, values["obs"], CLOSED_FORM, "observed")
    same(found.expected, values["exp"], CLOSED_FORM, "expected")
    same(found.covariance, matrix(values["var"]), CLOSED_FORM, "covariance")
    same([found.statistic, found.df, found.p_value], [values["chisq"], values["df"], values["p"]], CLOSED_FORM, "test")


def _check_family(entry: dict[str, Any]) -> None:
    _, name, arm = entry["id"].split(".")
    data = _by(entry, NAMES.get(arm, arm), name)
    for kind, (rho, gamma) in FAMILY.items():
        found, values = oc.logrank_test(data, rho=rho, gamma=gamma), entry["values"][kind]
        same((found.observed - found.expected)[: len(values["U"])], values["U"], CLOSED_FORM, kind)
        same(
            [found.statistic, found.df, found.p_value], [values["chisq"], values["df"], values["p"]], CLOSED_FORM, kind
        )
    assert not set(entry["values"]) - set(FAMILY) - {
        "gehan", "tarone_ware", "peto_peto_St", "mod_peto_peto_St_n_over_n1"  # outside G(rho, gamma)
    }  # fmt: skip


def _check_pairs(entry: dict[str, Any]) -> None:
    table = matrix(entry["values"])
    _, name, arm, adjusted = entry["id"].split(".")
    column = {"none": "p_value", "holm": "p_holm", "BH": "p_bh"}[adjusted]
    found = oc.pairwise_logrank_test(_by(entry, arm, name)).to_frame()
    assert len(found) == table.notna().to_numpy().sum()
    for row in found.to_dict("records"):
        same(
            row[column],
            table.loc[row["arm"], row["reference"]],
            CLOSED_FORM,
            f"{row['arm']} against {row['reference']}",
        )


def _check_trend(entry: dict[str, Any]) -> None:
    _, name, arm = entry["id"].split(".")
    data = _by(entry, NAMES.get(arm, arm), name)
    found, values = oc.logrank_test(data, scores=range(1, len(data.arms) + 1)), entry["values"]
    same([found.statistic, found.df, found.p_value], [values["chisq"], values["df"], values["p"]], CLOSED_FORM, "trend")


def _check_max_combo(entry: dict[str, Any]) -> None:
    _, name, arm = entry["id"].split(".")[:3]
    found, values = oc.max_combo_test(_by(entry, NAMES.get(arm, arm), name)), entry["values"]
    if "z" in values:
        same(np.abs(found.z), np.abs(values["z"]), CLOSED_FORM, "z")
    same(found.p_value, values["p"], 5e-3, "p")  # theirs is drawn at random


RULES = {
    r"survdiff": _check_survdiff,
    r"wlr": _check_family,
    r"pairwise": _check_pairs,
    r"trend": _check_trend,
    r"maxcombo": _check_max_combo,
}


@pytest.mark.parametrize("entry", entries("logrank"))
def test_logrank_agrees_with_survdiff(entry: dict[str, Any]) -> None:
    check(entry, RULES)
