"""Every bias of an invented cohort: how strong, what is asked beside it, and in what words."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

import offered_worlds
import switched_questions as ask
from scenario import Truth
from switched_questions import Answer, Drawn

from outcomes.synthetic import Biases, World

__all__ = ["AREAS", "OFF", "SWITCHES", "Switch", "cohort", "off_cohort"]

PEOPLE, AREAS, LIVES = 4000, 30, 50
OFF = "all off"


@dataclass(frozen=True)
class Switch:
    """One bias, and the question that shows it.

    Attributes
    ----------
    bias, strength
        The switch and how far it is turned; every other is off but those of `beside`.
    quantity, naive, right : str
        What is estimated, and how, for the page.
    asked : callable
        From a cohort to both answers and the truth.
    kind : str
        ``estimate``; ``spread``: the answers are standard errors, and true is the spread of the estimate over cohorts; ``betrayed``:
        this library cannot mend the bias, and what stands in place of the right answer must be off.
    off : str
        Why naive and right do not ask the same where every bias is off; empty where they do.
    fixed : callable
        Gives the truth where it is not of one cohort.
    explained : str
        What is behind a row that fails.
    """

    bias: str
    strength: float
    quantity: str
    naive: str
    right: str
    asked: Callable[[Drawn], Answer]
    beside: Mapping[str, float] = field(default_factory=dict, kw_only=True)
    kind: str = field(default="estimate", kw_only=True)
    people: int = field(default=PEOPLE, kw_only=True)
    lives: int = field(default=LIVES, kw_only=True)
    scope: str = field(default="headline", kw_only=True)
    world: World = field(default_factory=World, kw_only=True)
    fixed: Callable[[], Truth] | None = field(default=None, kw_only=True)
    off: str = field(default="", kw_only=True)
    explained: str = field(default="", kw_only=True)

    @property
    def biases(self) -> Biases:
        """Return every strength."""
        return dataclasses.replace(Biases.none(), **{self.bias: self.strength, **self.beside})

    @property
    def same(self) -> bool:
        """Return whether naive and right ask the same where every bias is off."""
        return not self.off


def cohort(switch: Switch, seed: int, *, people: int | None = None) -> Drawn:
    """Return the cohort of a seed with the bias on."""
    return Drawn(seed, people or switch.people, AREAS, switch.biases, switch.world, switch.lives, switch.scope)


def off_cohort(seed: int, *, people: int = PEOPLE) -> Drawn:
    """Return the cohort of a seed with every bias off."""
    return Drawn(seed, people, AREAS, Biases.none(), World())


_STRONGER = World(bespoke=-0.8, manualised=-0.45)


@lru_cache(maxsize=1)
def _caseload() -> Truth:
    """Return the difference between the regimes from worlds in which one alone is on offer, with exclusion on."""
    found = offered_worlds.found_truths(dataclasses.replace(Biases.none(), exclusion=1.0), _STRONGER, people=12_000)
    return found["difference"]


_GAP = "difference in risk by 2y, bespoke minus manualised, eligible for both"

SWITCHES: tuple[Switch, ...] = (
    Switch(
        "selection", 2.0, _GAP,
        "the arms as they were: the manualised one took people of lower risk",
        "overlap weights from the study's score",
        ask.of_selection,
    ),
    Switch(
        "exclusion", 1.0, "difference in risk by 2y between the regimes, everyone sentenced for a sexual offence",
        "the regimes compared among those whom both programmes admit, and read as the caseload's answer: whom the manual refuses "
        "is left out, though one regime leaves them without a programme",
        "`caseload`, route A: everyone, by what was on offer",
        ask.of_exclusion, people=10_000, lives=0, world=_STRONGER, fixed=_caseload,
    ),
    Switch(
        "non_referral", 1.0, "share of the caseload that starts where the manualised programme alone is on offer",
        "started of those referred: people known to be refused are never referred, and are missing below the line",
        "`caseload`, steps: started of everyone by what was on offer",
        ask.of_non_referral, beside={"exclusion": 1.0}, lives=0,
        off="started of those referred is another share than started of everyone",
    ),
    Switch(
        "rollout_trend", 2.0, _GAP,
        "a score without the year: the manualised programme came later, when hazards were lower",
        "C(period) in the score",
        ask.of_era,
    ),
    Switch(
        "waits", 4.0, _GAP,
        "a score without the wait: who waited longer starts on a lower part of the hazard",
        "wait_days in the score",
        ask.of_waits,
    ),
    Switch(
        "custody_delivery", 1.0, "risk by 2y after the bespoke programme, its starters eligible for both",
        "time zero at the start, in custody or not: months in which nothing could happen count as time at risk",
        "time zero at release (`auto`)",
        ask.of_custody,
    ),
    Switch(
        "immortal_time", 2.0, "log hazard ratio of the bespoke programme against nothing",
        "who ever started against who never did, from release or sentence on (`immortal_time`, the wrong row)",
        "exposure that changes with time (`immortal_time`)",
        ask.of_immortal_time, lives=0,
        off="nobody reoffends while waiting where the switch is off, so that the time before a start is event-free by construction",
    ),
    Switch(
        "drop_out", 1.0, "risk by 2y after the manualised programme, its starters eligible for both",
        "drop-outs left out: those who stay had lower risks to begin with, and the whole of the effect",
        "everyone who started (the starters of `starters_and_completers`)",
        ask.of_drop_out,
    ),
    Switch(
        "recall_by_arm", 5.0, "difference in risk by 2y as if never out of the community, eligible for both",
        "calendar time: people recalled more often have less time in which to reoffend",
        "`scale = \"at_risk\"`: time out of the community is a gap",
        ask.of_recall, lives=1, scope="all",
    ),
    Switch(
        "conviction_lag", 1.0, "risk by 2y after the manualised programme, in an extract to the end of 2010",
        "whatever is proven by the data cut, followed to the data cut, taken for everything that will be proven: late offences are not yet",
        "proven within six months, followed to six months before the cut: a smaller risk than of everything, and the same on every day",
        ask.of_lag,
    ),
    Switch(
        "detection", 3.0, "difference in risk by 2y, bespoke minus manualised, own clients of both",
        "as recorded: people with a learning disability are in the bespoke programme alone",
        "`detection_sensitivity` at the true share; true is the answer of the same seed with everything recorded",
        ask.of_detection, beside={"exclusion": 1.0}, lives=0,
    ),
    Switch(
        "clustering", 4.0, "standard error of the risk by 2y after the bespoke programme, over the spread of the risk",
        "people taken as independent",
        "clustered by area",
        ask.of_clustering, kind="spread", lives=0,
    ),
    Switch(
        "effect_modification", 2.0, "log risk ratio by 2y, bespoke against manualised, low risk band",
        "the ratio of everyone, read as that of people at low risk",
        "`who_benefits` by risk band",
        ask.of_effect_modification,
    ),
    Switch(
        "unmeasured", 1.0, f"{_GAP}; for the control, in motoring offences",
        "overlap weights from the study's score, which cannot hold what no table holds: **no answer of this library mends this**",
        "motoring offences, which no programme changes (a negative control, true is 0): that it differs is the sign",
        ask.of_negative_control, kind="betrayed",
        off="they are about different outcomes",
    ),
    Switch(
        "missing", 15.0, _GAP,
        "an indicator for who misses a risk band: within those, selection is not adjusted for",
        "imputed (`impute`, `pool`, 5 sets); who misses a band is chance here, so that complete cases would be right too, and fewer",
        ask.of_missing, beside={"selection": 2.0},
    ),
)  # fmt: skip
