"""The study cut small and timed: what `estimate` scales up.

    rates = measure(load_params("pocket"), "cpu", say=print)
    rates.of["response"]          # Cost(seconds=0.004, tokens=61.3, bytes=88.0) of one response of rejection sampling

A first handful of responses says how fast the model is here; of what takes longest then as many are made as fit into
`SAMPLE_S` seconds, for a forest or a batch that is too small is slower than the real one. All goes through `Pipeline`,
in a store that is thrown away, so nothing is timed that the study would do otherwise; units are those of `Stage.work`.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ifpref.curation.pairs import Arm
from ifpref.design import COMPARISONS, chosen
from ifpref.params import Params
from ifpref.pipeline.model import fixed_threads
from ifpref.pipeline.pairs import PairTables, n_prompts_of, pairs_of, rows_by_arm
from ifpref.pipeline.pipeline import Pipeline
from ifpref.pipeline.policies import (
    Evaluation,
    EvaluationSettings,
    Policy,
    Reference,
    ReferenceSettings,
    policy_settings,
)
from ifpref.pipeline.samples import Prompts, Responses
from ifpref.pipeline.schedule import Schedule
from ifpref.pipeline.stage import seed_of
from ifpref.store import Handle, Store
from ifpref.training import TrainingSettings
from ifpref.training.algorithms import find_algorithm

SAMPLE_S = 20.0
"""Seconds that each kind of sampling is timed for, about."""
FIRST, LEAST = 8, 24
"""Prompts of the first look, and the fewest of the real one."""
STEPS, LEAST_STEPS, MICRO_STEPS = 10, 2, 2
"""Training steps that are timed beside the first one: the most, and the fewest, where a step takes long; and the most
micro-batches in each."""


@dataclass(frozen=True)
class Cost:
    """Seconds of one worker, tokens sampled or trained on, bytes written."""

    seconds: float = 0.0
    tokens: float = 0.0
    bytes: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.seconds + other.seconds, self.tokens + other.tokens, self.bytes + other.bytes)

    def __mul__(self, count: float) -> Cost:
        return Cost(self.seconds * count, self.tokens * count, self.bytes * count)


@dataclass(frozen=True)
class Rates:
    """What things cost here.

    of          unit (stage.py: `Stage.work`) -> its cost
    found       pairs that a prompt gave, by comparison and arm
    """

    of: Mapping[str, Cost]
    found: Mapping[tuple[str, Arm], float]

    def n_pairs(self, name: str, arm: Arm, p: Params) -> int:
        """Pairs to expect of all prompts that the comparison draws from."""
        n = round(self.found[name, arm] * n_prompts_of(COMPARISONS[name], p))
        return n if p.n_pairs is None else min(n, p.n_pairs)


def measure(params: Params, device: str, *, say: Callable[[str], None]) -> Rates:
    """Time a small sample of each stage; a minute or two on `pocket`. ValueError where it cannot be made: no model, no
    pair, or no memory for one response or one pair at a time."""
    with tempfile.TemporaryDirectory(prefix="ifpref-estimate-") as folder, fixed_threads():
        say(f"estimate: loading {params.model}, timing a first look")
        pipeline = _cut(params, Store(Path(folder)), device)
        say(f"estimate: sampling for {pipeline.params.n_train_prompts} prompts")
        of, found = _sampled(pipeline)
        say("estimate: training and evaluating")
        of_training, policy = _trained(pipeline, max(found.values(), key=len))
        of |= of_training | _evaluated(pipeline, policy)
    prompts = {name: n_prompts_of(COMPARISONS[name], pipeline.params) for name, _ in found}
    # where the sample had none, half a pair is taken to have been there
    return Rates(of, {key: max(len(pairs), 0.5) / prompts[key[0]] for key, pairs in found.items()})


def _cut(params: Params, store: Store, device: str) -> Pipeline:
    """The study, cut to one replicate, and to as many prompts as can be sampled for in `SAMPLE_S` seconds."""
    one = params.replace(n_replicates=1, n_series_replicates=None, n_train_prompts=min(FIRST, params.n_train_prompts))
    look = Pipeline(one, store, device)
    look.model.loaded, look.get(Prompts(0))
    seconds = _cost(look.get(Responses(0))).seconds / (one.n_train_prompts * one.n_responses)  # of one response
    fits = {"n_train_prompts": SAMPLE_S / seconds / one.n_responses}
    fits |= dict.fromkeys(("n_test_prompts", "n_dev_prompts"), SAMPLE_S / seconds)
    most = {name: min(getattr(params, name), params.shard_prompts) for name in fits}
    sizes = {name: min(max(int(fits[name]), LEAST), most[name]) for name in fits}
    pools = {
        name: min(getattr(params, name), sizes["n_train_prompts"]) for name in ("n_cell_prompts", "n_size_prompts")
    }
    pipeline = Pipeline(one.replace(n_transfer_prompts=0, **sizes, **pools), store, device)
    pipeline.model = look.model  # loaded once
    return pipeline


def _sampled(pipeline: Pipeline) -> tuple[dict[str, Cost], dict[tuple[str, Arm], list[dict[str, Any]]]]:
    """What each unit costs, up to pairs; and the pairs."""
    comparisons, spent, counts = chosen(pipeline.params), defaultdict(Cost), defaultdict(float)
    tables = [PairTables(one.name, 0) for one in comparisons]
    for task in Schedule(pipeline, tables).needs:  # each after what it needs
        [(unit, count)] = task.work(pipeline.params, lambda *arm: 0).items()
        spent[unit] += _cost(pipeline.get(task))
        counts[unit] += count
    found = {
        (one.name, arm): rows
        for one in comparisons
        for arm, rows in rows_by_arm(pipeline.get(pairs_of(one.name, 0)), one.arms).items()
    }
    return {unit: cost * (1 / counts[unit]) for unit, cost in spent.items()}, found


def _trained(pipeline: Pipeline, pairs: list[dict[str, Any]]) -> tuple[dict[str, Cost], Handle]:
    """What training on the pairs of the largest arm costs: one step, then some more. And the policy."""
    if not pairs:
        n = pipeline.params.n_train_prompts
        raise ValueError(f"{n} prompts gave no pair to time training on; allowed: parameters that do")
    whole, cut = TrainingSettings.from_params(pipeline.params), cut_training(pipeline.params, MICRO_STEPS)
    algorithm = find_algorithm(whole.algorithm)
    algorithm.trainer()  # imported before anything is timed
    of_pairs = ReferenceSettings(policy_settings(pairs, whole).pairs, whole.bf16)
    reference = pipeline.nested(Reference, of_pairs, data=pairs)
    one = _cost(trained(pipeline, pairs, cut, 1))
    n_steps = min(max(int(SAMPLE_S / one.seconds), LEAST_STEPS), STEPS)
    more = _cost(policy := trained(pipeline, pairs, cut, 1 + n_steps))
    step = max(more.seconds - one.seconds, 0.0) / n_steps
    return {
        "training": Cost(max(one.seconds - step, 0.0), bytes=one.bytes),
        "step": Cost(step * whole.effective_batch_size / cut.effective_batch_size),
        "reference": _cost(reference) * (1 / len(pairs)),
        "trained pair": Cost(tokens=sum(map(algorithm.length, pairs)) / len(pairs)),
    }, policy


def _evaluated(pipeline: Pipeline, policy: Handle) -> dict[str, Cost]:
    """What a held-out prompt costs, of the base and of a policy."""
    of = {}
    for temperature, kind in ((0.0, "greedy"), (1.0, "sampled")):
        for unit, inputs in ((f"base {kind}", {}), (kind, {"policy": policy})):
            of[unit] = _cost(evaluated(pipeline, temperature, **inputs)) * (1 / pipeline.params.n_test_prompts)
    return of


def cut_training(p: Params, micro_steps: int) -> TrainingSettings:
    """The study's training, with at most so many micro-batches of each process in a step."""
    whole = TrainingSettings.from_params(p)
    accumulation = min(whole.gradient_accumulation_steps, micro_steps * p.training_processes)
    return replace(whole, gradient_accumulation_steps=accumulation)


def trained(pipeline: Pipeline, pairs: list[dict[str, Any]], settings: TrainingSettings, steps: int) -> Handle:
    """The policy of so many steps on these pairs."""
    settings = replace(settings, num_train_epochs=steps * settings.effective_batch_size / len(pairs))
    return pipeline.nested(Policy, policy_settings(pairs, settings), data=pairs, seed=0)


def evaluated(pipeline: Pipeline, temperature: float, **inputs: Handle) -> Handle:
    """The evaluation of the base on the test prompts, or of a `policy`."""
    p = pipeline.params
    inputs = {"prompts": pipeline.get(Prompts())} | inputs
    return pipeline.nested(
        Evaluation, EvaluationSettings.of(p, "test", temperature), inputs=inputs, seed=seed_of(p, None)
    )


def _cost(handle: Handle) -> Cost:
    """What an artefact has taken."""
    rows = (row for table in handle.tables for row in handle.iter_jsonl(table))
    tokens = sum(len(part.get("token_ids", ())) for row in rows for part in row.get("nodes", [row]))
    return Cost(handle.manifest["made"]["seconds"], tokens, sum(f["bytes"] for f in handle.manifest["files"].values()))
