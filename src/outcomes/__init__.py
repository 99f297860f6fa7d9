"""Did a programme for people who offended make a difference? Public names, loaded on first use.

`import outcomes` loads nothing heavy: each public name is imported from its module when it is first asked for.
"""

from __future__ import annotations

import importlib
import logging
from typing import Any

__version__ = "0.1.0.dev0"

_PUBLIC = {
    "Note": "outcomes.results",
    "Weights": "outcomes.results",
    "days": "outcomes.durations",
    "OutcomesError": "outcomes.errors",
    "DataError": "outcomes.errors",
    "DesignError": "outcomes.errors",
    "EstimationError": "outcomes.errors",
    "NotSupportedError": "outcomes.errors",
    "DisclosureError": "outcomes.errors",
    "SurvivalData": "outcomes.design.data",
    "survival_data": "outcomes.design.data",
    "split_follow_up": "outcomes.design.splitting",
    "count_rows": "outcomes.design.counting_rows",
    "DisclosurePolicy": "outcomes.disclosure.policy",
    "Released": "outcomes.disclosure.releasing",
    "release": "outcomes.disclosure.releasing",
    "Cohort": "outcomes.design.cohort",
    "build_cohort": "outcomes.design.cohort",
    "Study": "outcomes.design.study",
    "read_study": "outcomes.design.study_file",
    "Tables": "outcomes.loading.tables",
    "load_tables": "outcomes.loading.tables",
    "KAnonymity": "outcomes.loading.anonymity",
    "k_anonymity": "outcomes.loading.anonymity",
    "CensoringWeights": "outcomes.adjust.censoring",
    "InViewWeights": "outcomes.adjust.weights_in_view",
    "censoring_weights": "outcomes.adjust.censoring",
    "weight": "outcomes.adjust.weighting",
    "Bootstrap": "outcomes.comparison.bootstrapping",
    "bootstrap": "outcomes.comparison.bootstrapping",
    "WildScoreTest": "outcomes.comparison.wild_testing",
    "wild_score_test": "outcomes.comparison.wild_testing",
    "RandomisationTest": "outcomes.comparison.randomising",
    "randomisation_test": "outcomes.comparison.randomising",
    "Imputed": "outcomes.adjust.imputing",
    "impute": "outcomes.adjust.imputing",
    "Missingness": "outcomes.adjust.missing_values",
    "missingness": "outcomes.adjust.missing_values",
    "pool": "outcomes.comparison.pooling",
    "AdjustedRmst": "outcomes.adjust.adjusted_mean_time",
    "AdjustedCurves": "outcomes.adjust.adjusted_results",
    "adjusted_curves": "outcomes.adjust.adjusting_curves",
    "compare": "outcomes.comparison.contrasts",
    "Comparison": "outcomes.comparison.comparing",
    "characteristics": "outcomes.adjust.describing_arms",
    "subgroup_effects": "outcomes.comparison.subgroups",
    "EValue": "outcomes.comparison.evalue",
    "e_value": "outcomes.comparison.evalue",
    "TippingPoints": "outcomes.comparison.tipping",
    "tipping_points": "outcomes.comparison.tipping",
    "PropensityWeights": "outcomes.adjust.weighting",
    "prognostic_balance": "outcomes.adjust.prognostic",
    "Balance": "outcomes.adjust.balancing",
    "Overlap": "outcomes.adjust.overlapping",
    "Characteristics": "outcomes.adjust.describing_arms",
    "ChecksReport": "outcomes.loading.checking",
    "Flow": "outcomes.design.flow",
    "RiskWindow": "outcomes.design.windows",
    "CommunityDays": "outcomes.design.windows",
    "RmstRegression": "outcomes.survival.mean_time_regression",
    "ProportionalHazards": "outcomes.survival.proportionality",
    "PairwiseLogRank": "outcomes.comparison.pairwise",
    "SubgroupEffects": "outcomes.comparison.subgroups",
    "Matched": "outcomes.adjust.matching",
    "match": "outcomes.adjust.matching",
    "KaplanMeier": "outcomes.survival.curves",
    "CumulativeIncidence": "outcomes.survival.curves",
    "kaplan_meier": "outcomes.survival.curves",
    "Cox": "outcomes.survival.cox_result",
    "CoxCurves": "outcomes.survival.cox_curves",
    "StandardisedCurves": "outcomes.survival.cox_standardised",
    "CauseSpecific": "outcomes.survival.cause_specific_hazards",
    "cause_specific": "outcomes.survival.cause_specific_hazards",
    "FineGray": "outcomes.survival.fine_gray_result",
    "PredictedIncidence": "outcomes.survival.incidence_predictions",
    "fine_gray": "outcomes.survival.fine_gray_model",
    "cox": "outcomes.survival.cox_model",
    "Parametric": "outcomes.survival.parametric_results",
    "parametric": "outcomes.survival.parametric_model",
    "NelsonAalen": "outcomes.survival.hazards",
    "nelson_aalen": "outcomes.survival.hazards",
    "LogRank": "outcomes.survival.logrank",
    "logrank_test": "outcomes.survival.logrank",
    "MaxCombo": "outcomes.survival.max_combo",
    "max_combo_test": "outcomes.survival.max_combo",
    "Gray": "outcomes.survival.gray",
    "gray_test": "outcomes.survival.gray",
    "pairwise_logrank_test": "outcomes.comparison.pairwise",
    "RiskSets": "outcomes.survival.who_is_at_risk",
    "risk_sets": "outcomes.survival.who_is_at_risk",
    "rmst_regression": "outcomes.survival.mean_time_regression",
    "Rmst": "outcomes.survival.restricted_mean",
    "rmst": "outcomes.survival.restricted_mean",
    "cumulative_incidence": "outcomes.survival.curves",
    "MeanCount": "outcomes.survival.mean_counts",
    "mean_count": "outcomes.survival.mean_counts",
    "AndersenGill": "outcomes.survival.recurrent_models",
    "PrenticeWilliamsPeterson": "outcomes.survival.recurrent_models",
    "andersen_gill": "outcomes.survival.recurrent_models",
    "pwp": "outcomes.survival.recurrent_models",
    "EventRate": "outcomes.survival.event_rates",
    "event_rate": "outcomes.survival.event_rates",
    "RateModel": "outcomes.survival.rate_models",
    "rate_model": "outcomes.survival.rate_models",
    "MaintenanceEffect": "outcomes.comparison.maintaining",
    "maintenance_effect": "outcomes.comparison.maintaining",
    "AttendanceEffect": "outcomes.comparison.attending",
    "attendance_effect": "outcomes.comparison.attending",
    "CourseStates": "outcomes.comparison.states_of_courses",
    "course_states": "outcomes.comparison.states_of_courses",
    "StateProbabilities": "outcomes.survival.state_occupation",
    "state_probabilities": "outcomes.survival.state_occupation",
    "Caseload": "outcomes.comparison.caseload_result",
    "caseload": "outcomes.comparison.whole_caseload",
    "Programmes": "outcomes.comparison.programmes_result",
    "programmes_against_nothing": "outcomes.comparison.every_programme",
    "FidelityEffect": "outcomes.comparison.fidelity_result",
    "fidelity_effect": "outcomes.comparison.fidelity",
    "SiteVariation": "outcomes.comparison.site_result",
    "site_variation": "outcomes.comparison.site_varying",
    "Outside": "outcomes.comparison.outside",
    "Populations": "outcomes.comparison.populations_result",
    "populations": "outcomes.comparison.each_population",
}

__all__ = [*_PUBLIC]

logging.getLogger("outcomes").addHandler(logging.NullHandler())


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'outcomes' has no attribute {name!r}")
    value = getattr(importlib.import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
