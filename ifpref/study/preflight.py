"""What is looked at before hours are spent: the model, the GPU's memory, room on the disk.

    check(runs, schedule.needs, n_gpus=1, say=print)       # ModelError, StoreError or ValueError; warnings are said

Each look takes seconds and loads no weights. What is there already is not looked at: a study that is only read asks
for neither GPU nor network.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from ifpref.models import ModelError, load_config, load_tokenizer
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
        check_gpu(runs, model, _free(number), f"GPU {number}")
    _check_disk(runs, needs, expected_trainable(model, runs.training(None)), say)


def check_gpu(runs: Runs, model: Any, free: int, name: str) -> None:
    """`ModelError` where training, or one response at a time, cannot fit into so many free bytes."""
    p, width = runs.params, WIDTH[runs.params.dtype]
    one = sampling_memory(model, 1, p.max_length, width)  # the engine halves its batch where memory runs out
    train = training_memory(model, runs.training(None), width)
    for what, memory in (("sampling", one), ("training", train)):
        if memory.total + RESERVE <= free:
            continue
        raise ModelError(
            f"{name} has {free / GIB:.1f} GiB free, and {what} with {p.model!r} takes up to {memory}, and "
            f"{RESERVE / GIB:.1f} in reserve. What helps: gradient_checkpointing (now {p.gradient_checkpointing}), "
            f"a smaller per_device_train_batch_size (now {p.per_device_train_batch_size}; raise "
            f"gradient_accumulation_steps as much, and the result stays), a smaller max_length (now {p.max_length}), "
            f"dtype: bfloat16 (now {p.dtype}), a smaller model"
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
