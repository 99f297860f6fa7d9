"""Starters, and beside them those who completed: the headline, and what becomes of it when people are classed by how courses went."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from outcomes.adjust.case_mix import left_out_notes, telling_terms
from outcomes.adjust.entry_rules import without_comparison_people
from outcomes.adjust.weighting import weight
from outcomes.comparison.completers_result import ENDS, StartersAndCompleters
from outcomes.comparison.contrasts import compare
from outcomes.comparison.study_questions import asked_of, margin_of, must_weigh
from outcomes.design.cohort import build_cohort
from outcomes.design.some_people import some_people
from outcomes.errors import DesignError, EstimationError
from outcomes.survival.curves import cumulative_incidence

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData
    from outcomes.design.study import Study
    from outcomes.loading.tables import Tables
    from outcomes.results import Weights

__all__ = ["starters_and_completers"]

STARTERS, COMPLETERS = "starters", "completers"
_ENDS = {"completed": "completed", "dropped_out": "dropped_out", "removed": "dropped_out", "ongoing": "ongoing"}
_NUMBERS = (
    "estimate",
    "std_error",
    "statistic",
    "df",
    "p_value",
    "conf_low",
    "conf_high",
    "value_reference",
    "value_arm",
)


@dataclass(frozen=True)
class _Asked:
    """What every contrast is asked about."""

    outcome: str
    horizon: float
    margin: float | None
    conf_level: float


def starters_and_completers(
    tables: Tables,
    study: Study,
    *,
    outcome: str | None = None,
    horizon: float | str | None = None,
    conf_level: float = 0.95,
) -> StartersAndCompleters:
    """Compare starters, as the study does, and set those of them who completed beside, with how many dropped out of each arm.

    Use it where somebody asks for completers: alone their numbers credit a programme with whom it kept.

    Parameters
    ----------
    tables : Tables
    study : Study
        Arms of people who started a programme (an arm of people who started nothing may be among them).
    outcome : str, optional
        Default: that of the headline, else the only one.
    horizon : float or str, optional
        Days, or text such as ``"2y"``. Default: that of the headline, else the end of follow-up.
    conf_level : float

    Returns
    -------
    StartersAndCompleters
        ``to_frame()``: people, against (starters, completers), selected, adjustment and the columns of `compare`; ``drop_out()``: how
        courses ended, by arm.

    Raises
    ------
    DesignError
        The study's arms are not people who started; as `build_cohort`.
    EstimationError
        Several outcomes and no headline.
    NotSupportedError
        [adjust] names a method other than weighting.

    Notes
    -----
    Starters are the headline: everyone who started, whatever became of it. Who completed is known only afterwards. Those who stay are
    easier to keep, and had to stay free of recall and custody to complete, so their rows mix what a programme does with whom it keeps:
    they have an interval, what that would say, no test, and the verdict *not determined*. Weights of the study's covariates are fitted
    again among those compared; no covariate known at time zero undoes the selection.

    References
    ----------
    Hernán & Robins (2020), Causal Inference: What If, ch. 8 and 22 (selection after time zero; intention to treat and per protocol).

    Examples
    --------
    >>> import outcomes as oc
    >>> tables, study = oc.load_tables("data/synthetic"), oc.read_study("notebooks/study.toml")  # doctest: +SKIP
    >>> oc.starters_and_completers(tables, study).summary()  # doctest: +SKIP
    """
    name, length = asked_of(tables, study, outcome, horizon, "starters_and_completers")
    _supported(study)
    asked = _Asked(name, length, margin_of(study, name), conf_level)
    cohort = build_cohort(tables, study)
    data = cohort.outcome(name)
    rows: list[dict[str, Any]] = []
    left_out: dict[str, tuple[str, ...]] = {}
    for arm in (one for one in data.arms if one not in (data.arms[0], study.arms.untreated)):
        for people, against in _contrasts(study):
            found, left = _answered(data, arm, people, against, study, asked)
            rows += found
            left_out[f"{people} of {arm} against {against} of {data.arms[0]}"] = left
    return StartersAndCompleters.build(
        rows,
        ends=_ends(cohort.baseline, [arm for arm in cohort.arms if arm != study.arms.untreated]),
        labels={**data.labels, "unit": "days"},
        named=_is_headline(study, name, length),
        conf_level=conf_level,
        margin=asked.margin,
        notes=tuple(dict.fromkeys([*data.notes, *left_out_notes(left_out)])),
        provenance=MappingProxyType({"study": study.hash, "outcome": name, "horizon": length}),
    )


def _supported(study: Study) -> None:
    if study.arms.assigned_by != "start" or not study.arms_are_fixed:
        raise DesignError(
            "starters_and_completers: the study's arms must be people who started a programme: assigned_by = 'start', and "
            "[time_zero] strategy 'none' or 'landmark'."
        )
    must_weigh(study, "starters_and_completers")


def _contrasts(study: Study) -> Iterator[tuple[str, str]]:
    """Yield who of an arm is set against whom of the reference; nobody completes nothing."""
    yield STARTERS, STARTERS
    yield COMPLETERS, STARTERS
    if study.arms.reference != study.arms.untreated:
        yield COMPLETERS, COMPLETERS


def _answered(
    data: SurvivalData, arm: str, people: str, against: str, study: Study, asked: _Asked
) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Return the contrast as it was and adjusted (where it cannot be had, why not), and the terms that say nothing there."""
    reference = data.arms[0]
    who = {"people": people, "against": against, "selected": people != STARTERS}
    own = {**who, "arm": arm, "reference": reference, "why": ""}
    kept, places = _chosen(data, arm, people, against)
    if min((places == 0).sum(), (places == 1).sum()) < 2:
        why = f"fewer than two of {arm} or {reference} completed"
        return [{**own, **_nothing("none", why), "adjustment": "raw", "n": len(kept)}], ()
    pair = some_people(data, kept, places, (reference, arm))
    rows = [{**own, "adjustment": "raw", **_row(pair, None, asked)}]
    if study.adjust is None:
        return rows, ()
    formula, left = telling_terms(study.adjust.formula, pair.baseline)
    try:
        if barred := without_comparison_people(pair, study.adjust.estimand):
            raise EstimationError(f"entry rules leave nobody to compare them with: {barred}")
        weights = weight(
            pair, formula, estimand=study.adjust.estimand, method=study.adjust.method, missing=study.adjust.missing
        )
    except EstimationError as error:
        why = str(error).removeprefix("weight: ")
        return [*rows, {**rows[0], **_nothing(study.adjust.estimand, why), "adjustment": "adjusted"}], left
    return [*rows, {**own, "adjustment": "adjusted", **_row(pair, weights, asked)}], left


def _chosen(
    data: SurvivalData, arm: str, people: str, against: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the rows of the baseline that are compared, and 1 for those of the arm, 0 for those of the reference."""
    completed = (data.baseline["status"].astype(str) == "completed").to_numpy()
    mine, other = data.arm == data.arms.index(arm), data.arm == 0
    mine, other = (side & (completed | (who == STARTERS)) for side, who in ((mine, people), (other, against)))
    kept = np.flatnonzero(mine | other)
    return kept, mine[kept].astype(np.int64)


def _row(data: SurvivalData, weights: Weights | None, asked: _Asked) -> dict[str, Any]:
    """Return the row of one contrast; why there is none where follow-up of those who are left is too short."""
    curves = cumulative_incidence(data, weights=weights, conf_level=asked.conf_level)
    several = asked.outcome if len(data.causes) > 1 else None
    try:
        found = compare(
            curves, measure="risk_difference", at=asked.horizon, cause=several, conf_level=asked.conf_level, margin=asked.margin
        )  # fmt: skip
    except EstimationError as error:
        estimand = "none" if weights is None else weights.estimand
        return {**_nothing(estimand, str(error).removeprefix("compare: ")), "n": len(data.baseline)}
    return {str(name): value for name, value in found.frame.iloc[0].to_dict().items()}


def _nothing(estimand: str, why: str) -> dict[str, Any]:
    """Return the row of a contrast that cannot be had: no number, and why."""
    return {**dict.fromkeys(_NUMBERS, np.nan), "estimand": estimand, "verdict": "not determined", "why": why}


def _ends(baseline: pd.DataFrame, arms: list[str]) -> pd.DataFrame:
    """Return how the courses that put people into their arms ended: arm, end, n, share."""
    import pandas as pd

    rows = []
    for arm in arms:
        status = baseline.loc[baseline["arm"] == arm, "status"].astype(str)
        end = status.map(_ENDS).fillna("ended")
        rows += [
            {"arm": arm, "end": name, "n": int((end == name).sum()), "share": float((end == name).mean())}
            for name in ENDS
        ]
    return pd.DataFrame(rows, columns=["arm", "end", "n", "share"])


def _is_headline(study: Study, outcome: str, horizon: float) -> bool:
    head = study.headline
    return head is not None and (head.outcome, head.horizon, head.population) == (
        outcome, horizon, study.eligibility.population
    )  # fmt: skip
