"""The page of the recovery run: what was drawn, what was asked, and whether the true answer came back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pandas as pd
from scenario import Setting

__all__ = ["page"]

_INTRO = """# Does the true answer come back?

Data are drawn from distributions whose answers are known, the estimators are asked as a user would ask them, and this is done many
times over. Truths are closed forms or one-dimensional integrals; none is an estimate by the code under test.

Gates, from 2,000 replicates of a setting on:

- **bias**: at most 0.1 times the spread of the estimates plus 3 Monte-Carlo standard errors;
- **coverage** of 95 % intervals, and of bands as a whole: from 92.5 to 97.5 %;
- **type I error** of tests at 5 %: from 3.5 to 6.5 %.

With fewer replicates, where these limits would fail by chance what is right: bias at most 0.1 times the spread plus 4 Monte-Carlo
standard errors, coverage and type I error inside the exact binomial 99.9 % band. This page has up to {replicates:,} replicates of a
setting, as each says; `make recovery` takes 2,000.

A row that is *reported* is told and not judged, and the reason stands under its table. *Conservative* intervals may cover more.
Ratios are on the log scale. *SE / SD* is the mean standard error over the spread of the estimates. Brackets hold Monte-Carlo standard
errors. The numbers, with more columns, are in [recovery.csv](recovery.csv); a cohort a row of the headline in
[two_year_risk.csv](two_year_risk.csv). The form of every day (200 replicates of some settings) is
`tests/recovery/test_recovery_gates.py`. Again: `make recovery`. What each bias of the invented cohort does alone, to a naive answer and to
the right one: [switches.md](switches.md).
"""


def page(rows: pd.DataFrame, settings: Mapping[str, Setting]) -> str:
    """Return the page of a table of results, as Markdown."""
    counts = rows["gate"].value_counts()
    said = ", ".join(f"{counts.get(gate, 0):,} {text}" for gate, text in _GATES.items())
    parts = [_INTRO.format(replicates=int(rows["replicates"].max())), f"Rows: {len(rows):,}; {said}.\n"]
    failed = rows[rows["gate"] == "FAIL"]
    if len(failed):
        parts += ["## Rows that fail\n", _table(failed, {"setting": _text("setting"), **_ALL})]
    for name, mine in rows.groupby("setting", sort=False):
        setting = settings[str(name)]
        parts.append(f"## {str(name).capitalize()}\n\n{_whole(setting.said)} {_drawn(setting, mine)}\n")
        parts += [_table(found, columns) for found, columns in _by_kind(mine)]
        parts += _reasons(setting, mine)
    return "\n".join(parts)


_GATES = {"pass": "pass", "FAIL": "fail", "reported": "are reported"}


def _whole(said: str) -> str:
    """Return what is drawn as a sentence."""
    return f"{said[0].upper()}{said[1:].rstrip('.')}."


def _drawn(setting: Setting, rows: pd.DataFrame) -> str:
    return f"({setting.people:,} people, {int(rows['replicates'].iloc[0]):,} replicates.)"


def _by_kind(rows: pd.DataFrame) -> Iterator[tuple[pd.DataFrame, Mapping[str, Callable[[Any], str]]]]:
    for kind, columns in (
        ("interval", _INTERVALS),
        ("estimate", _ESTIMATES),
        ("coverage of a curve", _CURVES),
        ("type I error", _TESTS),
    ):
        mine = rows[rows["kind"] == kind]
        if len(mine):
            yield mine, columns


def _reasons(setting: Setting, rows: pd.DataFrame) -> list[str]:
    """Return why rows are reported, may cover more, or fail, one line a reason."""
    lines = []
    of_kinds = {"Reported": setting.reported, "Conservative": setting.conservative, "Fails": setting.explained}
    for told, reasons in of_kinds.items():
        of_reason: dict[str, list[str]] = {}
        for estimator in dict.fromkeys(rows["estimator"]):
            if estimator in reasons:
                of_reason.setdefault(reasons[estimator], []).append(estimator)
        lines += [f"{told}: {'; '.join(names)} – {reason}.\n" for reason, names in of_reason.items()]
    return lines


def _table(rows: pd.DataFrame, columns: Mapping[str, Callable[[Any], str]]) -> str:
    right = {"truth", "bias", "SD", "SE / SD", "coverage", "rejected", "share"}
    head = "| " + " | ".join(columns) + " |"
    rule = "|" + "|".join("---:" if name in right else "---" for name in columns) + "|"
    body = ["| " + " | ".join(cell(row) for cell in columns.values()) + " |" for row in rows.to_dict("records")]
    return "\n".join([head, rule, *body, ""])


def _text(name: str) -> Callable[[Any], str]:
    return lambda row: str(row[name])


def _number(name: str, error: str = "") -> Callable[[Any], str]:
    def cell(row: Any) -> str:
        if pd.isna(row[name]):
            return "–"
        return f"{row[name]:.4g}" + (f" ({row[error]:.2g})" if error and row[error] > 0 else "")

    return cell


def _percent(row: Any) -> str:
    return f"{100 * row['share']:.1f} % ({100 * row['share_mcse']:.1f})"


_ASKED = {"estimator": _text("estimator"), "quantity": _text("quantity")}
_BIAS = {"truth": _number("truth", "truth_error"), "bias": _number("bias", "bias_mcse"), "SD": _number("empirical_sd")}
_INTERVALS = {**_ASKED, **_BIAS, "SE / SD": _number("se_ratio"), "coverage": _percent, "gate": _text("gate")}
_ESTIMATES = {**_ASKED, **_BIAS, "gate": _text("gate")}
_CURVES = {**_ASKED, "coverage": _percent, "gate": _text("gate")}
_TESTS = {"estimator": _text("estimator"), "rejected": _percent, "gate": _text("gate")}
_ALL = {**_ASKED, **_BIAS, "SE / SD": _number("se_ratio"), "share": _percent}
