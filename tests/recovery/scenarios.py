"""Every recovery scenario by name, in the order of the page."""

from __future__ import annotations

from scenario import Scenario
from scenarios_adjusted import OF_ADJUSTED
from scenarios_benefits import OF_BENEFITS
from scenarios_competing import OF_COMPETING
from scenarios_counting import OF_COUNTING
from scenarios_counts import OF_COUNTS
from scenarios_courses import OF_COURSES
from scenarios_cox import OF_COX
from scenarios_curves import OF_CURVES
from scenarios_detected import OF_DETECTED
from scenarios_estimands import OF_ESTIMANDS
from scenarios_fine_gray import OF_FINE_GRAY
from scenarios_models import OF_MODELS
from scenarios_regimes import OF_REGIMES
from scenarios_rolled_out import OF_ROLLED_OUT
from scenarios_sampled import OF_SAMPLED
from scenarios_teams import OF_TEAMS
from scenarios_tests import OF_TESTS
from scenarios_whom import OF_WHOM

__all__ = ["SCENARIOS"]

SCENARIOS: dict[str, Scenario] = {
    one.name: one
    for one in (
        *OF_CURVES, *OF_COMPETING, *OF_SAMPLED, *OF_COX, *OF_FINE_GRAY, *OF_MODELS, *OF_COUNTS, *OF_TESTS, *OF_ESTIMANDS, *OF_ADJUSTED,
        *OF_WHOM, *OF_REGIMES, *OF_ROLLED_OUT, *OF_DETECTED, *OF_COURSES, *OF_TEAMS, *OF_BENEFITS, *OF_COUNTING,
    )
}  # fmt: skip
