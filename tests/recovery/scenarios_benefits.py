"""Who benefits, by age: a programme that helps the young alone, and one that helps everybody alike."""

from __future__ import annotations

import numpy as np
from offending_starters import offending_starters
from scenario import Found, Key, PValue, Scenario, Truth, interval, log_interval
from small_study import small_study

import outcomes as oc
from outcomes.design.study import Adjust

__all__ = ["OF_BENEFITS"]

PEOPLE, AT, RATE = 1_500, 730, 1 / 900
AGES = np.array([22.0, 40.0, 60.0])
LEVELS = ("below 30", "30 to 49", "50 and over")
_STUDY = small_study(horizon=AT).replace(adjust=Adjust("age_at_time_zero", "ate"))


def _hazards(ratios: tuple[float, float, float]) -> dict[str, np.ndarray]:
    return {"manualised": np.full(3, RATE), "bespoke": RATE * np.array(ratios)}


def _asked(ratios: tuple[float, float, float], rng: np.random.Generator) -> dict[Key, Found]:
    """Older people are more often in the bespoke programme: log odds rise by 0.02 a year."""
    bespoke = np.arange(1, PEOPLE + 1) % 2 == 0
    tilt = np.exp(0.02 * AGES)
    which = np.where(bespoke, rng.choice(3, PEOPLE, p=tilt / tilt.sum()), rng.choice(3, PEOPLE))
    hazards = _hazards(ratios)
    rate = np.where(bespoke, hazards["bespoke"][which], hazards["manualised"][which])
    offends = np.ceil(rng.exponential(1 / rate)).astype(int)
    tables = offending_starters(offends, sentences={"age_at_sentence": AGES[which]})
    found = oc.who_benefits(tables, _STUDY, by=["age"])
    rows: dict[Key, Found] = {}
    frame = found.to_frame()
    for row in frame[frame["subgroup"] == "age"].to_dict("records"):
        ratio = row["measure"] == "risk_ratio"
        what = "log risk ratio" if ratio else "difference in risk"
        rows["who_benefits", f"{what}, {row['level']}"] = log_interval(row) if ratio else interval(row)
    if len(set(ratios)) == 1:
        for row in found.interaction().to_dict("records"):
            rows[f"who_benefits, {row['scale']} interaction", "levels differ"] = PValue(row["p_value"])
    return rows


def _truths(ratios: tuple[float, float, float]) -> dict[str, Truth]:
    risks = {arm: -np.expm1(-AT * rate) for arm, rate in _hazards(ratios).items()}
    found = {}
    for level, arm, reference in zip(LEVELS, risks["bespoke"], risks["manualised"], strict=True):
        found[f"difference in risk, {level}"] = Truth(float(arm - reference))
        found[f"log risk ratio, {level}"] = Truth(float(np.log(arm / reference)))
    return found


def _scenario(name: str, said: str, ratios: tuple[float, float, float]) -> Scenario:
    return Scenario(
        name=name, said=f"{said}; risks by {AT} days; weighted by age", people=PEOPLE,
        replicate=lambda rng: _asked(ratios, rng), truths=_truths(ratios),
    )  # fmt: skip


_YOUNG = "three ages; below 30 the bespoke programme takes 60 % off the hazard, else nothing"
_ALIKE = "three ages of one hazard, of which the bespoke programme takes 30 % off"

OF_BENEFITS = (
    _scenario("a programme that helps the young alone", _YOUNG, (0.4, 1.0, 1.0)),
    _scenario("a programme that helps everybody alike", _ALIKE, (0.7, 0.7, 0.7)),
)
