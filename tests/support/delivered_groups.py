"""An extract of people in groups of two programmes, whose hazards hang on the score of their group and on where it was: truth known.

Everyone is on a community order and starts on the day they are followed from. Hazards are constant; the score of a group acts in the
manualised programme only.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from small_study import small_study
from small_tables import rows, small_tables

from outcomes.design.study import Study

BASE = 0.35 / 730
"""Hazard a day of somebody of mean age, where nothing else acts."""
START, HORIZON = "2008-01-01", 730.0


def delivered(
    *,
    seed: int = 1,
    sites: int = 12,
    groups: int = 4,
    people: int = 12,
    slope: float = 0.0,
    site_sd: float = 0.0,
    arm: float = 0.0,
    nested: bool = False,
    shared: float = 0.0,
    scales: tuple[str, ...] = ("compliance",),
) -> dict[str, pd.DataFrame]:
    """Return tables: `sites` sites, each with `groups` groups of `people` people in either programme (nested: in one of them).

    Parameters
    ----------
    slope : float
        Log hazard ratio of a point of the score of the group, in m1. Scores are normal about 3 with a standard deviation of 0.4.
    site_sd : float
        Standard deviation of the log hazards of sites, each programme at each site having its own.
    shared : float
        Share of the variance of scores that is the site's, and the same for all its groups.
    arm : float
        Log hazard ratio of b1 against m1.
    """
    rng = np.random.default_rng(seed)
    at = [(site, programme) for site in range(sites) for programme in (0, 1) if not nested or programme == site % 2]
    site, programme = (np.repeat([pair[k] for pair in at], groups) for k in (0, 1))
    own, common = (
        rng.normal(0.0, 0.4, len(site)),
        np.repeat(np.random.default_rng([seed, 1]).normal(0.0, 0.4, len(at)), groups),
    )
    score = (3.0 + np.sqrt(1 - shared) * own + np.sqrt(shared) * common).round(3)
    effect = np.repeat(rng.normal(0.0, site_sd, len(at)), groups)
    shift = effect + np.where(programme == 0, slope * (score - 3.0), arm)
    group = np.repeat(np.arange(len(site)), people)
    age = rng.uniform(20, 60, len(group)).round(1)
    time = rng.exponential(1 / (BASE * np.exp(shift[group] - 0.03 * (age - 40)))).astype(int) + 1
    died = rng.exponential(1 / 6e-5, len(group)).astype(int) + 1
    person = [f"p{n}" for n in range(len(group))]
    return small_tables(
        people=pd.DataFrame({"person_id": person, "sex": "male", "ethnicity_group": "white"}),
        sentences=_sentences(person, age),
        assessments=rows("person_id date instrument score band denial learning_disability"),
        referrals=rows("referral_id person_id sentence_id programme_id referral_date stage decision"),
        participation=_participation(person, group, site, programme),
        reoffences=_dated(person, time, time < died, "reoffence"),
        exits=_dated(person, died, died < time, "exit"),
        **_run(site, programme, score, scales),
    )


def _sentences(person: list[str], age: Any) -> pd.DataFrame:
    return pd.DataFrame(
        {"sentence_id": [f"s{p}" for p in person], "person_id": person, "sentence_date": "2007-12-01", "sentence_type": "order",
         "setting": "community", "index_offence": "sexual_contact", "release_date": None, "age_at_sentence": age, "prior_sanctions": 1,
         "prior_sexual_sanctions": 0, "area": "north"}
    )  # fmt: skip


def _participation(person: list[str], group: Any, site: Any, programme: Any) -> pd.DataFrame:
    return pd.DataFrame(
        {"participation_id": [f"t{p}" for p in person], "referral_id": None, "person_id": person, "sentence_id": [f"s{p}" for p in person],
         "programme_id": np.where(programme[group] == 0, "m1", "b1"), "start_date": START, "end_date": "2008-10-01", "status": "completed",
         "voluntary": "false", "site_id": site[group] + 101, "group_id": group + 1001}
    )  # fmt: skip


def _run(site: Any, programme: Any, score: Any, scales: tuple[str, ...]) -> dict[str, pd.DataFrame]:
    """Return two scores of each group of m1, one on the first day and one later, about the group's own; and two facilitators a site."""
    number = np.arange(len(site))
    monitored = number[programme == 0]
    fidelity = pd.DataFrame(
        {"group_id": np.repeat(monitored, 2) + 1001, "date": np.tile([START, "2008-06-01"], len(monitored)),
         "score": (np.repeat(score[monitored], 2) + np.tile([-0.1, 0.1], len(monitored))).round(3),
         "scale": np.resize(scales, 2 * len(monitored))}
    )  # fmt: skip
    twice = np.repeat(number, 2)
    delivery = pd.DataFrame(
        {"group_id": twice + 1001, "facilitator_id": 10 * (2 * site[twice] + programme[twice]) + np.tile([1, 2], len(number)) + 5000,
         "role": np.tile(["lead", "co_facilitator"], len(number)), "grade": np.where(site[twice] % 3 == 0, "psychologist", "officer")}
    )  # fmt: skip
    return {"fidelity": fidelity, "delivery": delivery}


def _dated(person: list[str], day: Any, kept: Any, what: str) -> pd.DataFrame:
    since = np.datetime64(START)
    kept = kept & (day < 2400)
    date, who = (since + day[kept]).astype(str), [p for p, k in zip(person, kept, strict=True) if k]
    if what == "exit":
        return pd.DataFrame({"person_id": who, "exit_date": date, "reason": "death"})
    proven = (since + day[kept] + 30).astype(str)
    return pd.DataFrame(
        {"reoffence_id": [f"o{p}" for p in who], "person_id": who, "offence_date": date, "proven_date": proven, "offence_type": "violent"}
    )  # fmt: skip


def study_of_groups(formula: str | None = "age_at_time_zero", **changed: Any) -> Study:
    """Return a study of both programmes, of two years; `formula` is the case mix, None: none."""
    study = small_study(horizon=HORIZON, cluster=None if formula is None else "area", **changed)
    return (
        study
        if formula is None or study.adjust is None
        else study.replace(adjust=replace(study.adjust, formula=formula))
    )


def risk_at(shift: Any) -> Any:
    """Return the risk by two years at some log hazards, averaged over ages, death competing."""
    return risk_at_age(np.atleast_1d(shift)[:, None], np.linspace(20, 60, 201)).mean(axis=1)


def risk_at_age(shift: Any, age: Any) -> Any:
    """Return the risk by two years at log hazards and ages."""
    hazard = BASE * np.exp(shift - 0.03 * (age - 40))
    both = hazard + 6e-5
    return hazard / both * (1 - np.exp(-both * HORIZON))
