"""Everything a report is made of, estimated once: every outcome as it was and as weighted, and the headline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from outcomes.adjust.weighting import PropensityWeights, weight
from outcomes.design.cohort import Cohort, build_cohort
from outcomes.design.data import SurvivalData
from outcomes.design.study import Headline, Study
from outcomes.errors import DesignError, NotSupportedError
from outcomes.loading.tables import Tables, load_tables
from outcomes.loading.truth_file import read_truth
from outcomes.results import Note
from outcomes.survival.curves import CumulativeIncidence, cumulative_incidence

__all__ = ["Analysis", "OutcomeAnalysis", "Say", "analyse", "load"]

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class OutcomeAnalysis:
    """One outcome of a study: time at risk, weights, and cumulative incidence as it was and as weighted."""

    name: str
    data: SurvivalData
    weights: PropensityWeights | None
    raw: CumulativeIncidence
    adjusted: CumulativeIncidence | None

    @property
    def best(self) -> CumulativeIncidence:
        """The adjusted curves where there are some, else those as it was."""
        return self.raw if self.adjusted is None else self.adjusted


@dataclass(frozen=True, eq=False)
class Analysis:
    """A study carried out.

    Attributes
    ----------
    study : Study
    tables : Tables
    cohort : Cohort
    outcomes : mapping of name to OutcomeAnalysis
    headline : Headline
        As the study names it; the first outcome at the end of follow-up where it names none.
    named : bool
        Whether the study named it in advance.
    truth : dict or None
        True answers of an invented cohort.
    """

    study: Study
    tables: Tables
    cohort: Cohort
    outcomes: Mapping[str, OutcomeAnalysis]
    headline: Headline
    named: bool
    truth: dict[str, Any] | None

    @property
    def notes(self) -> tuple[Note, ...]:
        """What checks, cohort, weights and curves have to say, each once, in the order of work."""
        found = [*self.tables.checks.notes, *self.cohort.notes]
        for one in self.outcomes.values():
            found += [*one.data.notes, *(one.weights.notes if one.weights else ()), *one.best.notes]
        return tuple(dict.fromkeys(found))


def load(study: Study) -> Tables:
    """Load the tables a study names, with its codes, columns and [checks] declared; its [checks] drop is for `build_cohort`."""
    return load_tables(study.data_path, codes=study.codes, columns=study.columns, declared=study.checks.declared)


def analyse(study: Study, tables: Tables, say: Say) -> Analysis:
    """Carry a study out.

    Parameters
    ----------
    study : Study
    tables : Tables
        As `load` gives them.
    say : callable
        Is told what is being done.

    Raises
    ------
    OutcomesError
        Anything the steps refuse.
    """
    _supported(study)
    say("building the cohort")
    cohort = build_cohort(tables, study)
    found = {}
    for name in study.outcomes:
        say(f"estimating {name}")
        found[name] = _outcome(cohort, name, study)
    named = study.headline is not None
    first = next(iter(study.outcomes))
    headline = study.headline or Headline(first, study.follow_up.horizon, study.eligibility.population)
    return Analysis(
        study=study,
        tables=cohort.tables,
        cohort=cohort,
        outcomes=MappingProxyType(found),
        headline=headline,
        named=named,
        truth=read_truth(study.data_path) if study.synthetic else None,
    )


def _supported(study: Study) -> None:
    if not study.arms_are_fixed:
        instead = {
            "time_varying": "cox(data, 'exposure + …', cause=…)",
            "clone_censor_weight": "compare(cumulative_incidence(data, weights=censoring_weights(data, '…')), …)",
        }[study.time_zero.strategy]
        raise NotSupportedError(
            f"report: its weights, tables and headline compare people who are in an arm from time zero on; [time_zero] strategy = "
            f"{study.time_zero.strategy!r} has none. Take data = build_cohort(…).outcome(…) and {instead}, or another strategy."
        )
    if len(study.arms.names) != 2:
        raise NotSupportedError(f"report: two arms are compared; the study has {len(study.arms.names)}.")
    if study.headline is not None and study.headline.population != study.eligibility.population:
        raise NotSupportedError(
            f"report: the headline is about the population {study.headline.population!r} and [eligibility] about "
            f"{study.eligibility.population!r}; one report is about one population."
        )
    if study.headline is None and len(study.outcomes) > 1:
        raise DesignError(
            "report: the study has several outcomes and names none in advance; write [headline] with one of them."
        )
    if study.adjust is not None and study.adjust.missing == "impute":
        raise NotSupportedError(
            "[adjust] missing = 'impute' is not there yet; there are 'error' and 'indicator'. In Python: impute(data, …) and pool(…)."
        )


def _outcome(cohort: Cohort, name: str, study: Study) -> OutcomeAnalysis:
    data = cohort.outcome(name)
    weights = None
    if study.adjust is not None:
        asked = study.adjust
        weights = weight(data, asked.formula, estimand=asked.estimand, method=asked.method, missing=asked.missing)
    adjusted = None if weights is None else cumulative_incidence(data, weights=weights)
    return OutcomeAnalysis(name, data, weights, cumulative_incidence(data), adjusted)
