"""Secondary readings, which carry no verdict: what stands beside the claims, one row each; and what a study has cost.

    readings(study)      # {"group": "sharing and search", "label": "mcts − rs_branched", "estimate": 0.8, ...}
    dose(study)          # {"label": "upper", "estimate": 1.9, "low": ..., "pairs": 61}; then "upper − lower"
    decoding_runs(study)             # {"arm": "mcts/high/all", "replicate": 0, "greedy": 0.38, "sampled": 0.31, ...}
    transfer(study)      # gains on constraint types that training never saw, beside those of a training that did
    cost(study)          # {"stage": "responses", "artefacts": 10, "minutes": 4.2}

A reading that needs a comparison which the profile does not run is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ifpref.analysis import results
from ifpref.analysis.arms import BRANCHED, EASY, HARD, HIGH, IMPERFECT, LOW, MCTS, MIXED, MODERATE, RS, UNSHARED
from ifpref.analysis.pair_results import n_pairs
from ifpref.analysis.results import Row, contrasts, effect_row, in_profile, less, mean, points
from ifpref.curation.pairs import Arm
from ifpref.evaluation.table import Table
from ifpref.study import Study

BY_DIFFICULTY = {
    "difficulty": "training difficulty, as pairs come",
    "difficulty_matched": "training difficulty, pairs matched",
    "pass_rate": "training difficulty, by pass rate",
}
"""Comparison -> what it makes of claim C5."""
THIRDS = ("lower", "middle", "upper")


def readings(study: Study) -> list[Row]:
    """Effects by group, in points."""
    return [{**row, "group": group} for group, rows in _groups(study) for row in rows]


def _groups(study: Study) -> Iterator[tuple[str, list[Row]]]:
    over_both = [(MODERATE, EASY), (MODERATE, HARD)]
    yield "sharing and search", contrasts(study, "as_they_come", [(MCTS, RS), (BRANCHED, RS), (MCTS, BRANCHED)])
    yield "sharing alone, one side swapped", contrasts(study, "unshared", [(MCTS, UNSHARED)])
    yield "mcts − rs by the fraction shared", dose(study)
    yield "mixed contrast", contrasts(study, "triples", [(MIXED, HIGH), (MIXED, LOW)])
    yield "quality of the chosen", contrasts(study, "quality", [(LOW, IMPERFECT)])
    for name, group in BY_DIFFICULTY.items():
        yield group, contrasts(study, name, over_both)
    yield "the first of these, on hard prompts", contrasts(study, "difficulty", over_both, difficulty="hard")
    yield "constraint types left out of training", transfer(study)
    for name in study.params.sampled_comparisons:
        rows = results.decoding(study, name)
        yield "temperature 1, over a base as sharp", [row for row in rows if row["group"] == results.EQUAL_ENTROPY]
    shuffled = str(Arm("shuffled"))
    yield "control, over the base", [row for row in results.gains(study, "as_they_come") if row["arm"] == shuffled]


def dose(study: Study) -> list[Row]:
    """mcts − rs on each third of prompts by shared fraction that the profile runs, then the upper less the lower.

    `pairs` is what an arm has in a replicate, on average.
    """
    data = {part: points(study, name, MCTS, RS) for part in THIRDS for name in in_profile(study, [f"dose_{part}"])}
    pairs = {part: mean(n_pairs(study, f"dose_{part}").get(str(MCTS), ())) for part in data}
    rows = [effect_row(study, part, f"dose_{part}", data[part], pairs=round(pairs[part] or 0)) for part in data]
    if {"lower", "upper"} <= data.keys():
        rows.append(effect_row(study, "upper − lower", "dose", less(data["upper"], data["lower"])))
    return rows


def decoding_runs(study: Study, name: str = "as_they_come") -> list[Row]:
    """Accuracies in [0, 1] of each run, greedy, sampled, and of the base made as sharp; before them the base itself."""
    rows = []
    for arm in study.comparison(name).arms:
        ways = (study.tables(name, arm), study.tables(name, arm, key=results.SAMPLED))
        temperatures = results.matched_temperatures(study, name, arm)
        for replicate, (greedy, sampled, temperature) in enumerate(zip(*ways, temperatures, strict=True)):
            if greedy and sampled and temperature is not None:
                tables = {"base_matched": study.base("test", temperature), "greedy": greedy, "sampled": sampled}
                rows.append({"arm": str(arm), "replicate": replicate} | _accuracies(tables))
    if not rows:
        return []
    base = _accuracies({"greedy": study.base("test"), "sampled": study.base("test", 1.0)})
    return [{"arm": "base", "replicate": None, "base_matched": None, **base}, *rows]


def _accuracies(tables: Mapping[str, Table]) -> dict[str, float]:
    return {name: float(table.prompt_level().mean()) for name, table in tables.items()}


def transfer(study: Study) -> list[Row]:
    """Gains on prompts that hold one of `transfer_ids`: trained without those, with them, and the difference."""
    labels = {"transfer": "never seen", "transfer_seen": "seen in training"}
    data = {labels[name]: points(study, name, RS, key="transfer/greedy") for name in in_profile(study, labels)}
    if len(data) == len(labels):
        unseen, seen = data.values()
        data["never seen − seen"] = unseen - seen  # NaN throughout where one of them is
    return [effect_row(study, label, "transfer", found) for label, found in data.items()]


def cost(study: Study) -> list[Row]:
    """Artefacts of each stage that are there, with all that they were made from, and the time that making them took.

    Minutes are those of the machine that made an artefact, added up: side by side they pass faster. A run's hold its
    training and its evaluation.
    """
    rows = study.costs()
    return [*rows, {"stage": "all", **{key: sum(row[key] for row in rows) for key in ("artefacts", "minutes")}}]
