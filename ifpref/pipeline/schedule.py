"""The schedule: the tasks that are missing, in the order of what they need, side by side.

    schedule = Schedule(pipeline, wanted)
    schedule.work(Workers(2), workers=2, say=print)
    schedule.failed                                          # {task: reason}

Any `concurrent.futures.Executor` will do for the work: it is given `compute(params, task, device)`, a plain function,
and everything it makes lies in the store.

Decisions
- Replicate by replicate, so that a study that is stopped has whole replicates. No more tasks are handed out than there
  are workers, so that a stop loses little.
- A task that fails takes with it what needs it, and nothing else. Where a worker dies, its task is tried again,
  `RETRIES` times.
- A full disk ends the schedule: nothing more is begun, and what is under way writes what it can.
- The time that is left is what the tasks are declared to cost, in proportion to what those of their stage have taken.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from functools import cache

from ifpref.design import COMPARISONS
from ifpref.pipeline.pairs import n_prompts_of
from ifpref.pipeline.pipeline import STAGES, Pipeline
from ifpref.pipeline.stage import Stage
from ifpref.pipeline.workers import Outcome, compute

EVERY_S = 15.0
"""Seconds between two lines of progress."""
RETRIES = 3
"""How often a task is tried again whose worker has died."""
ROUGHLY: Mapping[str, float] = {
    "artefact": 0.1,
    "prompt": 0.005,
    "response": 0.01,
    "tree": 0.2,
    "pairs": 0.005,
    "base greedy": 0.02,
    "base sampled": 0.03,
    "greedy": 0.02,
    "sampled": 0.07,
    "training": 3.0,
    "step": 0.05,
    "trained pair": 0.03,
    "reference": 0.01,
}
"""Seconds that a unit (or its kind: its first word) takes with `pocket`, about: only their proportions matter. On two
busy cores stages of `pocket` took 0.7 to 3 times as much; those of `smoke`, whose batches are small, 5 to 27 times.
`make estimate` measures them."""


class Schedule:
    """The tasks that are wanted and not there, with all that they need; `device` is the one of each worker."""

    def __init__(self, pipeline: Pipeline, wanted: Iterable[Stage], device: str = "cpu") -> None:
        self.pipeline, self.device = pipeline, device
        self.needs: dict[Stage, set[Stage]] = {}
        self.cached: set[Stage] = set()
        self.failed: dict[Stage, str] = {}
        self.done: dict[Stage, float] = {}
        self.deaths: Counter[Stage] = Counter()
        self.is_full = False
        for task in wanted:
            self._add(task)

    def _add(self, task: Stage) -> None:
        if task in self.needs or task in self.cached:
            return
        if self.pipeline.find(task) is not None:
            self.cached.add(task)
            return
        needs = self.pipeline.inputs(task).values()
        for need in needs:
            self._add(need)
        self.needs[task] = {need for need in needs if need in self.needs}

    def work(self, executor: Executor, workers: int, say: Callable[[str], None]) -> None:
        """Computes everything by an executor of so many workers; `failed` then holds what could not be, and why."""
        self.workers, self.say, self.last = workers, say, time.monotonic()
        running: dict[Future, Stage] = {}
        try:
            while True:
                for task in self._ready(running.values())[: workers - len(running)]:
                    running[executor.submit(compute, self.pipeline.params, task, self.device)] = task
                if not running:
                    break
                finished, _ = wait(running, timeout=EVERY_S, return_when=FIRST_COMPLETED)
                for future in finished:
                    self._take(running.pop(future), future)
                self._report(running.values())
        finally:  # after Ctrl-C, or an error, at once
            executor.shutdown(wait=not running, cancel_futures=True)
        self.failed |= dict.fromkeys(self._left(), "not begun: the disk is full")

    def _take(self, task: Stage, future: Future) -> None:
        """What has become of a task."""
        has_died = isinstance(future.exception(), BrokenProcessPool)
        self.deaths[task] += has_died
        if has_died and self.deaths[task] <= RETRIES:
            self.say(f"a worker died while {task} was made (out of memory?); trying it again")
            return
        died = Outcome(0.0, f"its worker died {self.deaths[task]} times (out of memory?)")
        outcome: Outcome = died if has_died else future.result()
        if outcome.error:
            self._fail(task, outcome)
        else:
            self.done[task] = outcome.seconds

    def _fail(self, task: Stage, outcome: Outcome) -> None:
        self.say(f"FAILED {task}: {outcome.error}")
        if os.environ.get("IFPREF_TRACEBACK"):
            self.say(outcome.trace)
        if outcome.is_full and not self.is_full:
            self.is_full = True
            self.say("the disk is full: nothing more is begun. What is made is kept; the same command goes on from it")
        fails = {task: outcome.error}
        while fails:  # what needs it, what needs that, ...
            self.failed |= fails
            fails = {
                one: f"needs {cause}, which failed"
                for cause in fails
                for one, needs in self.needs.items()
                if cause in needs and one not in self.failed
            }

    def _left(self) -> list[Stage]:
        return [task for task in self.needs if task not in self.done and task not in self.failed]

    def _ready(self, running: Collection[Stage]) -> list[Stage]:
        waiting = [] if self.is_full else [task for task in self._left() if task not in running]
        return sorted((task for task in waiting if self.needs[task] <= self.done.keys()), key=order)

    def _report(self, running: Iterable[Stage]) -> None:
        now = time.monotonic()
        if now - self.last < EVERY_S and self._left():
            return
        self.last = now
        line = f"{len(self.done):,} of {len(self.needs):,} done"
        line += f" ({len(self.cached):,} more were there)" if self.cached else ""
        line += f", {len(self.failed)} failed" if self.failed else ""
        now_running = ", ".join(map(str, running))
        line += f"; {duration(self.seconds_left())} left; running: {now_running}" if now_running else ""
        self.say(line)

    def seconds_left(self) -> float:
        """What is left, as declared, by what the tasks that are done have taken for each declared second."""
        if not self.done:
            return math.nan
        cost = {task: roughly(self.pipeline, task) for task in self.needs}
        took, declared = Counter(), Counter()
        for task, seconds in self.done.items():
            for name in (task.name, "all"):
                took[name] += seconds
                declared[name] += cost[task]
        pace = {name: took[name] / declared[name] for name in declared}
        return sum(cost[task] * pace.get(task.name, pace["all"]) for task in self._left()) / self.workers


def roughly(pipeline: Pipeline, task: Stage) -> float:
    """Seconds of a task, in proportion to others."""
    p = pipeline.params
    units = task.work(p, lambda name, arm: n_prompts_of(COMPARISONS[name], p) // 2)
    seconds = sum(count * ROUGHLY.get(unit, ROUGHLY.get(unit.split()[0], 0.0)) for unit, count in units.items())
    return seconds or ROUGHLY["artefact"]


def order(task: Stage) -> tuple:
    """What all replicates share first, then replicate by replicate, and stage by stage."""
    replicate = getattr(task, "replicate", None)
    return -1 if replicate is None else replicate, STAGES.index(type(task))


def wall_seconds(needs: Mapping[Stage, set[Stage]], seconds: Mapping[Stage, float], workers: int) -> float:
    """Until the last is done: at least the longest chain, and at least each worker's share of all."""

    @cache
    def chain(task: Stage) -> float:
        return seconds[task] + max(map(chain, needs[task]), default=0.0)

    return max([sum(seconds.values()) / workers, *map(chain, needs)])


def duration(seconds: float) -> str:
    if math.isnan(seconds):
        return "time unknown"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def say_to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
