"""What was known about a person on the day follow-up starts: nothing that came later."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from outcomes.design.assignment import at_liberty
from outcomes.durations import DAYS_PER_YEAR
from outcomes.loading.schema import SCHEMA

if TYPE_CHECKING:
    import narwhals as nw

    from outcomes.loading.tables import Tables

__all__ = ["ASSESSED", "RISK_BANDS", "last_known", "with_covariates"]

RISK_BANDS = ("very_low", "low", "medium", "high", "very_high")
ASSESSED = {
    "score": "risk_score",
    "band": "risk_band",
    "denial": "denial",
    "learning_disability": "learning_disability",
}
"""Column of an assessment -> what the baseline calls it."""

_BEFORE = 1_000_000  # days added, so that every packed day is positive: engines differ in the remainder of what is not


def with_covariates(rows: nw.LazyFrame[Any], known: nw.LazyFrame[Any], tables: Tables) -> nw.LazyFrame[Any]:
    """Return the rows with covariates at time zero.

    Added: the person's own columns (sex, ethnicity_group, …), age_at_time_zero (years), wait_days (time zero less release or
    sentence), period (calendar year), and what `last_known` gives.
    """
    import narwhals as nw

    people = tables.lazy("people").drop("_row")
    held = set(rows.collect_schema().names()) - {"person_id"}
    renamed = {name: f"{name}_person" for name in people.collect_schema().names() if name in held}
    since_sentence = (nw.col("time_zero") - nw.col("sentence_date")).cast(nw.Float64)
    found = rows.join(people.rename(renamed) if renamed else people, on="person_id", how="left")
    found = found.with_columns(
        age_at_time_zero=nw.col("age_at_sentence") + since_sentence / DAYS_PER_YEAR,
        wait_days=(nw.col("time_zero") - at_liberty()).cast(nw.Float64),
        period=_period(nw.col("time_zero"), tables.origin),
    )
    return found.join(known, on="sentence_id", how="left")


def _period(day: nw.Expr, origin: str) -> nw.Expr:
    """Return the calendar year of a day as text; where days count from an undisclosed origin, the year since that."""
    import narwhals as nw

    if origin != "1970-01-01":
        return nw.concat_str([nw.lit("year "), _whole(day / DAYS_PER_YEAR).cast(nw.String)])
    near = _whole(day / 365.2425) + 1970
    year = nw.when(day < _first_of_january(near)).then(near - 1).otherwise(near)
    year = nw.when(day >= _first_of_january(year + 1)).then(year + 1).otherwise(year)
    return year.cast(nw.String)


def _first_of_january(year: nw.Expr) -> nw.Expr:
    """Return days from 1970-01-01 to the first of January (Gregorian, for any year since 1)."""
    leaps = _whole((year - 1969) / 4) - _whole((year - 1901) / 100) + _whole((year - 1601) / 400)
    return 365 * (year - 1970) + leaps


def _whole(number: nw.Expr) -> nw.Expr:
    import narwhals as nw

    return number.floor().cast(nw.Int64)


def last_known(rows: nw.LazyFrame[Any], tables: Tables, window: float | None) -> nw.LazyFrame[Any]:
    """Return one row a sentence with an assessment that counts: sentence_id, risk_score, risk_band, denial, learning_disability.

    Each is from the last assessment that recorded it, on or before time zero and not more than `window` days before it. Of two on one
    day the more severe counts.
    """
    import narwhals as nw

    zero = rows.select("sentence_id", "person_id", "time_zero")
    usable = zero.join(tables.lazy("assessments").select("person_id", "date", *ASSESSED), on="person_id", how="inner")
    usable = usable.filter((nw.col("date") <= nw.col("time_zero")).fill_null(False))
    if window is not None:
        usable = usable.filter((nw.col("date") >= nw.col("time_zero") - window).fill_null(False))
    levels = {"band": _bands(tables), "denial": SCHEMA["assessments"].column("denial").codes}
    ranked = {name: _rank(name, codes) for name, codes in levels.items()}
    ranked["learning_disability"] = nw.when(nw.col("learning_disability")).then(1).otherwise(0)
    width = max(len(levels["band"]), 4)
    packed = {
        f"_{name}": nw.when(~nw.col(name).is_null()).then((nw.col("date") + _BEFORE) * width + rank)
        for name, rank in ranked.items()
    }
    scored = nw.when(~nw.col("score").is_null()).then(nw.col("date"))
    usable = tables.keep(usable.select("sentence_id", "score", _day=scored, **packed))
    last = tables.keep(
        usable.group_by("sentence_id").agg(
            *(nw.col(name).max() for name in ("_day", *packed)),
            _least=nw.col("score").min(),
            _most=nw.col("score").max(),
        )
    )
    rank_of = {name: nw.col(f"_{name}") % width for name in ranked}
    varied = last.filter(nw.col("_least") != nw.col("_most")).select("sentence_id", "_day")
    scores = usable.join(varied, on=["sentence_id", "_day"], how="inner")
    found = last.join(
        scores.group_by("sentence_id").agg(_last=nw.col("score").max()), on="sentence_id", how="left"
    ).with_columns(
        risk_score=nw.when(nw.col("_least") == nw.col("_most")).then(nw.col("_most")).otherwise(nw.col("_last")),
        risk_band=_level(rank_of["band"], levels["band"]),
        denial=_level(rank_of["denial"], levels["denial"]),
        learning_disability=rank_of["learning_disability"] == 1,
    )
    return found.select("sentence_id", *ASSESSED.values())


def _bands(tables: Tables) -> tuple[str, ...]:
    """Return the risk bands of the extract from low to high; in the order of the text where they are others than ours."""
    import narwhals as nw

    distinct = tables.lazy("assessments").filter(~nw.col("band").is_null()).group_by("band").agg(n=nw.len())
    present = sorted(tables.collect(distinct.select("band"))["band"].to_pylist())
    return RISK_BANDS if set(present) <= set(RISK_BANDS) else tuple(present)


def _rank(name: str, codes: tuple[str, ...]) -> Any:
    import narwhals as nw

    rank: Any = nw.lit(0)
    for place, code in enumerate(codes):
        rank = nw.when(nw.col(name) == code).then(place).otherwise(rank)
    return rank


def _level(rank: Any, codes: tuple[str, ...]) -> Any:
    import narwhals as nw

    level: Any = nw.lit(None, dtype=nw.String)
    for place, code in enumerate(codes):
        level = nw.when(rank == place).then(nw.lit(code)).otherwise(level)
    return level
