"""Words around numbers: what notebooks say of effects, generated, so that no sentence outlives its numbers.

    in_words(effect)                  # "+2.1 [+0.4, +3.8] points, above 0"
    caution(study)                    # "**This is a demonstration**: 3 replicates and 516 test prompts, ..."
    absent(study, "unshared")         # "The profile `pocket` does not run the comparison `unshared`: ..."

Decisions
- "Above 0" and "below 0" are said of intervals, one at a time, at the study's confidence. They are no verdicts: those
  are adjusted over the family of claims (claims.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from ifpref.figures.rows import number, signed, with_interval
from ifpref.statistics import Effect
from ifpref.statistics.verdicts import ENOUGH_PROMPTS, ENOUGH_REPLICATES
from ifpref.study.results import least_before_training
from ifpref.study.study import Study


def in_words(effect: Effect | Mapping[str, Any], unit: str = "points") -> str:
    """An effect with its interval, and on which side of 0 that lies; where there is none, why.

    effect  or a row of it: "estimate", "low", "high", "reason"
    """
    row = effect.to_dict() if isinstance(effect, Effect) else effect
    estimate, low, high = (number(row, key) for key in ("estimate", "low", "high"))
    if math.isnan(estimate):
        return f"not known ({row['reason']})"
    if row.get("reason"):
        return f"{signed(estimate)} {unit} without an interval ({row['reason']})"
    side = "above 0" if low > 0 else "below 0" if high < 0 else "an interval that holds 0"
    return f"{with_interval(row)} {unit}, {side}"


def listed(rows: Iterable[Mapping[str, Any]], unit: str = "points") -> str:
    """Markdown: one line a row, its label and its effect in words."""
    return "\n".join(f"- {row['label']}: {in_words(row, unit)}" for row in rows)


def caution(study: Study) -> str:
    """What comes before the numbers: how many replicates and prompts they rest on, and whether that is enough."""
    p = study.params
    size = f"{p.n_replicates:,} {_plural('replicate', p.n_replicates)} and {p.n_test_prompts:,} test prompts"
    if not study.is_demonstration:
        return f"The profile `{study.profile}` has {size}."
    return (
        f"**This is a demonstration**: the profile `{study.profile}` has {size}, and verdicts are read from "
        f"{ENOUGH_REPLICATES} replicates and {ENOUGH_PROMPTS:,} prompts or more. Nothing below settles anything."
    )


def detectable(study: Study) -> str:
    """What could be found before anything is trained: `results.least_before_training`."""
    least = least_before_training(study)
    if math.isnan(least):
        return "With one replicate or one prompt no difference has an interval: nothing can be found."
    if least >= 100:
        return "With so few of them nothing can be found: a difference would have to be larger than 100 points."
    return (
        f"A true difference of **{least:.1f} points** between two arms is found with a probability of 80 %, at a "
        f"confidence of {100 * study.params.confidence:g} %; a smaller one less often."
    )


def absent(study: Study, *names: str) -> str:
    """What stands in the place of a figure without rows: comparisons that the profile lacks, or that have no pairs."""
    if lacking := [f"`{name}`" for name in names if name not in study.params.comparisons]:
        return (
            f"*Nothing to show: the profile `{study.profile}` does not run the {_plural('comparison', len(lacking))} "
            f"{', '.join(lacking)}. `pocket-full` does; or add to `comparisons` in the profile's file in `params/`.*"
        )
    return f"*Nothing to show: no arm of {', '.join(f'`{name}`' for name in names)} has what this is made from.*"


def _plural(word: str, n: int) -> str:
    return word if n == 1 else f"{word}s"
