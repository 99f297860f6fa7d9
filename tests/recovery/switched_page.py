"""The page of the switches: each bias on alone, and all of them off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from switches import AREAS, OFF, PEOPLE, SWITCHES, Switch

__all__ = ["page"]

_INTRO = """# Each bias switched on alone

Invented cohorts (`outcomes.synthetic`) have {count} biases, each a switch. Here each is on alone, and one question is asked twice: as it
is asked naively, and as this library asks it. A bias should move the naive answer and not the right one; and where no bias is on, the two
should agree. Every cohort has {people:,} people ({exclusion:,} for exclusion) in {areas} areas; {cohorts} cohorts a row. Again:
`make switches`.

True is, unless the table says otherwise, the truth of each cohort: the mean over its people of what would have happened to them under
either programme, from {lives} lives each. Errors are against each cohort's own truth, and their means are shown, with Monte-Carlo
standard errors in brackets.

The cohorts of all rows have the same seeds, and so the same people: errors to one side in several rows are one piece of chance, not
several. *Taken for* is what a naive answer is judged by where that is another truth: for non-referral the naive answer of the same seed
without it, for conviction lag the risk of everything that will be proven. Non-referral and detection move nothing unless the manual
refuses people, so exclusion is on beside them. Unmeasured has no right answer; in its place stands the answer about motoring offences,
which no programme changes.

- **The naive answer is moved**: its mean error is more than 3 Monte-Carlo errors from 0.
- **The right answer is not**: its mean error is at most 0.1 times the spread of errors plus {errors} Monte-Carlo errors (3 from 2,000
  cohorts on: the gates of [the recovery page](README.md)). With {cohorts} cohorts that is {reach:.2f} of a cohort's standard deviation;
  how far off it was is in the table.

Rows: {rows}; {passed} pass, {failed} fail, {shown} shown and not mended. The numbers are in [switches.csv](switches.csv), a row a cohort in
[switched_cohorts.csv](switched_cohorts.csv). A few cohorts of some biases are drawn again by `tests/recovery/test_recovery_switches.py`.
"""

_AGREE = """## Every bias off

The same questions, and some more, in cohorts with every switch off, effect modification among them: {agree} of {asked} pairs agree, that
is, the mean difference of naive and right is within 3 of its Monte-Carlo errors. *Within* is the share of single cohorts in which the two
are within 3 standard errors of their difference (its spread over cohorts). Where nobody
is left out, missing or away for the bias that is off, both answers are the same number in every cohort.
"""


def page(rows: pd.DataFrame) -> str:
    """Return the page of the summary, as Markdown."""
    switched = rows[rows["part"] == "switched"].to_dict("records")
    off = rows[rows["part"] == OFF].to_dict("records")
    by_name = {switch.bias: switch for switch in SWITCHES}
    parts = [
        _intro(switched, by_name),
        "## Naive and right, each bias alone\n",
        _table(_SWITCHED, [_cells(row, by_name) for row in switched]),
    ]
    parts += ["## What is naive about it, and what is done instead\n"]
    parts += [_said(by_name[row["question"]]) for row in switched]
    parts += ["", *_findings(switched, by_name)]
    parts += [_AGREE.format(agree=sum(row["gate"] == "pass" for row in off), asked=len(off))]
    parts += [_table(_OFF, [_off_cells(row) for row in off])]
    left = [f"- {switch.bias}: {switch.off}." for switch in SWITCHES if switch.off]
    parts += ["Not asked with every bias off:\n", *left]
    apart = [
        f"- {row['question']}: {_APART[row['question']]}."
        for row in off
        if row["gate"] != "pass" and row["question"] in _APART
    ]
    if apart:
        parts += ["\nWhy some do not agree:\n", *apart]
    return "\n".join(parts) + "\n"


def _intro(rows: list[dict[Any, Any]], by_name: Mapping[str, Switch]) -> str:
    cohorts, gates = min(int(row["cohorts"]) for row in rows), [row["gate"] for row in rows]
    errors = 3 if cohorts >= 2000 else 4
    return _INTRO.format(
        count=len(by_name), people=PEOPLE, exclusion=by_name["exclusion"].people, areas=AREAS, cohorts=cohorts, errors=errors,
        lives=by_name["selection"].lives, reach=0.1 + errors / cohorts**0.5, rows=len(rows), passed=gates.count("pass"),
        failed=gates.count("FAIL"), shown=len(gates) - gates.count("pass") - gates.count("FAIL"),
    )  # fmt: skip


_SWITCHED = ("bias", "strength", "truth", "naive", "naive is off by", "right", "right is off by", "SD", "gate")
_OFF = ("question", "naive", "right", "naive less right", "within", "agree")
_RIGHT = {"strength", "truth", "naive", "right", "SD", "within"}


def _cells(row: dict[Any, Any], by_name: Mapping[str, Switch]) -> list[str]:
    switch = by_name[row["question"]]
    own = abs(row["naive_truth"] - row["truth"]) > 1e-9
    beside = "".join(f", with {name} {strength:g}" for name, strength in switch.beside.items())
    return [
        row["question"].replace("_", " "), f"{switch.strength:g}{beside}", _number(row["truth"]),
        _number(row["naive"]) + (f" (taken for {_number(row['naive_truth'])})" if own else ""),
        f"**{_signed(row['naive_error'])}** ({row['naive_mcse']:.2g})", _number(row["right"]),
        f"{_signed(row['right_error'])} ({row['right_mcse']:.2g})", "–" if row["kind"] == "spread" else f"{row['right_sd']:.2g}",
        row["gate"],
    ]  # fmt: skip


def _off_cells(row: dict[Any, Any]) -> list[str]:
    agree = "yes" if row["gate"] == "pass" else "**no**"
    return [
        row["question"].replace("_", " "), _number(row["naive"]), _number(row["right"]),
        f"{_signed(row['apart'])} ({row['apart_mcse']:.2g})", f"{100 * row['within']:.0f} %", agree,
    ]  # fmt: skip


def _said(switch: Switch) -> str:
    return f"- **{switch.bias.replace('_', ' ')}** ({switch.quantity}). Naive: {switch.naive}. Instead: {switch.right}."


def _findings(rows: list[dict[Any, Any]], by_name: Mapping[str, Switch]) -> list[str]:
    """Return what is behind each row that does not pass."""
    lines = []
    for row in rows:
        told = by_name[row["question"]].explained
        if row["gate"] == "FAIL":
            which = "the naive answer is not seen to move" if not row["moved"] else "the right answer is off"
            lines.append(f"- **{row['question'].replace('_', ' ')}** fails: {which}{f' – {told}' if told else ''}.")
    return ["Rows that fail:\n", *lines, ""] if lines else []


_APART = {
    "recall_by_arm": "recall and remand take people away in every cohort, if after both programmes alike: calendar time holds a little "
    "less of the difference than time at risk, and answers another question",
}


def _table(columns: tuple[str, ...], rows: list[list[str]]) -> str:
    head = "| " + " | ".join(columns) + " |"
    rule = "|" + "|".join("---:" if name in _RIGHT else "---" for name in columns) + "|"
    return "\n".join([head, rule, *("| " + " | ".join(row) + " |" for row in rows), ""])


def _number(value: float) -> str:
    return f"{value:.3f}".replace("-", "−")


def _signed(value: float) -> str:
    return f"{value:+.4f}".replace("-", "−")
