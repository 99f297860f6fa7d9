"""Per-person truths as a frame, and the truth of each population as plain data."""

from __future__ import annotations

import math
from dataclasses import asdict
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.results import Array
from outcomes.synthetic.assignment import ARMS, BESPOKE, MANUALISED, NONE
from outcomes.synthetic.people import BANDS, DENIAL
from outcomes.synthetic.records_people import area_codes, person_ids
from outcomes.synthetic.replication import HORIZONS, OUTCOMES, PROVEN_WITHIN, Potential, never_away
from outcomes.synthetic.story import EXTRACTED, Story

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["add_at_risk", "potential_frame", "truth"]

POPULATIONS = ("own_bespoke", "own_manualised", "both", "both_overlap", "caseload")
VERSIONS = ("committed", "proven")
TREATED = (BESPOKE, MANUALISED, NONE)


def potential_frame(story: Story, drawn: Potential | None) -> pd.DataFrame:
    """Return one row a person: who they are to the study, and their true risks where they were drawn."""
    import pandas as pd

    people, plan = story.people, story.assignment
    both = story.started & ~people.excluded & people.sexual_index & people.adult_man
    columns: dict[str, Any] = {
        "person_id": person_ids(np.arange(people.n)),
        "arm": np.array(ARMS, dtype=object)[story.arm],
        "starter": story.started,
        "eligible_both": ~people.excluded & people.sexual_index & people.male,
        "adult_man": people.adult_man,
        "in_both": both,
        "in_caseload": people.sexual_index & people.adult_man,
        "time_zero": story.time_zero.astype("datetime64[D]").astype("datetime64[ns]"),
        "wait_days": story.wait,
        "area": area_codes(people.area),
        "risk_band": np.array(BANDS, dtype=object)[people.band],
        "denial": np.array(DENIAL, dtype=object)[people.denial],
        "learning_disability": people.learning_disability,
        "dropped_out": story.dropped & story.started,
        "propensity": np.where(both, plan.propensity, np.nan),
        "chance_bespoke": plan.chance[:, BESPOKE],
        "chance_manualised": plan.chance[:, MANUALISED],
    }
    if drawn is not None:
        for name, values in drawn.columns.items():
            full = np.full(people.n, np.nan)
            full[drawn.rows] = values
            columns[name] = full
    return pd.DataFrame(columns)


def add_at_risk(potential: pd.DataFrame, story: Story) -> pd.DataFrame:
    """Return the frame with the closed-form risks and event-free days as if never out of the community."""
    import pandas as pd

    more: dict[str, Array] = {}
    for arm, outcome, version, horizon in product(TREATED, ("any", "sexual"), VERSIONS, HORIZONS):
        name = f"{ARMS[arm]}_{outcome}_{version}_at_risk"
        more[f"{name}_{horizon}"], more[f"{name}_rmst_{horizon}"] = never_away(
            story.rates, story.wait, arm, outcome, version, HORIZONS[horizon], story.biases.conviction_lag
        )
    return pd.concat([potential, pd.DataFrame(more)], axis=1)


def truth(story: Story, potential: pd.DataFrame | None, *, seed: int, replicates: int) -> dict[str, Any]:
    """Return the truth of every population, horizon, scale, outcome and version as plain data (none without a frame)."""
    by_band: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    if potential is not None:
        results = _results(potential, POPULATIONS)
        for band in BANDS:
            inside = potential[potential["risk_band"] == band]
            by_band += [{"risk_band": band, **row} for row in _results(inside, ("both", "both_overlap"))]
    return {
        "invented": True,
        "seed": seed,
        "n_people": story.people.n,
        "n_areas": story.provision.n_areas,
        "replicates": replicates,
        "data_cut": EXTRACTED,
        "biases": asdict(story.biases),
        "world": asdict(story.world),
        "contrast": "bespoke minus manualised",
        "horizons_days": dict(HORIZONS),
        "proven_within_days": dict(PROVEN_WITHIN),
        "definitions": _DEFINITIONS,
        "question": _QUESTION,
        "results": results,
        "results_by_risk_band": by_band,
    }


def _results(potential: pd.DataFrame, populations: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the rows of some populations: every outcome, version, horizon and scale."""
    return [
        row
        for population, outcome in product(populations, (*OUTCOMES, "recall"))
        for version in (("observed",) if outcome == "recall" else VERSIONS)
        for horizon in HORIZONS
        for row in _rows(potential, population, outcome, version, horizon)
    ]


_SEXUAL_TYPES = ["sexual_contact", "sexual_noncontact", "sexual_image"]
_QUESTION = {  # in the words of a study file: the truth is that of a study that says exactly this
    "arms": {"bespoke": {"family": ["south_project"]}, "manualised": {"family": ["core_manual"]}},
    "assigned_by": "start",
    "window": None,
    "if_both": "first",
    "time_zero": "auto",
    "include": {"both": ["age_at_time_zero >= 18", "sex == 'male'"], "own": []},
    "types": {
        "any": [*_SEXUAL_TYPES, "violent", "acquisitive", "drugs", "other"],
        "sexual": _SEXUAL_TYPES,
        "sexual_before_recall": _SEXUAL_TYPES,
    },
    "competing": {
        "any": ["death", "deportation"],
        "sexual": ["death", "deportation"],
        "sexual_before_recall": ["death", "deportation", "recall"],
    },
}
_DEFINITIONS = {
    "own_bespoke": "those who started the bespoke programme, everyone counted alike",
    "own_manualised": "those who started the manualised programme; under the manual all risks are hypothetical for the refused",
    "both": "starters of either programme, men of 18 or over, whom the rules of both admit",
    "both_overlap": "the same, weighted by e(1 - e), e the true chance of manualised among starters",
    "caseload": (
        "men of 18 or over sentenced for a sexual offence; each arm is a regime in which it alone is on offer: those who would "
        "not start it, or whom it refuses, have the risk under none"
    ),
    "calendar": "everyone stays at risk from time zero; deaths and deportations compete; losses left out",
    "at_risk": "as if never out of the community: hazards as they are, no custody and no recall; deaths and deportations compete",
    "committed": "every offence, proven or not",
    "proven": "offences proven within the days given, before death or departure",
    "any": "sexual, violent, acquisitive, drugs or other; not motoring, not breaches",
    "sexual": "contact, non-contact or image",
    "sexual_before_recall": "sexual, with recall competing as well",
    "recall": "first recall; control of people on licence, not an offence",
    "rmst": "mean days without the outcome, death or deportation (and recall, where it competes), up to the horizon",
}


def _rows(potential: pd.DataFrame, population: str, outcome: str, version: str, horizon: str) -> list[dict[str, Any]]:
    """Return the calendar row, and the at-risk row where there is one."""
    middle = outcome if outcome == "recall" else f"{outcome}_{version}"
    scales = ["calendar"] + (["at_risk"] if outcome in ("any", "sexual") else [])
    rows = []
    for scale in scales:
        made: dict[str, Any] = {
            "population": population, "n": int(_weights(potential, population)[0].sum()), "outcome": outcome,
            "version": version, "horizon": horizon, "scale": scale,
        }  # fmt: skip
        at_risk = scale == "at_risk"
        made |= _by_arm(potential, population, "risk", f"{middle}_{'at_risk' if at_risk else 'risk'}_{horizon}")
        if outcome != "recall":
            made |= _by_arm(
                potential, population, "rmst", f"{middle}_{'at_risk_rmst' if at_risk else 'rmst'}_{horizon}"
            )
        rows.append(made)
    return rows


def _by_arm(potential: pd.DataFrame, population: str, label: str, column: str) -> dict[str, float | None]:
    """Return the population's mean under each programme and none, and bespoke minus manualised (None if nobody is in it)."""
    who, weight = _weights(potential, population)
    out: dict[str, float] = {}
    for arm in (ARMS[k] for k in TREATED):
        values = potential[f"{arm}_{column}"].to_numpy()[who]
        if population == "caseload" and arm != "none":
            chance = potential[f"chance_{arm}"].to_numpy()[who]
            values = chance * values + (1 - chance) * potential[f"none_{column}"].to_numpy()[who]
        total = math.fsum(weight)
        out[f"{label}_{arm}"] = math.fsum(values * weight) / total if total > 0 else math.nan
    out[f"{label}_difference"] = out[f"{label}_bespoke"] - out[f"{label}_manualised"]
    return {name: None if math.isnan(value) else float(f"{value:.6g}") for name, value in out.items()}


def _weights(potential: pd.DataFrame, population: str) -> tuple[np.typing.NDArray[np.bool_], Array]:
    """Return who is in a population, shape (n,), and the weights of those."""
    if population.startswith("own_"):
        who = (potential["starter"] & (potential["arm"] == population.removeprefix("own_"))).to_numpy()
    elif population == "caseload":
        who = potential["in_caseload"].to_numpy()
    else:
        who = potential["in_both"].to_numpy()
    weight = np.ones(int(who.sum()))
    if population == "both_overlap":
        e = potential["propensity"].to_numpy()[who]
        weight = e * (1 - e)
    return who, weight
