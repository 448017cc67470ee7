"""The study cut small and timed: what `estimate` scales up.

    rates = measure(load_params("pocket"), "cpu", say=print)
    rates.of["response"]          # Cost(seconds=0.004, tokens=61.3, bytes=88.0) of one response of rejection sampling

A first handful of responses says how fast the model is here; of what takes longest then as many are made as fit into
`SAMPLE_S` seconds, for a forest or a batch that is too small is slower than the real one. All goes through `Pipeline`,
in a store that is thrown away, so nothing is timed that the study would do otherwise.
"""

from __future__ import annotations

import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ifpref.curation.pairs import CURATIONS, Arm
from ifpref.design import chosen
from ifpref.models import BASE_FILE, ModelError
from ifpref.params import Params
from ifpref.pipeline.fitting import fit_training
from ifpref.pipeline.model import fixed_threads
from ifpref.pipeline.pairs import PairTables, pairs_of, rows_by_arm
from ifpref.pipeline.pipeline import Pipeline
from ifpref.pipeline.policies import Evaluation, EvaluationSettings, Reference, ReferenceSettings
from ifpref.pipeline.samples import RESPONSES, TREES, Prompts, Responses, Trees
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

    of     unit (stage.py: `Stage.work`) -> its cost
    found  pairs that `n_prompts` prompts gave, by comparison and arm
    """

    of: Mapping[str, Cost]
    found: Mapping[tuple[str, Arm], int]
    n_prompts: int
    most_pairs: int | None
    seconds: float
    peak_bytes: int
    peak_of: str
    machine: str

    def n_pairs(self, name: str, arm: Arm, n_train: int) -> int:
        """Pairs to expect of so many prompts; where the sample had none, half a pair is taken to have been there."""
        n = round(max(self.found[name, arm], 0.5) * n_train / self.n_prompts)
        return n if self.most_pairs is None else min(n, self.most_pairs)


def measure(params: Params, device: str, *, say: Callable[[str], None]) -> Rates:
    """Time a small sample of each stage; a minute or two on `pocket`. `ModelError` where the model cannot be had, or
    does not fit into the GPU's memory."""
    import torch

    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="ifpref-estimate-") as folder, fixed_threads():
            probe = _Probe(params, Path(folder), device)
            say(f"estimate: {params.model} is loaded; timing a first look")
            return probe.rates(started, say)
    except torch.cuda.OutOfMemoryError as error:
        raise ModelError(
            f"out of GPU memory with {params.model!r}; what helps: a smaller max_length (now {params.max_length}), "
            f"dtype: bfloat16 (now {params.dtype}), a smaller model: {error}"
        ) from None


class _Probe:
    def __init__(self, params: Params, folder: Path, device: str) -> None:
        self.params, self.folder, self.device = params, folder, device
        store = Store(folder)
        small = params.replace(n_replicates=1, n_tuning_replicates=0)
        first = min(FIRST, params.n_train_prompts)
        look = Pipeline(small.replace(n_train_prompts=first), store, device)
        look.model.loaded  # noqa: B018 - loading is not timed
        seconds = look.get(Responses(0)).manifest["made"]["seconds"] / (first * params.n_responses)  # of one response
        most = min(params.n_train_prompts, params.shard_prompts)
        self.n = min(max(int(SAMPLE_S / (seconds * params.n_responses)), LEAST), most)
        held_out = min(max(int(SAMPLE_S / seconds), LEAST), params.shard_prompts)
        few = {name: min(held_out, getattr(params, name)) for name in ("n_test_prompts", "n_dev_prompts")}
        self.pipeline = Pipeline(small.replace(n_train_prompts=self.n, n_transfer_prompts=0, **few), store, device)
        self.pipeline.model = look.model  # the model once

    def rates(self, started: float, say: Callable[[str], None]) -> Rates:
        p, pipeline, n = self.params, self.pipeline, self.n
        comparisons = chosen(p)
        prompts = pipeline.get(Prompts(0))
        say(f"estimate: sampling for {n} prompts")
        of = {
            "prompt": Cost(prompts.manifest["made"]["seconds"] / n),
            "response": _each(pipeline.get(Responses(0)), n * p.n_responses, RESPONSES),
        }
        sources = {CURATIONS[arm.curation].source for one in comparisons for arm in one.arms} - {"rs"}
        for source in sorted(sources):
            of[f"tree {source}"] = _each(pipeline.get(Trees(source, 0)), n, TREES)
        by_arm = {}
        for one in comparisons:
            made = pipeline.get(pairs_of(one.name, 0))
            of[f"pairs {one.name}"] = _each(made, n)
            by_arm |= {(one.name, arm): rows for arm, rows in rows_by_arm(made, one.arms).items()}
        of["artefact"] = Cost(pipeline.get(PairTables(comparisons[0].name, 0)).manifest["made"]["seconds"])
        say("estimate: training and evaluating")
        of |= self.training(max(by_arm.values(), key=len))
        policy = _Adapter(self.folder / "train")
        for temperature, kind in ((0.0, "greedy"), (1.0, "sampled")) if p.sampled_comparisons else ((0.0, "greedy"),):
            of[f"base {kind}"], of[kind] = (self.evaluation(temperature, who) for who in (None, policy))
        peak, peak_of = _peak(self.device)
        return Rates(
            of=of,
            found={key: len(rows) for key, rows in by_arm.items()},
            n_prompts=n,
            most_pairs=p.n_pairs,
            seconds=time.monotonic() - started,
            peak_bytes=peak,
            peak_of=peak_of,
            machine=f"{platform.machine()}, {sys.platform}, {peak_of}",
        )

    def evaluation(self, temperature: float, policy: Any) -> Cost:
        """Of one held-out prompt, of the base or of a policy."""
        p = self.pipeline.params
        inputs = {"prompts": self.pipeline.get(Prompts())} | ({"policy": policy} if policy else {})
        settings = EvaluationSettings.of(p, "test", temperature)
        made = self.pipeline.nested(Evaluation, settings, inputs=inputs, seed=seed_of(p, None))
        return _each(made, p.n_test_prompts, "evaluation.jsonl")

    def training(self, pairs: list[Mapping[str, Any]]) -> dict[str, Cost]:
        """A few steps on the pairs of the largest arm, and their reference. One GPU takes them; where several train an
        arm, they are taken to share a step evenly."""
        from ifpref.training.algorithms import find_algorithm
        from ifpref.training.trainer import train

        if not pairs:
            raise ValueError(f"{self.n} prompts gave no pair to time training on; allowed: parameters that make pairs")
        model, whole = self.pipeline.model, TrainingSettings.from_params(self.params)
        accumulation = min(whole.gradient_accumulation_steps, MICRO_STEPS)
        batch = whole.per_device_train_batch_size * accumulation
        epochs = (STEPS + 1) * batch / len(pairs)
        settings = replace(whole, gradient_accumulation_steps=accumulation, num_train_epochs=epochs)
        reference = self.pipeline.nested(Reference, ReferenceSettings("probe", settings.bf16), data=pairs)
        algorithm = find_algorithm(settings.algorithm)
        folder, rows = self.folder / "train", algorithm.rows(pairs, read_reference(reference))
        folder.mkdir()

        def timed(fits: TrainingSettings) -> tuple[float, list[float]]:
            clock, started = _clock(), time.monotonic()
            train(model.loaded, rows, fits, seed=0, folder=folder, callbacks=[clock])
            return time.monotonic() - started, clock.seconds

        total, steps = fit_training(timed, model.loaded, settings, 1, model.fitting)
        sharing = self.params.training_processes if self.device.startswith("cuda") else 1
        (folder / "adapter" / BASE_FILE).write_text(json.dumps(model.loaded.identity), encoding="utf-8")
        step = sum(steps[1:]) / len(steps[1:]) * whole.gradient_accumulation_steps / accumulation / sharing
        size = sum(path.stat().st_size for path in (folder / "adapter").iterdir())
        return {
            "training": Cost(max(total - sum(steps), 0.0), bytes=size),
            "step": Cost(step),
            "reference": Cost(reference.manifest["made"]["seconds"] / len(pairs)),
            "pair token": Cost(tokens=sum(map(algorithm.length, rows)) / len(rows)),
        }


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


def _each(handle: Handle, n: int, *tables: str) -> Cost:
    """Of one of the n things that an artefact holds."""
    tokens = sum(_tokens(row) for table in tables for row in handle.iter_jsonl(table))
    size = sum(state["bytes"] for state in handle.manifest["files"].values())
    return Cost(handle.manifest["made"]["seconds"] / n, tokens / n, size / n)


def _tokens(row: Mapping[str, Any]) -> int:
    return sum(len(part["token_ids"]) for part in row["nodes"]) if "nodes" in row else len(row["token_ids"])


def _peak(device: str) -> tuple[int, str]:
    """Bytes, and of what."""
    if device.startswith("cuda"):
        import torch

        return torch.cuda.max_memory_allocated(device), torch.cuda.get_device_name(device)
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit, "memory"
