"""The test that several numbers are all 0 where their covariance comes from few clusters: Hotelling's, in place of chi-squared."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["JointTest", "joint_test"]


@dataclass(frozen=True)
class JointTest:
    """F statistic (Wald's where it is of chi-squared), its degrees of freedom, p-value; missing where there are too few clusters."""

    statistic: float
    df: int
    df_residual: float
    p_value: float


def joint_test(wald: float, terms: int, df: float) -> JointTest:
    """Return the test that `terms` numbers are all 0.

    Parameters
    ----------
    wald : float
        Their quadratic form in the inverse of the covariance, small-sample factor and all.
    terms : int
    df : float
        Degrees of freedom of that covariance: those of t for one of the numbers (clusters - 1, or - 2 where arms were given to clusters);
        infinite where nothing is clustered: chi-squared.

    Notes
    -----
    ``wald * (df - terms + 1) / (df * terms)`` on F with `terms` and ``df - terms + 1`` degrees of freedom. Wald's on F with `df` takes the
    covariance for better known than it is: with 12 clusters and 3 numbers a test at 5 % rejects in 9 % of samples.

    References
    ----------
    Hotelling (1931), Annals of Mathematical Statistics 2:360; Cameron & Miller (2015), Journal of Human Resources 50:317.
    """
    from scipy.special import chdtrc, fdtrc

    if df == float("inf"):
        return JointTest(wald, terms, df, float(chdtrc(terms, wald)))
    left = df - terms + 1
    if not left > 0:
        return JointTest(float("nan"), terms, float("nan"), float("nan"))
    statistic = wald * left / (df * terms)
    return JointTest(statistic, terms, left, float(fdtrc(terms, left, statistic)))
