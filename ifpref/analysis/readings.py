"""Secondary readings, which carry no verdict: what stands beside the claims, one row each; and what a study has cost.

    readings(study)      # {"group": "C1, step by step", "label": "equal scores: mcts − rs", "estimate": 0.8, ...}
    ladder(study)        # the difference of C1 taken apart, on accuracy and on clean accuracy
    side_effects(study, "triples")   # {"label": "detectable_format:title", "arm": "rs/high/all", "estimate": 12.1, ...}
    surface(study)       # gains at every harsh configuration
    pilot(study)         # gain on dev and KL from the base, by learning rate
    sizes(study)         # C1 and C3 by the number of pairs
    distance(study, "triples")       # gain and KL from the base, of each arm at each learning rate
    dose(study)          # {"label": "upper", "estimate": 1.9, "low": ..., "pairs": 61}; then "upper − lower"
    decoding(study, "as_they_come")  # greedy, at temperature 1, and there over a base that is as sharp
    transfer(study)      # gains on constraint types that training never saw, beside those of a training that did
    cost(study)          # {"stage": "responses", "artefacts": 10, "minutes": 4.2}

A reading that needs a comparison which the profile does not run is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np

from ifpref import statistics
from ifpref.analysis import arms, results
from ifpref.analysis.pair_results import n_pairs
from ifpref.analysis.results import Pairs, Row, arms_of, contrasts, effect_row, in_profile, less, mean, points
from ifpref.curation.balance import ANY_UNASKED, REPEATED
from ifpref.curation.pairs import Arm
from ifpref.evaluation.side_effects import FEATURES
from ifpref.study import Study

BY_DIFFICULTY = {
    "difficulty": "training difficulty, as pairs come",
    "difficulty_matched": "training difficulty, pairs matched",
    "pass_rate": "training difficulty, by pass rate",
}
"""Comparison -> what it makes of claim C5."""
THIRDS = ("lower", "middle", "upper")
ACCURACY = {"accuracy": None, "clean accuracy": "clean"}
"""What every gain is read on: the study's primary metric, and all constraints met without side effects."""
WHOLE = {"unasked": ANY_UNASKED, "repeated": REPEATED, "nearly_repeated": "two sentences nearly the same"}
"""Side effects of a whole response, beside the single features: metric -> label."""
LADDER = (
    ("as they come", "as_they_come", arms.MCTS, arms.RS),
    ("equal scores", "sharing", arms.MCTS, arms.RS),
    ("equal verdicts", "equal_verdicts", arms.MCTS, arms.RS),
    ("one side swapped", "unshared", arms.MCTS, arms.UNSHARED),
    ("random branches", "branched", arms.BRANCHED, arms.RS),
    ("over random branches", "branched", arms.MCTS, arms.BRANCHED),
)
"""Step by step less is left that can make mcts and rs differ: what the pairs are alike in, the comparison, the arms."""
EQUAL_ENTROPY = "T = 1 − base of equal entropy"
"""The group of `decoding` that is free of sharpening."""


def readings(study: Study) -> list[Row]:
    """Effects by group, in points."""
    return [{**row, "group": group} for group, rows in _groups(study) for row in rows]


def _groups(study: Study) -> Iterator[tuple[str, list[Row]]]:
    over_both = [(arms.MODERATE, arms.EASY), (arms.MODERATE, arms.HARD)]
    yield "C1, step by step", [row for row in ladder(study) if row["arm"] == "accuracy"]
    yield "mcts − rs by the fraction shared", dose(study)
    yield "mixed contrast", contrasts(study, "triples", [(arms.MIXED, arms.HIGH), (arms.MIXED, arms.LOW)])
    yield "quality of the chosen", contrasts(study, "quality", [(arms.LOW, arms.IMPERFECT)])
    yield "pairs without side effects in the chosen", contrasts(study, "remedy", [(arms.CLEAN, arms.AS_SCORED)])
    yield "the same, clean accuracy", contrasts(study, "remedy", [(arms.CLEAN, arms.AS_SCORED)], metric="clean")
    for name, group in BY_DIFFICULTY.items():
        yield group, contrasts(study, name, over_both)
    yield "the first of these, on hard prompts", contrasts(study, "difficulty", over_both, difficulty="hard")
    yield "constraint types left out of training", transfer(study)
    for name in study.params.sampled_comparisons:
        yield "temperature 1, over a base as sharp", [r for r in decoding(study, name) if r["group"] == EQUAL_ENTROPY]
    shuffled = str(Arm("shuffled"))
    yield "control, over the base", [row for row in results.gains(study, "as_they_come") if row["arm"] == shuffled]


# ---- is it real?


def twice(study: Study, name: str, pairs: Pairs = ()) -> list[Row]:
    """Of each arm over the base, then of each of these pairs of arms: on accuracy, and on clean accuracy (`arm`)."""
    rows = []
    for reading, metric in ACCURACY.items():
        found = results.gains(study, name, metric=metric) + contrasts(study, name, pairs, metric=metric)
        rows += [row | {"arm": reading} for row in found]
    return rows


def side_effects(study: Study, name: str) -> list[Row]:
    """How much more often than the base each arm has a side effect, in points: any unasked feature, a repeated
    sentence, two that are nearly the same, then each feature that the base or an arm shows. `base`: its share, in
    percent."""
    rows = []
    for metric, label in [*WHOLE.items(), *((id, id) for id in FEATURES)]:
        base = 100 * float(results.base_scores(study, metric=metric).mean())
        found = {arm: points(study, name, arm, metric=metric) for arm in arms_of(study, name)}
        if metric not in FEATURES or base or any(np.nan_to_num(data).any() for data in found.values()):
            rows += [effect_row(study, label, name, data, arm=str(arm), base=base) for arm, data in found.items()]
    return rows


def ladder(study: Study) -> list[Row]:
    """mcts − rs taken apart, at one configuration, the middle one: on accuracy, and on clean accuracy (`arm`)."""
    rows = []
    for (label, name, a, b), (reading, metric) in product(LADDER, ACCURACY.items()):
        middle = study.middle(name) if in_profile(study, [name]) else None
        for row in contrasts(study, name, [(a, b)], metric=metric, at=middle):
            rows.append(row | {"label": f"{row['label']}, {label}", "group": "", "arm": reading})
    return rows


# ---- over configurations


def distance(study: Study, name: str) -> list[Row]:
    """Of each arm at each learning rate of the grid: its gain, and how far it went from the base, KL in nats a response
    of dev (one at temperature 1 to each prompt, means over replicates)."""
    rows = []
    for arm, at in product(arms_of(study, name), study.configurations(name) if arms_of(study, name) else ()):
        kl = mean(table.kl.mean() for table in study.tables(name, arm, key="dev/sampled", at=at) if table)
        cell = {"arm": str(arm), "learning_rate": at.learning_rate, "kl": kl}
        rows.append(effect_row(study, str(arm), name, points(study, name, arm, at=at), **cell))
    return [row for row in rows if row["kl"] is not None]


def pilot(study: Study) -> list[Row]:
    """What each learning rate of the pilot gains on dev, in one replicate, and how far it goes from the base."""
    rows = []
    for at in study.configurations("pilot") if in_profile(study, ["pilot"]) else ():
        kl = mean(table.kl.mean() for table in study.tables("pilot", arms.RS, key="dev/sampled", at=at) if table)
        gained = points(study, "pilot", arms.RS, key="dev/greedy", at=at)
        rows.append(effect_row(study, str(at), "pilot", gained, learning_rate=at.learning_rate, kl=kl))
    return rows


def surface(study: Study, name: str = "stability") -> list[Row]:
    """Gains at every harsh configuration: of each arm, then of the second less the first."""
    if not in_profile(study, [name]):
        return []
    first, second = study.comparison(name).arms
    rows = []
    for (a, b), at in product([(first, None), (second, None), (second, first)], study.configurations(name)):
        change = str(at).partition(", ")[2]
        label = f"{second.curation} − {first.curation}" if b else str(a)
        cell = {"arm": label, "learning_rate": at.learning_rate, "change": change or "no other change"}
        rows.append(effect_row(study, f"{label} at {at}", label, points(study, name, a, b, at=at), **cell))
    return rows


def sizes(study: Study) -> list[Row]:
    """C1 and C3 by the number of pairs, `arm` being the difference: on accuracy."""
    rows = []
    for name, pair in {"sizes_sharing": (arms.MCTS, arms.RS), "sizes_contrast": (arms.HIGH, arms.LOW)}.items():
        for at in study.configurations(name) if in_profile(study, [name]) else ():
            rows += [row | {"arm": row["label"], "pairs": at.n_pairs} for row in contrasts(study, name, [pair], at=at)]
    return rows


def dose(study: Study) -> list[Row]:
    """mcts − rs on each third of prompts by shared fraction that the profile runs, then the upper less the lower.

    `pairs` is what an arm has in a replicate, on average.
    """
    there = [part for part in THIRDS if in_profile(study, [f"dose_{part}"])]
    data = {part: points(study, f"dose_{part}", arms.MCTS, arms.RS) for part in there}
    pairs = {part: mean(n_pairs(study, f"dose_{part}").get(str(arms.MCTS), ())) for part in data}
    rows = [effect_row(study, part, f"dose_{part}", data[part], pairs=round(pairs[part] or 0)) for part in data]
    if {"lower", "upper"} <= data.keys():
        rows.append(effect_row(study, "upper − lower", "dose", less(data["upper"], data["lower"])))
    return rows


# ---- decoding


def decoding(study: Study, name: str) -> list[Row]:
    """Each arm greedy, at temperature 1, and there over the base as it is and over the entropy-matched base."""
    rows = []
    for arm in arms_of(study, name):
        sampled = results.scores(study, name, arm, key=results.SAMPLED)
        temperatures = matched_temperatures(study, name, arm)
        bases = [None if t is None else results.base_scores(study, temperature=t) for t in temperatures]
        matched = results.stacked(bases)
        if sampled is not None and matched is not None:
            at = {"arm": str(arm), "temperature": mean(t for t in temperatures if t is not None)}
            warm = results.base_scores(study, temperature=1.0)
            plain, sharp = (statistics.differences(sampled, base) for base in (warm, matched))
            greedy = points(study, name, arm, at=study.middle(name))
            rows.append(effect_row(study, str(arm), "greedy − base greedy", greedy, **at))
            rows.append(effect_row(study, str(arm), "T = 1 − base T = 1", plain, **at))
            rows.append(effect_row(study, str(arm), EQUAL_ENTROPY, sharp, **at))
    return rows


def matched_temperatures(study: Study, name: str, arm: Arm) -> list[float | None]:
    """Of each replicate, the temperature at which the base is as sharp as its policy; None where that was not asked."""
    records = [study.record(name, arm, replicate) for replicate in study.replicates_of(name)]
    return [record["matched"]["temperature"] if record and "matched" in record else None for record in records]


def transfer(study: Study) -> list[Row]:
    """Gains on prompts that hold one of `transfer_ids`: trained without those, with them, and the difference."""
    labels = {"transfer": "never seen", "transfer_seen": "seen in training"}
    data = {labels[name]: points(study, name, arms.RS, key="transfer/greedy") for name in in_profile(study, labels)}
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
