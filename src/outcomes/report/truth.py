"""The true answer beside the estimates, where data are invented and the truth is that of the study's own question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.comparison.comparing import Comparison
from outcomes.comparison.sentences import when
from outcomes.design.study import Study

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["true_answer", "true_rows", "truth_in_words"]


def true_answer(
    truth: Mapping[str, Any] | None,
    study: Study,
    outcome: str,
    horizon: float,
    *,
    people: Mapping[str, int],
    tables: Mapping[str, str],
) -> dict[str, Any] | None:
    """Return the true risks and event-free days that answer a study's own question; None where the truth answers another.

    Parameters
    ----------
    truth : mapping or None
        As `outcomes synth` writes it; it names the question it answers in the words of a study file.
    study : Study
    outcome : str
    horizon : float
        In days.
    people : mapping of arm to int
        People the study compares: the truth must be of as many.
    tables : mapping of file name to sha256
        Of the tables the study was made from: the truth must be theirs.
    """
    if truth is None or study.adjust is None or "question" not in truth or len(study.arms.names) != 2:
        return None
    if not tables or any(truth.get("outputs", {}).get(name) != value for name, value in tables.items()):
        return None
    n = {"att": people[study.arms.names[1]], "atc": people[study.arms.names[0]]}.get(
        study.adjust.estimand, sum(people.values())
    )
    spec = study.outcomes[outcome]
    name = f"{outcome}_before_recall" if "recall" in spec.competing else outcome
    label = {days: words for words, days in truth["horizons_days"].items()}.get(horizon)
    population = _population(study)
    if population is None or label is None or not _same_question(truth, study, name, outcome):
        return None
    wanted = {
        "population": population,
        "outcome": name,
        "version": "proven",
        "horizon": label,
        "scale": study.follow_up.scale,
    }
    for row in truth["results"]:
        if all(row.get(key) == value for key, value in wanted.items()) and row["n"] == n:
            sides = {"reference": study.arms.names[0], "arm": study.arms.names[1]}
            return {f"{side}_{kind}": row[f"{kind}_{who}"] for kind in ("risk", "rmst") for side, who in sides.items()}
    return None


def _population(study: Study) -> str | None:
    reference, arm = study.arms.names
    estimand = "" if study.adjust is None else study.adjust.estimand
    return {
        ("both", "ato"): "both_overlap",
        ("both", "ate"): "both",
        ("own", "att"): f"own_{arm}",
        ("own", "atc"): f"own_{reference}",
    }.get((study.eligibility.population, estimand))


def _same_question(truth: Mapping[str, Any], study: Study, name: str, outcome: str) -> bool:
    """Return whether study and truth speak of the same arms, people, time zero and outcome."""
    question, spec, arms = truth["question"], study.outcomes[outcome], study.arms
    taken = {
        arm: {key: list(value) for key in ("family", "programme", "strand") if (value := getattr(one, key))}
        for arm, one in arms.definitions.items()
    }
    return bool(
        not (study.codes or study.columns or study.checks.drop)
        and study.follow_up.data_cut <= np.datetime64(truth["data_cut"]).astype(np.int64)
        and taken == question["arms"]
        and (arms.assigned_by, arms.window, arms.if_both)
        == (question["assigned_by"], question["window"], question["if_both"])
        and study.time_zero.event == question["time_zero"]
        and sorted(map(str, study.eligibility.include))
        == sorted(question["include"].get(study.eligibility.population, ["none"]))
        and set(spec.types) == set(question["types"].get(name, []))
        and set(spec.competing) == set(question["competing"].get(name, []))
        and truth["proven_within_days"].get(name) == spec.proving_period
    )


def true_rows(frame: pd.DataFrame, true: Mapping[str, Any]) -> pd.DataFrame:
    """Return the truth on the scales it is known on, as rows beside the estimates."""
    import pandas as pd

    rows = []
    for measure, kind in (("risk_difference", "risk"), ("risk_ratio", "risk"), ("rmst_difference", "rmst")):
        like = frame[frame["measure"] == measure].iloc[0]
        reference, arm = true[f"reference_{kind}"], true[f"arm_{kind}"]
        rows.append(
            {
                "analysis": "truth",
                **{name: like[name] for name in ("outcome", "population", "estimand", "scale", "arm", "reference", "cause", "time")},
                "measure": measure,
                "estimate": arm - reference if measure != "risk_ratio" else arm / reference if reference else float("nan"),
                "value_reference": reference,
                "value_arm": arm,
                "n": like["n"],
                "verdict": "",
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def truth_in_words(true: Mapping[str, Any], found: list[tuple[str, Comparison]]) -> str:
    """Return the truth, and which of the intervals of the risk difference hold it."""
    difference = true["arm_risk"] - true["reference_risk"]
    held = []
    for name, made in found:
        row = made.frame.iloc[0]
        if row["measure"] == "risk_difference" and row["conf_low"] == row["conf_low"]:
            inside = row["conf_low"] <= difference <= row["conf_high"]
            held.append(f"the {name} interval {'contains' if inside else 'does not contain'} it")
    first = found[0][1].frame.iloc[0]
    time = when(first.to_dict(), found[0][1].labels)
    apart = (
        f"{100 * abs(difference):.1f} {'fewer' if difference < 0 else 'more'} per 100"
        if difference
        else "no difference"
    )
    return (
        f"The data are invented, so the truth is known: by {time}, {100 * true['arm_risk']:.1f} of 100 people under {first['arm']} and "
        f"{100 * true['reference_risk']:.1f} under {first['reference']}, {'; '.join([apart, *filter(None, [' and '.join(held)])])}."
    )
