"""Statistics: intervals over replicates and prompts, what could be detected, and verdicts on claims.

    gain = differences(policy, base)                 # (R, N) and (N,) fractions -> (R, N) percentage points
    effect(differences(mcts, rs))                    # Effect(estimate=2.1, low=0.4, high=3.8, p=0.02, ...)
    verdicts({"C1": pooled(cells), ...}, margin=1.0)["C1"].verdict       # "supported"

intervals.py  the crossed interval, and effects that are read by it: pooled, contrasted, A/A
power.py      variance components, and the minimum detectable effect before and after training
verdicts.py   Holm, the verdict of a claim, claims of two parts, sign counts, shares with exact intervals

Decisions
- Units. Scores are fractions, effects are percentage points, and `differences` is the one place where the first become
  the second. Everything else is linear in its data: margins, effects and standard deviations are in points, but for
  `log_odds`.
- Axes. R replicates come first, N prompts last. Row r of two arms is the same replicate (the same draw of training
  prompts), column n the same prompt: what is compared is subtracted first.
- A diverged run is data (scored from its last finite adapter, else 0). A run that is missing is a row of NaN: left out
  and counted. A row that is NaN in part is an error.
- No interval is made up: where there is one replicate, one prompt or no variation, the bounds are NaN and `reason` says
  why; in `to_dict` NaN is None.
- NumPy and scipy.special only; nothing is random.
"""

from ifpref.statistics.intervals import (
    Effect,
    Reason,
    contrast,
    differences,
    effect,
    halves,
    log_odds,
    pooled,
    terciles,
)
from ifpref.statistics.power import Components, components, minimum_detectable_effect
from ifpref.statistics.verdicts import (
    Share,
    Signs,
    Verdict,
    exact_share,
    holm,
    intersection_union,
    sign_counts,
    verdict,
    verdicts,
)

__all__ = [
    "Components",
    "Effect",
    "Reason",
    "Share",
    "Signs",
    "Verdict",
    "components",
    "contrast",
    "differences",
    "effect",
    "exact_share",
    "halves",
    "holm",
    "intersection_union",
    "log_odds",
    "minimum_detectable_effect",
    "pooled",
    "sign_counts",
    "terciles",
    "verdict",
    "verdicts",
]
