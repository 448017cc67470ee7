"""A training that was killed, its last checkpoint damaged: the policy must be that of a run that was never killed."""

from __future__ import annotations

import contextlib
import random
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from damages import DAMAGES
from tiny_models import ASSISTANT, BOS, EOS, USER, save_base

from tests.torture import SEED, Row, spread
from tests.torture.guard import guarded

LIMIT_S = 120.0
PART = "checkpoints"
FILES = ("adapter/adapter_model.safetensors", "adapter/adapter_config.json", "log.jsonl", "training.json")
KILLED_AT = 7
"""The step; checkpoints of 3 and 6 are there."""


class Killed(Exception):
    pass


def run(most: int | None = None) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_base(folder / "base")
        guarded(train, folder, "whole", 0, limit_s=LIMIT_S)
        expected = _policy(folder / "whole")
        killed = guarded(train, folder, "killed", KILLED_AT, limit_s=LIMIT_S)
        there = sorted(path.name for path in (folder / "killed.checkpoints").glob("checkpoint-*"))
        if len(expected) != len(FILES) or there != ["checkpoint-3", "checkpoint-6"]:
            yield Row(PART, "a training, killed", "", [f"{there} are there: {killed.error} {killed.said[-500:]}"])
            return
        for case in spread(list(DAMAGES), most):
            shutil.copytree(folder / "killed.checkpoints", folder / f"{case}.checkpoints")
            DAMAGES[case](folder / f"{case}.checkpoints" / "checkpoint-6")
            ended = guarded(train, folder, case, 0, limit_s=LIMIT_S)
            found = _policy(folder / case)
            wrong = [f"{name} has other bytes" for name in FILES if found.get(name) != expected[name]]
            wrong += [] if "checkpoint-6" in ended.said else ["it is dropped without a word"]
            yield Row(PART, case, "same policy", ended.wrong + wrong, ended.seconds)


def train(folder: Path, name: str, killed_at: int) -> None:
    """A policy in `<folder>/<name>`, from the checkpoints that are there; or a training that ends at a step."""
    from transformers import TrainerCallback

    from ifpref.models import load_model
    from ifpref.pipeline.model import fixed_threads
    from ifpref.store import Artefact, Store
    from ifpref.training import make_policy, read_reference, trainer, write_reference

    class Kill(TrainerCallback):
        def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            if state.global_step == killed_at:
                raise Killed

    base, pairs, settings = load_model(str(folder / "base")), make_pairs(6), settings_of()
    kept = Store(folder / "store").get(
        Artefact("reference"), lambda writer: write_reference(writer, base, pairs, settings.bf16)
    )
    real = trainer.train
    options = {"seed": 0, "checkpoints_folder": folder / f"{name}.checkpoints"}

    def make(writer: Any) -> None:
        make_policy(writer, base, pairs, read_reference(kept), settings, **options)

    killing = patch.object(trainer, "train", lambda *a, **k: real(*a, **k, callbacks=[Kill()]))
    with fixed_threads(), killing, contextlib.suppress(Killed):
        made = Store(folder / f"{name}.store").get(Artefact("policy"), make)
        shutil.copytree(made.folder, folder / name)


def settings_of() -> Any:
    """8 steps, a checkpoint after each third; dropout draws numbers, so that the random state matters."""
    from ifpref.params import load_params
    from ifpref.training import TrainingSettings

    sizes = {"max_length": 64, "per_device_train_batch_size": 2, "gradient_accumulation_steps": 2, "warmup_steps": 0.0}
    settings = TrainingSettings.from_params(load_params("smoke"), learning_rate=1e-2, **sizes)
    return replace(settings, num_train_epochs=5.0, lora_dropout=0.2, save_steps=3)


def make_pairs(n: int) -> list[dict[str, Any]]:
    draw = random.Random(SEED)

    def ids(low: int, high: int) -> list[int]:
        return [draw.randrange(10, 270) for _ in range(draw.randrange(low, high))]

    return [
        {
            "pair_id": f"p{number}",
            "prompt_ids": [BOS, USER, *ids(3, 9), ASSISTANT],
            "chosen_ids": [*ids(4, 12), EOS],
            "rejected_ids": [*ids(4, 12), EOS],
            "chosen_finish": "stop",
            "rejected_finish": "stop",
        }
        for number in range(n)
    ]


def _policy(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES if (folder / name).is_file()}
