"""From answers in many cohorts to one row a bias: how far naive and right are off, and whether that passes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from gates import gates_for
from switches import OFF, SWITCHES, Switch

__all__ = ["summarised"]

ERRORS = 3
"""Monte-Carlo errors beyond which the naive answer counts as moved, and within which two answers agree."""


def summarised(rows: pd.DataFrame) -> pd.DataFrame:
    """Return one row a bias, then one a question asked with every bias off.

    Columns: part (switched, all off), question, kind, cohorts, truth, naive, naive_truth, naive_error, naive_mcse, right, right_error,
    right_sd, right_mcse, moved, held; apart, apart_mcse, within (share of cohorts whose two answers are within 3 standard errors of
    their difference), agree; gate.
    """
    found = [_switched(switch, mine) for switch in SWITCHES if len(mine := _rows(rows, switch.bias))]
    off = rows[rows["on"] == OFF]
    found += [_agreeing(str(question), mine) for question, mine in off.groupby("question", sort=False)]
    return pd.DataFrame(found)


def _rows(rows: pd.DataFrame, bias: str) -> pd.DataFrame:
    return rows[rows["on"] == bias]


def _switched(switch: Switch, rows: pd.DataFrame) -> dict[str, Any]:
    """Return the row of one bias."""
    naive, right = _spread(rows) if switch.kind == "spread" else _errors(rows)
    gates, count = gates_for(len(rows)), len(rows)
    moved = abs(naive["error"]) > ERRORS * naive["mcse"]
    held = gates.near(right["error"], right["sd"], right["mcse"])
    if switch.kind == "betrayed":
        held = abs(right["error"]) > ERRORS * right["mcse"]
    gate = {"betrayed": "shown, not mended"}.get(switch.kind, "pass") if moved and held else "FAIL"
    return {
        "part": "switched", "question": switch.bias, "kind": switch.kind, "cohorts": count, "truth": right["truth"],
        "naive": naive["mean"], "naive_truth": naive["truth"], "naive_error": naive["error"], "naive_mcse": naive["mcse"],
        "right": right["mean"], "right_error": right["error"], "right_sd": right["sd"], "right_mcse": right["mcse"],
        "moved": moved, "held": held, "gate": gate,
    }  # fmt: skip


def _errors(rows: pd.DataFrame) -> tuple[dict[str, float], dict[str, float]]:
    """Return mean, truth, mean error, its Monte-Carlo error and the spread of errors, of the naive and of the right answer."""
    truth, own = (rows[name].to_numpy(dtype=np.float64) for name in ("truth", "naive_truth"))
    unsure = float(rows["truth_error"].max())  # of a truth that all cohorts share
    both = []
    for name, true in (("naive", np.where(np.isnan(own), truth, own)), ("right", truth)):
        values = rows[name].to_numpy()
        error = values - true
        sd = float(error.std(ddof=1))
        mcse = float(np.hypot(sd / np.sqrt(len(error)), unsure))
        both.append(
            {
                "mean": float(values.mean()),
                "truth": float(true.mean()),
                "error": float(error.mean()),
                "sd": sd,
                "mcse": mcse,
            }
        )
    return both[0], both[1]


def _spread(rows: pd.DataFrame) -> tuple[dict[str, float], dict[str, float]]:
    """Return the same of standard errors over the spread of the estimate (kept as the truth of its cohort); true is 1."""
    estimate = rows["truth"].to_numpy()
    both = []
    for name in ("naive", "right"):
        errors = rows[name].to_numpy()
        left_out = [_ratio(np.delete(errors, k), np.delete(estimate, k)) for k in range(len(rows))]
        mcse = float(np.sqrt((len(rows) - 1) * np.var(left_out)))  # jackknife
        ratio = _ratio(errors, estimate)
        both.append(
            {"mean": ratio, "truth": 1.0, "error": ratio - 1, "sd": mcse * float(np.sqrt(len(rows))), "mcse": mcse}
        )
    return both[0], both[1]


def _ratio(errors: np.ndarray, estimate: np.ndarray) -> float:
    return float(errors.mean() / estimate.std(ddof=1))


def _agreeing(question: str, rows: pd.DataFrame) -> dict[str, Any]:
    """Return the row of one question with every bias off."""
    apart = (rows["naive"] - rows["right"]).to_numpy()
    mean, sd, count = float(apart.mean()), float(apart.std(ddof=1)), len(apart)
    agree = abs(mean) <= ERRORS * sd / np.sqrt(count)
    return {
        "part": OFF, "question": question, "kind": "estimate", "cohorts": count, "naive": float(rows["naive"].mean()),
        "right": float(rows["right"].mean()), "apart": mean, "apart_mcse": sd / np.sqrt(count),
        "within": float((np.abs(apart) <= ERRORS * sd).mean()), "agree": agree, "gate": "pass" if agree else "FAIL",
    }  # fmt: skip
