"""The claims of the paper, C1 to C5, as tests on this study: one family, Holm-adjusted, verdicts from the artefacts.

    for row in claims(study):
        print(row["claim"], row["verdict"], row["estimate"], row["low"], row["high"], row["because"])

What each claim is tested by was fixed before the data came (`CLAIMS`): the study's primary metric (prompt-level or
instruction-level accuracy), strict, greedy, in the mean over the configurations of its comparison. The same test on
clean accuracy stands beside each, and says whether a gain is more than features that nobody asked for. Other readings
are in the notebooks, and carry no verdict. With few replicates or prompts a verdict is a demonstration, and its row
says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ifpref import statistics
from ifpref.analysis.arms import EASY, HARD, HIGH, LOW, MIXED, MODERATE
from ifpref.analysis.results import Row, effect, effect_row, in_profile, points
from ifpref.curation.pairs import Arm
from ifpref.statistics import Effect
from ifpref.study import Study


@dataclass(frozen=True)
class Claim:
    """text: what the paper reports, as a direction; test: what is measured here, `_over` what it is a mean over;
    comparisons: what it is read from (none: the cells that it pools); effect: the test, of a study and of what
    `results.points` takes."""

    text: str
    test: str
    comparisons: tuple[str, ...]
    effect: Callable[..., Effect]


def cells(study: Study) -> dict[str, tuple[Arm, Arm]]:
    """The cells that C1 pools, of each its mcts and rs: those of contrast x difficulty; where the profile has none,
    `sharing`, which overlaps them."""
    there = [one for one in study.comparisons if one.match == "scores" and one.runs_at == "grid"]
    found = [one for one in there if one.pool == "cell"] or there
    arms = {one.name: {arm.curation: arm for arm in one.arms} for one in found}
    return {name: (of["mcts"], of["rs"]) for name, of in arms.items()}


def cell_differences(study: Study, **how: Any) -> dict[str, np.ndarray]:
    """mcts less rs in each cell, (R, N) points; `how` is that of `results.points`."""
    return {name: points(study, name, *arms, **how) for name, arms in cells(study).items()}


def sharing(study: Study, **how: Any) -> Effect:
    """C1: mcts less rs, pooled over the cells of contrast x difficulty, each with equal weight."""
    tables = list(cell_differences(study, **how).values()) or [np.full((len(study.replicates), 1), np.nan)]
    width = max(table.shape[1] for table in tables)  # a cell without runs has one column
    there = [table for table in tables if table.shape[1] == width]
    return statistics.pooled(there, confidence=study.params.confidence)


def stability(study: Study, **how: Any) -> Effect:
    """C2: mcts less rs in the mean over the harsh configurations, on hard prompts."""
    return effect(study, points(study, "stability", *(Arm(one, "high", "hard") for one in ("mcts", "rs")), **how))


def over(name: str, arm: Arm, *others: Arm) -> Callable[..., Effect]:
    """The test that an arm of a comparison does better than each of the others (an intersection-union test)."""

    def test(study: Study, **how: Any) -> Effect:
        effects = [effect(study, points(study, name, arm, other, **how)) for other in others]
        return statistics.intersection_union(effects) if len(effects) > 1 else effects[0]

    return test


CLAIMS: Mapping[str, Claim] = {
    "C1": Claim(
        "pairs that share a prefix (MCTS) give a marginal but consistent gain over RS",
        "mcts − rs at equal scores",
        (),
        sharing,
    ),
    "C2": Claim(
        "shared prefixes are more stable across challenging training configurations",
        "mcts − rs at equal scores, harsh training on hard prompts",
        ("stability",),
        stability,
    ),
    "C3": Claim(
        "high-contrast pairs generally beat low-contrast pairs",
        "high − low, one chosen",
        ("triples",),
        over("triples", HIGH, LOW),
    ),
    "C4": Claim(
        "a mix of both is often best",
        "the lesser of mixed − high and mixed − low",
        ("triples",),
        over("triples", MIXED, HIGH, LOW),
    ),
    "C5": Claim(
        "training prompts of moderate difficulty generalise best",
        "the lesser of moderate − easy and moderate − hard, all test prompts",
        ("difficulty",),
        over("difficulty", MODERATE, EASY, HARD),
    ),
}


CLEAN = ("estimate", "low", "high", "adjusted_p", "verdict")
"""What stands beside a claim of the same test on clean accuracy."""


def claims(study: Study) -> list[Row]:
    """One row a claim: text, test, verdict with its reason, estimate with its interval, and the artefacts; beside them
    the same on clean accuracy, "clean_estimate", "clean_low", ..., and what it would say, "clean_verdict"."""
    found, clean = (_verdicts(study, metric) for metric in (None, "clean"))
    return [
        {"claim": name, "text": claim.text, "metric": study.params.primary_metric}
        | {"paper": "above 0", **found[name].to_dict()}
        | {f"clean_{part}": clean[name].to_dict()[part] for part in CLEAN}
        | {"artefacts": artefacts(study, name)}
        | _over(study, claim)
        for name, claim in CLAIMS.items()
    ]


def _over(study: Study, claim: Claim) -> Row:
    """A claim's test with what this profile makes it a mean over; where it runs none of it, that is the reason."""
    there = in_profile(study, claim.comparisons or cells(study))
    if not there:
        return {"test": claim.test, **dict.fromkeys(("because", "reason"), "this profile does not run it")}
    every = study.configurations(there[0])
    at = f"mean over {len(every)} configurations" if len(every) > 1 else f"at {every[0]}"
    pooled = f", pooled over {len(there)} cells of contrast x difficulty" if len(there) > 1 else ""
    return {"test": f"{claim.test}; {at}{pooled}"}


def _verdicts(study: Study, metric: str | None) -> dict[str, statistics.Verdict]:
    """On one metric (None: the study's), the five claims as a family."""
    effects = {name: claim.effect(study, metric=metric) for name, claim in CLAIMS.items()}
    return statistics.verdicts(effects, margin=study.params.equivalence_margin)


def artefacts(study: Study, claim: str) -> list[str]:
    """Keys of the runs that a claim is read from."""
    return study.run_keys(CLAIMS[claim].comparisons or cells(study))


def cell_signs(study: Study) -> tuple[list[Row], dict[str, Any]]:
    """C1 cell by cell: the effect of each with its interval; and how many signs there are of each kind."""
    rows = []
    for name, data in cell_differences(study).items():
        arm = study.comparison(name).arms[0]
        rows.append(effect_row(study, f"{arm.contrast} × {arm.difficulty}", "mcts − rs", data))
    signs = statistics.sign_counts([np.nan if row["estimate"] is None else row["estimate"] for row in rows])
    return rows, signs.to_dict()
