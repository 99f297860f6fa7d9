"""Cox regression with known log hazard ratios: both variances, ties, strata, late entry, changing covariates, areas, weights."""

from __future__ import annotations

import numpy as np
import pandas as pd
from drawn_times import SCALE, SHAPE, censoring, free, hazard, observed, weibull, weighted_by_outcome
from scenario import Found, Key, Scenario, Truth, interval
from scenarios_curves import AREAS, RATIO, as_data, in_areas

import outcomes as oc

__all__ = ["OF_COX", "coefficients", "with_covariate"]

ARM, RAISE = float(np.log(RATIO)), 0.5
AT = (365.0, 730.0)
HORIZON = 730.0
NEW = pd.DataFrame({"arm": ["a", "b"], "x": [-1.0, 1.0]})
NAMES = {"arm[b]": "log hazard ratio of b", "x": "log hazard ratio of x", "exposed": "log hazard ratio of exposure"}


def coefficients(frame: pd.DataFrame, estimator: str) -> dict[Key, Found]:
    """Return the intervals of a table with one row a term."""
    rows = frame.to_dict("records")
    return {(estimator, NAMES[row["term"]]): interval(row) for row in rows if row["term"] in NAMES}


def with_covariate(rng: np.random.Generator, people: int, **kept: float) -> pd.DataFrame:
    """Return people of two arms whose hazards also go with a normal covariate."""
    arm, x = rng.permutation(np.repeat(["a", "b"], people // 2)), rng.standard_normal(people)
    time = weibull(rng, np.exp(ARM * (arm == "b") + RAISE * x), **kept)
    return observed(time, censoring(rng, people), arm=arm, x=x)


def _plain(rng: np.random.Generator) -> dict[Key, Found]:
    data = as_data(with_covariate(rng, 400))
    model = oc.cox(data, "arm + x")
    found = coefficients(model.to_frame(), "cox, model variance")
    found |= coefficients(model.profile(), "cox, profile likelihood")
    found |= coefficients(oc.cox(data, "arm + x", robust=True).to_frame(), "cox, robust variance")
    for row in model.predict(NEW, times=AT).to_frame().to_dict("records"):
        found["cox, predict", f"free at {row['time']:g}, row {row['profile']}"] = interval(row)
    curves = model.standardised()
    for row in curves.at(AT).to_dict("records"):
        found["cox, standardised", f"standardised free at {row['time']:g}, {row['arm']}"] = interval(row)
    row = oc.compare(curves, measure="risk_difference", at=HORIZON).to_frame().iloc[0]
    return found | {("compare(cox.standardised)", f"standardised risk difference at {HORIZON:g}"): interval(row)}


def _of_plain() -> dict[str, Truth]:
    node, share = np.polynomial.hermite_e.hermegauss(80)
    share = share / share.sum()
    found = {NAMES["arm[b]"]: Truth(ARM), NAMES["x"]: Truth(RAISE)}
    mean = {
        arm: {t: float(share @ free(t, r * np.exp(RAISE * node))) for t in AT} for arm, r in (("a", 1.0), ("b", RATIO))
    }
    for t in AT:
        for number, (arm, x) in enumerate(zip(NEW["arm"], NEW["x"], strict=True)):
            ratio = np.exp(ARM * (arm == "b") + RAISE * x)
            found[f"free at {t:g}, row {number}"] = Truth(float(free(t, ratio)))
        for arm, by_time in mean.items():
            found[f"standardised free at {t:g}, {arm}"] = Truth(by_time[t])
    found[f"standardised risk difference at {HORIZON:g}"] = Truth(mean["a"][HORIZON] - mean["b"][HORIZON])
    return found


def _days(rng: np.random.Generator) -> dict[Key, Found]:
    """Times in whole days where most days of the follow-up hold several events."""
    drawn = with_covariate(rng, 400, scale=100.0)
    time, until = drawn["time"].where(drawn["event"] == 1, np.inf).to_numpy(), rng.uniform(40, 120, 400)
    cut = observed(np.ceil(time), np.ceil(until), arm=drawn["arm"].to_numpy(), x=drawn["x"].to_numpy())
    data = as_data(cut)
    return coefficients(oc.cox(data, "arm + x").to_frame(), "cox, Efron, model variance") | coefficients(
        oc.cox(data, "arm + x", robust=True).to_frame(), "cox, Efron, robust variance"
    )


def _strata(rng: np.random.Generator) -> dict[Key, Found]:
    stratum = rng.integers(0, 4, 400)
    given = rng.random(400) < 0.2 + 0.2 * stratum  # who is in b goes with the stratum
    x = rng.standard_normal(400)
    shape = np.array([0.6, 0.8, 1.0, 1.3])[stratum]
    time = weibull(rng, np.exp(ARM * given + RAISE * x) * np.array([0.5, 1.0, 1.5, 2.5])[stratum], shape=shape)
    frame = observed(time, censoring(rng, 400), arm=np.where(given, "b", "a"), x=x, stratum=stratum)
    data = as_data(frame)
    return coefficients(
        oc.cox(data, "arm + x", strata="stratum").to_frame(), "cox, strata, model variance"
    ) | coefficients(oc.cox(data, "arm + x", strata="stratum", robust=True).to_frame(), "cox, strata, robust variance")


def _late(rng: np.random.Generator) -> dict[Key, Found]:
    drawn = with_covariate(rng, 1500)
    drawn["entry"] = np.where(rng.random(1500) < 0.6, rng.uniform(0, 400, 1500), 0.0)
    there = drawn[drawn["time"] > drawn["entry"]].iloc[:400].reset_index(drop=True)
    data = as_data(there, entry="entry", exit="time")
    return coefficients(oc.cox(data, "arm + x").to_frame(), "cox, model variance") | coefficients(
        oc.cox(data, "arm + x", robust=True).to_frame(), "cox, robust variance"
    )


def changing(rng: np.random.Generator, people: int) -> pd.DataFrame:
    """Return start–stop rows: an exposure begins on a day of its own and multiplies the hazard from there on."""
    x, begins = rng.standard_normal(people), rng.exponential(500.0, people)
    target, ratio = rng.standard_exponential(people) / np.exp(RAISE * x), np.exp(ARM)
    before = hazard(begins)
    # the cumulative hazard, inverted: H(t) until the exposure begins, then H(begins) + ratio (H(t) − H(begins))
    reached = np.where(target <= before, target, before + (target - before) / ratio)
    time, until = SCALE * reached ** (1 / SHAPE), censoring(rng, people)
    whole = observed(time, until, person=np.arange(people), x=x, begins=begins)
    split = whole["begins"] < whole["time"]
    first = whole.assign(
        entry=0.0, exit=whole["time"].where(~split, whole["begins"]), event=whole["event"].where(~split, 0), exposed=0.0
    )
    second = whole[split].assign(entry=whole["begins"], exit=whole["time"], exposed=1.0)
    return pd.concat([first, second], ignore_index=True)


def _changing(rng: np.random.Generator) -> dict[Key, Found]:
    data = as_data(changing(rng, 400), entry="entry", exit="exit", id="person")
    return coefficients(
        oc.cox(data, "exposed + x", robust=False).to_frame(), "cox, start–stop, model variance"
    ) | coefficients(oc.cox(data, "exposed + x").to_frame(), "cox, start–stop, robust variance")


def _areas(rng: np.random.Generator) -> dict[Key, Found]:
    data = as_data(in_areas(rng, AREAS, 15, by_area=False), cluster="area")
    return coefficients(oc.cox(data, "arm").to_frame(), "cox, by area")


def _whole_areas(rng: np.random.Generator) -> dict[Key, Found]:
    data = as_data(in_areas(rng, 2 * AREAS, 8, by_area=True), cluster="area")
    return coefficients(oc.cox(data, "arm").to_frame(), "cox, by area")


def _few_areas(rng: np.random.Generator) -> dict[Key, Found]:
    data = as_data(in_areas(rng, 12, 50, by_area=True), cluster="area")
    return coefficients(oc.cox(data, "arm").to_frame(), "cox, by area")


def _sampled(rng: np.random.Generator) -> dict[Key, Found]:
    frame = weighted_by_outcome(rng, with_covariate(rng, 600), 0.4)
    data = as_data(frame)
    model = oc.cox(data, "arm + x", weights="w")
    found = coefficients(model.to_frame(), "cox, weighted")
    for row in model.predict(NEW, times=AT).to_frame().to_dict("records"):
        found["cox, predict, weighted", f"free at {row['time']:g}, row {row['profile']}"] = interval(row)
    curves = model.standardised()
    for row in curves.at(AT).to_dict("records"):
        found["cox, standardised, weighted", f"standardised free at {row['time']:g}, {row['arm']}"] = interval(row)
    row = oc.compare(curves, measure="risk_difference", at=HORIZON).to_frame().iloc[0]
    return found | {
        ("compare(cox.standardised), weighted", f"standardised risk difference at {HORIZON:g}"): interval(row)
    }


def _few_events(rng: np.random.Generator) -> dict[Key, Found]:
    """Fifty people, a rare factor: in many replicates its coefficient has no finite maximum."""
    x, rare = rng.standard_normal(50), rng.random(50) < 0.15
    while rare.sum() < 2:
        rare = rng.random(50) < 0.15
    time = weibull(rng, np.exp(ARM * rare + RAISE * x))
    data = as_data(observed(time, rng.uniform(200, 900, 50), arm=np.where(rare, "b", "a"), x=x))
    return coefficients(oc.cox(data, "arm + x", penalty="firth").to_frame(), "cox, Firth, profile likelihood")


_TWO = {NAMES["arm[b]"]: Truth(ARM), NAMES["x"]: Truth(RAISE)}
_FEW = "twelve areas of very unequal risk, six an arm: fewer than the 30 the gates are for"

OF_COX = (
    Scenario(
        "cox, arm and a covariate",
        f"400 people; log hazard ratios {ARM:.3f} of arm b and {RAISE} of a normal covariate over a Weibull baseline; censored as above. "
        "Standardised truths by Gauss–Hermite quadrature.",
        400,
        _plain,
        _of_plain(),
    ),
    Scenario(
        "cox, whole days, many ties",
        "The same with a scale of 100 days, 40 to 120 days of follow-up, whole days.",
        400,
        _days,
        _TWO,
        daily=True,
    ),
    Scenario(
        "cox, strata",
        "Four strata with baselines of their own, which go with the arm; the same coefficients.",
        400,
        _strata,
        _TWO,
    ),
    Scenario("cox, delayed entry", "60 % of people seen only from a day spread over 0 to 400 on.", 400, _late, _TWO),
    Scenario(
        "cox, changing exposure",
        "An exposure that begins on an exponential day of mean 500 and multiplies the hazard by 0.7 from there on.",
        400,
        _changing,
        {NAMES["exposed"]: Truth(ARM), NAMES["x"]: Truth(RAISE)},
        daily=True,
    ),
    Scenario(
        "cox, areas, people to arms",
        f"{AREAS} areas with a positive stable frailty, under which hazards in the mean stay proportional: the truth is exact.",
        600,
        _areas,
        {NAMES["arm[b]"]: Truth(ARM)},
        daily=True,
    ),
    Scenario(
        "cox, areas, areas to arms",
        f"{2 * AREAS} areas, whole areas to an arm.",
        640,
        _whole_areas,
        {NAMES["arm[b]"]: Truth(ARM)},
    ),
    Scenario(
        "cox, few areas to arms",
        "12 areas, whole areas to an arm.",
        600,
        _few_areas,
        {NAMES["arm[b]"]: Truth(ARM)},
        reported={"cox, by area": _FEW},
    ),
    Scenario(
        "cox, sampled by outcome",
        "600 people, of whom all with an event and 40 % of the others are in the sample.",
        460,
        _sampled,
        _of_plain(),
    ),
    Scenario(
        "cox, few events",
        "50 people, one in seven in arm b, followed for 200 to 900 days.",
        50,
        _few_events,
        _TWO,
        conservative={"cox, Firth, profile likelihood": "limits of a likelihood with few events in the smaller arm"},
    ),
)
