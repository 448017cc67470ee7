"""Secondary readings, which carry no verdict: what stands beside the claims, one row each; and what a study has cost.

    readings(study)      # {"group": "sharing and search", "label": "mcts − rs_branched", "estimate": 0.8, ...}
    repetition(study, "triples")     # how often each arm loops, and how accurate it is where it does not
    transfer(study)      # gains on constraint types that training never saw, beside those of a training that did
    cost(study)          # {"stage": "responses", "artefacts": 10, "minutes": 4.2}

A reading that needs a comparison which the profile does not run is left out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from ifpref.analysis import prefix
from ifpref.analysis.results import Row, contrasts, decoding, effect_row, gains, mean, points
from ifpref.curation.pairs import Arm
from ifpref.evaluation.table import Table
from ifpref.pipeline.schedule import STAGES
from ifpref.pipeline.stages import Task
from ifpref.study import Study

RS, MCTS, BRANCHED, UNSHARED = (Arm(curation) for curation in ("rs", "mcts", "rs_branched", "mcts_unshared"))
HIGH, LOW, MIXED, IMPERFECT = (Arm("rs", contrast) for contrast in ("high", "low", "mixed", "low_imperfect"))
EASY, MODERATE, HARD = (Arm("rs", "high", difficulty) for difficulty in ("easy", "moderate", "hard"))
BY_DIFFICULTY = {
    "difficulty": "training difficulty, as pairs come",
    "difficulty_matched": "training difficulty, pairs matched",
    "pass_rate": "training difficulty, by pass rate",
}
"""Comparison -> what it makes of claim C5."""
EQUAL_ENTROPY = "T = 1 − base of equal entropy"


def readings(study: Study) -> list[Row]:
    """Effects by group, in points."""
    return [{**row, "group": group} for group, rows in _groups(study) for row in rows]


def _groups(study: Study) -> Iterator[tuple[str, list[Row]]]:
    there = set(study.params.comparisons)
    over_both = [(MODERATE, EASY), (MODERATE, HARD)]
    if "sharing" in there:
        yield "sharing and search", contrasts(study, "sharing", [(MCTS, RS), (BRANCHED, RS), (MCTS, BRANCHED)])
    if "unshared" in there:
        yield "sharing alone, one side swapped", contrasts(study, "unshared", [(MCTS, UNSHARED)])
    yield "mcts − rs by the fraction shared", prefix.dose(study)
    if "stability" in there:
        yield "best less worst learning rate", prefix.over_rates(study)[-1:]
    if "triples" in there:
        yield "mixed contrast", contrasts(study, "triples", [(MIXED, HIGH), (MIXED, LOW)])
    if "quality" in there:
        yield "quality of the chosen", contrasts(study, "quality", [(LOW, IMPERFECT)])
    for name in [name for name in BY_DIFFICULTY if name in there]:
        yield BY_DIFFICULTY[name], contrasts(study, name, over_both)
    if "difficulty" in there:
        yield "the first of these, on hard prompts", contrasts(study, "difficulty", over_both, difficulty="hard")
    yield "constraint types left out of training", transfer(study)
    for name in [name for name in study.params.sampled_comparisons if name in there]:
        sharp = [row for row in decoding(study, name) if row["group"] == EQUAL_ENTROPY]
        yield "temperature 1, over a base as sharp", sharp
    if "sharing" in there:
        control = [row for row in gains(study, "sharing") if row["label"].startswith("shuffled")]
        yield "control, over the base", control


def transfer(study: Study) -> list[Row]:
    """Gains on prompts that hold one of `transfer_ids`: trained without those, with them, and the difference."""
    labels = {"transfer": "never seen", "transfer_seen": "seen in training"}
    data = {
        label: points(study, name, RS, key="transfer/greedy")
        for name, label in labels.items()
        if name in study.params.comparisons
    }
    if len(data) == len(labels):
        unseen, seen = data.values()
        data["never seen − seen"] = unseen - seen  # NaN throughout where one of them is
    return [effect_row(study, label, "transfer", found) for label, found in data.items()]


def repetition(study: Study, name: str) -> list[Row]:
    """The base, then each arm, greedy: the share of responses that are repetitive, the accuracy over all responses, and
    that over the responses that are not; prompt-level, strict, in percent, means over replicates."""
    tables = {"base": [study.base("test")]}
    tables |= {str(arm): study.tables(name, arm) for arm in study.comparison(name).arms}
    rows = []
    for label, of_arm in tables.items():
        there = [table for table in of_arm if table]
        met = [_met(table) for table in there]
        others = [of_table[~table.repetitive] for of_table, table in zip(met, there, strict=True)]
        rows.append(
            {
                "arm": label,
                "repetitive": mean(100 * table.repetitive.mean() for table in there),
                "accuracy": mean(100 * of_table.mean() for of_table in met),
                "accuracy_of_others": mean(100 * of_table.mean() for of_table in others if of_table.size),
            }
        )
    return rows


def _met(table: Table) -> np.ndarray:
    """(N, n): whether a response meets all constraints of its prompt, strictly."""
    return np.array([verdicts.all(axis=1) for verdicts in table.verdicts("strict")])


def cost(study: Study) -> list[Row]:
    """Artefacts of each stage that are there, with all that they were made from, and the time that making them took.

    Minutes are those of the machine that made an artefact, added up: side by side they pass faster. A run's hold its
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
