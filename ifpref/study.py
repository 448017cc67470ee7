"""`Study`: from a profile to artefacts, and what notebooks ask of it.

    study = Study("smoke", beta=0.05)
    study.run("prefix")                                # computes what is missing, in seconds when nothing is
    study.tables("sharing", Arm("mcts"))               # a verdict table for each replicate; None where a run is missing

Nothing here imports torch while every artefact that is asked for is there.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ifpref.curation.pairs import Arm
from ifpref.design import COMPARISONS, NOTEBOOKS, Comparison, chosen, of_notebook
from ifpref.evaluation.table import Table
from ifpref.models import LoadedModel, ModelError
from ifpref.params import Params, ParamsError, fingerprint, load_params, parse_overrides, profile_name
from ifpref.pipeline import preflight
from ifpref.pipeline.runs import HELD_OUT_TASK, IFEVAL, IFEVAL_KEY, IFEVAL_TASK, RECORD, Runs
from ifpref.pipeline.schedule import InProcess, Schedule, gpus, processes, say_to_stderr, study_store
from ifpref.pipeline.stages import Task
from ifpref.statistics.verdicts import ENOUGH_PROMPTS, ENOUGH_REPLICATES
from ifpref.store import Handle

WORKERS_VARIABLE = "IFPREF_WORKERS"


class StudyError(RuntimeError):
    """A study of which nothing can be read; the message lists what failed and why."""


@dataclass(frozen=True)
class PairsMade:
    """Pairs of a comparison in one replicate, as `curation.compare` gives them."""

    rows: Mapping[Arm, list[dict[str, Any]]]
    outcomes: Mapping[Arm, Mapping[str, str]]


class Study:
    """A profile, some of its parameters replaced, and its artefacts.

    profile  its name: `pocket`, or that of its YAML file without the ending
    source   what it is loaded from, in whatever folder: the name, or the file's absolute path

    `ParamsError` for an unknown profile, key or value; ValueError for an unknown comparison.
    """

    def __init__(self, profile: str | Path = "pocket", /, **overrides: Any) -> None:
        self.profile, self.overrides = profile_name(profile), overrides
        self.source = self.profile if self.profile == profile else str(Path(profile).resolve())
        self.params: Params = load_params(profile, **overrides)
        self.comparisons: list[Comparison] = chosen(self.params)
        self.runs = Runs(self.params, study_store())
        self._records: dict[Task, dict[str, Any] | None] = {}
        self._ifeval_tables: dict[Task, Table | None] = {}

    @cached_property
    def name(self) -> str:
        """The folder of its results under outputs/: other parameters never overwrite a profile's."""
        plain = load_params(self.source)
        changed = {name: value for name, value in self.params.model_dump().items() if value != getattr(plain, name)}
        return f"{self.profile}-{fingerprint(changed)[:8]}" if changed else self.profile

    @property
    def replicates(self) -> range:
        return range(self.params.n_replicates)

    @property
    def is_demonstration(self) -> bool:
        """Whether it has too few replicates or test prompts for verdicts."""
        return self.params.n_replicates < ENOUGH_REPLICATES or self.params.n_test_prompts < ENOUGH_PROMPTS

    # ---- computing

    def tasks(self, notebook: str | None = None) -> list[Task]:
        """The artefacts that a notebook reads, or all of them."""
        if notebook == "tour":
            first = self.comparisons[0].name
            runs = [Task("run", (first, arm, 0, None)) for arm in COMPARISONS[first].arms[:2]]
            return [Task("pairs", (first, 0)), Task("pair_tables", (first, 0)), *runs]
        found = [Task("base", (split, 0.0)) for split in self._sets(notebook)]
        for one in self.comparisons if notebook is None else of_notebook(notebook, self.params):
            rates = self.params.learning_rates if one.every_rate else (None,)
            for replicate in self.replicates:
                found.append(Task("pair_tables", (one.name, replicate)))
                found += [Task("run", (one.name, arm, replicate, rate)) for arm in one.arms for rate in rates]
            if one.name in self.params.sampled_comparisons:
                found.append(Task("base", ("test", 1.0)))
        if self.params.ifeval:  # at an arm's own rate; stability over rates is read on our prompts
            own = [Task(IFEVAL, task.args) for task in found if task.stage == "run" and task.args[3] is None]
            found += [Task("base", (IFEVAL, 0.0)), *own]
        return list(dict.fromkeys(found))

    def within_reach(self, tasks: list[Task], say: Callable[[str], None]) -> list[Task]:
        """The tasks without IFEval's, where its prompts are neither on this machine nor on a hub that answers."""
        on_ifeval = [task for task in tasks if task.stage == IFEVAL or task.args[:1] == (IFEVAL,)]
        if not on_ifeval or self.runs.find(IFEVAL_TASK) is not None:
            return tasks
        from ifpref.evaluation.sets import ifeval_prompts

        if ifeval_prompts() is not None:
            return tasks
        say(f"IFEval is left out of {len(on_ifeval)} evaluations: its prompts cannot be fetched (IFEVAL_PROMPTS=file)")
        return [task for task in tasks if task not in on_ifeval]

    def _sets(self, notebook: str | None) -> list[str]:
        chosen_ones = self.comparisons if notebook is None else of_notebook(notebook, self.params)
        return list(dict.fromkeys(split for one in chosen_ones for split in one.sets))

    def run(
        self,
        notebook: str | None = None,
        *,
        workers: int | None = None,
        say: Callable[[str], None] = say_to_stderr,
    ) -> dict[Task, str]:
        """Compute what is missing for a notebook, or for the whole study.

        workers  processes; None: $IFPREF_WORKERS, or one for each GPU, or for each core (or for each group of
                 `training_processes` of them). 0: this process

        Returns what failed, with the reason, and warns of it; everything else is there, and a run that is missing is
        left out of tables and counted. StudyError where what all the rest is read against is missing: held-out
        prompts, or the base.
        """
        self._records.clear()
        self._ifeval_tables.clear()
        self.runs = Runs(self.params, self.runs.store)  # with the names of what has come since
        schedule = Schedule(self.runs, self.within_reach(self.tasks(notebook), say))
        what = f"study {self.name}" + (f", {notebook}" if notebook else "")
        if not schedule.needs:
            if notebook:
                say(f"{what}: all {len(schedule.cached)} artefacts are there")
            return {}
        n_gpus = gpus(self.params)
        preflight.check(self.runs, schedule.needs, n_gpus, lambda line: say(f"{what}: {line}"))
        n = min(self.n_workers(n_gpus, workers), len(schedule.needs))
        say(f"{what}: {len(schedule.needs)} artefacts to make, {len(schedule.cached)} are there; workers: {n or 1}")
        own = self.params.training_processes
        start = (lambda: processes(n, n_gpus, own)) if n > 1 else lambda: InProcess("cuda:0" if n_gpus else "cpu")
        schedule.work(start, max(n, 1), lambda line: say(f"{what}: {line}"))
        if schedule.failed:
            text = f"{what}: {len(schedule.failed)} of {len(schedule.needs)} artefacts could not be made:\n"
            text += "\n".join(f"  {task}: {reason}" for task, reason in schedule.failed.items())
            if any(task.stage in ("held_out", "base") for task in schedule.failed):
                raise StudyError(text)
            warnings.warn(text, stacklevel=2)
        return schedule.failed

    def n_workers(self, n_gpus: int, asked: int | None = None) -> int:
        """Processes that `run` starts. More workers than GPUs, where that is asked for, share them; but where training
        takes several, there are never more workers than groups of GPUs."""
        from ifpref.prompts.build import cores

        given = os.environ.get(WORKERS_VARIABLE, "")
        if given and not given.isdigit():
            raise ValueError(f"{WORKERS_VARIABLE} = {given!r}; allowed: a whole number, 0 for none beside this process")
        groups = max(1, (n_gpus or cores()) // self.params.training_processes)
        n = asked if asked is not None else int(given) if given else groups
        return min(n, groups) if n_gpus and self.params.training_processes > 1 else n

    def keys(self, notebook: str | None = None) -> list[str]:
        """The keys of what a notebook reads, of what is there."""
        handles = (self.runs.find(task) for task in self.tasks(notebook))
        return [handle.key for handle in handles if handle]

    # ---- reading

    def comparison(self, name: str) -> Comparison:
        """One of the profile's own. ValueError for others."""
        for one in self.comparisons:
            if one.name == name:
                return one
        names = ", ".join(one.name for one in self.comparisons)
        raise ValueError(f"comparison {name!r} is not in the profile {self.profile!r}; it has {names}")

    def prompts(self, split: str, replicate: int = 0) -> list[dict[str, Any]]:
        """Rows of prompts; `replicate` matters for "train" alone."""
        if split == "train":
            return self.runs.rows(Task("train_prompts", (replicate,)))
        return self.runs.held_out(split)

    def responses(self, replicate: int = 0) -> list[dict[str, Any]]:
        """Rows of whole responses."""
        return self.runs.rows(Task("responses", (replicate,)), "responses.jsonl.gz")

    def trees(self, curation: str = "mcts", replicate: int = 0) -> list[dict[str, Any]]:
        """Rows of trees: "mcts" or "rs_branched"."""
        return self.runs.rows(Task("trees", (curation, replicate)), "trees.jsonl.gz")

    def pairs(self, name: str, replicate: int = 0) -> PairsMade:
        handle = self.runs.get(Task("pairs", (name, replicate)))
        outcomes, arms = handle.read_json("outcomes.json.gz"), self.comparison(name).arms
        return PairsMade(self.runs.pairs_of(name, replicate), {arm: outcomes[str(arm)] for arm in arms})

    def pair_tables(self, name: str) -> list[dict[str, Any]]:
        """Of each replicate: "pairs", "yields", "balance", "shared_prefix", "dropped" (pair_stages.py)."""
        tasks = (Task("pair_tables", (name, replicate)) for replicate in self.replicates)
        found = (self.runs.find(task) for task in tasks)
        return [handle.read_json("tables.json.gz") for handle in found if handle]

    def record(self, name: str, arm: Arm, replicate: int, rate: float | None = None) -> dict[str, Any] | None:
        """What is kept of a run (runs.py), or None if it is not there."""
        task = Task("run", (name, arm, replicate, rate))
        if task not in self._records:
            handle = self.runs.find(task)
            self._records[task] = handle.read_json(RECORD) if handle else None
        return self._records[task]

    def tables(self, name: str, arm: Arm, *, key: str = "test/greedy", rate: float | None = None) -> list[Table | None]:
        """The verdict table of each replicate: "test/greedy", "test/sampled", "transfer/greedy", "ifeval/greedy"."""
        if key == IFEVAL_KEY:
            return [self._ifeval_table(Task(IFEVAL, (name, arm, replicate, rate))) for replicate in self.replicates]
        records = [self.record(name, arm, replicate, rate) for replicate in self.replicates]
        return [self.runs.table(record, key) if record and key in record["tables"] else None for record in records]

    def _ifeval_table(self, task: Task) -> Table | None:
        if task not in self._ifeval_tables:
            handle = self.runs.find(task)
            found = handle.read_json("table.json.gz") if handle else None
            self._ifeval_tables[task] = Table.from_dict(found) if found else None
        return self._ifeval_tables[task]

    def base(self, split: str = "test", temperature: float = 0.0) -> Table:
        """The verdict table of the base."""
        return self.runs.base(split, temperature)

    def log(self, name: str) -> list[dict[str, Any]]:
        """Training logs of a comparison, one row a step: arm, learning_rate, replicate, and trainer.py's columns."""
        one, rows = self.comparison(name), []
        for arm in one.arms:
            for rate in self.params.learning_rates if one.every_rate else (None,):
                for replicate in self.replicates:
                    record = self.record(name, arm, replicate, rate)
                    if record and record["log"]:
                        cell = {"arm": str(arm), "learning_rate": record["learning_rate"], "replicate": replicate}
                        columns = record["log"]
                        values = zip(*columns.values(), strict=True)
                        rows += [dict(zip(columns, step, strict=True)) | cell for step in values]
        return rows

    def policy(self, name: str, arm: Arm, replicate: int = 0, rate: float | None = None) -> Handle:
        """The policy of a run, with its adapter."""
        return self.runs.policy(name, arm, replicate, rate)

    def model(self) -> LoadedModel:
        """The base."""
        return self.runs.loaded

    def held_out_key(self) -> str:
        return self.runs.key(HELD_OUT_TASK)


# ---- command line


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ifpref.study", description=__doc__.splitlines()[0])
    parser.add_argument("profile", help="a name in params/, or a YAML file")
    parser.add_argument("--only", choices=NOTEBOOKS, help="what one notebook needs")
    parser.add_argument("--set", default="", help="parameters, such as 'beta=0.05 seed=1'")
    parser.add_argument("--workers", type=int, help="processes (default: one for each GPU, or core; 0: this one)")
    options = parser.parse_args(arguments)
    start = time.monotonic()
    try:
        study = Study(options.profile, **parse_overrides(options.set))
        failed = study.run(options.only, workers=options.workers)
    except StudyError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except (ParamsError, ModelError, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from what is done", file=sys.stderr)
        return 130
    if failed:
        print(f"study {study.name}: {len(failed)} artefacts failed; the same command tries them again", file=sys.stderr)
        return 1
    print(f"study {study.name}: everything is there ({time.monotonic() - start:.0f} s)", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
