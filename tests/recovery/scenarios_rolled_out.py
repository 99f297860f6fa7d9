"""One programme replaces the other, area by area, while risks fall from year to year."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scenario import Found, Key, PValue, Scenario, Truth, interval
from small_study import Reframed, day, small_study, two_starters

import outcomes as oc

__all__ = ["OF_ROLLED_OUT"]

AREAS, YEARS, PER_YEAR, AT = 40, 8, 12, 365
FIRST, EFFECT = 2004, 0.06


def _drawn(rng: np.random.Generator) -> Reframed:
    """Return people sentenced in areas and years whose risks add up, and more by `EFFECT` once the area has changed."""
    people = AREAS * YEARS * PER_YEAR
    number, area = np.arange(1, people + 1), np.tile(np.arange(AREAS), YEARS * PER_YEAR)
    since = rng.random(people) * YEARS
    changes = (1 + (rng.permutation(AREAS) + 0.5) / AREAS * YEARS)[area]
    base_of_area = 0.04 * rng.standard_normal(AREAS)
    risk = np.clip(0.30 + base_of_area[area] - 0.012 * np.floor(since) + EFFECT * (since >= changes), 0.0, 1.0)
    sentenced = day(f"{FIRST}-01-01") + np.floor(since * 365.25).astype(int)
    offends = rng.random(people) < risk
    days = rng.integers(1, AT, people)
    base = two_starters()
    name = np.array([f"area {chr(65 + a // 26)}{chr(65 + a % 26)}" for a in range(AREAS)], dtype=object)

    def like(table: str, **cells: Any) -> pd.DataFrame:
        return base.frame(table).iloc[[0] * people].reset_index(drop=True).assign(**cells)

    changed = day(f"{FIRST}-01-01") + np.floor(changes[:AREAS] * 365.25).astype(int)
    m1, b1 = base.programme_ids["m1"], base.programme_ids["b1"]
    provision = pd.concat(
        [pd.DataFrame({"programme_id": b1, "area": name, "open_from": day("2000-01-01"), "open_to": changed - 1}),
         pd.DataFrame({"programme_id": m1, "area": name, "open_from": changed, "open_to": pd.array([pd.NA] * AREAS, dtype="Int64")})],
        ignore_index=True,
    )  # fmt: skip
    hit = number[offends]
    offences = {
        "reoffence_id": hit, "person_id": hit, "offence_date": (sentenced + days)[offends],
        "proven_date": (sentenced + days)[offends] + 10, "offence_type": "violent",
    }  # fmt: skip
    return Reframed(
        base,
        people=like("people", person_id=number),
        sentences=like("sentences", person_id=number, sentence_id=number, sentence_date=sentenced, area=name[area]),
        assessments=base.frame("assessments").iloc[:0],
        participation=base.frame("participation").iloc[:0],
        provision=provision,
        reoffences=pd.DataFrame({c: offences.get(c) for c in base.frame("reoffences")}, index=range(len(hit))),
    )


def _asked(rng: np.random.Generator) -> dict[Key, Found]:
    found = oc.replaced_area_by_area(_drawn(rng), small_study(horizon=AT))
    frame = found.to_frame()
    rows: dict[Key, Found] = {("replaced_area_by_area", "overall"): interval(frame[frame["when"] == "overall"].iloc[0])}
    for year in (0, 1, 2):
        row = frame[(frame["when"] == "after") & (frame["year"] == year)].iloc[0]
        rows["replaced_area_by_area", f"in year {year + 1} after the change"] = interval(row)
    rows["replaced_area_by_area, years before", "areas were alike"] = PValue(found.test[1])
    return rows


OF_ROLLED_OUT = (
    Scenario(
        name="one programme replaces the other area by area",
        said=(
            f"{AREAS} areas change at times spread over {YEARS} years; risks by {AT} days are those of an area and a year added up, and "
            f"{EFFECT} more under the new programme"
        ),
        people=AREAS * YEARS * PER_YEAR,
        replicate=_asked,
        truths={
            "overall": Truth(EFFECT),
            **{f"in year {year} after the change": Truth(EFFECT) for year in (1, 2, 3)},
        },
    ),
)
