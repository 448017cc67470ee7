"""The largest batches that fit into memory: found once, where memory runs out, and kept for all that comes after.

    engine = FittedEngine(TransformersEngine(loaded, 256), fitting)     # begins at the size that was found
    policy = fit_training(train, loaded, settings, 1, fitting)          # train(settings), with less until it fits

What was found stands in outputs/store/fitting.json, one entry for each parameter, kind of device, model and length:

    [{"parameter": "sampling_batch_size", "device": "NVIDIA H200, 143771 MiB",
      "model": {"id": "owner/name", "revision": "5fd3…", "content": null, "dtype": "bfloat16"},
      "engine": "TransformersEngine", "max_tokens": 512, "fits": 128}]

Decisions
- *Found by failing*: arithmetic (sizes.py) must reckon with the longest rows, and would leave half of a GPU empty.
  Engines halve their batch by themselves, and here that is kept. Training is halved here: as
  `per_device_train_batch_size` shrinks, `gradient_accumulation_steps` grows, so that a step averages over the same
  pairs, and a run goes on from its last checkpoint.
- *Memory, not the result*: these sizes are in no key. They move numbers by rounding alone.
- *Never more than the profile says*, nor than what was found. Memory that something else held for a while makes a size
  smaller for good: the line that says so names the file, and an entry that is taken out of it is found anew.
- *What does not fit one at a time* is an error, and nothing is kept of it.
- Workers learn from each other: the file is read before each round of sampling and each training.
"""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, PositiveInt

from ifpref import paths
from ifpref.models import LoadedModel
from ifpref.pipeline.kept import Kept
from ifpref.sampling import Completion, Request, Settings
from ifpref.sampling.chat import WrappedEngine
from ifpref.training import ProcessDied, TrainingError, TrainingSettings

FILE = "fitting.json"
TRAINING = ("max_length", "bf16", "gradient_checkpointing", "lora_r", "lora_target_modules")
"""The settings that the memory of training depends on, beside the size of a micro-batch."""
Where = Mapping[str, Any]
"""An entry without its size."""
log = logging.getLogger(__name__)


class Entry(BaseModel, extra="allow", strict=True):
    """The size that fits, and whatever it depends on."""

    fits: PositiveInt


class Fitting:
    """The sizes that were found with one model, in a file that holds those of others too.

    identity  of the model (models.identify)
    """

    def __init__(self, file: Path, identity: Mapping[str, str | None]) -> None:
        self.file, self.identity = file, identity
        allowed = 'a list of entries, each with a whole number of 1 or more under "fits"'
        self._kept = Kept(file, list[Entry], allowed, "sizes are found anew")

    def where(self, parameter: str, device: Any, **more: Any) -> Where:
        """What the size of `parameter` depends on, for the model on this torch device."""
        return {"parameter": parameter, "device": device_kind(device), "model": dict(self.identity), **more}

    def known(self, where: Where) -> int | None:
        """The size that was found there, if one was."""
        return next((entry.fits for entry in self._kept.read() if entry.model_extra == where), None)

    def keep(self, where: Where, size: int | None) -> None:
        """Write a size; of two that workers find at a time the smaller one stays. None: what was kept did not fit."""
        with self._kept.changed() as entries:
            known = [entry for entry in entries if entry.model_extra == where]
            for entry in known:
                entries.remove(entry)
            if size is not None:
                entries.append(Entry(fits=min([size, *(entry.fits for entry in known)]), **where))


def device_kind(device: Any) -> str:
    """A GPU's name and memory, which its like has too; of a CPU, the memory beside it."""
    if device.type == "cuda":
        import torch

        found = torch.cuda.get_device_properties(device)
        return f"{found.name}, {found.total_memory // 2**20} MiB"
    return f"{device.type}, {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') // 2**20} MiB"


class FittedEngine(WrappedEngine):
    """An engine whose `batch_size` begins at what was found for its model and for responses of that length.

    engine  one with `model` and `batch_size`, which shrinks it where memory runs out
    """

    def __init__(self, engine: Any, fitting: Fitting) -> None:
        super().__init__(engine)
        self.fitting = fitting

    def sample(self, requests: Sequence[Request], settings: Settings) -> list[list[Completion]]:
        """The engine's completions. A size that it came down to is kept when the round is whole."""
        engine, options = self.engine, {"engine": type(self.engine).__name__, "max_tokens": settings.max_tokens}
        where = self.fitting.where("sampling_batch_size", engine.model.device, **options)
        engine.batch_size = first = min(engine.batch_size, self.fitting.known(where) or engine.batch_size)
        completions = engine.sample(requests, settings)
        if engine.batch_size < first:
            self.fitting.keep(where, engine.batch_size)
            log.warning("%d rows at a time fit: kept in %s", engine.batch_size, paths.shown(self.fitting.file))
        return completions


def fit_training(
    train: Callable[[TrainingSettings], Any],
    loaded: LoadedModel,
    settings: TrainingSettings,
    processes: int,
    fitting: Fitting,
) -> Any:
    """What `train(settings)` returns, with micro-batches that fit: as they were found, or halved until they do.

    processes  that train together, one on each GPU; above 1, what this one has in reserve is given back to its GPU

    TrainingError where a single pair at a time does not fit, and where several processes die twice.
    """
    import torch

    memory = {name: value for name, value in settings.to_dict().items() if name in TRAINING}
    memory["lora_target_modules"] = list(settings.lora_target_modules)
    where = fitting.where("per_device_train_batch_size", loaded.model.device, processes=processes, **memory)
    share, _ = settings.micro_batches(processes)
    settings = at_most(settings, min(share, fitting.known(where) or share))
    if processes > 1:
        _give_back()
    has_died = False
    while True:
        try:
            return train(settings)
        except ProcessDied as error:  # gloo was seen to abort a process (SIGABRT) on a busy machine
            if has_died:
                raise
            has_died = True
            log.warning("a process of training died; once more, from the last checkpoint: %s", error)
            continue
        except torch.cuda.OutOfMemoryError as error:
            message = str(error)
        _give_back()  # out here, where no traceback holds tensors any more
        size, _ = settings.micro_batches(processes)
        if size == 1:
            fitting.keep(where, None)
            raise TrainingError(
                f"out of GPU memory with a single pair; what helps: gradient_checkpointing (now "
                f"{settings.gradient_checkpointing}), a smaller max_length (now {settings.max_length}), dtype: "
                f"bfloat16 (now {loaded.dtype}), a smaller model: {message}"
            )
        settings = at_most(settings, size // 2)
        fitting.keep(where, kept := settings.per_device_train_batch_size)
        file = paths.shown(fitting.file)
        log.warning("out of GPU memory with %d pairs at a time: going on with %d, kept in %s", size, kept, file)


def at_most(settings: TrainingSettings, size: int) -> TrainingSettings:
    """The settings with so many pairs in a micro-batch, or the next fewer that divide the pairs of a step evenly."""
    whole = settings.effective_batch_size
    sizes = range(min(size, settings.per_device_train_batch_size), 0, -1)
    fits = next(size for size in sizes if whole % size == 0)
    return replace(settings, per_device_train_batch_size=fits, gradient_accumulation_steps=whole // fits)


def _give_back() -> None:
    """To the GPU, what this process holds of it and does not use."""
    import torch

    gc.collect()
    torch.cuda.empty_cache()  # which does nothing where no GPU was used
