"""Secondary readings, which carry no verdict: what stands beside the claims, one row each; and what a study has cost.

    readings(study)      # {"group": "the same pairs, unshared", "label": "mcts − mcts_unshared", "estimate": ...}
    cost(study)          # {"stage": "responses", "artefacts": 10, "minutes": 4.2, ...}

A reading that needs a comparison which the profile does not run is left out. To add one: a line in `READINGS`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ifpref import statistics
from ifpref.curation.pairs import Arm
from ifpref.study.results import Row, decoding, grid, on_difficulty, points
from ifpref.study.schedule import STAGES
from ifpref.study.stages import Task
from ifpref.study.study import Study

EQUAL_ENTROPY = "T = 1 − base of equal entropy"


@dataclass(frozen=True)
class Reading:
    """`data` gives (R, N) differences in points; `comparisons` is what it is read from."""

    group: str
    label: str
    comparisons: tuple[str, ...]
    data: Callable[[Study], np.ndarray]


def _between(
    group: str, name: str, a: Arm, b: Arm | None, label: str, *, on: str | None = None, key: str = "test/greedy"
) -> Reading:
    """One arm of a comparison over another, or over the base; on the test prompts of one difficulty, or on all."""

    def data(study: Study) -> np.ndarray:
        found = points(study, name, a, b, key=key)
        return on_difficulty(study, found, on) if on else found

    return Reading(group, label, (name,), data)


def _dose(study: Study) -> np.ndarray:
    upper, lower = (points(study, f"dose_{part}", Arm("mcts"), Arm("rs")) for part in ("upper", "lower"))
    return upper - lower


def _spread(study: Study) -> np.ndarray:
    rs, mcts = (statistics.rate_spread(grid(study, "stability", Arm(one, "high", "hard"))) for one in ("rs", "mcts"))
    return mcts - rs


def _unseen(study: Study) -> np.ndarray:
    unseen, seen = (points(study, name, Arm("rs"), key="transfer/greedy") for name in ("transfer", "transfer_seen"))
    return unseen - seen


RS, MCTS, BRANCHED = Arm("rs"), Arm("mcts"), Arm("rs_branched")
EASY, MODERATE, HARD = (Arm("rs", "high", level) for level in ("easy", "moderate", "hard"))
HIGH, LOW, MIXED = (Arm("rs", level) for level in ("high", "low", "mixed"))
_SEARCH, _DOSE = "sharing and search", "by the fraction shared"
_BY_DIFFICULTY = {
    "difficulty": "training difficulty, as it comes",
    "difficulty_matched": "training difficulty, pairs matched",
    "pass_rate": "training difficulty by pass rate",
}
READINGS: tuple[Reading, ...] = (
    _between(_SEARCH, "sharing", MCTS, RS, "mcts − rs"),
    _between(_SEARCH, "sharing", BRANCHED, RS, "rs_branched − rs: sharing"),
    _between(_SEARCH, "sharing", MCTS, BRANCHED, "mcts − rs_branched: search"),
    _between(_SEARCH, "unshared", MCTS, Arm("mcts_unshared"), "mcts − mcts_unshared: sharing"),
    *(_between(_DOSE, f"dose_{part}", MCTS, RS, f"mcts − rs, {part} third") for part in ("lower", "middle", "upper")),
    Reading(_DOSE, "upper less lower third", ("dose_lower", "dose_upper"), _dose),
    Reading("stability", "best less worst rate, mcts − rs", ("stability",), _spread),
    _between("contrast", "triples", MIXED, HIGH, "mixed − high"),
    _between("contrast", "triples", MIXED, LOW, "mixed − low"),
    _between("contrast", "quality", LOW, Arm("rs", "low_imperfect"), "low − low_imperfect"),
    *(
        _between(group, name, MODERATE, other, f"moderate − {other.difficulty}")
        for name, group in _BY_DIFFICULTY.items()
        for other in (EASY, HARD)
    ),
    *(
        _between(
            "the same, on hard test prompts", "difficulty", MODERATE, other, f"moderate − {other.difficulty}", on="hard"
        )
        for other in (EASY, HARD)
    ),
    _between("constraint types never trained on", "transfer", RS, None, "over the base", key="transfer/greedy"),
    Reading("constraint types never trained on", "never seen − seen", ("transfer", "transfer_seen"), _unseen),
    _between("control: sides swapped in half", "sharing", Arm("shuffled"), None, "shuffled, over the base"),
)


def readings(study: Study) -> list[Row]:
    """Those that the profile has the comparisons for, and, of what is sampled, gains over the base made as sharp."""
    rows = []
    for one in READINGS:
        if set(one.comparisons) <= set(study.params.comparisons):
            found = statistics.effect(one.data(study), confidence=study.params.confidence)
            rows.append({"group": one.group, "label": one.label, **found.to_dict()})
    for name in study.params.sampled_comparisons:
        sharp = [row for row in decoding(study, name) if row["group"] == EQUAL_ENTROPY]
        rows += [row | {"group": "temperature 1, over a base as sharp"} for row in sharp]
    return rows


def cost(study: Study) -> list[Row]:
    """Artefacts of each stage that are there, with all that they were made from, and the time that making them took.

    Seconds are those of the machine that made an artefact, added up: side by side they pass faster. A run's hold its
    training and its evaluation.
    """
    seconds: dict[str, list[float]] = defaultdict(list)
    seen: set[Task] = set()
    wanted = study.tasks()
    while wanted:
        task = wanted.pop()
        if task not in seen:
            seen.add(task)
            wanted += study.runs.step(task).needs
            if handle := study.runs.find(task):
                seconds[task.stage].append(handle.manifest["made"]["seconds"])
    rows = [
        {"stage": stage, "artefacts": len(seconds[stage]), "minutes": sum(seconds[stage]) / 60}
        for stage in STAGES
        if stage in seconds
    ]
    return [*rows, {"stage": "all", **{key: sum(row[key] for row in rows) for key in ("artefacts", "minutes")}}]
