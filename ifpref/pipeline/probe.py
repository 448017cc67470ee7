"""The study cut small and timed: what `estimate` scales up.

    rates = measure(load_params("pocket"), "cpu", say=print)
    rates.of["response"]          # Cost(seconds=0.004, tokens=61.3, bytes=88.0) of one response of rejection sampling

A first handful of responses says how fast the model is here; of what takes longest then as many are made as fit into
`SAMPLE_S` seconds, for a forest or a batch that is too small is slower than the real one. All goes through `Pipeline`,
in a store that is thrown away, so nothing is timed that the study would do otherwise; units are those of `Stage.work`.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ifpref.curation.pairs import Arm
from ifpref.design import COMPARISONS, chosen
from ifpref.models import BASE_FILE, ModelError
from ifpref.params import Params
from ifpref.pipeline.fitting import fit_training
from ifpref.pipeline.model import fixed_threads
from ifpref.pipeline.pairs import PairTables, n_prompts_of, pairs_of, rows_by_arm
from ifpref.pipeline.pipeline import Pipeline
from ifpref.pipeline.policies import Evaluation, EvaluationSettings, Reference, ReferenceSettings
from ifpref.pipeline.samples import Prompts, Responses
from ifpref.pipeline.schedule import Schedule
from ifpref.pipeline.stage import seed_of
from ifpref.store import Handle, Store
from ifpref.training import TrainingSettings, read_reference

SAMPLE_S = 20.0
"""Seconds that each kind of sampling is timed for, about."""
FIRST, LEAST = 8, 24
"""Prompts of the first look, and the fewest of the real one."""
STEPS, MICRO_STEPS = 6, 2
"""Training steps that are timed after the first one, and the most micro-batches in each."""


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
    """Time a small sample of each stage; a minute or two on `pocket`. `ModelError` where the model cannot be had, or
    does not fit into the GPU's memory."""
    import torch

    try:
        with tempfile.TemporaryDirectory(prefix="ifpref-estimate-") as folder, fixed_threads():
            say(f"estimate: loading {params.model}, timing a first look")
            pipeline = _cut(params, Store(Path(folder)), device)
            say(f"estimate: sampling for {pipeline.params.n_train_prompts} prompts")
            of, found = _sampled(pipeline)
            say("estimate: training and evaluating")
            of |= _trained(pipeline, max(found.values(), key=len), Path(folder) / "train", device)
            of |= _evaluated(pipeline, Path(folder) / "train")
    except torch.cuda.OutOfMemoryError as error:
        raise ModelError(
            f"out of GPU memory with {params.model!r}; what helps: a smaller max_length (now {params.max_length}), "
            f"dtype: bfloat16 (now {params.dtype}), a smaller model: {error}"
        ) from None
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


def _trained(pipeline: Pipeline, pairs: list[dict[str, Any]], folder: Path, device: str) -> dict[str, Cost]:
    """A few steps on the pairs of the largest arm, and their reference. One GPU takes them; where several train an
    arm, they are taken to share a step evenly."""
    from ifpref.training.algorithms import find_algorithm
    from ifpref.training.trainer import train

    model, p = pipeline.model, pipeline.params
    if not pairs:
        raise ValueError(f"{p.n_train_prompts} prompts gave no pair to time training on; allowed: parameters that do")
    whole = TrainingSettings.from_params(p)
    accumulation = min(whole.gradient_accumulation_steps, MICRO_STEPS)
    settings = replace(whole, gradient_accumulation_steps=accumulation)
    settings = replace(settings, num_train_epochs=(STEPS + 1) * settings.effective_batch_size / len(pairs))
    reference = pipeline.nested(Reference, ReferenceSettings("probe", settings.bf16), data=pairs)
    algorithm = find_algorithm(settings.algorithm)
    rows = algorithm.rows(pairs, read_reference(reference))
    folder.mkdir()

    def timed(fits: TrainingSettings) -> tuple[float, list[float]]:
        clock, started = _clock(), time.monotonic()
        train(model.loaded, rows, fits, seed=0, folder=folder, callbacks=[clock])
        return time.monotonic() - started, clock.seconds

    total, steps = fit_training(timed, model.loaded, settings, 1, model.fitting)
    sharing = p.training_processes if device.startswith("cuda") else 1
    step = sum(steps[1:]) / len(steps[1:]) * whole.gradient_accumulation_steps / accumulation / sharing
    (folder / "adapter" / BASE_FILE).write_text(json.dumps(model.loaded.identity), encoding="utf-8")
    size = sum(path.stat().st_size for path in (folder / "adapter").iterdir())
    return {
        "training": Cost(max(total - sum(steps), 0.0), bytes=size),
        "step": Cost(step),
        "reference": _cost(reference) * (1 / len(pairs)),
        "trained pair": Cost(tokens=sum(map(algorithm.length, rows)) / len(rows)),
    }


def _evaluated(pipeline: Pipeline, folder: Path) -> dict[str, Cost]:
    """What a held-out prompt costs, of the base and of the policy whose adapter lies in the folder."""
    p, prompts, of = pipeline.params, pipeline.get(Prompts()), {}
    for temperature, kind in ((0.0, "greedy"), (1.0, "sampled")):
        settings = EvaluationSettings.of(p, "test", temperature)
        for unit, policy in ((f"base {kind}", {}), (kind, {"policy": _Adapter(folder)})):
            made = pipeline.nested(Evaluation, settings, inputs={"prompts": prompts} | policy, seed=seed_of(p, None))
            of[unit] = _cost(made) * (1 / p.n_test_prompts)
    return of


@dataclass(frozen=True)
class _Adapter:
    """What an evaluation asks of a policy."""

    folder: Path
    key: str = "0" * 16

    def path(self, name: str) -> Path:
        return self.folder / name


def _clock() -> Any:
    """A callback that notes the seconds of each step."""
    from transformers import TrainerCallback

    class Clock(TrainerCallback):
        def __init__(self) -> None:
            self.seconds: list[float] = []

        def on_step_begin(self, *args: Any, **kwargs: Any) -> None:
            self.began = time.monotonic()

        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            self.seconds.append(time.monotonic() - self.began)

    return Clock()


def _cost(handle: Handle) -> Cost:
    """What an artefact has taken."""
    rows = (row for table in handle.tables for row in handle.iter_jsonl(table))
    tokens = sum(len(part.get("token_ids", ())) for row in rows for part in row.get("nodes", [row]))
    return Cost(handle.manifest["made"]["seconds"], tokens, sum(f["bytes"] for f in handle.manifest["files"].values()))
