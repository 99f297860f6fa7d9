"""Cohorts with known truth, each bias a switch."""
