"""What is looked at before hours are spent: the GPUs, the model, the GPU's memory, room on the disk.

    check(runs, schedule.needs, n_gpus=1, say=print)       # ModelError, StoreError or ValueError; warnings are said

Each look takes seconds and loads no weights. What is there already is not looked at: a study that is only read asks
for neither GPU nor network.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from ifpref.models import ModelError, load_config, load_tokenizer
from ifpref.study.fitting import at_most
from ifpref.study.runs import Runs
from ifpref.study.sizes import GIB, RESERVE, disk_bytes, sampling_memory, skeleton, training_memory
from ifpref.study.stages import Task
from ifpref.training.checks import expected_trainable

BY_MODEL = ("responses", "trees", "entropies", "base", "run", "ifeval")
"""Stages that need the model itself; pairs need its tokenizer, prompts nothing."""
POCKET_ADAPTER = 300_000
"""Parameters of an adapter of `pocket`, about."""
WIDTH = {"float32": 4, "bfloat16": 2}


def check(runs: Runs, needs: Collection[Task], n_gpus: int, say: Callable[[str], None]) -> None:
    """Raise for what cannot end well, and say what may not."""
    p = runs.params
    if n_gpus and p.training_processes > n_gpus:
        raise ValueError(
            f"training_processes = {p.training_processes}; allowed: at most {n_gpus}, the GPUs that are visible here "
            "(CUDA_VISIBLE_DEVICES), or device: cpu"
        )
    if p.model == "pocket":  # which is known to be whole, and small
        _check_disk(runs, needs, POCKET_ADAPTER, say)
        return
    if not any(task.stage in BY_MODEL for task in needs):
        return
    revision = runs.identity["revision"] or p.revision
    load_tokenizer(p.model, revision=revision)
    model = skeleton(load_config(p.model, revision=revision))
    positions = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if positions is not None and p.max_length > positions:
        raise ModelError(f"max_length = {p.max_length}; allowed: at most the {positions} positions of {p.model!r}")
    for number in range(n_gpus):
        shares = p.training_processes > 1 and number % p.training_processes == 0  # the first of a group: schedule.py
        check_gpu(runs, model, _free(number), f"GPU {number}", copies=2 if shares else 1)
    _check_disk(runs, needs, expected_trainable(model, runs.training(None)), say)


def check_gpu(runs: Runs, model: Any, free: int, name: str, copies: int = 1) -> None:
    """`ModelError` where one response, or one pair, at a time cannot fit into so many free bytes: batches are halved
    where memory runs out (fitting.py).

    copies  of the base there in training: 2 where its processes are others than the one that samples
    """
    p, width = runs.params, WIDTH[runs.params.dtype]
    one = sampling_memory(model, 1, p.max_length, width)
    train = training_memory(model, at_most(runs.training(None), 1), width)
    train = replace(train, weights=copies * train.weights)
    for what, memory in (("sampling", one), ("training", train)):
        if memory.total + RESERVE <= free:
            continue
        raise ModelError(
            f"{name} has {free / GIB:.1f} GiB free, and {what} with {p.model!r}, one at a time, takes up to {memory}, "
            f"and {RESERVE / GIB:.1f} in reserve. What helps: gradient_checkpointing (now {p.gradient_checkpointing}), "
            f"a smaller max_length (now {p.max_length}), dtype: bfloat16 (now {p.dtype}), a smaller model"
        )


def _free(number: int) -> int:
    import torch

    return torch.cuda.mem_get_info(number)[0]


def _check_disk(runs: Runs, needs: Collection[Task], adapter_parameters: int, say: Callable[[str], None]) -> None:
    folder = existing(runs.store.root)
    free, wanted = shutil.disk_usage(folder).free, disk_bytes(runs.params, needs, adapter_parameters)
    if wanted > free:
        say(
            f"warning: up to {wanted / GIB:.1f} GiB will be written, and {free / GIB:.1f} GiB are free there; "
            "a full disk stops a study, and the same command goes on when there is room"
        )


def existing(folder: Path) -> Path:
    """The folder, or the nearest one above that is there."""
    return next(path for path in (folder, *folder.parents) if path.exists())
