"""What could be detected: the components of variance, and the minimum detectable effect before and after training.

    planned = Components(replicate_sd=2.8, prompt_sd=12, interaction_sd=47).standard_error(replicates=3, prompts=512)
    minimum_detectable_effect(planned, degrees_of_freedom=2)                                # before training
    minimum_detectable_effect(effect.standard_error, effect.degrees_of_freedom)             # of an effect that came out

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
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from ifpref.statistics.intervals import mean_squares, replicates_by_prompts


@dataclass(frozen=True)
class Components:
    """Standard deviations, in points, of replicates, of prompts, and of what is left in each replicate x prompt."""

    replicate_sd: float
    prompt_sd: float
    interaction_sd: float

    def standard_error(self, replicates: int, prompts: int) -> float:
        """The standard error, in points, that a mean over R replicates and N prompts is expected to have."""
        of_replicates, of_prompts = self.replicate_sd**2 / replicates, self.prompt_sd**2 / prompts
        return math.sqrt(of_replicates + of_prompts + self.interaction_sd**2 / (replicates * prompts))


def components(data: ArrayLike) -> Components:
    """The components in a pilot's (R, N) differences, each at least 0; NaN with fewer than 2 replicates or prompts."""
    table = replicates_by_prompts(data)
    table = table[~np.isnan(table).any(axis=1)]
    replicates, prompts = table.shape
    if min(replicates, prompts) < 2:
        return Components(math.nan, math.nan, math.nan)
    of_prompts, interaction = mean_squares(table)
    of_replicates = prompts * table.mean(axis=1).var(ddof=1)
    return Components(
        math.sqrt(max(of_replicates - interaction, 0.0) / prompts),
        math.sqrt(max(of_prompts - interaction, 0.0) / replicates),
        math.sqrt(interaction),
    )


def minimum_detectable_effect(
    standard_error: float, degrees_of_freedom: int, *, confidence: float = 0.95, power: float = 0.8
) -> float:
    """The least true effect found with this power, in the unit of the standard error. NaN without degrees of freedom.

    standard_error      before training that of `Components`, after it that of the `Effect`
    degrees_of_freedom  of Student's t: the smaller of R and N, less 1
    """
    if degrees_of_freedom < 1:
        return math.nan
    critical = special.stdtrit(degrees_of_freedom, (1 + confidence) / 2)
    return float(special.nctdtrinc(degrees_of_freedom, 1 - power, critical)) * standard_error
