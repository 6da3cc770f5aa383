"""Calibration of a classifier: how far its confidence is from the share of its answers that are right.

Confidence is the probability of the class that is answered. Bins are half-open, (low, high], as in the studies' code.
Numpy alone: torchmetrics and netcal have the binned measures, neither is needed for a dozen lines.

References:
    .. [Naeini2015] Naeini, Cooper, Hauskrecht: Obtaining Well Calibrated Probabilities Using Bayesian Binning, AAAI.
    .. [Guo2017] Guo et al.: On Calibration of Modern Neural Networks, ICML 2017, arXiv 1706.04599.
    .. [Nixon2019] Nixon et al.: Measuring Calibration in Deep Learning, CVPRW 2019, arXiv 1904.01685.
    .. [Gupta2021] Gupta et al.: Calibration of Neural Networks using Splines, ICLR 2021, arXiv 2006.12800.
    .. [Zhang2020] Zhang, Kailkhura, Han: Mix-n-Match, ICML 2020, arXiv 2003.07329.
    .. [Kumar2018] Kumar, Sarawagi, Jain: Trainable Calibration Measures from Kernel Mean Embeddings, ICML 2018.
    .. [Brier1950] Brier: Verification of Forecasts Expressed in Terms of Probability, Monthly Weather Review 78.
    .. [Tao2024] Tao et al.: A Benchmark Study on Calibration, ICLR 2024, arXiv 2308.11838.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

__all__ = [
    "BINS",
    "ReliabilityBins",
    "bootstrap_interval",
    "brier_score",
    "classwise_error",
    "expected_error",
    "harmonic_score",
    "kde_error",
    "kernel_error",
    "ks_error",
    "log_loss",
    "maximum_error",
    "reliability_bins",
]

Binning = Literal["width", "mass"]
"""Bins of equal width of confidence, or of equally many images."""
BINS = 15
"""Bins unless asked otherwise, as in [Guo2017]_."""
KERNEL_WIDTH = 0.4
"""Of the Laplacian kernel of confidences ([Kumar2018]_)."""
GRID = 1024
"""Points at which kernel densities are integrated."""
RESAMPLES = 200
"""Bootstrap samples behind an interval."""


class ReliabilityBins(NamedTuple):
    """Bins of a reliability diagram; empty bins are left out.

    Attributes:
        counts: Images in each, shape (bins,).
        confidence: Mean confidence, likewise.
        accuracy: Share of right answers, likewise.
    """

    counts: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray

    @property
    def gaps(self) -> np.ndarray:
        """Distance of confidence from accuracy in each."""
        away: np.ndarray = np.abs(self.accuracy - self.confidence)
        return away


def reliability_bins(
    confidence: np.ndarray, right: np.ndarray, bins: int = BINS, binning: Binning = "width"
) -> ReliabilityBins:
    """Return the bins of a reliability diagram.

    Args:
        confidence: In [0, 1], shape (n,).
        right: Whether each answer is right, shape (n,).
        bins: How many, at least 1.
        binning: Bins of equal width, or of equal mass, which are cut between images in order of confidence.
    """
    confidence, right = np.asarray(confidence, dtype=np.float64), np.asarray(right, dtype=np.float64)
    if binning == "width":
        # (low, high]: a confidence at an edge belongs to the bin below; 0 to the first.
        edges = np.linspace(0, 1, bins + 1)
        bin_of = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    else:
        bin_of = np.empty(len(confidence), dtype=np.int64)
        bin_of[np.argsort(confidence, kind="stable")] = np.arange(len(confidence)) * bins // max(1, len(confidence))
    counts = np.bincount(bin_of, minlength=bins)
    held = counts > 0
    sums = [np.bincount(bin_of, weights=values, minlength=bins)[held] for values in (confidence, right)]
    return ReliabilityBins(counts[held], sums[0] / counts[held], sums[1] / counts[held])


def expected_error(confidence: np.ndarray, right: np.ndarray, bins: int = BINS, binning: Binning = "width") -> float:
    """Return the expected calibration error, ``sum_b n_b / n |accuracy_b - confidence_b|`` ([Naeini2015]_).

    Args:
        confidence, right, bins, binning: See `reliability_bins`.
    """
    found = reliability_bins(confidence, right, bins, binning)
    return float((found.counts * found.gaps).sum() / found.counts.sum())


def maximum_error(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> float:
    """Return the largest gap of a bin of equal width ([Naeini2015]_); arguments as `reliability_bins` has them."""
    return float(reliability_bins(confidence, right, bins).gaps.max())


def classwise_error(
    probabilities: np.ndarray, targets: np.ndarray, bins: int = BINS, binning: Binning = "width"
) -> float:
    """Return the mean over classes of the calibration error of each class's own probability ([Nixon2019]_).

    Args:
        probabilities: Shape (n, K).
        targets: Integers in 0..K-1, shape (n,).
        bins, binning: See `reliability_bins`.
    """
    errors = [expected_error(column, targets == label, bins, binning) for label, column in enumerate(probabilities.T)]
    return float(np.mean(errors))


def ks_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Return the largest distance of the cumulative sums of confidence and right answers in order of confidence, as a
    share of all ([Gupta2021]_); no bins. Images of one confidence count together.
    """
    order = np.argsort(confidence, kind="stable")
    sums = np.cumsum(confidence[order] - np.asarray(right, dtype=np.float64)[order])
    ends = np.append(np.diff(confidence[order]) > 0, True)
    return float(np.abs(sums[ends]).max() / len(confidence))


def kde_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Return ``integral |z - accuracy(z)| p(z) dz`` with kernel densities instead of bins ([Zhang2020]_).

    Densities are of triweight kernels whose deviation is that of the values times ``(2 n)^(-1/5)``, mirrored at 0
    and 1, and at least that of a step of the integral, which values that are nearly one would fall between.
    """
    right = np.asarray(right, dtype=bool)
    share, scale = float(right.mean()), (2 * len(confidence)) ** -0.2
    points = (np.arange(GRID) + 0.5) / GRID
    density = _density(confidence, scale, points)
    among_right = _density(confidence[right], scale, points) if right.any() else np.zeros(GRID)
    held = density > 0
    accuracy = np.minimum(share * among_right[held] / density[held], 1)
    return float((np.abs(points[held] - accuracy) * density[held]).sum() / density.sum())


def _density(values: np.ndarray, scale: float, points: np.ndarray) -> np.ndarray:
    """Return a triweight kernel density, its width `scale` deviations of the values, mirrored at 0 and 1, at points."""
    total = np.zeros(len(points))
    reach = 3 * max(scale * float(values.std()), 1 / GRID)  # the kernel's variance on [-1, 1] is 1/9
    for mirrored in (values, -values, 2 - values):
        for start in range(0, len(mirrored), GRID):
            away = (points - mirrored[start : start + GRID, None]) / reach
            total += (np.clip(1 - away**2, 0, None) ** 3).sum(0)
    density: np.ndarray = total * (35 / 32) / (reach * len(values))
    return density


def kernel_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Return the maximum mean calibration error ([Kumar2018]_ equation 5).

    ``sqrt(sum_ij d_i d_j exp(-|r_i - r_j| / 0.4)) / n`` with d the right answers less confidences r, in linear time
    once sorted, as the kernel is a product along the order.
    """
    order = np.argsort(confidence, kind="stable")
    values = np.asarray(confidence, dtype=np.float64)[order]
    away = np.asarray(right, dtype=np.float64)[order] - values
    fade = np.exp(-np.diff(values) / KERNEL_WIDTH)
    total, before = float((away**2).sum()), 0.0
    for i in range(1, len(away)):
        before = fade[i - 1] * (before + away[i - 1])
        total += 2 * away[i] * before
    return float(np.sqrt(max(total, 0.0)) / len(away))


def log_loss(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Return the mean negative logarithm of the true class's probability, in nats; the least is 1e-300."""
    own = probabilities[np.arange(len(targets)), targets]
    return float(-np.log(np.maximum(own, 1e-300)).mean())


def brier_score(probabilities: np.ndarray, targets: np.ndarray) -> float:
    """Return the mean over images of ``sum_k (p_k - y_k)^2``, 0 to 2 ([Brier1950]_)."""
    away = probabilities.astype(np.float64, copy=True)
    away[np.arange(len(targets)), targets] -= 1
    return float((away**2).sum(1).mean())


def harmonic_score(accuracy: float, error: float, beta: float = 1.0) -> float:
    """Return ``(1 + beta) a (1 - e) / (beta a + (1 - e))``, accuracy and calibration in one ([Tao2024]_)."""
    below = beta * accuracy + (1 - error)
    return (1 + beta) * accuracy * (1 - error) / below if below > 0 else 0.0


def bootstrap_interval(
    measure: Callable[[np.ndarray, np.ndarray], float], answers: np.ndarray, truth: np.ndarray, seed: int = 0
) -> tuple[float, float]:
    """Return the 2.5 % and 97.5 % quantiles of a measure over bootstrap samples of the images.

    Args:
        measure: Of confidence and right answers, or of probabilities and targets.
        answers: The first, a row for each of n images.
        truth: The second, shape (n,).
        seed: Of the samples.
    """
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(RESAMPLES):
        rows = rng.integers(len(truth), size=len(truth))
        found.append(measure(answers[rows], truth[rows]))
    low, high = np.quantile(found, (0.025, 0.975))
    return float(low), float(high)
