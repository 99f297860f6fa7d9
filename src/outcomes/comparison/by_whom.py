"""Who benefits: the effect by risk, denial, learning disability, setting, age and era, on both scales, with every test counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from outcomes.adjust.case_mix import left_out_notes, telling_terms
from outcomes.adjust.weighting import weight
from outcomes.comparison.bands_of_people import age_bands, eras, yes_or_no
from outcomes.comparison.benefits_result import Benefits
from outcomes.comparison.study_questions import asked_of, margin_of, must_weigh
from outcomes.comparison.subgroups import subgroup_effects
from outcomes.design.cohort import build_cohort
from outcomes.errors import DesignError, EstimationError, NotSupportedError, did_you_mean
from outcomes.results import Note

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData
    from outcomes.design.study import Study
    from outcomes.loading.tables import Tables
    from outcomes.results import Weights

__all__ = ["who_benefits"]

AGE, ERA = "age", "era"
_USUAL = ("risk_band", "denial", "learning_disability", "setting", AGE, ERA)


def who_benefits(
    tables: Tables,
    study: Study,
    *,
    outcome: str | None = None,
    horizon: float | str | None = None,
    by: str | Sequence[str] | None = None,
    conf_level: float = 0.95,
) -> Benefits:
    """Give a study's effect in each kind of people, and test whether it is the same, as a difference and as a ratio.

    Use it for "for whom does it work": what the headline names in advance is an answer, everything else is exploratory.

    Parameters
    ----------
    tables : Tables
    study : Study
        Two arms, fixed at time zero.
    outcome : str, optional
        Default: that of the headline, else the only one.
    horizon : float or str, optional
        Days, or text such as ``"2y"``. Default: that of the headline, else the end of follow-up.
    by : str or list of str, optional
        Columns of the cohort's baseline with a few levels each, ``"age"`` (below 30, 30 to 49, 50 and over) or ``"era"`` (first and
        second half of the periods). Default: the headline's subgroups, then risk_band, denial, learning_disability, setting, age, era.
    conf_level : float

    Returns
    -------
    Benefits
        ``to_frame()``: subgroup, named, level, adjustment and the columns of `compare`, once as risk difference and once as risk ratio;
        ``interaction()``: the tests that the effect is the same in all levels, on both scales.

    Raises
    ------
    DesignError
        As `build_cohort`; arms that are not fixed at time zero.
    EstimationError
        Several outcomes and no headline; a column that the baseline does not have; no column with two levels.
    NotSupportedError
        More than two arms; [adjust] names a method other than weighting.

    Notes
    -----
    Weights are fitted again within each level (`subgroup_effects`). An effect that is the same for all as a difference is not the same as
    a ratio where risks differ, so both tests stand side by side. Holm's and Benjamini and Hochberg's p-values are over all tests of
    interaction on both scales, named in advance or not; those of levels are over all levels on both scales. Columns with one level only
    among those compared are left out and said. A test that finds nothing is no sign that effects are the same: subgroups are small.

    References
    ----------
    Dong et al. (2020), Statistical Methods in Medical Research 29:659; VanderWeele & Knol (2014), Epidemiologic Methods 3:33 (interaction
    on both scales); Holm (1979), Scandinavian Journal of Statistics 6:65; Benjamini & Hochberg (1995), JRSS B 57:289.

    Examples
    --------
    >>> import outcomes as oc
    >>> tables, study = oc.load_tables("data/synthetic"), oc.read_study("notebooks/study.toml")  # doctest: +SKIP
    >>> oc.who_benefits(tables, study).interaction()  # doctest: +SKIP
    """
    name, length = asked_of(tables, study, outcome, horizon, "who_benefits")
    _supported(study)
    data, asked, notes = _with_subgroups(build_cohort(tables, study).outcome(name), study, by)
    weights, more = _weights(data, study)
    several = name if len(data.causes) > 1 else None
    margin = margin_of(study, name)
    difference, ratio = (
        subgroup_effects(
            data, asked, at=length, weights=weights, measure=measure, cause=several, conf_level=conf_level,
            margin=margin if measure == "risk_difference" else None,
        )
        for measure in ("risk_difference", "risk_ratio")
    )  # fmt: skip
    return Benefits.build(
        difference,
        ratio,
        named=_named(study, name, length),
        margin=margin,
        notes=tuple(dict.fromkeys([*notes, *more, *difference.notes, *ratio.notes])),
        provenance=MappingProxyType({"study": study.hash, "outcome": name, "horizon": length, "by": tuple(asked)}),
    )


def _supported(study: Study) -> None:
    if not study.arms_are_fixed:
        raise DesignError(
            f"who_benefits: [time_zero] strategy = {study.time_zero.strategy!r} fixes no arm at time zero; take 'none' or 'landmark'."
        )
    if len(study.arms.names) != 2:
        raise NotSupportedError(
            f"who_benefits: two arms are compared; the study has {', '.join(study.arms.names)}. Leave two in [arms]."
        )
    must_weigh(study, "who_benefits")


def _with_subgroups(
    data: SurvivalData, study: Study, by: str | Sequence[str] | None
) -> tuple[SurvivalData, list[str], list[Note]]:
    """Return the data with every column that is asked for, which these are, and what must be said of them.

    Raises
    ------
    EstimationError
        A column that is not there; none with two levels.
    """
    head = study.headline
    first = () if head is None else head.subgroups
    asked = list(dict.fromkeys([*first, *_USUAL] if by is None else [by] if isinstance(by, str) else by))
    baseline, said = _derived(data.baseline, asked)
    notes = [Note("bands", text) for text in said]
    unknown = [name for name in asked if name not in baseline]
    if unknown and (by is not None or unknown[0] in first):
        columns = [*map(str, data.baseline.columns), AGE, ERA]
        raise EstimationError(f"who_benefits: no column {unknown[0]!r}. {did_you_mean(unknown[0], columns)}")
    left = [name for name in asked if name in unknown or baseline[name].nunique() < 2]
    if left:
        names = ", ".join(name.replace("_", " ") for name in left)
        text = f"Left out, because everybody compared is in one level or nothing is recorded: {names}."
        notes.append(Note("one_level", text))
    kept = [name for name in asked if name not in left]
    if not kept:
        raise EstimationError(f"who_benefits: everybody compared is in one level of {', '.join(asked)}.")
    return replace(data, baseline=baseline), kept, notes


def _derived(baseline: pd.DataFrame, asked: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    """Return the baseline with bands of age and era where they are asked for, flags as yes and no; and what the bands are."""
    more, said = {}, []
    for name, source, banded in ((AGE, "age_at_time_zero", age_bands), (ERA, "period", eras)):
        if name in asked and name not in baseline:
            found = banded(baseline[source])
            more[name] = found.values
            said.append(found.said)
    for name in asked:
        if name in baseline and str(baseline[name].dtype) in ("bool", "boolean"):
            more[name] = yes_or_no(baseline[name])
    return baseline.assign(**more), said


def _weights(data: SurvivalData, study: Study) -> tuple[Weights | None, tuple[Note, ...]]:
    if study.adjust is None:
        return None, ()
    formula, left = telling_terms(study.adjust.formula, data.baseline)
    found = weight(
        data, formula, estimand=study.adjust.estimand, method=study.adjust.method, missing=study.adjust.missing
    )
    return found, left_out_notes({"the cohort": left})


def _named(study: Study, outcome: str, horizon: float) -> tuple[str, ...]:
    """Return the subgroups named in advance for this outcome, time and population."""
    head = study.headline
    if head is None or (head.outcome, head.horizon, head.population) != (
        outcome,
        horizon,
        study.eligibility.population,
    ):
        return ()
    return head.subgroups
