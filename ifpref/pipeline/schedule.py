"""The schedule: the tasks that are missing, in the order of what they need, side by side in worker processes.

    schedule = Schedule(runs, wanted)
    schedule.work(lambda: processes(2, n_gpus=4, gpus_each=2), workers=2, say=print)
    schedule.failed                                          # {task: reason}

Any `concurrent.futures.Executor` will do for the work (processes here, `InProcess` for one at a time, a cluster's in
their place): it is given `compute(params, task)`, a plain function, and everything it makes lies in the store.

Decisions
- Replicate by replicate, so that a study that is stopped has whole replicates. No more tasks are handed out than there
  are workers, so that a stop loses little.
- A worker computes in one thread: on small models two of them do twice the work of two threads in one.
- With n GPUs and m = `training_processes` there are at most n // m workers. Each sees m GPUs of its own and no others
  (CUDA_VISIBLE_DEVICES, set before it touches one): it samples and evaluates on the first, and its training starts a
  process on each. So no GPU is in two groups, and every task of a worker finds its group free. n - m * (n // m) GPUs
  are idle, and the others of a group while it samples: m = 1 is the faster one where there are as many arms as GPUs.
- A task that fails takes with it what needs it, and nothing else. A worker that dies (killed for memory, say) is
  replaced, and what was under way is tried once more.
- A full disk ends the schedule: nothing more is begun, and what is under way writes what it can.
"""

from __future__ import annotations

import errno
import math
import multiprocessing
import os
import signal
import sys
import threading
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from pathlib import Path
from typing import Any

from ifpref import paths, progress
from ifpref.params import Params
from ifpref.pipeline.runs import Runs
from ifpref.pipeline.stages import Task
from ifpref.store import Store

FULL = tuple(map(os.strerror, (errno.ENOSPC, errno.EDQUOT)))
"""What every error of a full disk says. Its cause is not to be had: it is lost between processes, and libraries that
write for themselves give none."""
EVERY_S = 15.0
"""Seconds between two lines of progress."""
STAGES = ("train_prompts", "held_out", "ifeval_prompts", "entropies", "base", "responses", "trees", "pairs")
STAGES += ("pair_tables", "run", "ifeval")


def compute(params: Params, task: Task) -> float:
    """Make one artefact, in whatever process this is; its seconds."""
    start = time.monotonic()
    _runs(params, paths.home()).get(task)
    return time.monotonic() - start


@cache
def _runs(params: Params, home: Path) -> Runs:
    """One for each process and project folder, so that its model is loaded once."""
    return Runs(params, study_store(), _device)


def study_store() -> Store:
    """Where artefacts lie; the committed reference run is looked at next."""
    return Store(paths.store_folder(), fallbacks=[paths.reference_store_folder()])


_device = "cpu"
_leaving = threading.Event()


def gpus(params: Params) -> int:
    """How many GPUs this process may use, as `device` allows. ValueError for cuda where there is none."""
    if params.device == "cpu" or (params.device == "auto" and not _has_driver()):
        return 0
    import torch

    found = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if params.device == "cuda" and not found:
        raise ValueError("device = 'cuda', and no GPU that torch can use is here; allowed: auto, cpu")
    return found


def _has_driver() -> bool:
    return any(name.startswith("nvidia") for name in os.listdir("/dev")) if os.path.isdir("/dev") else False


class InProcess(Executor):
    """Computes in this process, at once: what tests and debuggers want."""

    def __init__(self, device: str = "cpu") -> None:
        self.device = device

    def submit(self, fn: Callable, /, *args: Any, **kwargs: Any) -> Future:
        global _device
        _device, future = self.device, Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # what a pool does: the caller reads it from the future
            future.set_exception(error)
        return future


def gpu_groups(n_gpus: int, size: int) -> list[str]:
    """Groups of so many GPUs, no GPU in two of them, each as CUDA_VISIBLE_DEVICES names it: ["0,1", "2,3"]."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = [name.strip() for name in named.split(",")] if named else [str(number) for number in range(n_gpus)]
    return [",".join(names[first : first + size]) for first in range(0, n_gpus - size + 1, size)]


def processes(n: int, n_gpus: int = 0, gpus_each: int = 1) -> ProcessPoolExecutor:
    """n worker processes of one thread each, shared out over the groups of GPUs, if there are any."""
    context = multiprocessing.get_context("spawn")
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # before a worker imports torch
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    begin = (context.Value("i", 0), gpu_groups(n_gpus, gpus_each))
    return ProcessPoolExecutor(n, mp_context=context, initializer=_begin, initargs=begin)


def _begin(counter: Any, groups: Sequence[str]) -> None:
    """In a new worker: its GPUs, its silence, and its end when the process that started it is gone."""
    global _device
    with counter.get_lock():
        number, counter.value = counter.value, counter.value + 1
    if groups:  # for what it starts too, and for trl, which trains on the first GPU that it sees
        os.environ["CUDA_VISIBLE_DEVICES"] = groups[number % len(groups)]
    _device = "cuda:0" if groups else "cpu"
    progress.silence()
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


def _end(executor: Executor, is_whole: bool) -> None:
    """After Ctrl-C, or an error, at once: what is half made is kept by the store, shard by shard."""
    workers = list((getattr(executor, "_processes", None) or {}).values())
    executor.shutdown(wait=is_whole, cancel_futures=True)
    for worker in workers if not is_whole else ():
        worker.terminate()


class Schedule:
    """The tasks that are wanted and not there, with all that they need."""

    def __init__(self, runs: Runs, wanted: Iterable[Task]) -> None:
        self.runs = runs
        self.needs: dict[Task, set[Task]] = {}
        self.cached: set[Task] = set()
        self.failed: dict[Task, str] = {}
        self.done: dict[Task, float] = {}
        self.is_full = False
        for task in wanted:
            self._add(task)

    def _add(self, task: Task) -> None:
        if task in self.needs or task in self.cached:
            return
        if self.runs.find(task) is not None:
            self.cached.add(task)
            return
        needs = self.runs.step(task).needs
        for need in needs:
            self._add(need)
        self.needs[task] = {need for need in needs if need in self.needs}

    @property
    def missing(self) -> int:
        return len(self.needs) - len(self.done) - len(self.failed)

    def work(self, start: Callable[[], Executor], workers: int, say: Callable[[str], None]) -> None:
        """Computes everything by an executor of so many workers; `failed` then holds what could not be, and why."""
        self.workers, self.say, self.last = workers, say, time.monotonic()
        running: dict[Future, Task] = {}
        retried: set[Task] = set()
        executor = start()
        is_whole = False
        try:
            while True:
                for task in self._ready(running.values())[: workers - len(running)]:
                    running[executor.submit(compute, self.runs.params, task)] = task
                if not running:
                    is_whole = True
                    if self.is_full:
                        left = [task for task in self.needs if task not in self.done and task not in self.failed]
                        self.failed.update(dict.fromkeys(left, "not begun: the disk is full"))
                    return
                finished, _ = wait(running, timeout=EVERY_S, return_when=FIRST_COMPLETED)
                broken = False
                for future in finished:
                    task, error = running.pop(future), future.exception()
                    if isinstance(error, BrokenProcessPool):
                        broken = True
                    if error is None:
                        self.done[task] = future.result()
                    elif isinstance(error, BrokenProcessPool) and task not in retried:
                        retried.add(task)
                        say(f"a worker died while {task} was made (out of memory?); trying it once more")
                    else:
                        self._fail(task, error)
                if broken:  # the pool is gone, with all that was under way
                    retried.update(running.values())
                    running.clear()
                    executor.shutdown(wait=False)
                    executor = start()
                self._report(running.values())
        finally:
            _end(executor, is_whole)

    def _ready(self, running: Iterable[Task]) -> list[Task]:
        if self.is_full:
            return []
        taken = {*running, *self.done, *self.failed}
        ready = [task for task, needs in self.needs.items() if task not in taken and needs <= self.done.keys()]
        return sorted(ready, key=_order)

    def _fail(self, task: Task, error: BaseException) -> None:
        self.failed[task] = f"{type(error).__name__}: {error}"
        self.say(f"FAILED {task}: {self.failed[task]}")
        if os.environ.get("IFPREF_TRACEBACK"):
            self.say("".join(traceback.format_exception(error)))
        if not self.is_full and any(words in str(error) for words in FULL):
            self.is_full = True
            self.say("the disk is full: nothing more is begun. What is made is kept; the same command goes on from it")
        before = 0
        while before != (before := len(self.failed)):  # what needs it, what needs that, ...
            for one, needs in self.needs.items():
                if one not in self.failed and (causes := [need for need in needs if need in self.failed]):
                    self.failed[one] = f"needs {causes[0]}, which failed"

    def _report(self, running: Iterable[Task]) -> None:
        now = time.monotonic()
        if now - self.last < EVERY_S and self.missing:
            return
        self.last = now
        line = f"{len(self.done):,} of {len(self.needs):,} done"
        line += f" ({len(self.cached):,} more were there)" if self.cached else ""
        line += f", {len(self.failed)} failed" if self.failed else ""
        now_running = ", ".join(map(str, running))
        line += f"; {_duration(self.seconds_left())} left; running: {now_running}" if now_running else ""
        self.say(line)

    def seconds_left(self) -> float:
        """By the mean of each stage so far; a stage not seen yet costs the mean of all."""
        seconds: dict[str, list[float]] = defaultdict(list)
        for task, spent in self.done.items():
            seconds[task.stage].append(spent)
        if not self.done:
            return math.nan
        overall = sum(self.done.values()) / len(self.done)
        left = Counter(task.stage for task in self.needs if task not in self.done and task not in self.failed)
        mean: Mapping[str, float] = {stage: sum(found) / len(found) for stage, found in seconds.items()}
        return sum(count * mean.get(stage, overall) for stage, count in left.items()) / self.workers


def _order(task: Task) -> tuple:
    """Tuning and what all share first, then replicate by replicate, and stage by stage."""
    replicate = next((arg for arg in task.args if isinstance(arg, int)), -1)
    is_tuning = task.stage == "run" and task.args[-1] == "dev"
    return replicate, STAGES.index(task.stage), not is_tuning


def _duration(seconds: float) -> str:
    if math.isnan(seconds):
        return "time unknown"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def say_to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
