"""Where tasks are computed: in this process, or in worker processes, each with GPUs of its own where there are any.

    Workers(2, gpu_groups(4, 2)).submit(compute, params, task, "cuda:0").result()     # Outcome(seconds=3.2)

Decisions
- Each worker is a pool of one process: one that dies (killed for memory, say) takes nothing with it but its own task,
  and is replaced when the next task comes.
- With n GPUs and m = `training_processes` there are n // m groups. A worker sees the m GPUs of its group and no others
  (CUDA_VISIBLE_DEVICES, set before it touches one): it samples and evaluates on the first, and its training starts a
  process on each. n - m * (n // m) GPUs are idle, and the others of a group while it samples: m = 1 is the faster one
  where there are as many arms as GPUs.
- What comes back of a task is an `Outcome`, also where it failed: many exceptions do not survive the way between
  processes.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ifpref import paths, progress
from ifpref.params import Params
from ifpref.pipeline.pipeline import Pipeline
from ifpref.pipeline.stage import Stage
from ifpref.store import DiskFull, Store, files

NO_ROOM = 2**20
"""Bytes: where a file of this size cannot be written, whatever failed has failed for that."""
WORKERS_VARIABLE = "IFPREF_WORKERS"
_leaving = threading.Event()


@dataclass(frozen=True)
class Outcome:
    """Of one task: how long it took; where it failed, why."""

    seconds: float
    error: str = ""
    is_full: bool = False
    trace: str = ""


def study_store() -> Store:
    """Where artefacts lie; the committed reference run is looked at next."""
    return Store(paths.store_folder(), fallbacks=[paths.reference_store_folder()])


def compute(params: Params, task: Stage, device: str) -> Outcome:
    """Make one artefact, in whatever process this is."""
    start, pipeline, failed = time.monotonic(), _pipeline(params, paths.home(), device), ()
    try:
        pipeline.get(task)
    except Exception as error:  # whatever a stage may raise fails one task, and no other
        is_full = _is_of_a_full_disk(error, pipeline.store.root)
        failed = (f"{type(error).__name__}: {error}", is_full, traceback.format_exc())
    return Outcome(time.monotonic() - start, *failed)


def forget() -> None:
    """A model of this process is loaded anew: its folder may hold another one by now."""
    _pipeline.cache_clear()


@cache
def _pipeline(params: Params, home: Path, device: str) -> Pipeline:
    """One for each process and project folder, so that its model is loaded once."""
    return Pipeline(params, study_store(), device)


def _is_of_a_full_disk(error: BaseException | None, folder: Path) -> bool:
    """Libraries that write for themselves often hide the cause: then the disk, its quota and limits are tried."""
    while error is not None:
        if isinstance(error, DiskFull) or getattr(error, "errno", None) in files.FULL:
            return True
        error = error.__cause__ or error.__context__
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(NO_ROOM))
            file.flush()
    except OSError as trial:
        return trial.errno in files.FULL
    return False


def n_workers(params: Params, n_gpus: int, asked: int | None = None) -> int:
    """Processes that `run` starts. More workers than GPUs, where that is asked for, share them; but where training
    takes several, there are never more workers than groups of GPUs."""
    from ifpref.prompts.build import cores

    given = os.environ.get(WORKERS_VARIABLE, "")
    if given and not given.isdigit():
        raise ValueError(f"{WORKERS_VARIABLE} = {given!r}; allowed: a whole number, 0 for none beside this process")
    groups = max(1, (n_gpus or cores()) // params.training_processes)
    n = asked if asked is not None else int(given) if given else groups
    return min(n, groups) if n_gpus and params.training_processes > 1 else n


def gpu_groups(n_gpus: int, size: int) -> list[str]:
    """Groups of so many GPUs, no GPU in two of them, each as CUDA_VISIBLE_DEVICES names it: ["0,1", "2,3"]."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = [name.strip() for name in named.split(",")] if named else [str(number) for number in range(n_gpus)]
    return [",".join(names[first : first + size]) for first in range(0, n_gpus - size + 1, size)]


class InProcess(Executor):
    """Computes in this process, at once: what tests and debuggers want."""

    def submit(self, fn: Callable, /, *args: Any, **kwargs: Any) -> Future:
        future: Future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # what a pool does: the caller reads it from the future
            future.set_exception(error)
        return future


class Workers(Executor):
    """n worker processes, shared out over the groups of GPUs, if there are any. At most n tasks at a time."""

    def __init__(self, n: int, groups: Sequence[str] = ()) -> None:
        self._n, self._groups = n, list(groups)
        self._pools: dict[int, ProcessPoolExecutor] = {}
        self._busy: dict[int, Future] = {}

    def submit(self, fn: Callable, /, *args: Any, **kwargs: Any) -> Future:
        lane = next(lane for lane in range(self._n) if lane not in self._busy or self._busy[lane].done())
        try:
            self._busy[lane] = self._pool(lane).submit(fn, *args, **kwargs)
        except BrokenProcessPool:  # its process has died since its last task, or with it
            self._pools.pop(lane).shutdown(wait=False)
            self._busy[lane] = self._pool(lane).submit(fn, *args, **kwargs)
        return self._busy[lane]

    def _pool(self, lane: int) -> ProcessPoolExecutor:
        if lane not in self._pools:
            group = self._groups[lane % len(self._groups)] if self._groups else None
            context = multiprocessing.get_context("spawn")
            self._pools[lane] = ProcessPoolExecutor(1, mp_context=context, initializer=_begin, initargs=(group,))
        return self._pools[lane]

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Without `wait`, what is under way ends at once: what is half made is kept by the store, shard by shard."""
        for pool in self._pools.values():
            processes = list((pool._processes or {}).values())
            pool.shutdown(wait=wait, cancel_futures=cancel_futures)
            for process in processes if not wait else ():
                process.terminate()


def _begin(group: str | None) -> None:
    """In a new worker: its GPUs, and its end when the process that started it is gone."""
    if group is not None:  # for what it starts too, and for trl, which trains on the first GPU that it sees
        os.environ["CUDA_VISIBLE_DEVICES"] = group
    os.environ.update({"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", progress.WORKER_VARIABLE: "1"})
    os.setpgrp()  # with what it starts: see `_leave`
    signal.signal(signal.SIGTERM, _leave)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    multiprocessing.parent_process().join()  # returns when it is gone, however it went
    _leave()


def _leave(*_: Any) -> None:
    """End a worker at once, and with it the processes of training that it has started: they hold GPUs."""
    if not _leaving.is_set():  # the signal comes back to the one that sends it
        _leaving.set()
        os.killpg(0, signal.SIGTERM)
        os._exit(1)
