"""What happens to everyone with a qualifying sentence where a programme is on offer: the function people call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.comparison.bootstrapping import bootstrap
from outcomes.comparison.caseload_result import Caseload
from outcomes.comparison.contrasts import compare
from outcomes.comparison.regime_models import ELIGIBLE, REGIME, TARGET, RegimeModels, laid_out
from outcomes.comparison.regime_starts import handfuls
from outcomes.comparison.regime_worlds import regime_worlds
from outcomes.comparison.regimes import AREA, PERIOD, Regimes, by_regime
from outcomes.comparison.study_questions import asked_of, margin_of, must_be_a_level
from outcomes.design.cohort import build_cohort
from outcomes.design.study import TimeZero
from outcomes.design.take_up import take_up
from outcomes.errors import DesignError, EstimationError, NotSupportedError
from outcomes.results import Note
from outcomes.survival.formula_text import names_in, terms_of

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData
    from outcomes.design.study import Study
    from outcomes.loading.tables import Tables

__all__ = ["caseload"]

_STEPS = ("admitted", "referred", "accepted", "started", "completed")


def caseload(
    tables: Tables,
    study: Study,
    *,
    outcome: str | None = None,
    horizon: float | str | None = None,
    replicates: int = 200,
    seed: int = 2010,
    n_jobs: int | None = None,
    progress: bool | None = None,
    conf_level: float = 0.95,
) -> Caseload:
    """Ask what happens to everyone with a qualifying sentence in an area that offers one programme rather than the other.

    Use it for the question of who commissions programmes: a programme may be better for those it takes and do less for the caseload,
    because it takes fewer. The difference is split into whom a programme reaches and what it does for them.

    Parameters
    ----------
    tables : Tables
    study : Study
        Two arms with programmes. Whoever started what, everyone whom [eligibility] include admits is followed from release (custody)
        or sentence (community).
    outcome : str, optional
        Default: that of the headline, else the only one.
    horizon : float or str, optional
        Days, or text such as ``"5y"``. Default: that of the headline, else the end of follow-up.
    replicates : int
        Bootstrap replicates (areas drawn again) behind the intervals of route B; 0 gives none.
    seed : int
    n_jobs, progress
        As in `bootstrap`.
    conf_level : float

    Returns
    -------
    Caseload
        ``to_frame()``: route, quantity, arm, estimate, std_error, conf_low, conf_high (and n, verdict for the difference);
        ``steps()``: from offer to completion by regime; ``shown()``: the waterfall that is drawn.

    Raises
    ------
    DesignError, EstimationError
        As `populations`; no year had both regimes.
    NotSupportedError
        More than two arms with programmes; a scale other than calendar time; late entry.

    Notes
    -----
    Route A: what the area had on offer at release or sentence is the assignment, whoever was referred. Risks are standardised over the
    caseload of years that had both regimes, by Cox models of all causes with case mix and year; intervals by area. It assumes that
    areas with one regime and with the other would have fared alike in the same year and case mix.
    Route B: Cox models of the outcome with exposure as it changes (nothing, then a programme from its start on) and of starting, put
    together as an illness-death process for everyone under each regime and under none. It assumes besides that who starts, and when,
    is chance given the covariates. With the outcomes of those not reached taken as those without a programme, the difference is
    ``reach_B * effect_B - reach_M * effect_M``, of which ``(reach_B - reach_M) * (effect_B + effect_M) / 2`` comes from reach and the
    rest from what is done. Where A and B disagree, believe A's difference, and B's parts not at all.
    Of fewer than 10 people who share a value of a covariate and all started, or all did not, nothing is learned of others like them: the
    column is left out of who starts, and said. Programmes of no arm count as nothing started.

    References
    ----------
    Hernán & Robins (2020), Causal Inference: What If, ch. 21 (g-formula); Shapley (1953), in Contributions to the Theory of Games II.

    Examples
    --------
    >>> import outcomes as oc
    >>> tables, study = oc.load_tables("data/synthetic"), oc.read_study("notebooks/study.toml")  # doctest: +SKIP
    >>> oc.caseload(tables, study, horizon="5y", replicates=50).plot()  # doctest: +SKIP
    """
    name, length = asked_of(tables, study, outcome, horizon, "caseload")
    must_be_a_level(conf_level)
    _supported(study)
    margin = margin_of(study, name)
    regimes = by_regime(tables, study, name, conf_level=conf_level)
    several = name if len(regimes.data.causes) > 1 else None
    raw, route_a = (
        compare(curves, measure="risk_difference", at=length, cause=several, conf_level=conf_level, margin=margin)
        for curves in (regimes.raw, regimes.adjusted)
    )
    steps, elsewhere = _steps(regimes, length)
    arms = (regimes.cohort.arms[0], regimes.cohort.arms[1])
    data, models = laid_out(
        _exposed(tables, study, regimes, name), arms, regimes.formula, _without_year(regimes.formula), name, length
    )
    found = regime_worlds(data, models)
    limits: Mapping[str, tuple[float, float, float]] = {}
    notes = [*regimes.notes, *route_a.notes, *elsewhere, *_of_handfuls(data, models)]
    if replicates:
        again = bootstrap(
            data, partial(_numbers, models=models), replicates=replicates, seed=seed, by="cluster", kind="percentile",
            conf_level=conf_level, n_jobs=n_jobs, progress=progress,
        )  # fmt: skip
        named, numbers = again.frame.columns[0], again.frame[["std_error", "conf_low", "conf_high"]].to_numpy()
        limits = {str(name): (row[0], row[1], row[2]) for name, row in zip(again.frame[named], numbers, strict=True)}
        notes += again.notes
    return Caseload.build(
        raw=raw, route_a=route_a, route_b=found, limits=limits, steps=steps, arms=arms, outcome=name, horizon=length,
        conf_level=conf_level, margin=margin, replicates=replicates,
        notes=tuple(dict.fromkeys(notes)),
        provenance=MappingProxyType({"study": study.hash, "outcome": name, "horizon": length, "seed": seed}),
    )  # fmt: skip


def _supported(study: Study) -> None:
    if len(study.arms.treated) != 2:
        raise NotSupportedError(
            f"caseload: two arms with programmes are compared; the study has {len(study.arms.treated)}."
        )
    if "nothing" in study.arms.names:
        raise DesignError(
            'caseload: an arm cannot be called "nothing", which is the exposure of people who have started no programme.'
        )
    if study.follow_up.scale != "calendar" or study.follow_up.observed_from is not None:
        raise NotSupportedError(
            "caseload: it follows everyone on calendar time from release or sentence: scale = 'calendar', no observed_from."
        )


def _numbers(data: SurvivalData, *, models: RegimeModels) -> pd.Series[float]:
    import pandas as pd

    return pd.Series(regime_worlds(data, models))


def _of_handfuls(data: SurvivalData, models: RegimeModels) -> Iterator[Note]:
    """Yield for each regime what is left out of who starts, because a handful of people tells nothing of others like them."""
    for arm in models.arms:
        left = handfuls(data, arm, models.starting)
        if left:
            text = (
                f"{left:,} {'columns of the covariates are' if left > 1 else 'column of the covariates is'} left out of who starts "
                f"{arm}: fewer than 10 people of one value were offered it, and all or none of them started."
            )
            yield Note("handful_left_out", text)


def _without_year(formula: str) -> str:
    """Return a formula without its terms of the year: a regime and its years are too near one for who starts to be told apart by both."""
    return " + ".join(term for term in terms_of(formula) if PERIOD not in names_in(term)) if formula else ""


def _steps(regimes: Regimes, horizon: float) -> tuple[pd.DataFrame, tuple[Note, ...]]:
    """Return how many of each regime's caseload took each step, and who went elsewhere."""
    import pandas as pd

    found, rows = take_up(regimes.cohort, horizon), []
    arm = regimes.cohort.baseline["arm"].astype(str).to_numpy()
    for name in regimes.cohort.arms:
        mine = arm == name
        everyone = int(mine.sum())
        rows.append({"arm": name, "step": "offered", "n": everyone, "share": 1.0})
        for step in _STEPS:
            n = int((getattr(found, step) & mine).sum())
            rows.append({"arm": name, "step": step, "n": n, "share": n / everyone})
    other = int(found.elsewhere.sum())
    text = (
        f"{other:,} of {len(arm):,} people started the programme that their area did not offer at release or sentence."
    )
    return pd.DataFrame(rows), (Note("started_elsewhere", text),) if other else ()


def _exposed(tables: Tables, study: Study, regimes: Regimes, outcome: str) -> SurvivalData:
    """Return everyone's time at risk cut at their start, with what was on offer for them."""
    arms = replace(study.arms, assigned_by="start", window=None, if_both="first")
    own = replace(study.eligibility, population="own")
    moving = study.replace(arms=arms, eligibility=own, time_zero=TimeZero("auto", "time_varying"), headline=None)
    cohort = build_cohort(tables, moving)
    data = cohort.outcome(outcome)
    if data.cluster is None:
        data = data.with_cluster(AREA)
    placed = regimes.cohort.baseline.set_index("sentence_id")["arm"].astype(str)
    target = set(regimes.data.baseline["sentence_id"])
    sentence = data.baseline["sentence_id"]
    columns: dict[str, Any] = {
        REGIME: sentence.map(placed).fillna("").astype(str),
        TARGET: sentence.isin(target).to_numpy(),
        **{
            f"{ELIGIBLE}{arm}": (data.baseline[f"eligible_{arm}"].astype(str) == "yes").to_numpy()
            for arm in regimes.cohort.arms
        },
    }
    frame = _two_exposures(data.frame, regimes.cohort.arms)
    return replace(data, frame=frame, baseline=data.baseline.assign(**columns))


def _two_exposures(frame: pd.DataFrame, arms: tuple[str, ...]) -> pd.DataFrame:
    """Return the frame with the exposures: nothing (or programmes of no arm), and each arm."""
    import pandas as pd

    was = frame["exposure"].astype(str)
    missing = [arm for arm in arms if not (was == arm).any()]
    if missing:
        raise EstimationError(f"caseload: nobody was at risk after starting a programme of {' or '.join(missing)}.")
    now = np.where(was.isin(arms), was, "nothing")
    return frame.assign(exposure=pd.Categorical(now, categories=["nothing", *arms]))
