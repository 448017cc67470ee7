"""Effects with intervals from replicates crossed with prompts.

    effect([[1, 2, 3, 6], [2, 2, 4, 8], [3, 5, 5, 7]])    # 3 replicates x 4 prompts: 4.0, standard error 1.20, df 2

Decisions
- The model is D[r, n] = mean + a_r + b_n + e_rn, all three random: another study would draw other training prompts,
  samples and seeds (a) and other test prompts (b). The mean then has variance A/R + B/N + E/(RN), and the mean squares
  of a two-way table estimate it by (MS_R + MS_N - MS_E) / RN (Searle, Casella, McCulloch, *Variance Components*, 1992).
- Each component is at least 0, so that the variance is never below MS_R, MS_N or MS_E over RN. Without that floor, rows
  that agree by chance give an interval of almost no width; with it, coverage is above nominal at R = 3.
- Student's t on R - 1 (N - 1 where prompts are fewer): the smaller number of clusters less one, as is usual where there
  are clusters of two ways (Cameron and Miller 2015, J. Human Resources 50; MacKinnon, Nielsen and Webb 2024, arXiv
  2406.08880). For this table no bootstrap is exact (McCullagh 2000, Bernoulli 6; Owen and Eckles 2012, Annals of
  Applied Statistics 6), and at 3 to 10 replicates the nested and the crossed one covered 0.73 to 0.98 of a nominal
  0.95. `make bench ONLY=statistics` measures what this one covers.
- What is rare is not seen by few replicates: where a tenth of one arm's runs fail outright (score 0), the interval of
  the mean covers about 0.8 at R = 5 and 10 in that benchmark. Read failures as a count, too (`exact_share`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import special


class Reason(StrEnum):
    """Why an effect has no interval."""

    NO_REPLICATE = "no replicate is there"
    NO_PROMPT = "no prompt is there"
    ONE_REPLICATE = "one replicate: how much replicates differ is unknown"
    ONE_PROMPT = "one prompt: how much prompts differ is unknown"
    NO_VARIATION = "no variation: every difference is the same"
    NO_LOG_ODDS = "an accuracy of 0 or 1 has no log-odds"
    NO_HALVES = "two halves need two replicates"
    ONE_IN_EACH_HALF = "one replicate in each half"
    EQUAL_HALVES = "no variation: the replicates of each half are the same"


@dataclass(frozen=True)
class Effect:
    """A mean with its interval, in the unit of its data.

    p                    two-sided, that the mean is 0; not adjusted for other tests
    degrees_of_freedom   of Student's t, from which low, high and p are
    replicates, prompts  what went into it; `missing` replicates did not
    reason               why standard_error, low, high and p are NaN (df is then 0); None where they are numbers
    """

    estimate: float
    standard_error: float
    low: float
    high: float
    p: float
    degrees_of_freedom: int
    confidence: float
    replicates: int
    prompts: int
    missing: int = 0
    reason: Reason | None = None

    def to_dict(self) -> dict[str, Any]:
        return without_nan(asdict(self))

    def bounds(self, confidence: float) -> tuple[float, float]:
        """The interval at another confidence."""
        half = special.stdtrit(self.degrees_of_freedom, (1 + confidence) / 2) * self.standard_error
        return float(self.estimate - half), float(self.estimate + half)


def without_nan(value: Any) -> Any:
    """None for NaN, in dicts and sequences too: JSON has no NaN."""
    if isinstance(value, dict):
        return {name: without_nan(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_nan(inner) for inner in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def differences(a: ArrayLike, b: ArrayLike) -> np.ndarray:
    """100 (a - b): the scores of two arms, fractions in [0, 1] of the same shape, as differences in points.

    a, b  (R, N), or with cells or rates in front or between; `b` may lack the first axes, as the base's (N,) do.
          NaN stays NaN.
    """
    a, b = np.asarray(a, dtype=float), np.asarray(b, dtype=float)
    for name, scores in (("a", a), ("b", b)):
        outside = scores[(scores < 0) | (scores > 1)]
        if outside.size:
            raise ValueError(f"differences: {name} holds {outside[0]}; allowed: fractions in [0, 1], NaN where missing")
    if a.shape != b.shape and a.shape[a.ndim - b.ndim :] != b.shape:
        raise ValueError(f"differences: a is {a.shape} and b is {b.shape}; allowed: the same, or b without first axes")
    return 100.0 * (a - b)


def effect(data: ArrayLike, *, confidence: float = 0.95) -> Effect:
    """The mean of (R, N) differences, with the interval over replicates and prompts. ValueError for other shapes.

    What was run at several learning rates is averaged over them first, run by run: rates are fixed, not drawn.
    """
    return contrast([data], [1.0], confidence=confidence)


def contrast(cells: Sequence[ArrayLike], weights: Sequence[float], *, confidence: float = 0.95) -> Effect:
    """A weighted sum of the means of cells that share replicates, each with prompts of its own.

    cells    arrays (R, N_c): differences on disjoint sets of prompts, of whatever sizes. Cells on the same prompts
             are subtracted or averaged first (`pooled`)
    weights  [1, -1] for the effect on hard prompts less that on easy ones

    A replicate's weighted sum carries its own effect and all interactions; prompts add their component cell by cell.
    """
    if len(cells) != len(weights) or not any(weights):
        raise ValueError(f"contrast: {len(cells)} cells and weights {list(weights)}; allowed: one weight per cell")
    tables = [replicates_by_prompts(cell) for cell in cells]
    sizes = {len(table) for table in tables}
    if len(sizes) > 1:
        raise ValueError(f"contrast: cells of {sorted(sizes)} replicates; allowed: the same, NaN where one is missing")
    there = np.logical_and.reduce([~np.isnan(table).any(axis=1) for table in tables])
    tables = [table[there] for table in tables]
    replicates, prompts = len(tables[0]), min(table.shape[1] for table in tables)
    counts = {"replicates": replicates, "prompts": sum(table.shape[1] for table in tables)}
    counts["missing"] = len(there) - replicates

    if replicates == 0 or prompts == 0:
        reason = Reason.NO_REPLICATE if replicates == 0 else Reason.NO_PROMPT
        return without_interval(math.nan, reason, confidence, counts)
    sums = np.sum([w * table.mean(axis=1) for w, table in zip(weights, tables, strict=True)], axis=0)  # (R,)
    estimate = float(sums.mean())
    if replicates == 1 or prompts == 1:
        reason = Reason.ONE_REPLICATE if replicates == 1 else Reason.ONE_PROMPT
        return without_interval(estimate, reason, confidence, counts)

    of_replicates = sums.var(ddof=1) / replicates  # A / R + E / RN
    interaction = of_prompts = 0.0  # E / RN, B / N
    for w, table in zip(weights, tables, strict=True):
        ms_prompts, ms_interaction = mean_squares(table)
        interaction += w**2 * ms_interaction / table.size
        of_prompts += w**2 * max(ms_prompts - ms_interaction, 0.0) / table.size
    variance = max(of_replicates, interaction) + of_prompts
    if variance <= _rounding(*tables):
        return without_interval(estimate, Reason.NO_VARIATION, confidence, counts)
    return _with_interval(estimate, variance, min(replicates, prompts) - 1, confidence, counts)


def pooled(cells: ArrayLike, *, confidence: float = 0.95) -> Effect:
    """The effect over cells (contrast x difficulty of training) on the same prompts, each with equal weight.

    cells  (C, R, N); a replicate that is missing in one cell is left out of all
    """
    cells = np.asarray(cells, dtype=float)
    if cells.ndim != 3:
        raise ValueError(f"pooled: shape {cells.shape}; allowed: (cells, replicates, prompts)")
    return effect(cells.mean(axis=0), confidence=confidence)


def log_odds(a: ArrayLike, b: ArrayLike, *, confidence: float = 0.95) -> Effect:
    """logit(mean a) - logit(mean b): (R, N) fractions, or (N,) for the base; the interval by the delta method.

    A score s moves logit(p) by (s - p) / p(1 - p), so that the crossed interval is that of a / p(1 - p).
    """
    points = replicates_by_prompts(differences(a, b))
    a, b = (np.broadcast_to(np.asarray(scores, dtype=float), points.shape) for scores in (a, b))
    there = ~np.isnan(points).any(axis=1)
    if not there.any():
        return effect(points, confidence=confidence)
    p_a, p_b = a[there].mean(), b[there].mean()
    if not (0 < p_a < 1 and 0 < p_b < 1):
        counts = {"replicates": int(there.sum()), "prompts": points.shape[1], "missing": int((~there).sum())}
        return without_interval(math.nan, Reason.NO_LOG_ODDS, confidence, counts)
    linear = a / (p_a * (1 - p_a)) - b / (p_b * (1 - p_b))
    return effect(linear - linear[there].mean() + special.logit(p_a) - special.logit(p_b), confidence=confidence)


def halves(data: ArrayLike, *, confidence: float = 0.95) -> Effect:
    """A/A: the replicates 0, 2, 4, ... of one arm less its replicates 1, 3, 5, ..., on R - 2 degrees of freedom.

    data  (R, N) gains or scores of one arm in points

    The halves are independent draws of the same thing and see the same prompts, whose effect cancels: the pooled
    variance of the rows within halves is all there is.
    """
    table = replicates_by_prompts(data)
    there = ~np.isnan(table).any(axis=1)
    table = table[there]
    first, second = table[0::2], table[1::2]
    counts = {"replicates": len(table), "prompts": table.shape[1], "missing": int((~there).sum())}
    if len(table) < 2 or table.shape[1] == 0:
        return without_interval(math.nan, Reason.NO_HALVES, confidence, counts)
    estimate = float(first.mean() - second.mean())
    if len(table) == 2:
        return without_interval(estimate, Reason.ONE_IN_EACH_HALF, confidence, counts)
    within = sum(((half.mean(axis=1) - half.mean()) ** 2).sum() for half in (first, second)) / (len(table) - 2)
    floor = mean_squares(table)[1] / table.shape[1] if table.shape[1] > 1 else 0.0
    variance = max(within, floor) * (1 / len(first) + 1 / len(second))
    if variance <= _rounding(table):
        return without_interval(estimate, Reason.EQUAL_HALVES, confidence, counts)
    return _with_interval(estimate, variance, len(table) - 2, confidence, counts)


def terciles(values: ArrayLike) -> np.ndarray:
    """0, 1 or 2 for each of (n,) values; equal values stay together, so that thirds of few levels are unequal."""
    values = np.asarray(values, dtype=float)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise ValueError(f"terciles: shape {values.shape}, finite: {np.isfinite(values).all()}; allowed: (n,) numbers")
    return np.searchsorted(np.quantile(values, [1 / 3, 2 / 3]), values, side="left") if values.size else values


# ---- the parts


def replicates_by_prompts(data: ArrayLike) -> np.ndarray:
    """(R, N) floats whose rows are numbers throughout, or NaN throughout. ValueError says what was found where."""
    table = np.asarray(data, dtype=float)
    if table.ndim != 2:
        raise ValueError(f"shape {table.shape}; allowed: (replicates, prompts)")
    if np.isinf(table).any():
        raise ValueError("an infinite value; allowed: finite numbers, NaN throughout a missing replicate")
    partly = np.isnan(table).any(axis=1) & ~np.isnan(table).all(axis=1)
    if partly.any():
        row = int(partly.argmax())
        column = int(np.isnan(table[row]).argmax())
        raise ValueError(
            f"replicate {row} has no value for prompt {column}; "
            "allowed: a replicate with all prompts, or a missing one (NaN throughout)"
        )
    return table


def mean_squares(table: np.ndarray) -> tuple[float, float]:
    """MS_N of the prompts and MS_E of the interaction, of an (R, N) table with R, N > 1."""
    replicates, prompts = table.shape
    of_prompts = replicates * table.mean(axis=0).var(ddof=1)
    residual = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + table.mean()
    return float(of_prompts), float((residual**2).sum() / ((replicates - 1) * (prompts - 1)))


def _rounding(*tables: np.ndarray) -> float:
    """A variance that rounding alone can make: equal values whose mean is not exact."""
    return max(float(np.abs(table).max()) for table in tables) ** 2 * 1e-20


def _with_interval(estimate: float, variance: float, df: int, confidence: float, counts: dict[str, int]) -> Effect:
    error = math.sqrt(variance)
    half = float(special.stdtrit(df, (1 + confidence) / 2)) * error
    p = float(2 * special.stdtr(df, -abs(estimate) / error))
    return Effect(estimate, error, estimate - half, estimate + half, p, df, confidence, **counts)


def without_interval(estimate: float, reason: Reason, confidence: float, counts: dict[str, int]) -> Effect:
    return Effect(estimate, *[math.nan] * 4, 0, confidence, **counts, reason=reason)
