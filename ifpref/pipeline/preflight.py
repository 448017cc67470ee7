"""Checks made before a long run starts: GPUs, model, chat settings, its server, memory, room on the disk.

    check(pipeline, schedule.needs, n_gpus=1, say=print)       # ValueError says what cannot end well; warnings are said

Each check takes seconds and loads no weights. What is there already is not checked: a study that is only read asks
for neither GPU nor network.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ifpref.models import ModelError, is_local, load_config, load_model, load_tokenizer
from ifpref.models.hub import cached_folder
from ifpref.pipeline.fitting import at_most
from ifpref.pipeline.model import BF16_FROM, Speaking
from ifpref.pipeline.pipeline import Pipeline
from ifpref.pipeline.runs import Run
from ifpref.pipeline.samples import Responses, Trees
from ifpref.pipeline.sizes import GIB, RESERVE, disk_bytes, download_bytes, sampling_memory, skeleton, training_memory
from ifpref.pipeline.stage import Stage, pick
from ifpref.training import TrainingSettings
from ifpref.training.checks import expected_trainable

WIDTH = {"float32": 4, "bfloat16": 2}
LEAST_DISK = GIB
"""Less than this is too little, where more is to be written."""


def check(pipeline: Pipeline, needs: Collection[Stage], n_gpus: int, say: Callable[[str], None]) -> None:
    """Raise for what cannot end well, and say what may not.

    `ModelError` (also of the hub), `SamplingError` for the server and the chat template, else ValueError.
    """
    p, stages = pipeline.params, {type(task) for task in needs}
    if n_gpus and p.training_processes > n_gpus:
        raise ValueError(
            f"training_processes = {p.training_processes}; allowed: at most {n_gpus}, the GPUs that are visible here "
            "(CUDA_VISIBLE_DEVICES), or device: cpu"
        )
    used = range(n_gpus - n_gpus % p.training_processes)  # the others are in no group: workers.py
    if Run in stages:
        _check_training(pipeline, used)
    adapter = fetched = 0
    if any(stage.of_model for stage in stages):
        adapter, fetched = _check_model(pipeline, stages, used)
        _check_speaking(pipeline, stages)
    at_once = max(1, n_gpus // p.training_processes)
    _check_disk(pipeline, disk_bytes(p, needs, adapter, at_once), fetched, say)


def _check_model(pipeline: Pipeline, stages: Collection[type[Stage]], gpus: Iterable[int]) -> tuple[int, int]:
    """Parameters of an adapter, and bytes that are to be fetched. `ModelError` for a model that is not there, or too
    large for its GPUs or too small for its texts."""
    import torch

    p, revision = pipeline.params, pipeline.identity["revision"]
    if is_local(p.model):
        load_model(p.model, device="meta")
    else:  # not fetched before there is room for it
        load_tokenizer(p.model, revision=revision)
    model = skeleton(load_config(p.model, revision=revision))
    positions = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    if positions is not None and p.max_length > positions:
        raise ModelError(f"max_length = {p.max_length}; allowed: at most the {positions} positions of {p.model!r}")
    searches = Trees in stages and p.engine == "transformers"
    for number in gpus:
        shares = p.training_processes > 1 and number % p.training_processes == 0  # the first of a group: workers.py
        free, copies = torch.cuda.mem_get_info(number)[0], 2 if shares else 1
        check_gpu(pipeline, model, free, f"GPU {number}", copies=copies, searches=searches)
    fetched = 0 if is_local(p.model) else download_bytes(model, cached_folder(p.model, revision))
    return expected_trainable(model, TrainingSettings.from_params(p)), fetched


def _check_training(pipeline: Pipeline, gpus: Iterable[int]) -> None:
    p = pipeline.params
    if p.max_tokens >= p.max_length:
        raise ValueError(
            f"max_tokens = {p.max_tokens}, max_length = {p.max_length}; allowed: max_tokens < max_length, and room for "
            "the longest prompt between them: a pair that is longer than max_length stops a run"
        )
    for number in gpus if p.bf16 else ():
        import torch

        if (capability := torch.cuda.get_device_capability(number)) < BF16_FROM:
            shown, least = ("{}.{}".format(*version) for version in (capability, BF16_FROM))
            raise ValueError(
                f"bf16 = True, and GPU {number} ({torch.cuda.get_device_name(number)}, compute capability {shown}) has "
                f"no bfloat16; allowed: bf16: false, or a GPU of {least} or more"
            )


def _check_speaking(pipeline: Pipeline, stages: Collection[type[Stage]]) -> None:
    """`SamplingError` where the model's template or tokenizer refuses the chat settings, and where the server is away,
    serves another model, or has no room for a response."""
    from ifpref.sampling import SamplingError

    p = pipeline.params
    engine = pipeline.model.encoder(pick(Speaking, p))  # no weights
    shortest = len(engine.encode("a"))
    if Trees in stages:
        engine.keep_prefixes()
    if p.engine != "http" or not {Responses, Trees} & set(stages):  # policies are evaluated here
        return
    server = pipeline.model.server()
    room = server.meet()
    if room is not None and shortest + p.max_tokens > room:
        raise SamplingError(
            f"{server.server.url}: room for {room} tokens of prompt and response together; max_tokens = "
            f"{p.max_tokens}, and the shortest prompt has {shortest}; allowed: a smaller max_tokens, or a larger "
            "--max-model-len"
        )


def check_gpu(pipeline: Pipeline, model: Any, free: int, name: str, copies: int = 1, searches: bool = False) -> None:
    """`ModelError` where one response, or one pair, at a time cannot fit into so many free bytes: batches are halved
    where memory runs out (fitting.py).

    copies    of the base there in training: 2 where its processes are others than the one that samples
    searches  whether trees are grown there
    """
    p, width = pipeline.params, WIDTH[pipeline.params.dtype]
    searched = p.shard_prompts * p.n_responses if searches else 0
    one = sampling_memory(model, 1, p.max_length, width, searched=searched)
    train = training_memory(model, at_most(TrainingSettings.from_params(p), 1), width)
    train = replace(train, weights=copies * train.weights)
    for what, memory in (("sampling", one), ("training", train)):
        if memory.total + RESERVE <= free:
            continue
        raise ModelError(
            f"{name} has {free / GIB:.1f} GiB free, and {what} with {p.model!r}, one at a time, takes up to {memory}, "
            f"and {RESERVE / GIB:.1f} in reserve. What helps: gradient_checkpointing (now {p.gradient_checkpointing}), "
            f"a smaller max_length (now {p.max_length}), dtype: bfloat16 (now {p.dtype}), a smaller model"
        )


def _check_disk(pipeline: Pipeline, written: int, fetched: int, say: Callable[[str], None]) -> None:
    """ValueError where a disk is all but full, or cannot hold the model; a warning where it may fill up.

    written, fetched  bytes that the store and the hub's cache will grow by: at most, and for certain
    """
    from huggingface_hub import constants

    store, cache = existing(pipeline.store.root), existing(Path(constants.HF_HUB_CACHE))
    if cache.stat().st_dev == store.stat().st_dev:
        looks = [(store, written + fetched, fetched)]
    else:
        looks = [(store, written, 0), (cache, fetched, fetched)]
    for folder, wanted, certain in looks:
        free = shutil.disk_usage(folder).free
        if wanted <= free:
            continue
        sums = f"up to {wanted / GIB:.1f} GiB will be written to {folder}, and {free / GIB:.1f} GiB are free there"
        if free < (least := max(LEAST_DISK, certain, wanted // 10)):
            download = f" ({certain / GIB:.1f} GiB of it is the model)" if certain else ""
            raise ValueError(f"{sums}{download}; allowed: {least / GIB:.1f} GiB or more")
        say(f"warning: {sums}; a full disk ends a study, and the same command goes on when there is room")


def existing(folder: Path) -> Path:
    """The folder, or the nearest one above that is there."""
    return next(path for path in (folder, *folder.parents) if path.exists())
