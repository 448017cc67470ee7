"""The study cut small and timed: what `estimate` scales up.

    rates = measure(load_params("pocket"), "cpu", one_thread=True, say=print)
    rates.response          # (seconds, tokens, bytes) of one response of rejection sampling

A first handful of responses says how fast the model is here; of what takes longest then as many are made as fit into
`SAMPLE_S` seconds, for a forest or a batch that is too small is slower than the real one. All goes through `Runs`, in a
store that is thrown away, so nothing is timed that the study would do otherwise.
"""

from __future__ import annotations

import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ifpref.curation.pairs import CURATIONS, Arm
from ifpref.design import chosen
from ifpref.evaluation.temperature import TEMPERATURES
from ifpref.models import BASE_FILE, ModelError
from ifpref.params import Params
from ifpref.pipeline.fitting import fit_training
from ifpref.pipeline.runs import HELD_OUT_TASK, Runs
from ifpref.pipeline.stages import Task
from ifpref.store import Handle, Store
from ifpref.training import TrainingSettings, reference_log_probs

SAMPLE_S = 20.0
"""Seconds that each kind of sampling is timed for, about."""
FIRST, LEAST = 8, 24
"""Prompts of the first look, and the fewest of the real one."""
STEPS, MICRO_STEPS = 6, 2
"""Training steps that are timed after the first one, and the most micro-batches in each."""
Unit = tuple[float, float, float]
"""Of one response, tree or prompt: seconds, tokens, bytes."""
NOTHING: Unit = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Rates:
    """What things cost here. `response` and `tree` are of one response and one tree, `pairs` of one prompt of each
    comparison; `base_greedy`, `base_sampled`, `greedy`, `sampled` of one held-out prompt, of the base and of a policy;
    `entropies` of one dev prompt.

    found   pairs that `n_prompts` prompts gave, by comparison and arm
    """

    prompt_s: float
    response: Unit
    tree: Mapping[str, Unit]
    pairs: Mapping[str, Unit]
    base_greedy: Unit
    base_sampled: Unit
    greedy: Unit
    sampled: Unit
    setup_s: float
    step_s: float
    reference_s: float
    pair_tokens: float
    adapter_bytes: int
    overhead_s: float
    found: Mapping[tuple[str, Arm], int]
    n_prompts: int
    most_pairs: int | None
    seconds: float
    peak_bytes: int
    peak_of: str
    machine: str

    @property
    def entropies(self) -> Unit:
        seconds, tokens, _ = self.base_sampled
        return seconds * len(TEMPERATURES), tokens * len(TEMPERATURES), 0.0

    def n_pairs(self, name: str, arm: Arm, n_train: int) -> int:
        """Pairs to expect of so many prompts; where the sample had none, half a pair is taken to have been there."""
        n = round(max(self.found[name, arm], 0.5) * n_train / self.n_prompts)
        return n if self.most_pairs is None else min(n, self.most_pairs)


def measure(params: Params, device: str, *, one_thread: bool, say: Callable[[str], None]) -> Rates:
    """Time a small sample of each stage; a minute or two on `pocket`. `ModelError` where the model cannot be had, or
    does not fit into the GPU's memory."""
    import torch

    started, threads = time.monotonic(), torch.get_num_threads()
    torch.set_num_threads(1 if one_thread else threads)
    try:
        with tempfile.TemporaryDirectory(prefix="ifpref-estimate-") as folder:
            probe = _Probe(params, Path(folder), device)
            say(f"estimate: {params.model} is loaded; timing a first look")
            return probe.rates(started, say)
    except torch.cuda.OutOfMemoryError as error:
        raise ModelError(
            f"out of GPU memory with {params.model!r}; what helps: a smaller max_length (now {params.max_length}), "
            f"dtype: bfloat16 (now {params.dtype}), a smaller model: {error}"
        ) from None
    finally:
        torch.set_num_threads(threads)


class _Probe:
    def __init__(self, params: Params, folder: Path, device: str) -> None:
        self.params, self.folder, self.device = params, folder, device
        self.store = Store(folder)
        small = params.replace(n_replicates=1, n_tuning_replicates=0)
        first = min(FIRST, params.n_train_prompts)
        self.runs = Runs(small.replace(n_train_prompts=first), self.store, device)
        self.loaded = self.runs.loaded
        handle = self.runs.get(Task("responses", (0,)))
        self.guess = handle.manifest["made"]["seconds"] / (first * params.n_responses)  # of one response
        most = min(params.n_train_prompts, params.shard_prompts)
        self.n = min(max(int(SAMPLE_S / (self.guess * params.n_responses)), LEAST), most)
        held_out = min(max(int(SAMPLE_S / self.guess), LEAST), params.shard_prompts)
        few = {name: min(held_out, getattr(params, name)) for name in ("n_test_prompts", "n_dev_prompts")}
        self.runs = Runs(small.replace(n_train_prompts=self.n, n_transfer_prompts=0, **few), self.store, device)
        self.runs.__dict__["loaded"] = self.loaded  # the model once

    def rates(self, started: float, say: Callable[[str], None]) -> Rates:
        p, runs = self.params, self.runs
        comparisons = chosen(p)
        curations = {arm.curation for one in comparisons for arm in one.arms}
        prompts = runs.get(Task("train_prompts", (0,)))
        say(f"estimate: sampling for {self.n} prompts")
        responses = runs.get(Task("responses", (0,)))
        sources = sorted({CURATIONS[curation].source for curation in curations} - {"rs"})
        trees = {source: runs.get(Task("trees", (source, 0))) for source in sources}
        made = {one.name: runs.get(Task("pairs", (one.name, 0))) for one in comparisons}
        tables = runs.get(Task("pair_tables", (comparisons[0].name, 0)))
        by_arm = {(one.name, arm): rows for one in comparisons for arm, rows in runs.pairs_of(one.name, 0).items()}
        say("estimate: training and evaluating")
        training = self.training(max(by_arm.values(), key=len))
        runs.get(HELD_OUT_TASK)
        policy = _Adapter(self.folder / "train")
        evaluated = {}
        for temperature in (0.0, 1.0) if p.sampled_comparisons else (0.0,):
            for who in (None, policy):
                evaluated[temperature, who is None] = _unit(
                    runs.evaluate("test", temperature, who), runs.params.n_test_prompts, ("evaluation.jsonl",)
                )
        peak, of = _peak(self.device)
        return Rates(
            prompt_s=prompts.manifest["made"]["seconds"] / self.n,
            response=_unit(responses, self.n * p.n_responses, ("responses.jsonl.gz",)),
            tree={source: _unit(tree, self.n, ("trees.jsonl.gz",)) for source, tree in trees.items()},
            pairs={name: _unit(handle, self.n, ()) for name, handle in made.items()},
            base_greedy=evaluated[0.0, True],
            greedy=evaluated[0.0, False],
            base_sampled=evaluated.get((1.0, True), NOTHING),
            sampled=evaluated.get((1.0, False), NOTHING),
            **training,
            overhead_s=tables.manifest["made"]["seconds"],
            found={key: len(rows) for key, rows in by_arm.items()},
            n_prompts=self.n,
            most_pairs=p.n_pairs,
            seconds=time.monotonic() - started,
            peak_bytes=peak,
            peak_of=of,
            machine=f"{platform.machine()}, {sys.platform}, {of}",
        )

    def training(self, pairs: list[Mapping[str, Any]]) -> dict[str, Any]:
        """A few steps on the pairs of the largest arm, and their reference. One GPU takes them; where several train an
        arm, they are taken to share a step evenly."""
        from ifpref.training.policy import training_rows
        from ifpref.training.trainer import row_length, train

        if not pairs:
            raise ValueError(f"{self.n} prompts gave no pair to time training on; allowed: parameters that make pairs")
        whole = self.runs.training(None)
        accumulation = min(whole.gradient_accumulation_steps, MICRO_STEPS)
        batch = whole.per_device_train_batch_size * accumulation
        epochs = (STEPS + 1) * batch / len(pairs)
        settings = replace(whole, gradient_accumulation_steps=accumulation, num_train_epochs=epochs)
        reference = reference_log_probs(self.store, self.loaded, pairs, bf16=settings.bf16)
        folder, rows = self.folder / "train", training_rows(pairs, reference)
        folder.mkdir()

        def timed(fits: TrainingSettings) -> tuple[float, list[float]]:
            clock, started = _clock(), time.monotonic()
            train(self.loaded, rows, fits, seed=0, folder=folder, callbacks=[clock])
            return time.monotonic() - started, clock.seconds

        total, steps = fit_training(timed, self.loaded, settings, 1, self.runs.fitting)
        sharing = self.params.training_processes if self.device.startswith("cuda") else 1
        (folder / "adapter" / BASE_FILE).write_text(json.dumps(self.loaded.identity), encoding="utf-8")
        return {
            "setup_s": max(total - sum(steps), 0.0),
            "step_s": sum(steps[1:]) / len(steps[1:]) * whole.gradient_accumulation_steps / accumulation / sharing,
            "reference_s": reference.manifest["made"]["seconds"] / len(pairs),
            "pair_tokens": sum(map(row_length, pairs)) / len(pairs),
            "adapter_bytes": sum(path.stat().st_size for path in (folder / "adapter").iterdir()),
        }


@dataclass(frozen=True)
class _Adapter:
    """What `Runs.evaluate` asks of a policy."""

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


def _unit(handle: Handle, n: int, tables: Iterable[str]) -> Unit:
    """Seconds, tokens and bytes of one of the n things that an artefact holds."""
    tokens = sum(_tokens(row) for table in tables for row in handle.iter_jsonl(table))
    size = sum(state["bytes"] for state in handle.manifest["files"].values())
    return handle.manifest["made"]["seconds"] / n, tokens / n, size / n


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
