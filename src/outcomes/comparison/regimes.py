"""What was on offer as the assignment: areas and years in which one programme or the other ran, everyone there compared."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from outcomes.adjust.adjusting_curves import adjusted_curves
from outcomes.adjust.case_mix import models_by_cause, telling_terms
from outcomes.design.cohort import Cohort, build_cohort
from outcomes.design.some_people import some_people
from outcomes.errors import DesignError, EstimationError
from outcomes.results import Note
from outcomes.survival.curves import CumulativeIncidence, cumulative_incidence
from outcomes.survival.formula_text import names_in

if TYPE_CHECKING:
    from outcomes.adjust.adjusted_results import AdjustedCurves
    from outcomes.design.data import SurvivalData
    from outcomes.design.study import Study
    from outcomes.loading.tables import Tables

__all__ = ["AREA", "Regimes", "by_regime"]

AREA, PERIOD = "area", "period"
_ERA = "No year had both regimes: what was on offer and the era cannot be told apart."


@dataclass(frozen=True, eq=False)
class Regimes:
    """Everyone in the caseload by what their area had on offer.

    Attributes
    ----------
    cohort : Cohort
        From release or sentence; arms are regimes.
    data : SurvivalData
        Those of the years in which there were both regimes; clustered by area.
    raw : CumulativeIncidence
    adjusted : AdjustedCurves
        Standardised over all of `data`, by models with the case mix and the year.
    formula : str
        Case mix and year.
    left_out : tuple of str
        Terms of the study's formula that are the same for everybody there.
    """

    cohort: Cohort
    data: SurvivalData
    raw: CumulativeIncidence
    adjusted: AdjustedCurves
    formula: str
    left_out: tuple[str, ...]
    notes: tuple[Note, ...]


def by_regime(tables: Tables, study: Study, outcome: str, *, conf_level: float = 0.95) -> Regimes:
    """Return the caseload by regime, as it was and adjusted for case mix and year.

    Years that had one regime only are left out and counted: nobody there has a counterpart.

    Raises
    ------
    DesignError
        Nowhere, or at no time, was one of them alone on offer.
    EstimationError
        No year had both regimes, or there are none with programmes of two arms.
    """
    if len(study.arms.treated) < 2:
        raise EstimationError("Regimes are compared: the study needs programmes of two arms.")
    try:
        cohort = build_cohort(tables, study.by_provision())
    except DesignError as error:
        raise DesignError(
            f"Regimes are compared between areas and times that offered one programme and such that offered the other: {error}"
        ) from error
    everyone = cohort.outcome(outcome)
    if everyone.cluster is None:
        everyone = everyone.with_cluster(AREA)
    data, notes = _concurrent(everyone)
    written = "" if study.adjust is None else study.adjust.formula
    formula, left_out = telling_terms(written, data.baseline) if written else ("", ())
    if data.baseline[PERIOD].nunique() > 1 and PERIOD not in names_in(formula or "1"):
        formula = f"{formula} + C({PERIOD})" if formula else f"C({PERIOD})"
    models, of_causes = models_by_cause(data, outcome, formula)
    adjusted = adjusted_curves(
        data, outcome=models, estimand="ate", method="g-formula", cause=outcome, conf_level=conf_level
    )
    about = tuple(
        note for note in adjusted.notes if note.code != "excluded_by_rule"
    )  # a regime is for whom it refuses, too
    return Regimes(
        cohort=cohort,
        data=data,
        raw=cumulative_incidence(data, conf_level=conf_level),
        adjusted=replace(adjusted, notes=about),
        formula=formula,
        left_out=left_out,
        notes=tuple(dict.fromkeys((*notes, *of_causes))),
    )


def _concurrent(data: SurvivalData) -> tuple[SurvivalData, tuple[Note, ...]]:
    """Return the people of years in which every regime ran somewhere, and how many that leaves out."""
    year = data.baseline[PERIOD].astype(str).to_numpy()
    names, code = np.unique(year, return_inverse=True)
    met = np.zeros((len(names), len(data.arms)), dtype=bool)
    met[code, data.arm] = True
    both = np.asarray(met.all(axis=1))
    kept = np.flatnonzero(both[code])
    if not len(kept):
        raise EstimationError(_ERA)
    if len(kept) == len(year):
        return replace(data, notes=()), ()
    text = (
        f"{len(year) - len(kept):,} of {len(year):,} people of the caseload come from years in which one regime ran everywhere "
        f"({', '.join(names[~both])}); nobody there has a counterpart, and they are left out."
    )
    return some_people(data, kept, data.arm[kept], data.arms), (Note("one_regime_only", text),)
