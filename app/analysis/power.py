"""How many independent answers a difference of two rates needs; times the design effect for people's choices."""

from dataclasses import dataclass
from math import asin, sqrt

from scipy import special

from app.analysis.arrays import ValueOutOfRange


@dataclass(frozen=True, slots=True)
class SampleSize:
    """Answers needed in each of two groups, not rounded: by the pooled z test, and by Cohen's h."""

    pooled_z: float
    cohen_h: float


def sample_size(
    p1: float, p2: float, alpha: float = 0.05, power: float = 0.8, design_effect: float = 1.0
) -> SampleSize:
    """Answers in each group to tell p1 from p2, two-sided.

    pooled z: (z_α √(2 p̄ q̄) + z_β √(p1 q1 + p2 q2))² / (p1-p2)²; Cohen's h: 2 (z_α + z_β)² / h², h = 2 asin √p1 - 2 asin
    √p2; both times the design effect. z_α = Φ⁻¹(1-α/2), z_β = Φ⁻¹(power).

    Parameters
    ----------
    p1, p2
        Different rates in [0, 1].
    alpha, power
        In (0, 1).
    design_effect
        See `clustering.design_effect`; above 0.

    References
    ----------
    Fleiss, Levin & Paik 2003, Statistical Methods for Rates and Proportions, chapter 4; Cohen 1988, chapter 6.
    """
    if not (0 <= p1 <= 1 and 0 <= p2 <= 1) or p1 == p2:
        raise ValueOutOfRange("p1 and p2 must be different rates between 0 and 1")
    if not (0 < alpha < 1 and 0 < power < 1 and design_effect > 0):
        raise ValueOutOfRange("alpha and power must lie between 0 and 1, and the design effect above 0")
    z_alpha, z_beta = float(special.ndtri(1 - alpha / 2)), float(special.ndtri(power))
    mean = (p1 + p2) / 2
    spread = z_alpha * sqrt(2 * mean * (1 - mean)) + z_beta * sqrt(p1 * (1 - p1) + p2 * (1 - p2))
    h = 2 * asin(sqrt(p1)) - 2 * asin(sqrt(p2))
    return SampleSize(design_effect * (spread / (p1 - p2)) ** 2, 2 * design_effect * ((z_alpha + z_beta) / h) ** 2)
