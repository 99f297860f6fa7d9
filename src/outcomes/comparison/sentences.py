"""Contrasts in words: absolute before relative, the direction said, with people, events, interval, population, estimand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from outcomes.comparison.planning import plan_of
from outcomes.durations import in_words

__all__ = ["NO_RATIO", "in_short", "rounded_up", "runs_away", "sentence", "when"]

_RATIOS = {
    "risk_ratio": ("risk ratio", "lower", "higher"),
    "odds_ratio": ("odds ratio", "lower", "higher"),
    "rmst_ratio": ("ratio of event-free time", "shorter", "longer"),
    "count_ratio": ("ratio of mean counts", "lower", "higher"),
    "hazard_ratio": ("hazard ratio", "lower", "higher"),
}
NO_RATIO = "no number, since events are too few for one"
_WIDEST = 1e6  # times the lower limit: wider intervals say that nothing is known
_POPULATIONS = {"both": "eligible for every arm", "own": "each arm's own people"}
_ESTIMANDS = {
    "none": "unadjusted",
    "weighted": "weighted",
    "conditional": "given the model's other terms",
    "ate": "weighted to everybody in the two arms (ATE)",
    "att": "weighted to the people of {arm} (ATT)",
    "atc": "weighted to the people of {reference} (ATC)",
    "ato": "weighted to those who might have gone to either arm (ATO)",
    "atm": "weighted to those who have a match in the other arm (ATM)",
    "matched_ate": "weighted to everybody in the two arms who could be matched (ATE of the matched)",
    "matched_att": "weighted to the people of {arm} who could be matched (ATT of the matched)",
    "matched_atc": "weighted to the people of {reference} who could be matched (ATC of the matched)",
}
_OF_SEVERAL = {
    "ate": "weighted to everybody in all arms (ATE)",
    "att": "weighted to the people of {focal} (ATT)",
    "ato": "weighted to those who might have gone to any arm (ATO)",
    "atm": "weighted to those who have a match in every other arm (ATM)",
}


_SCALES = {
    "calendar": "calendar time",
    "at_risk": "calendar time, at risk only while in the community",
    "community": "time in the community, whose clock stops while away",
}


def sentence(
    row: Mapping[Any, Any],
    labels: Mapping[str, str],
    conf_level: float,
    plan: Mapping[Any, Any] | None = None,
    margin: float | None = None,
) -> str:
    """Return one contrast in plain sentences.

    Parameters
    ----------
    row : mapping
        A row of a comparison, with ``value_reference`` and ``value_arm``.
    labels : mapping
        Of the data: unit, outcome, proven_within; of weights of several arms: focal, the arm an ATT is about, empty where none is.
    conf_level : float
    plan : mapping, optional
        The row of ``Comparison.design`` beside it. Default, for a difference in risk: what its own row says the design could have found.
    margin : float, optional
        In percentage points, or in the unit of time.
    """
    level = f"{100 * conf_level:g} % interval"
    who = f"({_basis(row, labels)})"
    measure = row["measure"]
    if measure == "risk_difference":
        text = f"{_risks(row, labels)}: {_per_hundred(row['estimate'])} per 100 {_limits(row, level, 100.0)} {who}."
        known = plan_of(row, conf_level, margin) if plan is None else plan
        return f"{text} {_verdict(row, known, margin, 'per 100')}"
    if measure == "rmst_difference":
        unit = labels.get("unit", "days")
        text = f"{_means(row, labels)}: {_more(row['estimate'])} {unit} {_limits(row, level, 1.0)} {who}."
        return f"{text} {_verdict(row, plan, margin, unit)}"
    if measure == "count_difference":
        text = f"{_counts(row, labels)}: {_more(row['estimate'], 2)} a person {_limits(row, level, 1.0, 2)} {who}."
        return f"{text} {_verdict(row, plan, margin, 'events a person')}"
    if measure == "nnt":
        return _needed(row, labels, level, who)
    return _ratio(row, labels, level, who)


def in_short(
    row: Mapping[Any, Any],
    conf_level: float,
    margin: float | None = None,
    counted: str = "people",
    *,
    designed: bool = True,
) -> str:
    """Return a difference in risk or a ratio in one line and its verdict, where whose it is and by when has been said already.

    Parameters
    ----------
    row : mapping
        A row of a comparison.
    conf_level : float
    margin : float, optional
        In percentage points.
    counted : str
        What `n` counts.
    designed : bool
        Whether the row is a design whose power means anything; a contrast of people chosen by what happened later is none.
    """
    base = f"{row['n']:,.0f} {counted}, {row['n_events']:,.0f} event{'' if row['n_events'] == 1 else 's'}"
    if not np.isfinite(row["estimate"]):
        return f"no estimate ({base})."
    level = f"{100 * conf_level:g} % interval"
    if row["measure"] == "risk_difference":
        text = f"{_per_hundred(row['estimate'])} per 100 {_limits(row, level, 100.0)}"
        if designed and row["verdict"] == "not determined" and (least := plan_of(row, conf_level)["detectable"]) > 0:
            return f"{text}; {base}. Verdict: not determined ({least:.1f} per 100 or more could have been found)."
    elif runs_away(row):
        return f"{_RATIOS[row['measure']][0]}: {NO_RATIO}; {base}. Verdict: not determined."
    else:
        text = f"{_RATIOS[row['measure']][0]} {row['estimate']:.2f} {_limits_of_ratio(row, level)}"
    return f"{text}; {base}. {_verdict(row, None, margin, 'per 100')}"


def _risks(row: Mapping[Any, Any], labels: Mapping[str, str]) -> str:
    arm, reference = (f"{100 * row[f'value_{side}']:.1f} of 100" for side in ("arm", "reference"))
    return (
        f"By {when(row, labels)}, an estimated {arm} people {_within(row, 'arm')} and {reference} {_within(row, 'reference')} had "
        f"{_event(row, labels)}"
    )


def _within(row: Mapping[Any, Any], side: str) -> str:
    """Return where people of an arm are, in words: in a programme, or where it was on offer."""
    return f"where {row[side]} was on offer" if row["population"] == "caseload" else f"in {row[side]}"


def _means(row: Mapping[Any, Any], labels: Mapping[str, str]) -> str:
    arm, reference = (f"{row[f'value_{side}']:.1f}" for side in ("arm", "reference"))
    free_of, unit = labels.get("free_of", "events"), labels.get("unit", "days")
    return (
        f"Within {when(row, labels)}, people in {row['arm']} were free of {free_of} for {arm} {unit} on average and "
        f"people in {row['reference']} for {reference}"
    )


def _counts(row: Mapping[Any, Any], labels: Mapping[str, str]) -> str:
    arm, reference = (f"{row[f'value_{side}']:.2f}" for side in ("arm", "reference"))
    return (
        f"By {when(row, labels)}, people in {row['arm']} had {arm} events '{row['cause']}' on average and people in {row['reference']} "
        f"{reference}"
    )


def _event(row: Mapping[Any, Any], labels: Mapping[str, str]) -> str:
    """Return the event in words: a proven reoffence where the data say within what time it was proven."""
    if row["cause"] == row["outcome"] and "proven_within" in labels:
        return f"a reoffence ({row['cause']}, proven within {labels['proven_within']})"
    return f"the event '{row['cause']}'"


def _ratio(row: Mapping[Any, Any], labels: Mapping[str, str], level: str, who: str) -> str:
    name, below, above = _RATIOS[row["measure"]]
    lead = ""
    if row["measure"] in ("risk_ratio", "odds_ratio"):
        lead = f"{_risks(row, labels)}; "
    elif row["measure"] == "rmst_ratio":
        lead = f"{_means(row, labels)}; "
    elif row["measure"] == "count_ratio":
        lead = f"{_counts(row, labels)}; "
    against = f"{row['arm']} against {row['reference']}"
    if not np.isfinite(row["estimate"]):
        text = f"{lead}{name}, {against}: not defined {who}."
    elif runs_away(row):
        text = f"{lead}{name}, {against}: {NO_RATIO} {who}. Verdict: not determined."
    else:
        limits = _limits_of_ratio(row, level)
        said = row["verdict"] if row["verdict"] == "not determined" else below if row["estimate"] < 1 else above
        event = f" for {_event(row, labels)} over the whole follow-up" if row["measure"] == "hazard_ratio" else ""
        text = f"{lead}{name}{event}, {against}: {row['estimate']:.2f} {limits} {who}. Verdict: {said}."
    return text[0].upper() + text[1:]


def runs_away(row: Mapping[Any, Any]) -> bool:
    """Whether a ratio has left all bounds, as it does where one side has no event or next to none."""
    return bool(np.isfinite(row["conf_low"]) and not row["conf_high"] < _WIDEST * row["conf_low"])


def _limits_of_ratio(row: Mapping[Any, Any], level: str) -> str:
    if not np.isfinite(row["conf_low"]):
        return "(no interval can be given)"
    return f"({level} {row['conf_low']:.2f} to {row['conf_high']:.2f})"


def _needed(row: Mapping[Any, Any], labels: Mapping[str, str], level: str, who: str) -> str:
    lead = _risks(row, labels)
    if not np.isfinite(row["estimate"]):
        return f"{lead}: no difference, so no number of people for one event more or fewer {who}."
    way = "fewer" if row["estimate"] < 0 else "more"
    text = f"{lead}: one {way} for every {abs(row['estimate']):.0f} people in {row['arm']}"
    if np.isfinite(row["conf_low"]):
        low, high = sorted((abs(row["conf_low"]), abs(row["conf_high"])))
        return f"{text} ({level} {low:.0f} to {high:.0f}) {who}."
    return f"{text} (interval not defined: the difference may be in either direction) {who}."


def _verdict(row: Mapping[Any, Any], plan: Mapping[Any, Any] | None, margin: float | None, unit: str) -> str:
    said = row["verdict"]
    if said.startswith("no difference") and margin is not None:
        return f"Verdict: no difference larger than {margin:g} {unit}."
    if said != "not determined":
        time = row["measure"] == "rmst_difference"
        return f"Verdict: { ({'lower': 'shorter', 'higher': 'longer'}[said] if time else said) }."
    if plan is None or not np.isfinite(plan["detectable"]) or plan["detectable"] == 0:
        return "Verdict: not determined."
    digits = 2 if row["measure"] == "count_difference" else 1
    text = (
        f"Verdict: not determined. This design could have found a difference of {plan['detectable']:.{digits}f} {unit} or more with "
        "80 % power"
    )
    if row["measure"] != "risk_difference" and margin is None:
        return f"{text}."
    return (
        f"{text}; about {rounded_up(plan['people_needed']):,} people would be needed to find one of {plan['target']:g}."
    )


def _limits(row: Mapping[Any, Any], level: str, times: float, digits: int = 1) -> str:
    if not np.isfinite(row["conf_low"]):
        return "(no interval can be given)"
    return f"({level} {_more(times * row['conf_low'], digits)} to {_more(times * row['conf_high'], digits)})"


def _per_hundred(difference: float) -> str:
    return _more(100 * difference)


def _more(value: float, digits: int = 1) -> str:
    return f"{abs(value):.{digits}f} {'fewer' if value < 0 else 'more'}"


def _basis(row: Mapping[Any, Any], labels: Mapping[str, str]) -> str:
    parts = [f"{row['n']:,} {labels.get('counted', 'people')}, {row['n_events']:,} events"]
    if row["population"]:
        parts.append(_POPULATIONS.get(row["population"], f"population: {row['population']}"))
    words = _ESTIMANDS if "focal" not in labels else {**_ESTIMANDS, **_OF_SEVERAL}
    whom = words[row["estimand"]].format(
        arm=row["arm"], reference=row["reference"], focal=labels.get("focal") or "one arm"
    )
    parts.append(whom.replace("weighted", labels.get("adjusted_by", "weighted"), 1))
    if row["scale"]:
        parts.append(_SCALES.get(row["scale"], f"{row['scale']} time"))
    return "; ".join(parts)


def when(row: Mapping[Any, Any], labels: Mapping[str, str]) -> str:
    """Return the time of a row as a reader says it."""
    unit = labels.get("unit", "days")
    return in_words(row["time"], unit)


def rounded_up(value: float) -> int:
    """Return a count rounded up to two significant digits.

    Examples
    --------
    >>> rounded_up(8114), rounded_up(52)
    (8200, 52)
    """
    size = 10 ** max(int(np.floor(np.log10(max(value, 1.0)))) - 1, 0)
    return int(np.ceil(value / size) * size)
