"""Results: tables out of runs, as notebooks show them. Rows in percentage points, each with its interval.

    gains(study, "sharing")     # one row an arm: its gain over the base, with the interval over replicates x prompts
    {"label": "mcts/high/all", "group": "over the base", "estimate": 9.3, "low": 6.1, "high": 12.5, ...}

Everything is paired: base and policies answer the same held-out prompts on the same random streams, replicate by
replicate. A run that is missing is left out and counted (`missing`); one that diverged is scored from its last finite
adapter and counted too (`failures`).

Below everything: `points`, the (R, N) differences of an arm to another or to the base, and `effect_row`, their mean
with its interval. `**how` goes on to `points`: `key` (the held-out set and the decoding), `at` (a configuration),
`metric`, `mode`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from ifpref import statistics
from ifpref.curation.pairs import Arm, ids_of, require
from ifpref.design import COMPARISONS, Configuration
from ifpref.evaluation.table import FLAGS, Table
from ifpref.statistics import Effect
from ifpref.study import Study

GREEDY, SAMPLED = "test/greedy", "test/sampled"
PILOT = statistics.Components(replicate_sd=2.8, prompt_sd=12.0, interaction_sd=47.0)
"""Standard deviations of a difference of two arms, in points, from the prototype of this study."""
LEVELS = {"difficulty": ("easy", "moderate", "hard"), "n_constraints": (1, 2, 3, 4, 5, 6)}
EQUAL_ENTROPY = "T = 1 − base of equal entropy"
"""The group of `decoding` that is free of sharpening."""
Row, Array = dict[str, Any], np.ndarray
Pairs = Sequence[tuple[Arm, Arm]]
"""Of arms: what the first gains over the second."""

# ---- scores, points, effects


def in_profile(study: Study, names: Collection[str]) -> list[str]:
    """Those of these comparisons that the profile runs; of others there are no rows. ValueError for unknown names."""
    for name in names:
        require(name, tuple(COMPARISONS), "comparison")
    there = {one.name for one in study.comparisons}
    return [name for name in names if name in there]


def measure(table: Table, metric: str = "prompt_level", mode: str = "strict") -> np.ndarray:
    """(N,) fractions: "prompt_level", or "score", the fraction of a prompt's constraints that are met."""
    return {"prompt_level": table.prompt_level, "score": table.score}[metric](mode)


def scores(
    study: Study, name: str, arm: Arm, key: str = GREEDY, at: Configuration | None = None, **how: str
) -> Array | None:
    """(R, N) fractions of an arm, NaN throughout where a run is missing; None where all are.

    at  a configuration; None: the mean over all that the comparison runs at, and a replicate that misses one of them is
        missing. At temperature 1, and on IFEval, the middle rate alone is there
    """
    if not in_profile(study, [name]):
        return None
    every = (at,) if at else (study.middle(name),) if key in (SAMPLED, "ifeval/greedy") else study.configurations(name)
    found = []
    for one in every:
        tables = study.tables(name, arm, key=key, at=one)
        found.append(_stacked([measure(table, **how) if table else None for table in tables]))
    return None if any(one is None for one in found) else np.mean(found, axis=0)


def base_scores(study: Study, split: str = "test", temperature: float = 0.0, **how: str) -> np.ndarray:
    """(N,) fractions of the base."""
    return measure(study.base(split, temperature), **how)


def points(
    study: Study,
    name: str,
    a: Arm,
    b: Arm | None = None,
    *,
    key: str = GREEDY,
    at: Configuration | None = None,
    **how: str,
) -> np.ndarray:
    """(R, N) in points: what arm `a` gains over arm `b`, or over the base; both at one configuration, or in the mean
    over all of the comparison (`scores`). (R, 1) of NaN where one has no run, or the profile does not run it."""
    first = scores(study, name, a, key=key, at=at, **how)
    if first is None:  # nor is there a base to read it against, where a set is out of reach
        return _missing(study, name)
    second = base_scores(study, _split(key), **how) if b is None else scores(study, name, b, key=key, at=at, **how)
    return _missing(study, name) if second is None else statistics.differences(first, second)


def less(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a − b, points; missing throughout where one of them is."""
    return a - b if a.shape == b.shape else np.full((len(a), 1), np.nan)


def effect(study: Study, data: np.ndarray) -> Effect:
    """The mean of (R, N) points with its interval, at the study's confidence."""
    return statistics.effect(data, confidence=study.params.confidence)


def effect_row(study: Study, label: str, group: str, data: np.ndarray, **more: Any) -> Row:
    """That effect as a row that figures and tables read."""
    return {"label": label, "group": group, **more, **effect(study, data).to_dict()}


def mean(values: Any) -> float | None:
    """None of nothing."""
    values = [float(value) for value in values]
    return sum(values) / len(values) if values else None


def tables_of_arms(study: Study, name: str, key: str = GREEDY) -> dict[str, list[Table]]:
    """The verdict tables that are there: of the base, then of each arm, one a replicate."""
    arms = {str(arm): study.tables(name, arm, key=key) for arm in _arms(study, name)}
    return {"base": [study.base(_split(key))]} | {arm: list(filter(None, tables)) for arm, tables in arms.items()}


def _arms(study: Study, name: str) -> tuple[Arm, ...]:
    return study.comparison(name).arms if in_profile(study, [name]) else ()


def _split(key: str) -> str:
    return key.partition("/")[0]


def _missing(study: Study, name: str) -> np.ndarray:
    replicates = study.replicates_of(name) if in_profile(study, [name]) else study.replicates
    return np.full((len(replicates), 1), np.nan)


def _stacked(rows: Sequence[np.ndarray | None]) -> np.ndarray | None:
    """(R, N) out of R rows (N,), NaN throughout where one is missing; None where all are."""
    there = [row for row in rows if row is not None]
    return np.array([np.full(len(there[0]), np.nan) if row is None else row for row in rows]) if there else None


# ---- one comparison


def gains(study: Study, name: str, **how: Any) -> list[Row]:
    """Of each arm over the base."""
    data = {arm: points(study, name, arm, **how) for arm in _arms(study, name)}
    return [effect_row(study, str(arm), "over the base", found, arm=str(arm)) for arm, found in data.items()]


def contrasts(study: Study, name: str, pairs: Pairs, *, difficulty: str | None = None, **how: Any) -> list[Row]:
    """Of one arm over another.

    difficulty  on the test prompts of that difficulty alone
    """
    group = f"{name}, on {difficulty} prompts" if difficulty else name
    there = np.array([prompt["difficulty"] == difficulty for prompt in study.prompts("test")]) if difficulty else None
    rows = []
    for label, data in _differences(study, name, pairs, **how):
        is_part = there is not None and data.shape[1] == len(there)  # what is missing throughout stays so
        rows.append(effect_row(study, label, group, data[:, there] if is_part else data))
    return rows


def _differences(study: Study, name: str, pairs: Pairs, **how: Any) -> Iterator[tuple[str, np.ndarray]]:
    """Of each of `contrasts` the label, and the (R, N) points."""
    for a, b in pairs if in_profile(study, [name]) else ():
        yield f"{_short(a, b)} − {_short(b, a)}", points(study, name, a, b, **how)


def _short(arm: Arm, other: Arm) -> str:
    """The levels in which an arm differs from the other."""
    parts = [value for part, value in vars(arm).items() if value != getattr(other, part)]
    return "/".join(parts) or str(arm)


def halves(study: Study, name: str) -> list[Row]:
    """A/A: two halves of the replicates of each arm, which must come out unresolved."""
    confidence = study.params.confidence
    found = {arm: statistics.halves(points(study, name, arm), confidence=confidence) for arm in _arms(study, name)}
    return [{"label": f"{arm}: half − half", "group": "A/A", **one.to_dict()} for arm, one in found.items()]


def accuracies(study: Study, name: str, *, key: str = GREEDY) -> list[Row]:
    """The base, then each arm: prompt- and instruction-level, strict and loose, mean over replicates, in percent."""
    rows = []
    for label, tables in tables_of_arms(study, name, key).items():
        row: Row = {"arm": label, "replicates": len(tables) if label != "base" else None}
        for mode in ("strict", "loose"):
            row[f"prompt_level_{mode}"] = mean(100 * table.prompt_level(mode).mean() for table in tables)
            row[f"instruction_level_{mode}"] = mean(100 * table.instruction_level(mode) for table in tables)
        row["tokens"] = mean(table.n_tokens.mean() for table in tables)
        flags = {f"{what}_percent": mean(100 * getattr(table, what).mean() for table in tables) for what in FLAGS}
        others = mean(100 * some.mean() for some in map(_of_others, tables) if some.size)
        rows.append(row | flags | {"not_repetitive_prompt_level_strict": others})
    return rows


def _of_others(table: Table) -> np.ndarray:
    """Of each response that is not repetitive, whether it meets all constraints of its prompt, strictly."""
    return np.array([verdicts.all(axis=1) for verdicts in table.strict])[~table.repetitive]


def repetition(study: Study, name: str) -> list[Row]:
    """The base, then each arm, greedy: the share of responses that are repetitive, the accuracy over all responses, and
    that over the responses that are not; prompt-level, strict, in percent, means over replicates."""
    columns = {"repetitive": "repetitive_percent", "accuracy": "prompt_level_strict"}
    columns |= {"accuracy_of_others": "not_repetitive_prompt_level_strict"}
    rows = accuracies(study, name)
    return [{"arm": row["arm"]} | {short: row[column] for short, column in columns.items()} for row in rows]


def log_odds(study: Study, name: str) -> list[Row]:
    """Gains over the base in log-odds, beside those in points; of the arms with a run."""
    base, confidence = base_scores(study), study.params.confidence
    found = {arm: scores(study, name, arm) for arm in _arms(study, name)}
    found = {arm: statistics.log_odds(of, base, confidence=confidence) for arm, of in found.items() if of is not None}
    return [{"label": str(arm), "group": "log-odds over the base", **one.to_dict()} for arm, one in found.items()]


def by_level(study: Study, name: str, level: str = "difficulty") -> list[Row]:
    """Gains over the base on the test prompts of each level: "difficulty" or "n_constraints"."""
    of_prompt, rows = np.array([prompt[level] for prompt in study.prompts("test")]), []
    for arm in _arms(study, name):
        data = points(study, name, arm)
        for value in LEVELS[level] if data.shape[1] == len(of_prompt) else ():
            if (here := of_prompt == value).any():
                more = {"train": arm.difficulty, "arm": str(arm), "evaluated": str(value)}
                rows.append(effect_row(study, f"{arm} on {value}", str(arm), data[:, here], **more))
    return rows


def per_constraint(study: Study, name: str, *, key: str = GREEDY, ids: Sequence[str] = ()) -> list[Row]:
    """What each arm changes on each constraint id, over the prompts that ask for it."""
    asked = [ids_of(prompt) for prompt in study.prompts(_split(key))]
    base, rows = study.base(_split(key)), []
    for id in sorted(ids or {one for some in asked for one in some}):
        before, where = base.of_id(asked, id, "strict")
        for arm in _arms(study, name) if len(where) else ():
            tables = study.tables(name, arm, key=key)
            after = [table.of_id(asked, id, "strict")[0] if table else np.full(len(where), np.nan) for table in tables]
            data = statistics.differences(np.array(after), before)
            rows.append(effect_row(study, id, "constraint", data, arm=str(arm)))
    return rows


def by_configuration(study: Study, name: str) -> tuple[list[Row], list[Row]]:
    """Gains by configuration: of every run, with whether it diverged; and the mean of each with its interval."""
    runs, means = [], []
    for arm, at in product(_arms(study, name), study.configurations(name) if _arms(study, name) else ()):
        row = {"arm": str(arm), "configuration": str(at), "learning_rate": at.learning_rate}
        data = points(study, name, arm, at=at)
        means.append(effect_row(study, str(arm), "gain", data, **row))
        for replicate in study.replicates_of(name):
            record = study.record(name, arm, replicate, at)
            if record and record["tables"]:
                diverged = record["training"]["state"] == "diverged"
                runs.append(row | {"replicate": replicate, "gain": float(data[replicate].mean()), "diverged": diverged})
    return runs, means


def failures(study: Study, name: str) -> list[Row]:
    """Runs that diverged or had too few pairs, by arm, with the exact interval of the share that diverged."""
    rows = []
    for arm in _arms(study, name):
        runs = product(study.replicates_of(name), study.configurations(name))
        records = [study.record(name, arm, replicate, at) for replicate, at in runs]
        states = Counter(record["training"]["state"] if record else "missing" for record in records)
        no_pairs, missing = states["no pairs"] + states["too few pairs"], states["missing"]
        n = states.total() - no_pairs - missing
        share = statistics.exact_share(states["diverged"], n, confidence=study.params.confidence)
        rows.append({"arm": str(arm), **share.to_dict(), "no_pairs": no_pairs, "missing": missing})
    return rows


def decoding(study: Study, name: str) -> list[Row]:
    """Each arm greedy, at temperature 1, and there over the base as it is and over the entropy-matched base."""
    rows = []
    for arm in _arms(study, name):
        sampled = scores(study, name, arm, key=SAMPLED)
        temperatures = matched_temperatures(study, name, arm)
        matched = _stacked([None if t is None else base_scores(study, temperature=t) for t in temperatures])
        if sampled is not None and matched is not None:
            at = {"arm": str(arm), "temperature": mean(t for t in temperatures if t is not None)}
            plain, sharp = (statistics.differences(sampled, b) for b in (base_scores(study, temperature=1.0), matched))
            rows.append(effect_row(study, str(arm), "greedy − base greedy", points(study, name, arm), **at))
            rows.append(effect_row(study, str(arm), "T = 1 − base T = 1", plain, **at))
            rows.append(effect_row(study, str(arm), EQUAL_ENTROPY, sharp, **at))
    return rows


def matched_temperatures(study: Study, name: str, arm: Arm) -> list[float | None]:
    """Of each replicate, the temperature at which the base is as sharp as its policy; None where that was not asked."""
    records = [study.record(name, arm, replicate) for replicate in study.replicates]
    return [record["matched"]["temperature"] if record and "matched" in record else None for record in records]


def sampled_accuracies(study: Study, name: str) -> list[Row]:
    """Per arm: accuracy at temperature 1, KL from the base and entropy, means over replicates."""
    rows = []
    for arm, tables in tables_of_arms(study, name, SAMPLED).items():
        if tables and arm != "base":
            row: Row = {"arm": arm, "sampled_percent": mean(100 * table.prompt_level().mean() for table in tables)}
            row["kl_nats_per_response"] = mean(table.kl.mean() for table in tables)
            rows.append(row | {"entropy_nats_per_token": mean(table.entropy.mean() for table in tables)})
    return rows


def planned_minimum_detectable_effect(study: Study) -> float:
    """Of any difference of two arms, in points, before training: by the prototype's components (`PILOT`)."""
    sizes, confidence = (study.params.n_replicates, study.params.n_test_prompts), study.params.confidence
    return statistics.minimum_detectable_effect(PILOT.standard_error(*sizes), min(sizes) - 1, confidence=confidence)


def minimum_detectable_effects(study: Study, name: str, pairs: Pairs) -> list[Row]:
    """In points, at 80 % power: before training, then as each of `contrasts` came out."""
    found, confidence = {"any, before training": planned_minimum_detectable_effect(study)}, study.params.confidence
    for label, data in _differences(study, name, pairs):
        after = effect(study, data)
        error, df = after.standard_error, after.degrees_of_freedom
        found[f"{label}, as it came out"] = statistics.minimum_detectable_effect(error, df, confidence=confidence)
    return [{"contrast": label, "points": None if np.isnan(one) else round(one, 2)} for label, one in found.items()]
