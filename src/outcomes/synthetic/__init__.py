"""Cohorts with known truth, each bias a switch."""

from outcomes.synthetic.biases import Biases
from outcomes.synthetic.cohort import SyntheticCohort, make_cohort
from outcomes.synthetic.worlds import World

__all__ = ["Biases", "SyntheticCohort", "World", "make_cohort"]
