"""Time zero, and what was known about a person on that day."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.design.study import Condition, Study
from outcomes.durations import DAYS_PER_YEAR
from outcomes.errors import DesignError, did_you_mean
from outcomes.loading.schema import SCHEMA

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.loading.tables import Tables

__all__ = ["RISK_BANDS", "add_baseline", "holds", "in_order", "time_zero"]

RISK_BANDS = ("very_low", "low", "medium", "high", "very_high")
_CODED = {
    column.name: column.codes
    for table in ("people", "sentences", "assessments")
    for column in SCHEMA[table].columns
    if column.codes
}


def time_zero(rows: pd.DataFrame, study: Study) -> pd.Series[Any]:
    """Return the day follow-up starts for each sentence, missing where it has not come.

    ``auto``: release for custodial sentences; the programme's start in the community, and after custody where it came later
    than release. Where an arm is made of people who started nothing: release or sentence for everybody.
    """
    event = study.time_zero.event
    if event == "auto" and any(arm.none for arm in study.arms.definitions.values()):
        event = "release"
    custody = rows["setting"] == "custody"
    if event == "sentence":
        return rows["sentence_date"].astype(float)
    if event == "release":
        return rows["release_date"].where(custody, rows["sentence_date"]).astype(float)
    if event == "start":
        return rows["start_date"].astype(float)
    if event == "referral":
        return rows["referral_date"].astype(float)
    after = custody & (rows["start_date"] > rows["release_date"]).fillna(False)
    return rows["release_date"].where(custody & ~after, rows["start_date"]).astype(float)


def add_baseline(rows: pd.DataFrame, tables: Tables, study: Study) -> pd.DataFrame:
    """Return the rows with covariates at time zero.

    Added: sex, ethnicity_group, age_at_time_zero, wait_days (time zero less release or sentence), period (calendar year), and
    from the last assessment on or before time zero that recorded each: risk_score, risk_band, denial, learning_disability.
    """
    people = tables.frame("people")
    found = rows.merge(people, on="person_id", how="left", suffixes=("", "_person"))
    zero = found["time_zero"]
    found["age_at_time_zero"] = found["age_at_sentence"] + (zero - found["sentence_date"]) / DAYS_PER_YEAR
    since = found["release_date"].where(found["setting"] == "custody", found["sentence_date"])
    found["wait_days"] = (zero - since).astype(float)
    found["period"] = _period(zero.to_numpy(dtype=np.float64), tables.origin)
    assessments = tables.frame("assessments")
    for name, column in (
        ("score", "risk_score"),
        ("band", "risk_band"),
        ("denial", "denial"),
        ("learning_disability", "learning_disability"),
    ):
        found[column] = _last_known(found, assessments, name, study.eligibility.covariate_window)
    return found


def _period(zero: np.ndarray[Any, np.dtype[np.float64]], origin: str) -> list[str | None]:
    if origin == "1970-01-01":
        whole = (
            np.where(np.isfinite(zero), zero, 0)
            .astype("int64")
            .astype("datetime64[D]")
            .astype("datetime64[Y]")
            .astype(int)
            + 1970
        )
        return [str(y) if np.isfinite(z) else None for y, z in zip(whole, zero, strict=True)]
    return [f"year {int(z // DAYS_PER_YEAR)}" if np.isfinite(z) else None for z in zero]


def _last_known(rows: pd.DataFrame, assessments: pd.DataFrame, column: str, window: float | None) -> Any:
    """Return, by row, the last value of `column` recorded on or before time zero (and within the window)."""
    known = assessments.loc[assessments[column].notna(), ["person_id", "date", column]]
    known = known.assign(_order=np.arange(len(known)))
    keyed = rows[["person_id", "time_zero"]].assign(_row=np.arange(len(rows)))
    joined = keyed.merge(known, on="person_id", how="inner")
    usable = joined["date"] <= joined["time_zero"]
    if window is not None:
        usable &= joined["date"] >= joined["time_zero"] - window
    joined = joined[usable].sort_values(["_row", "date", "_order"], kind="stable").drop_duplicates("_row", keep="last")
    return keyed["_row"].map(joined.set_index("_row")[column]).to_numpy()


def holds(rows: pd.DataFrame, condition: Condition, *, where: str) -> tuple[Any, Any]:
    """Return whether a condition holds for each row, and whether that is unknown (the value is missing).

    Raises
    ------
    DesignError
        No such column, or its kind cannot be compared with the value.
    """
    if condition.column not in rows.columns:
        raise DesignError(
            f"{where}: there is no column {condition.column!r}. {did_you_mean(condition.column, map(str, rows.columns))}"
        )
    column = rows[condition.column]
    unknown = column.isna().to_numpy()
    if unknown.all():
        return np.zeros(len(rows), dtype=np.bool_), unknown
    wanted = condition.value if isinstance(condition.value, tuple) else (condition.value,)
    said = f"{where}: {condition.column} holds {_kind(column)}"
    number = _kind(column) == "numbers"
    if condition.operator in ("<", "<=", ">", ">=") and not number:
        raise DesignError(f"{where}: {condition.column} holds no numbers; '{condition.operator}' has no meaning.")
    fits = {"numbers": (int, float), "yes or no": (bool, np.bool_), "text": (str,)}[_kind(column)]
    if not all(isinstance(v, fits) and (not number or not isinstance(v, bool)) for v in wanted):
        other = "text" if any(isinstance(v, str) for v in wanted) else "something else"
        raise DesignError(f"{said}; the condition compares it with {other}.")
    tests: dict[str, Callable[[Any], Any]] = {
        "==": lambda c: c == condition.value,
        "!=": lambda c: c != condition.value,
        "<": lambda c: c < condition.value,
        "<=": lambda c: c <= condition.value,
        ">": lambda c: c > condition.value,
        ">=": lambda c: c >= condition.value,
        "in": lambda c: c.isin(wanted),
        "not in": lambda c: ~c.isin(wanted),
    }
    met = np.asarray(tests[condition.operator](column).fillna(False), dtype=np.bool_)
    return met & ~unknown, unknown


def _kind(column: pd.Series[Any]) -> str:
    """Return what a column holds, as far as a condition may ask: numbers, yes or no, text."""
    import pandas as pd

    known = column.dropna()
    if pd.api.types.is_bool_dtype(column) or all(isinstance(v, (bool, np.bool_)) for v in known.head(50)):
        return "yes or no"
    return "numbers" if pd.api.types.is_numeric_dtype(column) else "text"


def in_order(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with coded columns as categories in the order of the schema (risk bands: from low to high).

    Columns with other levels than these stay as they are.
    """
    import pandas as pd

    out = rows.copy()
    for name, codes in {**_CODED, "risk_band": RISK_BANDS}.items():
        if name in out.columns:
            present = set(out[name].dropna())
            if present <= set(codes):
                out[name] = pd.Categorical(out[name], categories=[code for code in codes if code in present])
    return out
