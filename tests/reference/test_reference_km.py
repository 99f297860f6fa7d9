"""Kaplan–Meier, Nelson–Aalen and Fleming–Harrington against R's survfit, entry by entry."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from r_numbers import CLOSED_FORM, check, data_set, entries, same, surv

import outcomes as oc
from outcomes import SurvivalData

CONF_TYPES = {"plain": "plain", "log": "log", "log-log": "log-log", "logit": "logit", "arcsin": "arcsine"}
COLUMNS = {"rossi": ("week", "arrest"), "recid": ("durat", "fail"), "uis575": ("time", "event"),
           "rearrest_vermont": ("days", "event"), "alcohol": ("weeks", "event"), "cocaine": ("weeks", "event"),
           "melanoma": ("time", "status")}  # fmt: skip


def _data(entry: dict[str, Any]) -> tuple[SurvivalData, list[str]]:
    """Return the data with the arm named in the id, and R's labels of the arms in our order."""
    _, name, arm = entry["id"].split(".")[:3]
    frame = data_set(entry["file"])
    duration, event = surv(entry["call"]) if "Surv(" in entry["call"] else COLUMNS[name]
    if arm == "all":
        return oc.survival_data(frame, duration=duration, event=event, unit="units"), ["all"]
    levels = sorted(frame[arm].unique())
    data = oc.survival_data(frame, duration=duration, event=event, arm=arm, reference=levels[0], unit="units")
    return data, [f"{arm}={level}" for level in levels]


def _check_curve(entry: dict[str, Any]) -> None:
    data, labels = _data(entry)
    kind = entry["id"].split(".")[3]
    level = 0.95
    if kind == "loglog90":
        kind, level = "log-log", 0.90
    km = oc.kaplan_meier(data, conf_type=CONF_TYPES[kind], conf_level=level)
    values = entry["values"]
    table = values.get("at_times", values)
    for label, arm in zip(labels, data.arms, strict=True):
        rows = [i for i, s in enumerate(table["strata"]) if s == label]
        ours = km.at([table["time"][i] for i in rows])
        ours = ours[ours["arm"] == arm]
        rows, ours = _within_follow_up(rows, ours, data, arm)
        for column, theirs in (
            ("estimate", "surv"),
            ("std_error", "std_err"),
            ("conf_low", "lower"),
            ("conf_high", "upper"),
            ("n_at_risk", "n_risk"),
        ):
            same(ours[column], [table[theirs][i] for i in rows], CLOSED_FORM, f"{label} {column}")
        same(ours["n_events"].diff().fillna(ours["n_events"]), [table["n_event"][i] for i in rows], 0, "events between")
        lost = ours["n_censored"].diff().fillna(ours["n_censored"])
        same(lost, [table["n_censor"][i] for i in rows], 0, "censored between")
    if "quantiles" in values:
        _check_quantiles(km, values, labels)


def _within_follow_up(
    rows: list[int], ours: pd.DataFrame, data: SurvivalData, arm: str
) -> tuple[list[int], pd.DataFrame]:
    """Drop times beyond the arm's follow-up: R carries its last value there (extend=TRUE), we say nothing."""
    beyond = ours["time"] > data.exit[data.row_arm == data.arms.index(arm)].max()
    assert ours.loc[beyond, ["estimate", "std_error"]].isna().all(axis=None)
    assert not beyond.all()
    return [row for row, out in zip(rows, beyond, strict=True) if not out], ours[~beyond]


def _check_quantiles(km: oc.KaplanMeier, values: dict[str, Any], labels: list[str]) -> None:
    shares = values["quantile_probs_of_event"]
    for k, share in enumerate(shares):
        ours = km.quantile(share)
        for column, theirs in (("time", "quantile"), ("conf_low", "lower"), ("conf_high", "upper")):
            table = values["quantiles"][theirs]
            expected = [table[label][k] if isinstance(table, dict) else table[k] for label in labels]
            missing = [value is None for value in expected]
            assert ours[column].isna().tolist() == missing, f"{column} at {share}"
            same(ours[column], expected, CLOSED_FORM, f"quantile {share} {column}")
    table = values["table_median"]
    summary = km.summary()
    rows = [table] if "records" in table else [dict(zip(table["cols"], row, strict=True)) for row in table["values"]]
    assert summary["n"].tolist() == [row["records"] for row in rows]
    assert summary["n_events"].tolist() == [row["events"] for row in rows]
    for column, theirs in (("median", "median"), ("conf_low", "0.95LCL"), ("conf_high", "0.95UCL")):
        same(summary[column], [row[theirs] for row in rows], CLOSED_FORM, column)


def _check_hazard(entry: dict[str, Any]) -> None:
    data, labels = _data(entry)
    ties = "fleming-harrington" if entry["id"].startswith("fh.") else "nelson-aalen"
    found, table = oc.nelson_aalen(data, ties=ties), entry["values"]
    for label, arm in zip(labels, data.arms, strict=True):
        rows = [i for i, s in enumerate(table["strata"]) if s == label]
        ours = found.at([table["time"][i] for i in rows])
        ours = ours[ours["arm"] == arm]
        rows, ours = _within_follow_up(rows, ours, data, arm)
        same(ours["estimate"], [table["cumhaz"][i] for i in rows], CLOSED_FORM, f"{label} hazard")
        same(ours["std_error"], [table["se"][i] for i in rows], CLOSED_FORM, f"{label} standard error")


RULES = {r"km\.": _check_curve, r"(na|fh)\.": _check_hazard}


@pytest.mark.parametrize("entry", entries("km"))
def test_kaplan_meier_agrees_with_survfit(entry: dict[str, Any]) -> None:
    check(entry, RULES)
