"""What questions put to tables and a study share: which outcome, by when, whether arms are made alike by weights."""

from __future__ import annotations

from typing import Any

from outcomes.adjust.weighting import METHODS
from outcomes.design.study import Study
from outcomes.durations import days, in_words
from outcomes.errors import DesignError, EstimationError, NotSupportedError, did_you_mean, must_be
from outcomes.loading.tables import Tables
from outcomes.survival.inputs import normal_quantile

__all__ = ["asked_of", "case_mix_of", "margin_of", "must_be_a_level", "must_weigh"]


_SHORTEST = 30  # days: a smaller bare number is likelier to be years or months


def asked_of(tables: Any, study: Any, outcome: str | None, horizon: float | str | None, what: str) -> tuple[str, float]:
    """Return outcome and horizon in days: those given, else the headline's, else the only outcome and the end of follow-up.

    Raises
    ------
    DesignError
        No tables or no study, no such outcome, a horizon beyond the study's.
    EstimationError
        Several outcomes and nobody said which.
    """
    call = f"{what}(tables, study)"
    must_be(tables, Tables, what=f"{call}: tables", expected="Tables, from load_tables(…)", error=DesignError)
    must_be(study, Study, what=f"{call}: study", expected="a Study, from read_study(…)", error=DesignError)
    head = study.headline
    if outcome is None:
        if head is None and len(study.outcomes) > 1:
            raise EstimationError(
                f"{what}: the study has the outcomes {', '.join(study.outcomes)} and no headline; say which (outcome=)."
            )
        outcome = next(iter(study.outcomes)) if head is None else head.outcome
    if outcome not in study.outcomes:
        raise DesignError(f"{what}: the study has no outcome {outcome!r}. {did_you_mean(str(outcome), study.outcomes)}")
    end = study.follow_up.horizon
    if horizon is None:
        return outcome, end if head is None else head.horizon
    length = days(horizon, what=f"{what}: horizon")
    if not isinstance(horizon, str) and length < _SHORTEST:
        raise EstimationError(
            f"{what}: horizon={horizon} is {in_words(length)}. Write '{horizon:g}y' or '{horizon:g}d', whichever is meant."
        )
    if length > end:
        raise DesignError(f"{what}: the study follows people for {in_words(end)}, not longer.")
    return outcome, length


def case_mix_of(study: Study, formula: str | None, what: str) -> str:
    """Return the formula of the case mix: the one given, else the study's, else none."""
    if formula is not None:
        call = f"{what}(tables, study): formula"
        must_be(formula, str, what=call, expected="text such as 'age_at_time_zero + C(risk_band)'")
        return formula
    return "" if study.adjust is None else study.adjust.formula


def margin_of(study: Study, outcome: str) -> float | None:
    """Return the margin named in advance, in percentage points; None where the headline is about another outcome."""
    head = study.headline
    return head.margin if head is not None and head.outcome == outcome else None


def must_weigh(study: Study, what: str) -> None:
    """Raise where [adjust] makes arms alike by something else than weights fitted to the people asked about.

    Raises
    ------
    NotSupportedError
        A method other than weighting; imputation.
    """
    if study.adjust is not None and (study.adjust.method not in METHODS or study.adjust.missing == "impute"):
        raise NotSupportedError(
            f"{what}: arms are made alike by weighting ({', '.join(METHODS)}); [adjust] says method = {study.adjust.method!r}, "
            f"missing = {study.adjust.missing!r}."
        )


def must_be_a_level(conf_level: float) -> None:
    """Raise before anything is estimated where a level of confidence does not lie between 0 and 1.

    Raises
    ------
    EstimationError
    """
    normal_quantile(conf_level)
