"""Tables as a reader sees them: what was released, in words and rounded, as accessible HTML."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from outcomes.disclosure.releasing import Released
from outcomes.figures.styling import signed
from outcomes.report.question_tables import QUESTION_DISPLAYS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DISPLAYS", "as_csv", "as_html", "display"]

_NONE = "–"
_MEASURES = {
    "risk_difference": "Risk, per 100 people",
    "risk_ratio": "Risk ratio",
    "odds_ratio": "Odds ratio",
    "rmst_difference": "Mean days free of the outcome and what competes",
    "hazard_ratio": "Hazard ratio, whole follow-up",
}


def display(name: str, released: Released) -> pd.DataFrame:
    """Return what was released as a frame of texts, for the table called `name` in a study file."""
    return DISPLAYS[name](released)


def _flow(released: Released) -> pd.DataFrame:
    import pandas as pd

    frame, arms = released.frame, [*released.facts["arms"], "no arm"] if released.facts["arms"] else []
    wide = {arm: frame[frame["arm"] == arm].set_index("step")["n_leaving"] for arm in arms}
    everyone = frame[frame["arm"] == "all"].set_index("step")
    rows = []
    for step, row in everyone.iterrows():
        mine = {arm: f"{int(wide[arm][step]):,}" if step else "" for arm in arms}
        remaining = f"{int(row['n_remaining']):,}"
        left = f"{int(row['n_leaving']):,}" if step else ""
        by_arm = {f"of them {arm}": text for arm, text in mine.items()}
        rows.append({"Step": row["reason"], "Left": left, **by_arm, "Remaining": remaining})
    return pd.DataFrame(rows)


def _target_trial(released: Released) -> pd.DataFrame:
    names = {"element": "Element", "target_trial": "The trial one would wish for", "this_study": "This study"}
    return released.frame.rename(columns=names)


def _table_1(released: Released) -> pd.DataFrame:
    import pandas as pd

    frame = released.frame
    weighted = bool(frame["smd_after"].notna().any())
    rows = []
    for row in frame.to_dict("records"):
        level = str(row["level"]).replace("_", " ")
        term = row["term"].replace("_", " ")
        shown = {"Characteristic": f"{term}: {level}" if level else term}
        for side in ("reference", "arm"):
            shown[row[side]] = _value(row, side, row[f"n_{side}"])
        if weighted:
            for side in ("reference", "arm"):
                shown[f"{row[side]}, weighted"] = _plain(row, row[f"{side}_weighted"])
        shown["Std. difference"] = _number(row["smd_before"], 2)
        if weighted:
            shown["Std. difference, weighted"] = _number(row["smd_after"], 2)
        rows.append(shown)
    return pd.DataFrame(rows)


def _value(row: Mapping[Any, Any], side: str, n: int) -> str:
    if row["kind"] == "share":
        return f"{int(n):,} ({100 * row[f'{side}_value']:.0f} %)"
    return f"{row[f'{side}_value']:.1f} (SD {row[f'{side}_sd']:.1f})"


def _plain(row: Mapping[Any, Any], value: float) -> str:
    return f"{100 * value:.0f} %" if row["kind"] == "share" else f"{value:.1f}"


def _headline(released: Released) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for row in released.frame.to_dict("records"):
        shares = 100 if row["measure"].startswith("risk") else 1
        times = 100 if row["measure"] == "risk_difference" else 1
        digits = 2 if row["measure"].endswith("ratio") else 1
        low, high = (_number(times * row[f"conf_{side}"], digits) for side in ("low", "high"))
        rows.append(
            {
                "Measure": f"{_MEASURES[row['measure']]}: {row['analysis']}",
                row["reference"]: _number(shares * row["value_reference"], 1),
                row["arm"]: _number(shares * row["value_arm"], 1),
                "Difference or ratio": _number(times * row["estimate"], digits),
                "95 % interval": f"{low} to {high}" if low != _NONE else _NONE,
                "p": _p_value(row["p_value"]),
                "People": f"{int(row['n']):,}",
                "Events": f"{int(row['n_events']):,}" if math.isfinite(row["n_events"]) else _NONE,
                "Verdict": _said(row["measure"], row["verdict"]),
            }
        )
    return pd.DataFrame(rows)


def _populations(released: Released) -> pd.DataFrame:
    return _contrasts(released, "Population", lambda row: row["whom"])


def _programmes(released: Released) -> pd.DataFrame:
    return _contrasts(released, "Programme", lambda row: row["programme"].replace("_", " "))


def _contrasts(released: Released, first: str, of: Callable[[Mapping[Any, Any]], str]) -> pd.DataFrame:
    """Return contrasts as they were and adjusted, a row each; what has no answer says why."""
    import pandas as pd

    rows = []
    for row in released.frames["table"].to_dict("records"):
        unknown = bool(row["why"])
        low, high = (_number(100 * row[f"conf_{side}"], 1) for side in ("low", "high"))
        rows.append(
            {
                first: of(row),
                "Contrast": f"{row['arm']} against {row['reference']}, {row['adjustment']}".replace("_", " "),
                "Difference per 100": _number(100 * row["estimate"], 1),
                "95 % interval": f"{low} to {high}" if low != _NONE else _NONE,
                "People": f"{int(row['n']):,}" if math.isfinite(row["n"]) else _NONE,
                "Verdict": f"no answer: {row['why']}" if unknown else row["verdict"],
            }
        )
    return pd.DataFrame(rows)


def _outside(released: Released) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for row in released.frame.to_dict("records"):
        sides = {
            name: f"{int(row[f'n_{side}']):,}" + (f" ({100 * row[f'share_{side}']:.0f} %)" if row[f"n_{side}"] else "")
            for side, name in (("inside", "Eligible for every programme"), ("outside", "Not"))
        }
        level = {"True": "yes", "False": "no"}.get(str(row["level"]), str(row["level"]))
        said = f"{row['characteristic']}: {level}".replace("_", " ")
        rows.append({"Own clients of": row["arm"], "Characteristic": said, **sides})
    return pd.DataFrame(rows)


_QUANTITIES = {
    "risk": "Risk, per 100 people", "reach": "Reached, of 100 people", "effect": "Effect among those reached, per 100",
    "difference": "Difference, per 100", "from_reach": "of it from whom each reaches", "from_effect": "of it from what it does",
}  # fmt: skip


def _caseload(released: Released) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for row in released.frames["table"].to_dict("records"):
        low, high = (_number(100 * row[f"conf_{side}"], 1) for side in ("low", "high"))
        route = f"{row['route']}, as it was" if row["adjustment"] == "raw" else row["route"]
        rows.append(
            {
                "Quantity": _QUANTITIES[row["quantity"]],
                "Regime": row["arm"] if row["quantity"] not in ("difference", "from_reach", "from_effect") else _NONE,
                "Route": route,
                "Estimate": _number(100 * row["estimate"], 1),
                "95 % interval": f"{low} to {high}" if low != _NONE else _NONE,
                "Verdict": row["verdict"] if isinstance(row["verdict"], str) else _NONE,
            }
        )
    return pd.DataFrame(rows)


def _number(value: float, digits: int) -> str:
    return signed(value, digits) if math.isfinite(value) else _NONE


def _p_value(p: float) -> str:
    if not math.isfinite(p):
        return _NONE
    return "<\u00a00.001" if p < 0.001 else f"{p:.3f}"


def _said(measure: str, verdict: str) -> str:
    """Return a verdict in the words of its measure: event-free time is longer or shorter."""
    words = {"rmst_difference": ("shorter", "longer")}.get(measure, ("lower", "higher"))
    return {"lower": words[0], "higher": words[1], "": _NONE}.get(verdict, verdict)


DISPLAYS: Mapping[str, Callable[[Released], pd.DataFrame]] = MappingProxyType(
    {
        "flow": _flow,
        "target_trial": _target_trial,
        "table1": _table_1,
        "headline": _headline,
        "populations": _populations,
        "outside": _outside,
        "caseload": _caseload,
        "programmes": _programmes,
        **QUESTION_DISPLAYS,
    }
)


def as_html(frame: pd.DataFrame, *, caption: str, identifier: str) -> str:
    """Return a frame of texts as an accessible HTML table: a caption, scoped headings, the first column as row headings."""
    from great_tables import GT

    names: dict[str, Any] = {
        f"c{i}": str(name) for i, name in enumerate(frame.columns)
    }  # ids of cells are made from names: no blanks
    plain = frame.set_axis(list(names), axis=1)
    wordy = [name for name in plain.columns[1:] if _wordy(plain[name].astype(str))]
    table = GT(plain, rowname_col="c0", id=identifier).tab_stubhead(label=names["c0"]).cols_label(**names)
    for side, columns in (("left", wordy), ("right", [name for name in plain.columns[1:] if name not in wordy])):
        if columns:
            table = table.cols_align(align=side, columns=columns)
    drawn = table.as_raw_html()
    opening = drawn.index(">", drawn.index("<table")) + 1
    return f"{drawn[:opening]}<caption>{html.escape(caption)}</caption>{drawn[opening:]}"


def _wordy(texts: pd.Series[str]) -> bool:
    """Return whether a column holds words and no numbers, or long texts: such a column is read from the left."""
    return bool(texts.str.len().max() > 24 or not texts.str.contains(r"\d").any())


def as_csv(frame: pd.DataFrame) -> bytes:
    """Return a released frame as CSV: UTF-8, one line end everywhere, numbers to six significant digits, empty where missing."""
    return frame.to_csv(index=False, lineterminator="\n", float_format="%.6g").encode()
