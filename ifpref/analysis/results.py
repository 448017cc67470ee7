"""Results: tables out of runs, as notebooks show them. Rows in percentage points, each with its interval.

    gains(study, "sharing")     # one row an arm: its gain over the base, with the interval over replicates x prompts
    {"label": "mcts/high/all", "group": "over the base", "estimate": 9.3, "low": 6.1, "high": 12.5, ...}

Everything is paired: base and policies answer the same held-out prompts on the same random streams, replicate by
replicate. A run that is missing is left out and counted (`missing`); one that diverged is scored from its last finite
adapter and counted too (`failures`).

Below everything: `points`, the (R, N) differences of an arm to another or to the base, and `effect_row`, their mean
with its interval. `**how` goes on to `points`: `key` (the held-out set and the decoding), `at` (a configuration),
`metric` (where none is named, the study's `primary_metric`), `mode`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from ifpref import statistics
from ifpref.curation.pairs import Arm, ids_of, require
from ifpref.design import COMPARISONS, Configuration
from ifpref.evaluation.table import Table
from ifpref.statistics import Effect
from ifpref.study import Study

GREEDY, SAMPLED = "test/greedy", "test/sampled"
PILOT = statistics.Components(replicate_sd=2.8, prompt_sd=12.0, interaction_sd=47.0)
"""Standard deviations of a difference of two arms, in points, from the prototype of this study."""
ENDS = ("truncated", "empty")
METRICS = {"prompt_level": "prompt_level", "clean": "clean", "score": "score", "instruction_level": "score"}
"""All constraints met; the same without side effects (evaluation/side_effects.py); the share of constraints met."""
MIDDLE_ONLY = (SAMPLED, "ifeval/greedy")
LEVELS = {"difficulty": ("easy", "moderate", "hard"), "n_constraints": (1, 2, 3, 4, 5, 6)}
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
    """(N,) fractions, means over samples: one of `METRICS`; or how often a response has a side
    effect: "unasked" (any feature), "repeated", "nearly_repeated", or one feature by its constraint id."""
    if metric in METRICS:
        return getattr(table, METRICS[metric])(mode)
    flags = table.any_unasked if metric == "unasked" else table.unasked.get(metric)
    return (getattr(table, metric) if flags is None else flags).mean(axis=1)


def over_configurations(
    study: Study,
    name: str,
    arm: Arm,
    read: Callable[[Table], np.ndarray],
    *,
    key: str = GREEDY,
    at: Configuration | None = None,
) -> Array | None:
    """(R, M) of what is read of an arm's tables, NaN throughout where a run is missing; None where all are.

    at  a configuration; None: the mean over all that the comparison runs at, and a replicate that misses one of them is
        missing. At temperature 1, and on IFEval, the middle rate alone is there
    """
    if not in_profile(study, [name]):
        return None
    every = (at,) if at else (study.middle(name),) if key in MIDDLE_ONLY else study.configurations(name)
    tables = (study.tables(name, arm, key=key, at=one) for one in every)
    found = [stacked([read(table) if table else None for table in some]) for some in tables]
    return None if any(one is None for one in found) else np.mean(found, axis=0)


def scores(
    study: Study, name: str, arm: Arm, key: str = GREEDY, at: Configuration | None = None, **how: str
) -> Array | None:
    """(R, N) fractions of an arm, as `over_configurations` gives them."""
    read = lambda table: measure(table, **_primary(study, how))  # noqa: E731
    return over_configurations(study, name, arm, read, key=key, at=at)


def base_scores(study: Study, split: str = "test", temperature: float = 0.0, **how: str) -> np.ndarray:
    """(N,) fractions of the base."""
    return measure(study.base(split, temperature), **_primary(study, how))


def _primary(study: Study, how: Mapping[str, str | None]) -> dict[str, str]:
    """What goes on to `measure`: where no metric is named, the study's."""
    return {**how, "metric": how.get("metric") or study.params.primary_metric}


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
    """The verdict tables that are there: of the base, then of each arm, of all replicates and configurations."""
    found = {"base": [study.base(_split(key))]}
    for arm in arms_of(study, name):
        every = (study.middle(name),) if key in MIDDLE_ONLY else study.configurations(name)
        found[str(arm)] = [table for at in every for table in study.tables(name, arm, key=key, at=at) if table]
    return found


def arms_of(study: Study, name: str) -> tuple[Arm, ...]:
    """Of a comparison; none where the profile does not run it."""
    return study.comparison(name).arms if in_profile(study, [name]) else ()


def _split(key: str) -> str:
    return key.partition("/")[0]


def _missing(study: Study, name: str) -> np.ndarray:
    replicates = study.replicates_of(name) if in_profile(study, [name]) else study.replicates
    return np.full((len(replicates), 1), np.nan)


def stacked(rows: Sequence[np.ndarray | None]) -> np.ndarray | None:
    """(R, N) out of R rows (N,), NaN throughout where one is missing; None where all are."""
    there = [row for row in rows if row is not None]
    return np.array([np.full(len(there[0]), np.nan) if row is None else row for row in rows]) if there else None


# ---- one comparison


def gains(study: Study, name: str, **how: Any) -> list[Row]:
    """Of each arm over the base."""
    data = {arm: points(study, name, arm, **how) for arm in arms_of(study, name)}
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
    found = {arm: statistics.halves(points(study, name, arm), confidence=confidence) for arm in arms_of(study, name)}
    return [{"label": f"{arm}: half − half", "group": "A/A", **one.to_dict()} for arm, one in found.items()]


def accuracies(study: Study, name: str, *, key: str = GREEDY) -> list[Row]:
    """The base, then each arm, means over replicates and configurations, in percent: the accuracies, clean accuracy,
    and how often a response has a side effect; and its length in tokens."""
    rows = []
    for label, tables in tables_of_arms(study, name, key).items():
        row: Row = {"arm": label, "runs": len(tables) if label != "base" else None}
        for mode in ("strict", "loose"):
            row[f"prompt_level_{mode}"] = mean(100 * table.prompt_level(mode).mean() for table in tables)
            row[f"instruction_level_{mode}"] = mean(100 * table.instruction_level(mode) for table in tables)
        for metric in ("clean", "unasked", "repeated", "nearly_repeated"):
            row[f"{metric}_percent"] = mean(100 * measure(table, metric).mean() for table in tables)
        row["tokens"] = mean(table.n_tokens.mean() for table in tables)
        ends = {f"{what}_percent": mean(100 * getattr(table, what).mean() for table in tables) for what in ENDS}
        rows.append(row | ends)
    return rows


def log_odds(study: Study, name: str) -> list[Row]:
    """Gains over the base in log-odds, beside those in points; of the arms with a run."""
    base, confidence = base_scores(study), study.params.confidence
    found = {arm: scores(study, name, arm) for arm in arms_of(study, name)}
    found = {arm: statistics.log_odds(of, base, confidence=confidence) for arm, of in found.items() if of is not None}
    return [{"label": str(arm), "group": "log-odds over the base", **one.to_dict()} for arm, one in found.items()]


def by_level(study: Study, name: str, level: str = "difficulty") -> list[Row]:
    """Gains over the base on the test prompts of each level: "difficulty" or "n_constraints"."""
    of_prompt, rows = np.array([prompt[level] for prompt in study.prompts("test")]), []
    for arm in arms_of(study, name):
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
        before, where = base.of_id(asked, id)
        for arm in arms_of(study, name) if len(where) else ():
            after = over_configurations(study, name, arm, lambda table, id=id: table.of_id(asked, id)[0], key=key)
            data = _missing(study, name) if after is None else statistics.differences(after, before)
            rows.append(effect_row(study, id, "constraint", data, arm=str(arm)))
    return rows


def failures(study: Study, name: str, *, or_below: bool = False) -> list[Row]:
    """Runs that diverged or had too few pairs, by arm, with the exact interval of the share that diverged, or, if asked
    for, diverged or ended below the base. (Runs of a replicate share prompts; the interval is of independent ones.)"""
    rows = []
    for arm in arms_of(study, name):
        states = Counter()
        for at in study.configurations(name):
            gains = points(study, name, arm, at=at).mean(axis=1)
            for replicate, gain in zip(study.replicates_of(name), gains, strict=True):
                record = study.record(name, arm, replicate, at)
                state = record["training"]["state"] if record else "missing"
                states["below the base" if or_below and state == "finished" and gain < 0 else state] += 1
        no_pairs, missing = states["no pairs"] + states["too few pairs"], states["missing"]
        diverged, below = states["diverged"], states["below the base"]
        n = states.total() - no_pairs - missing
        share = statistics.exact_share(diverged + below, n, confidence=study.params.confidence)
        counts = {"diverged": diverged, "below_the_base": below, "no_pairs": no_pairs, "missing": missing}
        rows.append({"arm": str(arm), **share.to_dict(), **counts})
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
