"""Tables of the questions behind the headline, as a reader sees them: a row an answer, in words and rounded."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from outcomes.disclosure.releasing import Released
from outcomes.durations import in_words
from outcomes.figures.styling import signed

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["QUESTION_DISPLAYS"]

_NONE = "–"
_SCALES = {
    "risk": "Risk, per 100 people",
    "risk_difference": "Difference, per 100 people",
    "risk_ratio": "Risk ratio",
    "hazard_ratio": "Hazard ratio",
    "sd": "Standard deviation between sites, per 100",
    "icc": "Intraclass correlation",
    "grade": "Difference by grade, per 100",
}
_WAYS = {
    "time_varying": "exposure that changes with time",
    "landmark": "from the landmark on",
    "per_sd": "a standard deviation of the score",
    "tertile": "by third of groups",
    "ever_started": "wrong: ever started, counted from the first day",
    "clone_censor_weight": "clones, censored and weighted",
}


def _words(value: object) -> str:
    return str(value).replace("_", " ")


def _number(value: float, digits: int) -> str:
    return signed(value, digits) if math.isfinite(value) else _NONE


def _count(value: float) -> str:
    return f"{int(value):,}" if math.isfinite(value) else _NONE


def _answer(row: Mapping[Any, Any], scale: str) -> dict[str, str]:
    """Return estimate, interval and verdict of a row on its scale; what has no answer says why."""
    times, digits = (1, 2) if scale.endswith("ratio") else (1, 3) if scale == "icc" else (100, 1)
    low, high = (_number(times * row[f"conf_{side}"], digits) for side in ("low", "high"))
    why = row.get("why") or ""
    return {
        "Estimate": _number(times * row["estimate"], digits),
        "95 % interval": f"{low} to {high}" if low != _NONE else _NONE,
        "Verdict": f"no answer: {why}" if why else row.get("verdict") or _NONE,
    }


def _rows(
    released: Released, said: Callable[[Mapping[Any, Any]], dict[str, str]], *, frame: str = "table", scale: str = ""
) -> pd.DataFrame:
    """Return a row an answer: what `said` says of it, then the answer on its scale."""
    import pandas as pd

    def made() -> Iterator[dict[str, str]]:
        for row in released.frames[frame].to_dict("records"):
            yield {**said(row), **_answer(row, scale or row["measure"])}

    return pd.DataFrame(list(made()))


def _people(row: Mapping[Any, Any]) -> dict[str, str]:
    known = not row.get("why")
    return {"People": _count(row["n"]) if known else _NONE, "Events": _count(row["n_events"]) if known else _NONE}


def _shut_out(released: Released) -> pd.DataFrame:
    def said(row: Mapping[Any, Any]) -> dict[str, str]:
        whom = "all of them" if row["reason"] == "all" else _words(row["reason"])
        return {
            "Shut out": f"by {_words(row['closed'])}: {whom}",
            "Contrast": f"{_words(row['arm'])} against {_words(row['reference'])}, {row['adjustment']}",
            "People": f"{_count(row['n_programme'])} and {_count(row['n_nothing'])}",
        }

    return _rows(released, said, scale="risk_difference")


def _detection(released: Released) -> pd.DataFrame:
    def said(row: Mapping[Any, Any]) -> dict[str, str]:
        return {
            "Share of their events recorded": f"{100 * row['share']:.0f} %",
            f"{_words(row['reference'])}, per 100": _number(100 * row["risk_reference"], 1),
            f"{_words(row['arm'])}, per 100": _number(100 * row["risk_arm"], 1),
        }

    return _rows(released, said)


def _courses(released: Released) -> pd.DataFrame:
    """Return the share of people in each state at each time that is marked, in percent."""
    frame = released.frames["marks"]
    several = len(released.facts["arms"]) > 1
    state = frame["state"].map(_words)
    shown = frame.assign(
        State=frame["arm"].map(_words) + ": " + state if several else state,
        when=[_year(time) for time in frame["time"]],
        share=[f"{100 * share:.1f} %" for share in frame["estimate"]],
    )
    wide = shown.pivot_table(index="State", columns="when", values="share", aggfunc="first", sort=False, observed=True)
    return wide.reset_index().rename_axis(columns=None)


def _year(time: float) -> str:
    return "First day" if time == 0 else in_words(time)


def _effects(released: Released) -> pd.DataFrame:
    """Return contrasts of courses or ways of counting, on the hazard and the risk scale."""

    def said(row: Mapping[Any, Any]) -> dict[str, str]:
        way = row.get("analysis") or row["method"]
        of_adjustment = f", {row['adjustment']}" if "adjustment" in row else ""
        return {
            "Way": _words(_WAYS.get(way, way)),
            "Contrast": f"{_words(row['arm'])} against {_words(row['reference'])}{of_adjustment}",
            "Scale": _SCALES[row["measure"]],
            **_people(row),
        }

    return _rows(released, said)


def _fidelity(released: Released) -> pd.DataFrame:
    def said(row: Mapping[Any, Any]) -> dict[str, str]:
        return {
            "Compared": f"{row['arm']} against {row['reference']}" if row["reference"] else row["arm"],
            "Scale": _SCALES[row["measure"]],
            "People": _count(row["n"]),
            "Groups": _count(row["n_groups"]),
        }

    return _rows(released, said)


def _sites(released: Released) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for row in released.frames["table"].to_dict("records"):
        against = f" against {_words(row['reference'])}" if row["reference"] else ""
        level = f": {_words(row['level'])}" if row["level"] else ""
        rows.append(
            {
                "Quantity": f"{_SCALES[row['quantity']]}{level}",
                "Of": f"{_words(row['arm'])}{against}",
                "Model": row["model"],
                "People": _count(row["n"]),
                "Sites": _count(row["n_sites"]),
                **_answer(row, row["quantity"]),
            }
        )
    return pd.DataFrame(rows)


def _benefits(released: Released) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for row in released.frames["summary"].to_dict("records"):
        named = " (named in advance)" if row["named"] and row["level"] else ""
        whom = f"{_words(row['subgroup'])}: {_words(row['level'])}{named}" if row["level"] else "everybody"
        answer = _answer(row, "risk_difference")
        rows.append(
            {
                "Whom": f"{whom}, as it was" if row["adjustment"] == "raw" else whom,
                **_people(row),
                "Difference per 100": answer["Estimate"],
                "95 % interval": answer["95 % interval"],
                "Risk ratio": _number(row["risk_ratio"], 2),
                "Verdict": answer["Verdict"],
            }
        )
    return pd.DataFrame(rows)


def _completers(released: Released) -> pd.DataFrame:
    def said(row: Mapping[Any, Any]) -> dict[str, str]:
        selected = " (selection, not effect)" if row["selected"] else ""
        return {
            "Compared": f"{row['people']} of {_words(row['arm'])} against {row['against']} of {_words(row['reference'])}{selected}",
            "Adjustment": row["adjustment"],
            **_people(row),
        }

    return _rows(released, said)


def _replaced(released: Released) -> pd.DataFrame:
    def said(row: Mapping[Any, Any]) -> dict[str, str]:
        overall = row["when"] == "overall"
        return {
            "Years since the change": "all years since" if overall else _number(row["year"], 0),
            "People": _count(row["n"]),
        }

    return _rows(released, said, scale="risk_difference")


QUESTION_DISPLAYS: Mapping[str, Callable[[Released], pd.DataFrame]] = MappingProxyType(
    {
        "who_benefits": _benefits,
        "replaced_area_by_area": _replaced,
        "shut_out": _shut_out,
        "detection_sensitivity": _detection,
        "course_states": _courses,
        "maintenance_effect": _effects,
        "attendance_effect": _effects,
        "fidelity_effect": _fidelity,
        "site_variation": _sites,
        "starters_and_completers": _completers,
        "immortal_time": _effects,
    }
)
