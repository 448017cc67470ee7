"""Benchmark: tree search against rejection sampling on pocket, the same prompts, the same number of responses.

The goals at 64 trees and more: the search takes at most 1.2 times the wall time of rejection sampling, samples fewer
tokens, and makes one sampling call per round. Each arm is run in turn, `repeats` times, and its fastest run counts.
A worker of a study computes in one thread, beside as many workers as there are cores, and so does the benchmark; all
threads for one process are measured beside it. A search asks for smaller batches, which more threads help less.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ifpref.curation import SearchSettings, grow, respond, tree
from ifpref.params import load_params
from ifpref.sampling import Engine, Settings

ARMS = ("rs", "mcts", "rs_branched")


def run(
    n_prompts: int = 128, forest: int = 64, repeats: int = 3, model: str = "pocket", profile: str = "pocket"
) -> dict:
    """Wall time, where it goes, sampled tokens and calls of each arm; `forest` prompts are sampled for together."""
    import torch

    from ifpref.models import load_model
    from ifpref.prompts.build import build, to_rows
    from ifpref.sampling import TransformersEngine

    params = load_params(profile)
    prompts = list(to_rows(build({"train": n_prompts}, seed=1, domain=params.domain, workers=1).prompts))
    engine = TransformersEngine(load_model(model))
    all_threads, found = torch.get_num_threads(), {}
    try:
        for threads in sorted({1, all_threads}):
            torch.set_num_threads(threads)
            found[threads] = compare(engine, prompts, Settings(), params, forest=forest, repeats=repeats)
    finally:
        torch.set_num_threads(all_threads)
    ratios = {f"with {threads} threads": one["mcts_seconds_over_rs"] for threads, one in found.items() if threads > 1}
    return found[1] | {"threads": 1, "mcts_seconds_over_rs_otherwise": ratios}


def compare(
    engine: Engine, prompts: Sequence[Mapping[str, Any]], sampling: Settings, params: Any, *, forest: int, repeats: int
) -> dict:
    """The arms side by side on any engine."""
    shards = [prompts[start : start + forest] for start in range(0, len(prompts), forest)]
    runs: dict[str, list[dict]] = {arm: [] for arm in ARMS}
    respond(shards[0][:4], engine, sampling, 1)  # what is loaded or cached on first use is not counted
    for _ in range(repeats):
        for arm in ARMS:
            runs[arm].append(_timed(engine, _maker(arm, engine, sampling, params), shards))
    best = {arm: min(runs[arm], key=lambda one: one["seconds"]) for arm in ARMS}
    rounds = {"rs": len(shards), **dict.fromkeys(ARMS[1:], len(shards) * params.n_responses)}
    for arm in ARMS:
        best[arm]["calls_per_round"] = best[arm]["calls"] / rounds[arm]
        best[arm]["seconds_of_all_runs"] = [one["seconds"] for one in runs[arm]]
    return {
        "prompts": len(prompts),
        "forest": forest,
        "responses_per_prompt": params.n_responses,
        **best,
        "mcts_seconds_over_rs": round(best["mcts"]["seconds"] / best["rs"]["seconds"], 3),
        "mcts_tokens_over_rs": round(best["mcts"]["sampled_tokens"] / best["rs"]["sampled_tokens"], 3),
        "goal": "mcts_seconds_over_rs <= 1.2, mcts_tokens_over_rs < 1, calls_per_round 1",
    }


def _maker(arm: str, engine: Engine, sampling: Settings, params: Any) -> Callable[[Sequence[Mapping]], list[dict]]:
    if arm == "rs":
        return lambda shard: respond(shard, engine, sampling, params.n_responses)
    settings = SearchSettings.from_params(params, arm)
    return lambda shard: grow(shard, engine, sampling, settings)


def _timed(engine: Engine, make: Callable, shards: Sequence[Sequence[Mapping]]) -> dict:
    """One run of one arm; `sampling_seconds` are those spent in the engine, the rest is trees and verification."""
    spent, sample = [0.0], engine.sample

    def sample_timed(requests, settings):
        begin = time.perf_counter()
        try:
            return sample(requests, settings)
        finally:
            spent[0] += time.perf_counter() - begin

    calls, tokens, start = engine.calls, engine.sampled_tokens, time.perf_counter()
    engine.sample = sample_timed
    try:
        rows = [row for shard in shards for row in make(shard)]
    finally:
        del engine.sample
    seconds = time.perf_counter() - start
    return {
        "seconds": round(seconds, 2),
        "sampling_seconds": round(spent[0], 2),
        "calls": engine.calls - calls,
        "sampled_tokens": engine.sampled_tokens - tokens,
        "tokens_per_second": round((engine.sampled_tokens - tokens) / seconds),
        **{name: round(value, 3) for name, value in (searched if "nodes" in rows[0] else sampled)(rows).items()},
    }


def sampled(rows: list[dict]) -> dict[str, float]:
    """Responses of rejection sampling: `repeated` are equal, by token ids, to an earlier one of their prompt."""
    distinct = {(row["prompt_id"], tuple(row["token_ids"])) for row in rows}
    return {"repeated": len(rows) - len(distinct), "mean_score": sum(row["score"] for row in rows) / len(rows)}


def searched(rows: list[dict]) -> dict[str, float]:
    """What a search did, over all trees.

    response_tokens  of all responses from their prompt on: what they would have cost without sharing
    merged           sampled segments that were there already; repeated: responses that were
    closed           inner nodes with nothing left to search at or below them
    mean_depth       of leaves, in segments; branched: responses that were sampled from a node below the root
    """
    responses = sum(len(row["leaves"]) for row in rows)
    leaves = [node for row in rows for node in row["nodes"] if node["verdicts"] is not None]
    return {
        "repeated": responses - len(leaves),
        "branched": sum(origin != tree.ROOT for row in rows for origin in row["origins"]),
        "response_tokens": sum(node["visits"] * len(node["token_ids"]) for row in rows for node in row["nodes"]),
        "merged": sum(row["merged"] for row in rows),
        "nodes": sum(len(row["nodes"]) for row in rows),
        "closed": sum(row["closed"] for row in rows),
        "mean_depth": sum(leaf["depth"] * leaf["visits"] for leaf in leaves) / responses,
        "mean_score": sum(leaf["value"] * leaf["visits"] for leaf in leaves) / responses,
    }
