"""What could be detected: the components of variance, and the minimum detectable effect before and after training.

    minimum_detectable_effect(Components(replicate_sd=2.8, prompt_sd=12, interaction_sd=47), replicates=3, prompts=512)

Decisions
- The minimum detectable effect is the true mean whose interval lies above 0 with probability `power`: the noncentrality
  of Student's t on R - 1 at which its upper tail beyond the critical value is `power`, times the standard error.
- Components are of the *difference* of two arms, in points. From a pilot: `components(differences)`. Assumed: where
  each arm's accuracy has standard deviation s over replicates, that of the difference is s * sqrt(2), less where arms
  share training prompts; where two arms of accuracy p agree on a prompt no more than chance has it, the interaction is
  100 * sqrt(2 p (1 - p)), 65 points at p = 0.3, less where some prompts are hard for both.
- Nothing here is adjusted for the family: `confidence=0.99` is the first of Holm's steps in a family of five.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from ifpref.statistics.intervals import Effect, _mean_squares, _table, without_nan


@dataclass(frozen=True)
class Components:
    """Standard deviations, in points, of replicates, of prompts, and of what is left in each replicate x prompt."""

    replicate_sd: float
    prompt_sd: float
    interaction_sd: float

    def to_dict(self) -> dict[str, Any]:
        return without_nan(asdict(self))


def components(data: ArrayLike) -> Components:
    """The components in a pilot's (R, N) differences, each at least 0; NaN with fewer than 2 replicates or prompts."""
    table = _table(data)
    table = table[~np.isnan(table).any(axis=1)]
    replicates, prompts = table.shape
    if min(replicates, prompts) < 2:
        return Components(math.nan, math.nan, math.nan)
    of_prompts, interaction = _mean_squares(table)
    of_replicates = prompts * table.mean(axis=1).var(ddof=1)
    return Components(
        math.sqrt(max(of_replicates - interaction, 0.0) / prompts),
        math.sqrt(max(of_prompts - interaction, 0.0) / replicates),
        math.sqrt(interaction),
    )


def standard_error(of: Components, replicates: int, prompts: int) -> float:
    """The standard error, in points, that a mean over R replicates and N prompts is expected to have."""
    return math.sqrt(
        of.replicate_sd**2 / replicates + of.prompt_sd**2 / prompts + of.interaction_sd**2 / (replicates * prompts)
    )


def minimum_detectable_effect(
    of: Components, replicates: int, prompts: int, *, confidence: float = 0.95, power: float = 0.8
) -> float:
    """Before training: the least true effect, in points, found with this power. NaN with one replicate or prompt."""
    df = min(replicates, prompts) - 1
    if df < 1:
        return math.nan
    return _noncentrality(df, confidence, power) * standard_error(of, replicates, prompts)


def detectable(effect: Effect, *, power: float = 0.8) -> float:
    """After training: the same, from the standard error that came out. NaN where there is none."""
    if effect.reason:
        return math.nan
    return _noncentrality(effect.degrees_of_freedom, effect.confidence, power) * effect.standard_error


def _noncentrality(df: int, confidence: float, power: float) -> float:
    critical = special.stdtrit(df, (1 + confidence) / 2)
    return float(special.nctdtrinc(df, 1 - power, critical))
