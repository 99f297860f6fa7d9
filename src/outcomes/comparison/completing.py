"""Starters, and beside them those who completed: the headline, and what becomes of it when people are classed by how courses went."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from outcomes.comparison.completers_result import ENDS, StartersAndCompleters
from outcomes.comparison.raw_and_adjusted import Asked, RawAndAdjusted, contrast_notes, no_numbers, raw_and_adjusted
from outcomes.comparison.study_questions import asked_of, margin_of, must_be_a_level, must_weigh
from outcomes.design.cohort import build_cohort
from outcomes.design.some_people import some_people
from outcomes.errors import DesignError

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData
    from outcomes.design.study import Study
    from outcomes.loading.tables import Tables

__all__ = ["starters_and_completers"]

STARTERS, COMPLETERS, NOBODY = "starters", "completers", "non-starters"
_ENDS = {"completed": "completed", "dropped_out": "dropped_out", "removed": "dropped_out", "ongoing": "ongoing"}


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
        ``to_frame()``: people, against (starters, completers, non-starters), selected, adjustment and the columns of `compare`;
        ``drop_out()``: how courses ended, by arm.

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
    must_be_a_level(conf_level)
    _supported(study)
    asked = Asked(name, length, margin_of(study, name), conf_level)
    cohort = build_cohort(tables, study)
    data = cohort.outcome(name)
    rows: list[dict[str, Any]] = []
    contrasts: dict[str, RawAndAdjusted] = {}
    for arm in (one for one in data.arms if one not in (data.arms[0], study.arms.untreated)):
        for people, against in _contrasts(study):
            who = {
                "people": people,
                "against": against,
                "selected": people != STARTERS,
                "arm": arm,
                "reference": data.arms[0],
            }
            found = _answered(data, arm, people, against, study, asked)
            rows += [{"why": "", **who, **row} for row in found.rows]
            contrasts[f"{people} of {arm} against {against} of {data.arms[0]}"] = found
    return StartersAndCompleters.build(
        rows,
        ends=_ends(cohort.baseline, [arm for arm in cohort.arms if arm != study.arms.untreated]),
        labels={**data.labels, "unit": "days"},
        named=_is_headline(study, name, length),
        conf_level=conf_level,
        margin=asked.margin,
        notes=tuple(dict.fromkeys([*data.notes, *contrast_notes(contrasts)])),
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
    nothing = study.arms.reference == study.arms.untreated
    other = NOBODY if nothing else STARTERS
    yield STARTERS, other
    yield COMPLETERS, other
    if not nothing:
        yield COMPLETERS, COMPLETERS


def _answered(data: SurvivalData, arm: str, people: str, against: str, study: Study, asked: Asked) -> RawAndAdjusted:
    """Return the contrast as it was and adjusted; where it cannot be had, why not."""
    reference = data.arms[0]
    kept, places = _chosen(data, arm, people, against)
    if min((places == 0).sum(), (places == 1).sum()) < 2:
        why = f"fewer than two of {arm} or {reference} completed"
        return RawAndAdjusted([{**no_numbers({}, "none"), "why": why, "adjustment": "raw", "n": len(kept)}])
    estimand = "none" if study.adjust is None else study.adjust.estimand
    return raw_and_adjusted(some_people(data, kept, places, (reference, arm)), study, asked, estimand)


def _chosen(
    data: SurvivalData, arm: str, people: str, against: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the rows of the baseline that are compared, and 1 for those of the arm, 0 for those of the reference."""
    completed = (data.baseline["status"].astype(str) == "completed").to_numpy()
    mine, other = data.arm == data.arms.index(arm), data.arm == 0
    mine, other = (side & (completed | (who != COMPLETERS)) for side, who in ((mine, people), (other, against)))
    kept = np.flatnonzero(mine | other)
    return kept, mine[kept].astype(np.int64)


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
