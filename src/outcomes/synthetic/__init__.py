"""Cohorts with known truth, each bias a switch."""

from outcomes.synthetic.biases import Biases
from outcomes.synthetic.cohort import SyntheticCohort, make_cohort

__all__ = ["Biases", "SyntheticCohort", "make_cohort"]
