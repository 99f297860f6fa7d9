"""Every kind of programme against people who started nothing: each with a comparison group of its own, and what it cannot show."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.comparison.programmes_result import Programmes
from outcomes.comparison.raw_and_adjusted import Asked, RawAndAdjusted, contrast_notes, no_numbers, raw_and_adjusted
from outcomes.comparison.study_questions import asked_of, must_be_a_level, must_weigh
from outcomes.design.cohort import build_cohort
from outcomes.design.study import Arms, ArmSpec, TimeZero
from outcomes.durations import days, in_words
from outcomes.errors import DesignError
from outcomes.survival.curves import cumulative_incidence

if TYPE_CHECKING:
    from outcomes.design.data import SurvivalData
    from outcomes.design.study import Study
    from outcomes.loading.tables import Tables

__all__ = ["programmes_against_nothing"]

NOTHING = "nothing"
FEW_PEOPLE, FEW_EVENTS = 30, 10
"""With fewer people in either arm (once weighted: people they count as), or fewer events, no test is given."""


def programmes_against_nothing(
    tables: Tables,
    study: Study,
    *,
    outcome: str | None = None,
    horizon: float | str | None = None,
    grace: float | str = "6m",
    conf_level: float = 0.95,
) -> Programmes:
    """Compare every family of programmes in the catalogue with people who started nothing.

    Use it where there is more on offer than the two programmes of the headline: circles of support, work with partners and families,
    residential programmes, individual counselling, programmes for the young. Small ones get no test; what they could have shown is
    said instead.

    Parameters
    ----------
    tables : Tables
    study : Study
        Its conditions, outcomes, follow-up and [adjust] formula; its arms and time zero are not used.
    outcome : str, optional
        Default: that of the headline, else the only one.
    horizon : float or str, optional
        Days, or text such as ``"2y"``. Default: that of the headline, else the end of follow-up.
    grace : float or str
        Who started by this time after release or sentence is compared with who had started no programme at all by then, both followed
        from then on.
    conf_level : float

    Returns
    -------
    Programmes
        ``to_frame()``: programme, adjustment, n_programme, n_nothing, the columns of `compare`, detectable, why.

    Raises
    ------
    DesignError
        As `build_cohort`; no programme of the catalogue was started by anybody.
    EstimationError
        Several outcomes and no headline.
    NotSupportedError
        [adjust] names a method other than weighting.

    Notes
    -----
    Each comparison group is made of people whom the entry rules of that programme admit, weighted to the case mix of its clients (ATT).
    Where either arm has fewer than 30 people, or counts as fewer once weighted, or has fewer than 10 events, there is an interval and no
    p-value, and the difference the design could have found with 80 % power. Groups overlap: people who started nothing stand in several
    comparisons, whose p-values (Holm, Benjamini–Hochberg) pay for their number.

    References
    ----------
    Hernán & Robins (2016), American Journal of Epidemiology 183:758 (one time zero for those treated and not).

    Examples
    --------
    >>> import outcomes as oc
    >>> tables, study = oc.load_tables("data/synthetic"), oc.read_study("notebooks/study.toml")  # doctest: +SKIP
    >>> oc.programmes_against_nothing(tables, study).summary()  # doctest: +SKIP
    """
    name, length = asked_of(tables, study, outcome, horizon, "programmes_against_nothing")
    must_be_a_level(conf_level)
    must_weigh(study, "programmes_against_nothing")
    wait, asked = days(grace, what="programmes_against_nothing: grace"), Asked(name, length, None, conf_level)
    catalogue = tables.frame("programmes").drop_duplicates("family_id")
    contrasts: dict[str, RawAndAdjusted] = {}
    for family in catalogue["family_id"].astype(str):
        contrasts[family.replace("_", " ")] = _against_nothing(
            tables, _one_programme(study, family, wait), family, asked
        )
    rows = [row for found in contrasts.values() for row in found.rows]
    if all(row["why"] for row in rows):
        raise DesignError("programmes_against_nothing: no programme of the catalogue can be compared with nothing.")
    return Programmes.build(
        rows,
        labels={"unit": "days", "outcome": name, **_proven(study, name)},
        grace=wait,
        conf_level=conf_level,
        said=contrast_notes(contrasts),
        provenance=MappingProxyType({"study": study.hash, "outcome": name, "horizon": length, "grace": wait}),
    )


def _proven(study: Study, name: str) -> dict[str, str]:
    period = study.outcomes[name].proving_period
    return {"proven_within": in_words(period)} if period else {}


def _one_programme(study: Study, family: str, grace: float) -> Study:
    """Return the study of one family against nothing, at a landmark, among those whom its rules admit."""
    arms = Arms(NOTHING, {NOTHING: ArmSpec(none=True), family: ArmSpec(family=(family,))})
    return study.replace(
        arms=arms,
        time_zero=TimeZero("auto", "landmark", grace),
        eligibility=replace(study.eligibility, population="both"),
        headline=None,
    )


def _against_nothing(tables: Tables, study: Study, family: str, asked: Asked) -> RawAndAdjusted:
    """Return the contrast raw and adjusted; where there is none, one row that says why."""
    own: dict[str, Any] = {"programme": family, "arm": family, "reference": NOTHING, "n_programme": 0, "n_nothing": 0}
    try:
        data = build_cohort(tables, study).outcome(asked.outcome)
    except DesignError as error:
        return RawAndAdjusted([{**own, "adjustment": "raw", **_nobody(str(error).removeprefix("build_cohort: "))}])
    sizes = dict(zip(data.arms, map(int, data.people_by_arm()), strict=True))
    own |= {"n_programme": sizes[family], "n_nothing": sizes[NOTHING]}
    found = raw_and_adjusted(data, study, asked, "att")
    return replace(found, rows=[{**row, **own, **_judged(row, data, asked)} for row in found.rows])


def _judged(row: dict[str, Any], data: SurvivalData, asked: Asked) -> dict[str, Any]:
    """Return whether a contrast is tested; where people or events are few there is no test, and no verdict but one."""
    if row["identified"] and min(row["effective_arm"], row["effective_reference"]) >= FEW_PEOPLE:
        by_arm = cumulative_incidence(data).at(asked.horizon)
        events = by_arm.loc[by_arm["cause"] == asked.outcome, "n_events"].to_numpy(dtype=np.float64)
        if events.min() >= FEW_EVENTS:
            return {"tested": True}
    return {"tested": False, "statistic": np.nan, "p_value": np.nan, "verdict": "not determined"}


def _nobody(why: str) -> dict[str, Any]:
    return {**no_numbers({}, "none"), "tested": False, "why": why}
