"""The claims of the paper, C1 to C5, as tests on this study: one family, Holm-adjusted, verdicts from the artefacts.

    for row in claims(study):
        print(row["claim"], row["verdict"], row["estimate"], row["low"], row["high"], row["because"])

What each claim is tested by was fixed before the data came (docs of each function); other readings stand beside it in
the notebooks, and carry no verdict. With few replicates or prompts a verdict is a demonstration, and its row says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ifpref import statistics
from ifpref.analysis.results import Row, grid, points
from ifpref.curation.pairs import Arm
from ifpref.statistics import Effect
from ifpref.study import Study

RS, MCTS = "rs", "mcts"


@dataclass(frozen=True)
class Claim:
    """text: what the paper reports, as a direction; test: what is measured here; comparisons: what it is read from."""

    text: str
    test: str
    comparisons: tuple[str, ...]
    effect: Callable[..., Effect]


def cells(study: Study) -> list[str]:
    """The comparisons that hold rs and mcts at one contrast and difficulty: the cells that C1 pools."""
    return [
        one.name
        for one in study.comparisons
        if not (one.every_rate or one.part_of) and {RS, MCTS} <= {arm.curation for arm in one.arms}
    ]


def cell_differences(study: Study, **how: Any) -> dict[str, np.ndarray]:
    """mcts less rs in each cell, (R, N) points; `how` is that of `results.points`."""
    found = {}
    for name in cells(study):
        arms = {arm.curation: arm for arm in study.comparison(name).arms}
        found[name] = points(study, name, arms[MCTS], arms[RS], **how)
    return found


def sharing(study: Study, **how: Any) -> Effect:
    """C1: mcts less rs, pooled over the cells of contrast x difficulty, each with equal weight."""
    tables = list(cell_differences(study, **how).values())
    width = max((table.shape[1] for table in tables), default=1)
    there = [table for table in tables if table.shape[1] == width]
    return statistics.pooled(there, confidence=study.params.confidence) if there else _absent(study)


def stability(study: Study) -> Effect:
    """C2: gain at the worst learning rate of each replicate, mcts less rs, on hard prompts."""
    if not _has(study, "stability"):
        return _absent(study)
    rs, mcts = (grid(study, "stability", Arm(curation, "high", "hard")) for curation in (RS, MCTS))
    if rs.shape != mcts.shape:
        return _absent(study)
    worst = statistics.worst_rate(mcts) - statistics.worst_rate(rs)
    return statistics.effect(worst, confidence=study.params.confidence)


def high_over_low(study: Study, **how: Any) -> Effect:
    """C3: high less low contrast, same prompts and same chosen."""
    return _difference(study, "triples", Arm(RS, "high"), Arm(RS, "low"), **how)


def mixed_over_both(study: Study, **how: Any) -> Effect:
    """C4: mixed less high and mixed less low, both above 0 (intersection-union)."""
    others = (Arm(RS, "high"), Arm(RS, "low"))
    mixed = Arm(RS, "mixed")
    return statistics.intersection_union([_difference(study, "triples", mixed, other, **how) for other in others])


def moderate_over_both(study: Study, **how: Any) -> Effect:
    """C5: trained on moderate less on easy, and less on hard prompts, on all test prompts, both above 0."""
    moderate, *others = (Arm(RS, "high", level) for level in ("moderate", "easy", "hard"))
    return statistics.intersection_union([_difference(study, "difficulty", moderate, other, **how) for other in others])


CLAIMS: Mapping[str, Claim] = {
    "C1": Claim(
        "pairs that share a prefix (MCTS) give a marginal but consistent gain over RS",
        "mcts − rs, pooled over contrast x difficulty",
        (),
        sharing,
    ),
    "C2": Claim(
        "shared prefixes are more stable across challenging training configurations",
        "mcts − rs at each one's worst learning rate, hard prompts",
        ("stability",),
        stability,
    ),
    "C3": Claim(
        "high-contrast pairs generally beat low-contrast pairs", "high − low, one chosen", ("triples",), high_over_low
    ),
    "C4": Claim(
        "a mix of both is often best", "the lesser of mixed − high and mixed − low", ("triples",), mixed_over_both
    ),
    "C5": Claim(
        "training prompts of moderate difficulty generalise best",
        "the lesser of moderate − easy and moderate − hard, all test prompts",
        ("difficulty",),
        moderate_over_both,
    ),
}


def claims(study: Study) -> list[Row]:
    """One row a claim: text, test, verdict with its reason, estimate with its interval, and the artefacts."""
    effects = {name: claim.effect(study) for name, claim in CLAIMS.items()}
    found = statistics.verdicts(effects, margin=study.params.equivalence_margin)
    return [
        {
            "claim": name,
            "text": CLAIMS[name].text,
            "test": CLAIMS[name].test,
            "paper": "above 0",
            **found[name].to_dict(),
            "artefacts": artefacts(study, name),
        }
        for name in CLAIMS
    ]


def artefacts(study: Study, claim: str) -> list[str]:
    """Keys of the runs that a claim is read from."""
    names = CLAIMS[claim].comparisons or tuple(cells(study))
    wanted = [task for task in study.tasks() if task.stage == "run" and task.args[0] in names]
    handles = (study.runs.find(task) for task in wanted)
    return sorted({handle.key for handle in handles if handle})


def cell_signs(study: Study) -> tuple[list[Row], dict[str, Any]]:
    """C1 cell by cell: the effect of each with its interval; and how many signs there are of each kind."""
    rows = []
    for name, data in cell_differences(study).items():
        arm = study.comparison(name).arms[0]
        effect = statistics.effect(data, confidence=study.params.confidence)
        rows.append({"label": f"{arm.contrast} × {arm.difficulty}", "group": "mcts − rs", **effect.to_dict()})
    signs = statistics.sign_counts([row["estimate"] if row["estimate"] is not None else np.nan for row in rows])
    return rows, signs.to_dict()


def _difference(study: Study, name: str, a: Arm, b: Arm, **how: Any) -> Effect:
    if not _has(study, name):
        return _absent(study)
    return statistics.effect(points(study, name, a, b, **how), confidence=study.params.confidence)


def _has(study: Study, name: str) -> bool:
    return name in {one.name for one in study.comparisons}


def _absent(study: Study) -> Effect:
    """No effect, for what the profile does not run."""
    nothing = np.full((len(study.replicates), 1), np.nan)
    return statistics.effect(nothing, confidence=study.params.confidence)
