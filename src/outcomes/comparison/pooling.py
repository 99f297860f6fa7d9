"""One result from those of several imputed sets, by Rubin's rules: the function people call."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from outcomes.adjust.imputing import Imputed
from outcomes.comparison.comparing import Comparison
from outcomes.comparison.pooled_comparison import pool_comparisons
from outcomes.comparison.pooled_curves import (
    PooledCumulativeIncidence,
    PooledKaplanMeier,
    pool_curves,
    pool_rmst,
)
from outcomes.comparison.pooled_frames import pool_frames
from outcomes.comparison.pooled_models import (
    pool_cause_specific,
    pool_cox,
    pool_fine_gray,
    pool_parametric,
    pool_rate_models,
    pool_rmst_regression,
)
from outcomes.design.data import SurvivalData
from outcomes.errors import EstimationError, NotSupportedError, must_be
from outcomes.results import Result, Weights
from outcomes.survival.cause_specific_hazards import CauseSpecific
from outcomes.survival.cox_result import Cox
from outcomes.survival.curves import CumulativeIncidence, KaplanMeier
from outcomes.survival.fine_gray_result import FineGray
from outcomes.survival.inputs import normal_quantile
from outcomes.survival.mean_time_regression import RmstRegression
from outcomes.survival.parametric_results import Parametric
from outcomes.survival.rate_models import RateModel
from outcomes.survival.recurrent_models import AndersenGill, PrenticeWilliamsPeterson
from outcomes.survival.restricted_mean import Rmst

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["pool"]

_Found = TypeVar("_Found", bound="Result | pd.DataFrame")
_CAN = (
    "What can be pooled: results of cox, cause_specific, fine_gray, parametric, rate_model, rmst_regression, kaplan_meier, "
    "cumulative_incidence, rmst and compare; and tables with columns estimate and std_error, such as at(times) gives, with scale=."
)


def pool(
    imputed: Imputed | Sequence[SurvivalData],
    estimate: Callable[[SurvivalData], _Found],
    *,
    scale: str | None = None,
    df_complete: float | None = None,
    conf_level: float = 0.95,
) -> _Found:
    """Estimate from every imputed set, and pool what comes of it by Rubin's rules.

    Use it with `impute`. Everything that depends on what was imputed belongs inside: weights too, so that the score is fitted to each
    set.

    Parameters
    ----------
    imputed : Imputed, or sequence of SurvivalData
        Of `impute`, or sets that were completed elsewhere.
    estimate : callable
        Is given one completed set (SurvivalData), and returns a result or a table.
    scale : {"plain", "log", "loglog", "cloglog"}, optional
        Tables only: the scale they are pooled on: as they are, logarithms, log(−log p) of shares p free of the event, log(−log(1 − p))
        of risks p. Default: as their column ``measure`` says.
    df_complete : float, optional
        Degrees of freedom had nothing been missing. Default: those of the results: infinite, or by clusters where there are some.
    conf_level : float
        Tables only; results keep their own.

    Returns
    -------
    The estimator's own result type, or a table
        ``to_frame()`` has df, relative_increase (of the variance, by what is missing) and fmi (fraction of missing information) beside
        the pooled estimate, std_error, statistic, p_value and limits; ``missing_information()`` has the variances within and between
        sets. What needs the people of one set (predictions, residuals, influences, tests of proportional hazards, comparing the
        arms afterwards) refuses and says how to pool it instead.

    Raises
    ------
    EstimationError
        Fewer than two sets; sets whose results have other terms, arms, times or limits than the first's; a table without scale.
    NotSupportedError
        A result that cannot be pooled; the message says which can.

    Notes
    -----
    Scales: coefficients as they are (log ratios); curves on the complementary log-log scale, log(−log(share free of the event)), as
    recommended by Marshall et al. (2009), limits then as the curves' `conf_type` says; restricted means and differences as they
    are; ratios of compare on the log. Degrees of freedom are Barnard and Rubin's. A factor for few clusters multiplies the variance
    within sets. Tests of several coefficients are Li, Raghunathan and Rubin's. Likelihoods are not pooled. Weights made inside
    bring their own doubt ("stacked") to each set's variance.

    References
    ----------
    Rubin (1987), Multiple Imputation for Nonresponse in Surveys; Barnard & Rubin (1999), Biometrika 86:948; Li, Raghunathan & Rubin
    (1991), JASA 86:1065; Marshall, Altman, Holder & Royston (2009), BMC Medical Research Methodology 9:57; weights within sets:
    Leyrat et al. (2019), Statistical Methods in Medical Research 28:3.

    Examples
    --------
    >>> import outcomes as oc
    >>> from lifelines.datasets import load_rossi
    >>> rossi = load_rossi()
    >>> rossi.loc[::5, "prio"] = None
    >>> data = oc.survival_data(rossi, duration="week", event="arrest", arm="fin", reference=0, unit="weeks")
    >>> imputed = oc.impute(data, m=5, seed=2010)
    >>> oc.pool(imputed, lambda d: oc.cox(d, "arm + age + prio")).to_frame()["std_error"].round(2).tolist()
    [0.19, 0.02, 0.03]
    """
    must_be(imputed, (Imputed, Sequence), what="pool(imputed, estimate): imputed", expected="what impute(data) gives")
    if not callable(estimate):
        raise EstimationError(
            "pool(imputed, estimate): estimate must be a function of one completed set, such as lambda data: cox(data, 'arm + age')."
        )
    normal_quantile(conf_level)
    if df_complete is not None and not df_complete > 0:
        raise EstimationError(f"pool: df_complete must be above 0; got {df_complete}.")
    if len(imputed) < 2:
        raise EstimationError("pool: two imputed sets or more are needed; how they differ says how much is not known.")
    if not isinstance(imputed, Imputed):
        for one in imputed:
            must_be(one, SurvivalData, what="pool(imputed, estimate): imputed", expected="SurvivalData, set by set")
    found = [estimate(imputed[index]) for index in range(len(imputed))]
    data = imputed.data if isinstance(imputed, Imputed) else imputed[0]
    return _pooled(found, data, scale, df_complete, conf_level)  # type: ignore[no-any-return]


def _pooled(
    found: Sequence[Any], data: SurvivalData, scale: str | None, df_complete: float | None, conf_level: float
) -> Any:
    """Return results of one kind pooled."""
    import pandas as pd

    kinds = {type(one) for one in found}
    if len(kinds) > 1:
        raise EstimationError("pool: the function gives results of different kinds from different sets.")
    kind = kinds.pop()
    if kind is pd.DataFrame:
        return pool_frames(found, scale, df_complete, conf_level)
    if scale is not None:
        raise EstimationError("pool: scale= is for tables; results are pooled on their own scale.")
    if kind in (Cox, AndersenGill, PrenticeWilliamsPeterson):
        return pool_cox(found, data, df_complete)
    if kind is CauseSpecific:
        return pool_cause_specific(found, data, df_complete)
    if kind is FineGray:
        return pool_fine_gray(found, data, df_complete)
    if kind is Parametric:
        return pool_parametric(found, data, df_complete)
    if kind is RateModel:
        return pool_rate_models(found, data, df_complete)
    if kind is RmstRegression:
        return pool_rmst_regression(found, data, df_complete)
    if kind is KaplanMeier:
        return pool_curves(PooledKaplanMeier, found, data, df_complete)
    if kind is CumulativeIncidence:
        return pool_curves(PooledCumulativeIncidence, found, data, df_complete)
    if kind is Rmst:
        return pool_rmst(found, data, df_complete)
    if kind is Comparison:
        return pool_comparisons(found, df_complete)
    if issubclass(kind, Weights):
        raise NotSupportedError(
            "pool: weights are not pooled; make them inside and pool what they are for: pool(imputed, lambda data: compare(kaplan_meier("
            "data, weights=weight(data, …)), …))."
        )
    raise NotSupportedError(f"pool: a {kind.__name__} is not pooled by Rubin's rules. {_CAN}")
