"""One programme against nothing, counted wrongly (who ever started, from release on) and in the three ways that count time rightly."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from outcomes.adjust.case_mix import left_out_notes, telling_terms
from outcomes.adjust.censoring import censoring_weights
from outcomes.adjust.weighting import weight
from outcomes.comparison.comparing import row_of, verdict
from outcomes.comparison.contrasts import compare
from outcomes.comparison.hazard_ratios import p_proportional
from outcomes.comparison.immortal_result import ImmortalTime, TimeBefore
from outcomes.comparison.measures import Contrast
from outcomes.comparison.raw_and_adjusted import no_numbers
from outcomes.comparison.study_questions import asked_of, must_be_a_level, must_weigh
from outcomes.design.cohort import build_cohort
from outcomes.design.some_people import some_people
from outcomes.design.study import Arms, ArmSpec, TimeZero
from outcomes.durations import days
from outcomes.errors import DesignError, EstimationError, NotSupportedError, did_you_mean
from outcomes.results import Note, Weights
from outcomes.survival.cox_model import cox
from outcomes.survival.curves import cumulative_incidence

if TYPE_CHECKING:
    from outcomes.design.data import SurvivalData
    from outcomes.design.study import Study
    from outcomes.loading.tables import Tables

__all__ = ["immortal_time"]

NOTHING = "nothing"
_Found = tuple[list[dict[str, Any]], tuple[str, ...], tuple[Note, ...]]  # rows, terms left out, notes
_CANNOT = (DesignError, EstimationError, NotSupportedError)


@dataclass(frozen=True)
class _Asked:
    """What every way of counting is asked about: the study of one arm, whatever its strategy, and the question."""

    tables: Tables
    study: Study
    arm: str
    outcome: str
    horizon: float
    grace: float
    conf_level: float

    def under(self, strategy: str) -> SurvivalData:
        """Return time at risk under a strategy, arms or exposure as it says."""
        grace = None if strategy == "time_varying" else self.grace
        study = self.study.replace(time_zero=TimeZero("auto", strategy, grace))
        return build_cohort(self.tables, study).outcome(self.outcome)

    def formula(self, data: SurvivalData) -> tuple[str, tuple[str, ...]]:
        """Return the study's terms that tell these people apart, and those that do not."""
        return ("", ()) if self.study.adjust is None else telling_terms(self.study.adjust.formula, data.baseline)


def immortal_time(
    tables: Tables,
    study: Study,
    *,
    arm: str | None = None,
    outcome: str | None = None,
    horizon: float | str | None = None,
    grace: float | str = "6m",
    conf_level: float = 0.95,
) -> ImmortalTime:
    """Compare one arm's programme with nothing in the way that gives it the time before its starts, and in those that do not.

    Use it to show what immortal time does to an answer in these data, and beside an evaluation that counted it.

    Parameters
    ----------
    tables : Tables
    study : Study
        Its arms with programmes, conditions, follow-up and [adjust]; its time zero and reference are not used.
    arm : str, optional
        Default: the first arm with programmes that is not the reference.
    outcome : str, optional
        Default: that of the headline, else the only one.
    horizon : float or str, optional
        Of the risk differences: days, or text such as ``"2y"``. Default: that of the headline, else the end of follow-up.
    grace : float or str
        Of the landmark, and of the strategies that clones keep to.
    conf_level : float

    Returns
    -------
    ImmortalTime
        ``to_frame()``: method, wrong, whose (the estimand), the columns of `compare` for hazard ratio and risk difference, would_say, why;
        ``before``: the person-days before starts that the wrong analysis gave to the programme.

    Raises
    ------
    DesignError
        No such arm; as `build_cohort`; nobody eligible ever started it, or nobody never started anything.
    EstimationError
        Several outcomes and no headline.
    NotSupportedError
        [adjust] names a method other than weighting.

    Notes
    -----
    Everyone whom the entry rules of the arm's programmes admit is followed from release (custody) or sentence (community).

    - ``ever_started``, wrong: people who started the arm's programme before the event against people who never started any, both from
      release or sentence on, weighted. To start later is to have stayed free of the event until then, so the programme is given days on
      which nothing could happen.
    - ``landmark``: by what had been started within `grace`, followed from then, weighted; those with an event before are left out.
    - ``time_varying``: a Cox model with exposure from the day after the start; programmes of no arm are a level of their own. It gives no
      risk by a time, since nobody is in an arm.
    - ``clone_censor_weight``: starting within `grace` against starting nothing within it, in everyone (`censoring_weights`).

    The right ones answer different questions, and agree where the programme does nothing; all assume that who starts, and when, is chance
    given the covariates. A method that cannot be had has its reason in ``why``.

    References
    ----------
    Suissa (2008), American Journal of Epidemiology 167:492; Anderson, Cain & Gelber (1983), Journal of Clinical Oncology 1:710 (landmark);
    Hernán (2018), BMJ 360:k182 (clones).

    Examples
    --------
    >>> import outcomes as oc
    >>> tables, study = oc.load_tables("data/synthetic"), oc.read_study("notebooks/study.toml")  # doctest: +SKIP
    >>> oc.immortal_time(tables, study, arm="bespoke").summary()  # doctest: +SKIP
    """
    name, length = asked_of(tables, study, outcome, horizon, "immortal_time")
    must_be_a_level(conf_level)
    must_weigh(study, "immortal_time")
    one = _arm_of(study, arm)
    wait = days(grace, what="immortal_time: grace")
    asked = _Asked(tables, _one_arm(study, one, name), one, name, length, wait, conf_level)
    moving = asked.under("time_varying")
    rows, notes = _every_way(moving, asked)
    return ImmortalTime.build(
        rows,
        arm=one,
        before=_time_before(moving, one),
        labels={**moving.labels, "unit": "days"},
        grace=wait,
        horizon=length,
        conf_level=conf_level,
        estimand="" if study.adjust is None else study.adjust.estimand,
        notes=notes,
        provenance=MappingProxyType(
            {"study": study.hash, "outcome": name, "horizon": length, "arm": one, "grace": wait}
        ),
    )


def _every_way(moving: SurvivalData, asked: _Asked) -> tuple[list[dict[str, Any]], tuple[Note, ...]]:
    """Return the rows of every method, the wrong one first, and what must be said of them."""
    ways: dict[str, Callable[[], _Found]] = {
        "ever_started": lambda: _weighted(lambda: _by_what_came_later(moving, asked.arm), asked),
        "landmark": lambda: _weighted(lambda: asked.under("landmark"), asked),
        "time_varying": lambda: _varying(moving, asked),
        "clone_censor_weight": lambda: _cloned(asked),
    }
    rows: list[dict[str, Any]] = []
    left_out: dict[str, tuple[str, ...]] = {}
    notes = [*moving.notes]
    for method, answered in ways.items():
        found, left_out[method.replace("_", " ")], said = answered()
        rows += [{"method": method, **row} for row in found]
        notes += said
    return rows, tuple(dict.fromkeys([*notes, *left_out_notes(left_out)]))


def _arm_of(study: Study, arm: str | None) -> str:
    treated = study.arms.treated
    if arm is None:
        arm = next((name for name in treated if name != study.arms.reference), treated[0])
    if arm not in treated:
        raise DesignError(
            f"immortal_time: the study has no arm {arm!r} with programmes. {did_you_mean(str(arm), treated)}"
        )
    if arm == NOTHING:
        raise DesignError(
            f"immortal_time: an arm called {NOTHING!r} cannot be told from no programme; give it another name."
        )
    return arm


def _one_arm(study: Study, arm: str, outcome: str) -> Study:
    """Return the study of one arm against nothing, among those its programmes admit, about one outcome."""
    arms = Arms(NOTHING, {NOTHING: ArmSpec(none=True), arm: study.arms.definitions[arm]})
    return study.replace(
        arms=arms,
        time_zero=TimeZero("auto"),
        eligibility=replace(study.eligibility, population="both"),
        outcomes=MappingProxyType({outcome: study.outcomes[outcome]}),
        headline=None,
        figures=(),
        tables=(),
    )


def _ever(data: SurvivalData, *levels: str) -> npt.NDArray[np.bool_]:
    """Return who is ever in some levels of exposure while followed, shape (P,)."""
    found = np.zeros(len(data.baseline), dtype=bool)
    found[data.person[data.frame["exposure"].astype(str).isin(levels).to_numpy()]] = True
    return found


def _by_what_came_later(data: SurvivalData, arm: str) -> SurvivalData:
    """Return people classed by what they had yet to do, from time zero on: who ever started the arm's programme, who never any.

    Raises
    ------
    DesignError
        Nobody in one of the two.
    """
    others = [level for level in map(str, data.frame["exposure"].unique()) if level != NOTHING]
    started, none = _ever(data, arm), ~_ever(data, *others)
    if not started.any() or not none.any():
        raise DesignError("immortal_time: while followed, nobody started the programme, or nobody started nothing.")
    kept = np.flatnonzero(started | none)
    return replace(some_people(data, kept, started[kept].astype(np.int64), (NOTHING, arm)), varying=())


def _time_before(data: SurvivalData, arm: str) -> TimeBefore:
    """Return the time before their start of those who ever started."""
    started = _ever(data, arm)[data.person]
    before = started & (data.frame["exposure"].astype(str) != arm).to_numpy()
    length = data.exit - data.entry
    late = np.unique(data.person[before])
    return TimeBefore(
        people=int(np.unique(data.person[started]).size), late=int(late.size),
        days=float(length[before].sum()), of=float(length[started].sum()),
    )  # fmt: skip


def _weighted(made: Callable[[], SurvivalData], asked: _Asked) -> _Found:
    """Return hazard ratio and risk difference of two arms made alike by weights; where they cannot be had, why."""
    adjust = asked.study.adjust
    try:
        data = made()
        formula, left = asked.formula(data)
        weights = None
        if adjust is not None and formula:
            weights = weight(data, formula, estimand=adjust.estimand, method=adjust.method, missing=adjust.missing)
    except _CANNOT as error:
        return _no_answer(asked, str(error), "none" if adjust is None else adjust.estimand), (), ()
    return _of_arms(data, weights, asked), left, () if weights is None else weights.notes


def _cloned(asked: _Asked) -> _Found:
    """Return hazard ratio and risk difference of clones that keep to their strategies."""
    try:
        data = asked.under("clone_censor_weight")
        formula, left = asked.formula(data)
        if not formula:
            return _no_answer(asked, "no covariate to weigh clones by; give [adjust] formula", "ate"), left, ()
        weights = censoring_weights(data, formula)
    except _CANNOT as error:
        return _no_answer(asked, str(error), "ate"), (), ()
    return _of_arms(data, weights, asked), left, (*data.notes, *weights.notes)


def _varying(data: SurvivalData, asked: _Asked) -> _Found:
    """Return the hazard ratio of exposure as it was then."""
    formula, left = asked.formula(data)
    said = f"exposure + {formula}" if formula else "exposure"
    estimand = "conditional" if formula else "none"
    try:
        model = cox(data, said, cause=asked.outcome, conf_level=asked.conf_level)
        terms = model.to_frame(exponentiate=True).set_index("term")
        found = terms.loc[f"exposure[{asked.arm}]"]
    except (*_CANNOT, KeyError) as error:
        why = "nobody was exposed while followed" if isinstance(error, KeyError) else str(error)
        return _no_answer(asked, why, estimand, ("hazard_ratio",)), left, ()
    names = ("estimate", "std_error", "statistic", "df", "p_value", "conf_low", "conf_high")
    one = Contrast(**{name: float(found[name]) for name in names})
    row = row_of(
        data, one, measure="hazard_ratio", estimand=estimand, arms=(NOTHING, asked.arm), cause=asked.outcome, time=float("nan"),
        n=int(found["n"]), n_events=int(found["n_events"]),
    )  # fmt: skip
    p = p_proportional(model, "exposure")
    return [{**row, "verdict": verdict(row, "hazard_ratio", None), "p_proportional": p, "why": ""}], left, model.notes


def _of_arms(data: SurvivalData, weights: Weights | None, asked: _Asked) -> list[dict[str, Any]]:
    """Return the hazard ratio and the risk difference of two arms, each with its reason where it cannot be had."""
    several = asked.outcome if len(data.causes) > 1 else None
    level = asked.conf_level
    estimand = "none" if weights is None else weights.estimand

    def hazard() -> Any:
        model = cox(data, "arm", cause=asked.outcome, weights=weights, conf_level=level)
        return compare(model, measure="hazard_ratio", conf_level=level)

    def risk() -> Any:
        curves = cumulative_incidence(data, weights=weights, conf_level=level)
        return compare(curves, measure="risk_difference", at=asked.horizon, cause=several, conf_level=level)

    rows = []
    for measure, ask in (("hazard_ratio", hazard), ("risk_difference", risk)):
        try:
            row = {str(name): value for name, value in ask().frame.iloc[0].to_dict().items()}
            rows.append({**row, "why": ""})
        except _CANNOT as error:
            rows += _no_answer(asked, str(error), estimand, (measure,))
    return rows


def _no_answer(
    asked: _Asked, why: str, estimand: str, measures: tuple[str, ...] = ("hazard_ratio", "risk_difference")
) -> list[dict[str, Any]]:
    """Return rows without numbers, and why."""
    same = {
        "outcome": asked.outcome, "cause": asked.outcome, "arm": asked.arm, "reference": NOTHING, "population": "",
        "scale": asked.study.follow_up.scale, "n": 0, "n_events": 0,
    }  # fmt: skip
    time = {"hazard_ratio": np.nan, "risk_difference": asked.horizon}
    return [
        {
            **no_numbers(same, estimand),
            "measure": measure,
            "p_proportional": np.nan,
            "time": time[measure],
            "why": re.sub(r"^[a-z_]+: ", "", why),  # without the name of the function that found it
        }
        for measure in measures
    ]
