"""Fidelity of groups, and variation between sites, with as many groups and sites as the gates ask for."""

from __future__ import annotations

import numpy as np
from delivered_groups import delivered, risk_at, risk_at_age, study_of_groups
from scenario import Estimate, Found, Interval, Key, PValue, Scenario, Truth, interval

import outcomes as oc

__all__ = ["OF_TEAMS"]

SLOPE, SITES, SITE_SD, ARM = -0.7, 40, 0.4, -0.3
_PER_POINT, _PER_SD = (
    "log hazard ratio of a point of the score",
    "difference in risk by a standard deviation, less the true one",
)


def _fidelity(slope: float, rng: np.random.Generator) -> dict[Key, Found]:
    seed = int(rng.integers(2**31))
    made = delivered(seed=seed, sites=SITES, groups=4, people=8, slope=slope)
    found = oc.fidelity_effect(oc.load_tables(made), study_of_groups())
    frame = found.to_frame()
    frame = frame[frame["analysis"] == "per_sd"].set_index("measure")
    ratio, risk = frame.loc["hazard_ratio"], frame.loc["risk_difference"]
    truth = np.diff(risk_at(slope * (found.mean - 3 + found.spread * np.array([-0.5, 0.5])))).item()
    logs = np.log([ratio["estimate"], ratio["conf_low"], ratio["conf_high"]]) / found.spread
    who = "fidelity_effect"
    rows: dict[Key, Found] = {
        (who, _PER_POINT): Interval(logs[0], ratio["std_error"] / found.spread, logs[1], logs[2]),
        (who, _PER_SD): Interval(
            *(risk[["estimate", "std_error", "conf_low", "conf_high"]] - [truth, 0, truth, truth])
        ),
    }
    if slope == 0:
        rows |= {
            ("fidelity_effect, hazard ratio", "no effect"): PValue(ratio["p_value"]),
            ("fidelity_effect, hazard ratio, wild", "no effect"): PValue(ratio["p_wild"]),
            ("fidelity_effect, risk", "no effect"): PValue(risk["p_value"]),
        }
    return rows


def _sites(site_sd: float, rng: np.random.Generator) -> dict[Key, Found]:
    made = delivered(seed=int(rng.integers(2**31)), sites=2 * SITES, groups=1, people=25, site_sd=site_sd, arm=ARM)
    frame = oc.site_variation(oc.load_tables(made), study_of_groups()).to_frame()
    vary = frame[frame["model"] == "sites vary"]
    rows: dict[Key, Found] = {}
    for arm in ("manualised", "bespoke"):
        mine = vary[vary["arm"] == arm].set_index("quantity")
        rows["site_variation", f"mean risk of sites, {arm}"] = interval(mine.loc["risk"])
        if site_sd:
            spread = mine.loc["sd"]
            rows["site_variation", f"standard deviation of sites, {arm}"] = Interval(
                spread["estimate"], np.nan, spread["conf_low"], spread["conf_high"]
            )
            rows["site_variation, of the variance", f"share between sites, {arm}"] = Estimate(
                mine.loc["icc", "estimate"]
            )
        else:
            rows["site_variation, test of variation", arm] = PValue(mine.loc["sd", "p_value"])
    both = frame[frame["quantity"] == "risk_difference"].set_index("model")
    rows["site_variation", "difference in risk"] = interval(both.loc["sites vary"])
    rows["as if people were independent", "difference in risk"] = interval(both.loc["people independent"])
    return rows


def _of_sites(site_sd: float) -> dict[str, Truth]:
    """Return moments of the risks of sites, over their normal log hazards."""
    node, mass = np.polynomial.hermite_e.hermegauss(60)
    mass = mass / mass.sum()
    risks = {arm: risk_at(site_sd * node + shift) for arm, shift in (("manualised", 0.0), ("bespoke", ARM))}
    means = {arm: float(risk @ mass) for arm, risk in risks.items()}
    found = {"difference in risk": Truth(means["bespoke"] - means["manualised"])}
    for arm, risk in risks.items():
        variance = float((risk - means[arm]) ** 2 @ mass)
        found |= {
            f"mean risk of sites, {arm}": Truth(means[arm]),
            f"standard deviation of sites, {arm}": Truth(np.sqrt(variance)),
            f"share between sites, {arm}": Truth(
                variance / (variance + _within(site_sd, 0.0 if arm == "manualised" else ARM))
            ),
        }
    return found


def _within(site_sd: float, shift: float) -> float:
    """Return the variance of whether people at one site have the event, less what a line in age explains of it."""
    node, mass = np.polynomial.hermite_e.hermegauss(60)
    age = np.linspace(20, 60, 201)
    each = np.array([risk_at_age(site_sd * value + shift, age) for value in node])
    risk = each.mean(axis=1)
    slope = ((each - risk[:, None]) * (age - age.mean())).mean(axis=1) @ mass / mass.sum() / age.var()
    return float((risk * (1 - risk)) @ mass / mass.sum() - slope**2 * age.var())


_INDEPENDENT = {"as if people were independent": "people at one site are not: this is what the model of sites is for"}

OF_TEAMS = (
    Scenario(
        name="fidelity of groups",
        said=(
            f"{SITES} sites with 4 groups of 8 people in either programme; a point of a group's score takes half off the hazard "
            f"(log {SLOPE})"
        ),
        people=SITES * 4 * 8 * 2,
        replicate=lambda rng: _fidelity(SLOPE, rng),
        truths={_PER_POINT: Truth(SLOPE), _PER_SD: Truth(0.0)},
    ),
    Scenario(
        name="fidelity that does nothing",
        said="The same groups; scores have nothing to do with hazards",
        people=SITES * 4 * 8 * 2,
        replicate=lambda rng: _fidelity(0.0, rng),
        truths={_PER_POINT: Truth(0.0), _PER_SD: Truth(0.0)},
    ),
    Scenario(
        name="sites that differ",
        said=f"{2 * SITES} sites with 25 people in either programme; log hazards of sites have a standard deviation of {SITE_SD}",
        people=2 * SITES * 25 * 2,
        replicate=lambda rng: _sites(SITE_SD, rng),
        truths=_of_sites(SITE_SD),
        reported=_INDEPENDENT,
    ),
    Scenario(
        name="sites that do not differ",
        said="The same sites, all alike",
        people=2 * SITES * 25 * 2,
        replicate=lambda rng: _sites(0.0, rng),
        truths=_of_sites(0.0),
    ),
)  # fmt: skip
