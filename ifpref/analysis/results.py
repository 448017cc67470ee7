"""Results: tables out of runs, as notebooks show them. Rows in percentage points, each with its interval.

    gains(study, "sharing")     # one row an arm: its gain over the base, with the interval over replicates x prompts
    {"label": "mcts/high/all", "group": "over the base", "estimate": 9.3, "low": 6.1, "high": 12.5, ...}

Everything is paired: base and policies answer the same held-out prompts on the same random streams, replicate by
replicate. A run that is missing is left out and counted (`missing`); one that diverged is scored from its last finite
adapter and counted too (`failures`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ifpref import statistics
from ifpref.curation.pairs import CURATIONS, Arm, ids_of
from ifpref.evaluation.table import Table
from ifpref.study import Study

PRIMARY = "prompt_level"
PILOT = statistics.Components(replicate_sd=2.8, prompt_sd=12.0, interaction_sd=47.0)
"""Standard deviations of a difference of two arms, in points, from the prototype of this study."""
LEVELS = {"difficulty": ("easy", "moderate", "hard"), "n_constraints": (1, 2, 3, 4, 5, 6)}
Row = dict[str, Any]


def measure(table: Table, metric: str = PRIMARY, mode: str = "strict") -> np.ndarray:
    """(N,) fractions: "prompt_level", or "score", the fraction of a prompt's constraints that are met."""
    return {"prompt_level": table.prompt_level, "score": table.score}[metric](mode)


def scores(
    study: Study, name: str, arm: Arm, *, key: str = "test/greedy", rate: float | None = None, **how: str
) -> np.ndarray | None:
    """(R, N) fractions of an arm, NaN throughout where a run is missing; None where all are."""
    tables = study.tables(name, arm, key=key, rate=rate)
    if not any(tables):
        return None
    rows = [measure(table, **how) if table else None for table in tables]
    width = next(len(row) for row in rows if row is not None)
    return np.array([np.full(width, np.nan) if row is None else row for row in rows])


def base_scores(study: Study, split: str = "test", temperature: float = 0.0, **how: str) -> np.ndarray:
    """(N,) fractions of the base."""
    return measure(study.base(split, temperature), **how)


def points(study: Study, name: str, a: Arm, b: Arm | None = None, **how: Any) -> np.ndarray:
    """(R, N) in points: what arm `a` gains over arm `b`, or over the base."""
    first = scores(study, name, a, **how)
    if first is None:  # nor is there a base to read it against, where a set is out of reach
        return np.full((len(study.replicates), 1), np.nan)
    if b is None:
        kept = {word: value for word, value in how.items() if word in ("metric", "mode")}
        second = base_scores(study, how.get("key", "test/greedy").partition("/")[0], **kept)
    else:
        second = scores(study, name, b, **how)
    if second is None:
        return np.full((len(study.replicates), 1), np.nan)
    return statistics.differences(first, second)


def effect_row(study: Study, label: str, group: str, data: np.ndarray, **more: Any) -> Row:
    """The mean of (R, N) points with its interval, as a row that figures and tables read."""
    found = statistics.effect(data, confidence=study.params.confidence)
    return {"label": label, "group": group, **more, **found.to_dict()}


def gains(study: Study, name: str, **how: Any) -> list[Row]:
    """Of each arm over the base."""
    return [
        effect_row(study, str(arm), "over the base", points(study, name, arm, **how), arm=str(arm))
        for arm in _arms(study, name)
    ]


def contrasts(
    study: Study,
    name: str,
    pairs: Sequence[tuple[Arm, Arm]] | None = None,
    *,
    difficulty: str | None = None,
    **how: Any,
) -> list[Row]:
    """Of one arm over another: the pairs given, or each arm over what it is made of, or over the first.

    difficulty  on the test prompts of that difficulty alone
    """
    group = f"{name}, on {difficulty} prompts" if difficulty else name
    rows = []
    for label, data in _differences(study, name, pairs, **how):
        data = on_difficulty(study, data, difficulty) if difficulty else data
        rows.append(effect_row(study, label, group, data))
    return rows


def _differences(
    study: Study, name: str, pairs: Sequence[tuple[Arm, Arm]] | None, **how: Any
) -> Iterator[tuple[str, np.ndarray]]:
    """Of each of `contrasts` the label, and the (R, N) points."""
    for a, b in _references(study, name) if pairs is None else pairs:
        yield f"{_short(a, b)} − {_short(b, a)}", points(study, name, a, b, **how)


def _references(study: Study, name: str) -> list[tuple[Arm, Arm]]:
    """Each arm but the first, with what it is held against: the arm whose pairs it is made of, or else the first."""
    first, *others = _arms(study, name)
    sources = [replace(arm, curation=CURATIONS[arm.curation].source) for arm in others]
    return [(arm, of if of in others and of != arm else first) for arm, of in zip(others, sources, strict=True)]


def on_difficulty(study: Study, data: np.ndarray, difficulty: str) -> np.ndarray:
    """The columns of (R, N) data that are test prompts of this difficulty; what is missing throughout stays so."""
    there = np.array([prompt["difficulty"] == difficulty for prompt in study.prompts("test")])
    return data[:, there] if data.shape[1] == len(there) else data


def _short(arm: Arm, other: Arm) -> str:
    """The levels in which an arm differs from the other."""
    parts = [value for part, value in vars(arm).items() if value != getattr(other, part)]
    return "/".join(parts) or str(arm)


def halves(study: Study, name: str) -> list[Row]:
    """A/A: two halves of the replicates of each arm, which must come out unresolved."""
    confidence = study.params.confidence
    found = {arm: statistics.halves(points(study, name, arm), confidence=confidence) for arm in _arms(study, name)}
    return [{"label": f"{arm}: half − half", "group": "A/A", **one.to_dict()} for arm, one in found.items()]


def accuracies(study: Study, name: str, *, key: str = "test/greedy") -> list[Row]:
    """The base, then each arm: prompt- and instruction-level, strict and loose, mean over replicates, in percent."""
    arms = {"base": [study.base(key.partition("/")[0], 0.0)]}
    arms |= {str(arm): study.tables(name, arm, key=key) for arm in _arms(study, name)}
    rows = []
    for label, tables in arms.items():
        there = [table for table in tables if table]
        row: Row = {"arm": label, "replicates": len(there) if label != "base" else None}
        for mode in ("strict", "loose"):
            row[f"prompt_level_{mode}"] = mean(100 * table.prompt_level(mode).mean() for table in there)
            row[f"instruction_level_{mode}"] = mean(100 * table.instruction_level(mode) for table in there)
        row["tokens"] = mean(table.n_tokens.mean() for table in there)
        for what in ("truncated", "empty", "repetitive"):
            row[f"{what}_percent"] = mean(100 * getattr(table, what).mean() for table in there)
        rows.append(row)
    return rows


def log_odds(study: Study, name: str) -> list[Row]:
    """Gains over the base in log-odds, beside those in points."""
    rows, base = [], base_scores(study)
    for arm in _arms(study, name):
        found = scores(study, name, arm)
        if found is not None:
            one = statistics.log_odds(found, base, confidence=study.params.confidence)
            rows.append({"label": str(arm), "group": "log-odds over the base", **one.to_dict()})
    return rows


def by_level(study: Study, name: str, level: str = "difficulty", **how: Any) -> list[Row]:
    """Gains over the base on the test prompts of each level: "difficulty" or "n_constraints"."""
    of_prompt, rows = [prompt[level] for prompt in study.prompts("test")], []
    for arm in _arms(study, name):
        data = points(study, name, arm, **how)
        for value in LEVELS[level]:
            here = [n for n, found in enumerate(of_prompt) if found == value]
            if here and data.shape[1] == len(of_prompt):
                more = {"train": arm.difficulty, "arm": str(arm), "evaluated": str(value)}
                rows.append(effect_row(study, f"{arm} on {value}", str(arm), data[:, here], **more))
    return rows


def per_constraint(study: Study, name: str, *, key: str = "test/greedy", ids: Sequence[str] = ()) -> list[Row]:
    """What each arm changes on each constraint id, over the prompts that ask for it."""
    split = key.partition("/")[0]
    asked = [ids_of(prompt) for prompt in study.prompts(split)]
    base, rows = study.base(split, 0.0), []
    for id in sorted(ids or {one for some in asked for one in some}):
        before, where = base.of_id(asked, id, "strict")
        if not len(where):
            continue
        for arm in _arms(study, name):
            tables = study.tables(name, arm, key=key)
            after = [table.of_id(asked, id, "strict")[0] if table else np.full(len(where), np.nan) for table in tables]
            data = statistics.differences(np.array(after), before)
            rows.append(effect_row(study, id, "constraint", data, arm=str(arm)))
    return rows


def rates(study: Study, name: str = "stability") -> tuple[list[Row], list[Row]]:
    """Gains by learning rate: of every run, with whether it diverged; and the mean of each rate with its interval."""
    runs, means = [], []
    for arm in _arms(study, name):
        for rate in study.params.learning_rates:
            data = points(study, name, arm, rate=rate)
            means.append(effect_row(study, str(arm), "gain", data, arm=str(arm), learning_rate=rate))
            for replicate in study.replicates:
                record = study.record(name, arm, replicate, rate)
                if record and record["tables"]:
                    cell = {"arm": str(arm), "learning_rate": rate, "replicate": replicate}
                    diverged = record["training"]["state"] == "diverged"
                    runs.append(cell | {"gain": float(data[replicate].mean()), "diverged": diverged})
    return runs, means


def grid(study: Study, name: str, arm: Arm) -> np.ndarray:
    """(R, L, N) gains of an arm over the base at every learning rate."""
    found = [points(study, name, arm, rate=rate) for rate in study.params.learning_rates]
    width = max(one.shape[1] for one in found)
    return np.stack([one if one.shape[1] == width else np.full((len(one), width), np.nan) for one in found], axis=1)


def failures(study: Study, name: str) -> list[Row]:
    """Runs that diverged or had no pairs, by arm, with the exact interval of the share that diverged."""
    rows = []
    for arm in _arms(study, name):
        found = study.params.learning_rates if study.comparison(name).every_rate else (None,)
        records = [study.record(name, arm, replicate, rate) for replicate in study.replicates for rate in found]
        states = [record["training"]["state"] for record in records if record]
        share = statistics.exact_share(
            states.count("diverged"), len(states) - states.count("no pairs"), confidence=study.params.confidence
        )
        more = {"no_pairs": states.count("no pairs"), "missing": len(records) - len(states)}
        rows.append({"arm": str(arm), **share.to_dict(), **more})
    return rows


def decoding(study: Study, name: str) -> list[Row]:
    """Each arm greedy, at temperature 1, and there over the base as it is and over the entropy-matched base."""
    rows = []
    for arm in _arms(study, name):
        sampled = study.tables(name, arm, key="test/sampled")
        if not any(sampled):
            continue
        records = [study.record(name, arm, replicate) for replicate in study.replicates]
        matched = [
            measure(study.base("test", record["matched"]["temperature"])) if table else np.full(1, np.nan)
            for table, record in zip(sampled, records, strict=True)
        ]
        width = max(len(one) for one in matched)
        matched = np.array([one if len(one) == width else np.full(width, np.nan) for one in matched])
        at_one = scores(study, name, arm, key="test/sampled")
        temperatures = [record["matched"]["temperature"] for record in records if record and "matched" in record]
        groups = {
            "greedy − base greedy": points(study, name, arm),
            "T = 1 − base T = 1": statistics.differences(at_one, base_scores(study, temperature=1.0)),
            "T = 1 − base of equal entropy": statistics.differences(at_one, matched),
        }
        for group, data in groups.items():
            rows.append(effect_row(study, str(arm), group, data, arm=str(arm), temperature=mean(temperatures)))
    return rows


def sampled_accuracies(study: Study, name: str) -> list[Row]:
    """Per arm: greedy and temperature-1 accuracy, KL from the base and entropy, means over replicates."""
    rows = []
    for arm in _arms(study, name):
        found = [table for table in study.tables(name, arm, key="test/sampled") if table]
        if found:
            row: Row = {"arm": str(arm), "sampled_percent": mean(100 * t.prompt_level().mean() for t in found)}
            row["kl_nats_per_response"] = mean((t.logprob - t.base_logprob).mean() for t in found)
            row["entropy_nats_per_token"] = mean(t.entropy.mean() for t in found)
            rows.append(row)
    return rows


def least_before_training(study: Study) -> float:
    """The minimum detectable effect of any difference of two arms, by the prototype's components (`PILOT`)."""
    p = study.params
    return statistics.minimum_detectable_effect(PILOT, p.n_replicates, p.n_test_prompts, confidence=p.confidence)


def detectable(study: Study, name: str, pairs: Sequence[tuple[Arm, Arm]] | None = None) -> list[Row]:
    """The minimum detectable effect in points, at 80 % power: before training, then as each of `contrasts` came out."""
    found = {"any, before training": least_before_training(study)}
    for label, data in _differences(study, name, pairs):
        effect = statistics.effect(data, confidence=study.params.confidence)
        found[f"{label}, as it came out"] = statistics.detectable(effect)
    return [{"contrast": label, "points": None if np.isnan(one) else round(one, 2)} for label, one in found.items()]


def learning_rates(study: Study, name: str) -> list[Row]:
    """The rate that each arm is compared at, with its accuracy on dev at each rate of the grid, where it was tuned."""
    rows = []
    for arm in _arms(study, name):
        row: Row = {"arm": str(arm), "learning_rate": study.runs.rate(name, arm)}
        if study.params.n_tuning_replicates:
            for rate in study.params.learning_rates:
                accuracy = study.runs.dev_accuracy(name, arm, rate)
                row[f"dev at {rate:g}"] = None if accuracy is None else round(100 * accuracy, 1)
        rows.append(row)
    return rows


def _arms(study: Study, name: str) -> tuple[Arm, ...]:
    return study.comparison(name).arms


def mean(values: Any) -> float | None:
    """None of nothing."""
    values = [float(value) for value in values]
    return sum(values) / len(values) if values else None
