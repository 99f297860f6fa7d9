"""What is asked of an invented cohort beside each bias: a naive answer, the answer of this library, and the truth of that cohort."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

import outcomes as oc
from outcomes.comparison.regimes import by_regime
from outcomes.design.some_people import some_people
from outcomes.design.study import Condition, Outcome, Study, TimeZero
from outcomes.design.take_up import take_up
from outcomes.durations import days
from outcomes.synthetic import Biases, World, make_cohort

__all__ = ["AT", "Answer", "Drawn", "study"]

AT = 730.0
EARLY_CUT = "2010-12-31"
SETS = 5


class Answer(NamedTuple):
    """What was found in one cohort, on the scale on which it is judged.

    A truth is missing where none was drawn. The naive answer is judged by the same truth as the right one, or by one of its own: what it
    would be taken for, or what it gives in the same cohort without the bias.
    """

    naive: float
    right: float
    truth: float = np.nan
    naive_truth: float = np.nan


@dataclass(frozen=True, eq=False)
class Drawn:
    """One invented cohort, and how it was drawn."""

    seed: int
    people: int
    areas: int
    biases: Biases
    world: World
    lives: int = 0
    scope: str = "headline"

    @cached_property
    def made(self) -> Any:
        return make_cohort(
            self.people, n_areas=self.areas, seed=self.seed, biases=self.biases, world=self.world,
            replicates=self.lives, scope="all" if self.scope == "all" else "headline",
        )  # fmt: skip

    @cached_property
    def tables(self) -> oc.Tables:
        return oc.load_tables(self.made.tables)

    @cached_property
    def both(self) -> oc.SurvivalData:
        """Return starters whom both programmes admit, and their first reoffence."""
        return oc.build_cohort(self.tables, study()).outcome("any")

    def without(self, bias: str) -> Drawn:
        """Return the cohort drawn with the same seed and one bias off."""
        return dataclasses.replace(self, biases=dataclasses.replace(self.biases, **{bias: 0.0}), lives=0)

    def true_risks(self, data: oc.SurvivalData, arm: str, measure: str = "risk", version: str = "proven") -> np.ndarray:
        """Return what would have been the risk of each person of some data under a programme, shape (P,)."""
        found = self.made.potential.set_index("person_id")[f"{arm}_any_{version}_{measure}_2y"]
        return found.reindex(data.baseline["person_id"]).to_numpy(dtype=np.float64)

    @cached_property
    def true_difference(self) -> float:
        """Return the true difference among people who might have gone to either programme, nan where no lives were drawn."""
        if not self.lives:
            return np.nan
        there = self.made.potential
        there = there[there["in_both"]]
        gap = there["bespoke_any_proven_risk_2y"] - there["manualised_any_proven_risk_2y"]
        return float(np.average(gap, weights=there["propensity"] * (1 - there["propensity"])))


@lru_cache(maxsize=1)
def study() -> Study:
    """Return the example study about its headline, with motoring offences beside as an outcome that no programme changes."""
    written = oc.read_study(Path(__file__).parents[2] / "notebooks/study.toml")
    motoring = Outcome("motoring", ("motoring",), float(days("6m", what="proving period")), negative_control=True)
    return written.replace(
        headline=None,
        outcomes=MappingProxyType({"any": written.outcomes["any"], "motoring": motoring}),
        figures=(),
        tables=(),
    )


def _formula(*, without: str = "") -> str:
    adjust = study().adjust
    assert adjust is not None
    return " + ".join(term for term in adjust.formula.split(" + ") if term != without)


def _weighted(data: oc.SurvivalData, formula: str | None = None, missing: str = "error") -> oc.PropensityWeights:
    return oc.weight(data, formula or _formula(), estimand="ato", missing=missing)


def difference(
    data: oc.SurvivalData, weights: Any = None, cause: str = "any", measure: str = "risk_difference"
) -> float:
    """Return the difference in risk by two years, bespoke minus manualised."""
    found = oc.compare(oc.cumulative_incidence(data, weights=weights), measure=measure, at=AT, cause=cause)
    return float(found.frame["estimate"].iloc[0])


def risk(data: oc.SurvivalData, arm: str, cluster: str | None = None) -> pd.Series[Any]:
    """Return the row of one arm's risk by two years."""
    found = oc.cumulative_incidence(data, cluster=cluster).at(AT)
    return found[(found["arm"] == arm) & (found["cause"] == "any")].iloc[0]


def of_selection(drawn: Drawn) -> Answer:
    return Answer(difference(drawn.both), difference(drawn.both, _weighted(drawn.both)), drawn.true_difference)


def of_era(drawn: Drawn) -> Answer:
    year_left_out = _weighted(drawn.both, _formula(without="C(period)"))
    return Answer(
        difference(drawn.both, year_left_out), difference(drawn.both, _weighted(drawn.both)), drawn.true_difference
    )


def of_waits(drawn: Drawn) -> Answer:
    wait_left_out = _weighted(drawn.both, _formula(without="wait_days"))
    return Answer(
        difference(drawn.both, wait_left_out), difference(drawn.both, _weighted(drawn.both)), drawn.true_difference
    )


def of_custody(drawn: Drawn) -> Answer:
    from_start = oc.build_cohort(drawn.tables, study().replace(time_zero=TimeZero("start"))).outcome("any")
    return Answer(
        *(float(risk(data, "bespoke")["estimate"]) for data in (from_start, drawn.both)),
        _own_truth(drawn, drawn.both, "bespoke"),
    )


def _own_truth(drawn: Drawn, data: oc.SurvivalData, arm: str, version: str = "proven") -> float:
    """Return the true risk of an arm's people under its programme."""
    if not drawn.lives:
        return np.nan
    return float(drawn.true_risks(data, arm, version=version)[data.arm == data.arms.index(arm)].mean())


def of_drop_out(drawn: Drawn) -> Answer:
    data = drawn.both
    left = drawn.made.potential.set_index("person_id")["dropped_out"].reindex(data.baseline["person_id"])
    kept = np.flatnonzero(~left.to_numpy(dtype=bool))
    stayed = some_people(data, kept, data.arm[kept], data.arms)
    found = (float(risk(one, "manualised")["estimate"]) for one in (stayed, data))
    return Answer(*found, _own_truth(drawn, data, "manualised"))


def of_recall(drawn: Drawn) -> Answer:
    at_risk = study().replace(follow_up=dataclasses.replace(study().follow_up, scale="at_risk"))
    data = oc.build_cohort(drawn.tables, at_risk).outcome("any")
    truth = np.nan
    if drawn.lives:
        truth = float(
            np.mean(drawn.true_risks(data, "bespoke", "at_risk") - drawn.true_risks(data, "manualised", "at_risk"))
        )
    return Answer(difference(drawn.both), difference(data), truth)


def of_lag(drawn: Drawn) -> Answer:
    early = dataclasses.replace(study().follow_up, data_cut=int(np.datetime64(EARLY_CUT, "D").astype(int)))
    right = oc.build_cohort(drawn.tables, study().replace(follow_up=early)).outcome("any")
    known = drawn.made.tables["reoffences"]
    known = known[known["proven_date"] <= EARLY_CUT]
    at_once = drawn.made.tables | {"reoffences": known.assign(proven_date=known["offence_date"])}
    any_time = dataclasses.replace(study().outcomes["any"], proving_period=1.0)
    asked = study().replace(follow_up=early, outcomes=MappingProxyType({"any": any_time}))
    naive = oc.build_cohort(oc.load_tables(_known_by_the_cut(at_once)), asked).outcome("any")
    truths = (_own_truth(drawn, right, "manualised", version) for version in ("proven", "committed"))
    return Answer(*(float(risk(data, "manualised")["estimate"]) for data in (naive, right)), *truths)


def _known_by_the_cut(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return tables whose spells no longer point at offences that are not in them."""
    spells, known = tables["spells"], tables["reoffences"]["reoffence_id"]
    return tables | {
        "spells": spells.assign(reoffence_id=spells["reoffence_id"].where(spells["reoffence_id"].isin(known)))
    }


def of_immortal_time(drawn: Drawn) -> Answer:
    found = oc.immortal_time(drawn.tables, study(), arm="bespoke", outcome="any", horizon=AT).to_frame()
    ratio = found[found["measure"] == "hazard_ratio"].set_index("method")["estimate"]
    return Answer(float(np.log(ratio["ever_started"])), float(np.log(ratio["time_varying"])), drawn.world.bespoke)


def _own(drawn: Drawn) -> oc.SurvivalData:
    own = dataclasses.replace(study().eligibility, population="own")
    return oc.build_cohort(drawn.tables, study().replace(eligibility=own)).outcome("any")


def of_detection(drawn: Drawn) -> Answer:
    data, share = _own(drawn), float(np.exp(-0.45 * drawn.biases.detection))
    naive = right = difference(data)
    if share < 1:
        asked: dict[str, Any] = {
            "less_detected": {"learning_disability": True},
            "at": AT,
            "cause": "any",
            "shares": [share],
        }
        right = float(oc.detection_sensitivity(data, **asked).frame["estimate"].iloc[-1])
    beside = difference(_own(drawn.without("detection"))) if share < 1 else naive
    return Answer(naive, right, beside)


def of_clustering(drawn: Drawn) -> Answer:
    """Return standard errors, of people and of areas; the truth is the spread of the estimate, kept in its place."""
    people = drawn.both.with_cluster(None)
    alone, by_area = risk(people, "bespoke"), risk(drawn.both, "bespoke", "area")
    return Answer(float(alone["std_error"]), float(by_area["std_error"]), float(alone["estimate"]))


def of_effect_modification(drawn: Drawn) -> Answer:
    naive = difference(drawn.both, _weighted(drawn.both), measure="risk_ratio")
    found = oc.who_benefits(drawn.tables, study(), outcome="any", horizon=AT, by="risk_band").frame
    mine = (found["subgroup"] == "risk_band") & (found["level"] == "low") & (found["measure"] == "risk_ratio")
    truth = np.nan
    if drawn.lives:
        low = drawn.made.potential.query("in_both and risk_band == 'low'")
        weights = low["propensity"] * (1 - low["propensity"])
        risks = [np.average(low[f"{arm}_any_proven_risk_2y"], weights=weights) for arm in ("bespoke", "manualised")]
        truth = float(np.log(risks[0] / risks[1]))
    return Answer(float(np.log(naive)), float(np.log(found.loc[mine, "estimate"].iloc[0])), truth)


def of_negative_control(drawn: Drawn) -> Answer:
    """Return the adjusted answer about the outcome, and about one that no programme changes: true is 0."""
    control = oc.build_cohort(drawn.tables, study()).outcome("motoring")
    shown = difference(control, _weighted(control), cause="motoring")
    return Answer(difference(drawn.both, _weighted(drawn.both)), shown, 0.0, drawn.true_difference)


def of_missing(drawn: Drawn) -> Answer:
    data = drawn.both
    if not data.baseline["risk_band"].isna().any():
        whole = difference(data, _weighted(data))
        return Answer(whole, whole, drawn.true_difference)
    imputed = oc.impute(
        data, m=SETS, seed=drawn.seed, columns=["risk_band", "age_at_time_zero", "prior_sanctions", "setting"]
    )
    pooled = oc.pool(imputed, _compared)
    naive = difference(data, _weighted(data, missing="indicator"))
    return Answer(naive, float(pooled.to_frame()["estimate"].iloc[0]), drawn.true_difference)


def _compared(data: oc.SurvivalData) -> oc.Comparison:
    return oc.compare(
        oc.cumulative_incidence(data, weights=_weighted(data)), measure="risk_difference", at=AT, cause="any"
    )


@lru_cache(maxsize=1)
def _of_sexual_offences() -> Study:
    """Return the study for men sentenced for a sexual offence: the others are offered neither programme."""
    sexual = Condition("index_offence", "in", ("sexual_contact", "sexual_noncontact", "sexual_image"))
    return study().replace(
        eligibility=dataclasses.replace(study().eligibility, include=(*study().eligibility.include, sexual)),
        adjust=dataclasses.replace(
            study().adjust, formula=f"{_formula(without='wait_days')} + C(denial) + learning_disability"
        ),
    )


def of_exclusion(drawn: Drawn) -> Answer:
    """Return the regimes compared among those whom both admit, and among everyone; the truth is found in worlds of their own."""
    found = by_regime(drawn.tables, _of_sexual_offences(), "any")
    admitted = (found.data.baseline[["eligible_bespoke", "eligible_manualised"]].astype(str) == "yes").all(axis=1)
    kept = np.flatnonzero(admitted.to_numpy())
    few = some_people(found.data, kept, found.data.arm[kept], found.data.arms)
    formula = found.formula.replace(" + C(denial) + learning_disability", " + C(denial)")
    curves = oc.adjusted_curves(
        few,
        outcome={"any": f"arm + {formula}", "death": None, "deportation": None},
        estimand="ate",
        method="g-formula",
        cause="any",
    )
    return Answer(*(_estimate(one) for one in (curves, found.adjusted)))


def _estimate(curves: Any) -> float:
    return float(oc.compare(curves, measure="risk_difference", at=AT, cause="any").frame["estimate"].iloc[0])


def of_non_referral(drawn: Drawn) -> Answer:
    """Return who started of those referred to the manualised programme, and of everyone where it alone was on offer."""
    referred, everyone, chance = _took_it_up(drawn)
    return Answer(referred, everyone, chance, _took_it_up(drawn.without("non_referral"))[0])


def _took_it_up(drawn: Drawn) -> tuple[float, float, float]:
    """Return the shares of those referred and of everyone who started, and the mean chance of starting."""
    cohort = oc.build_cohort(drawn.tables, _of_sexual_offences().by_provision())
    steps, mine = take_up(cohort, AT), (cohort.baseline["arm"].astype(str) == "manualised").to_numpy()
    chance = (
        drawn.made.potential.set_index("person_id")["chance_manualised"]
        .reindex(cohort.baseline["person_id"])
        .to_numpy()
    )
    started = float((steps.started & mine).sum())
    return started / float((steps.referred & mine).sum()), started / float(mine.sum()), float(chance[mine].mean())


def with_everything_off(drawn: Drawn) -> dict[str, Answer]:
    """Return raw and adjusted answers to questions that no one bias has for its own; nothing parts them in a cohort without any."""
    data, found = drawn.both, {}
    weights = _weighted(data)
    for arm in ("bespoke", "manualised"):
        found[f"risk after the {arm} programme"] = Answer(*(_risk_of(data, arm, used) for used in (None, weights)))
    own = _own(drawn)
    for arm, estimand in (("bespoke", "att"), ("manualised", "atc")):
        fitted = oc.weight(own, _formula(), estimand=estimand)
        found[f"own clients of the {arm} programme"] = Answer(difference(own), difference(own, fitted))
    regimes = by_regime(drawn.tables, _of_sexual_offences(), "any")
    found["caseload, by what was on offer"] = Answer(_estimate(regimes.raw), _estimate(regimes.adjusted))
    asked = oc.starters_and_completers(drawn.tables, study(), outcome="any", horizon=AT).frame.query(
        "adjustment == 'adjusted'"
    )
    ends = asked.set_index(["people", "against"])["estimate"]
    found["completers against completers"] = Answer(ends["completers", "completers"], ends["starters", "starters"])
    return found


def _risk_of(data: oc.SurvivalData, arm: str, weights: Any) -> float:
    found = oc.cumulative_incidence(data, weights=weights).at(AT)
    return float(found[(found["arm"] == arm) & (found["cause"] == "any")]["estimate"].iloc[0])
