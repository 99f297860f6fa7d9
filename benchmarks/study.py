"""The study every size is measured with: two families of programmes, one outcome."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from invented.catalogue import SEXUAL
from invented.people import CUT
from outcomes.design.study import Arms, ArmSpec, Condition, Eligibility, FollowUp, Outcome, Study
from outcomes.durations import days

__all__ = ["benchmark_study"]


def benchmark_study(population: str) -> Study:
    """Return the study of one population, ``own`` or ``both``."""
    arms = {"bespoke": ArmSpec(family=("local_project",)), "manualised": ArmSpec(family=("national_manual",))}
    anything = Outcome(
        name="any",
        types=(*SEXUAL, "violent", "acquisitive", "drugs", "other"),
        proving_period=days("6m"),
        competing=("death", "deportation"),
    )
    return Study(
        title="Benchmark",
        data=Path(),
        arms=Arms(reference="manualised", definitions=MappingProxyType(arms)),
        follow_up=FollowUp(data_cut=CUT, horizon=days("5y")),
        outcomes=MappingProxyType({"any": anything}),
        synthetic=True,
        eligibility=Eligibility(
            population=population,
            include=(Condition("age_at_time_zero", ">=", 18), Condition("sex", "==", "male")),
        ),
    )
