"""`Study`: from a profile to artefacts, and what notebooks ask of it.

    study = Study("smoke", beta=0.05)
    study.run("prefix")                                # computes what is missing, in seconds when nothing is
    study.tables("sharing", Arm("mcts"))               # a verdict table for each replicate; None where a run is missing

Nothing here imports torch while every artefact that is asked for is there.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Collection, Sequence
from functools import cache, cached_property, lru_cache
from itertools import product
from pathlib import Path
from typing import Any

from ifpref import paths
from ifpref.command import command, parser_of
from ifpref.constraints.text import backends
from ifpref.curation import Arm, ComparedPairs
from ifpref.design import NOTEBOOKS, Comparison, Configuration, chosen, configurations, of_notebook
from ifpref.evaluation.table import Table
from ifpref.models import LoadedModel
from ifpref.params import Params, as_overrides, fingerprint, load_params, parse_overrides, profile_name
from ifpref.pipeline import preflight, rehearsal
from ifpref.pipeline.model import first_device, gpus
from ifpref.pipeline.pairs import DROPPED, OUTCOMES, TABLES, PairTables, pairs_of, rows_by_arm
from ifpref.pipeline.pipeline import STAGES, Pipeline
from ifpref.pipeline.policies import IFEVAL, IFEVAL_KEY, SMALL_TABLE, Base
from ifpref.pipeline.runs import RECORD, IFEvalRun, Run, table_of
from ifpref.pipeline.samples import PROMPTS, RESPONSES, TREES, IFEvalPrompts, Prompts, Responses, Trees, rows_of_split
from ifpref.pipeline.schedule import Schedule, say_to_stderr
from ifpref.pipeline.stage import Stage
from ifpref.pipeline.workers import InProcess, Workers, forget, gpu_groups, n_workers, study_store
from ifpref.statistics.verdicts import ENOUGH_PROMPTS, ENOUGH_REPLICATES
from ifpref.store import Handle, StoreError


class StudyError(RuntimeError):
    """A study of which nothing can be read; the message lists what failed and why."""


class Study:
    """A profile, some of its parameters replaced, and its artefacts.

    overrides  parameters that are replaced, as a notebook has them: a dict, beside those that are given by name
    profile    its name: `pocket`, or that of its YAML file without the ending
    source     what it is loaded from, in whatever folder: the name, or the file's absolute path

    `ParamsError` for an unknown profile, key or value; ValueError for an unknown comparison.
    """

    def __init__(self, profile: str | Path = "pocket", overrides: Any = None, /, **more: Any) -> None:
        self.profile, self.overrides = profile_name(profile), as_overrides(overrides or {}) | more
        self.source = self.profile if self.profile == profile else str(Path(profile).resolve())
        self.params: Params = load_params(profile, **self.overrides)
        self.comparisons: list[Comparison] = chosen(self.params)
        self.pipeline = Pipeline(self.params, study_store())
        self.base = cache(self._base)
        self._prompts = cache(self._read_prompts)
        self._prompt_ids = cache(lambda split: [prompt["prompt_id"] for prompt in self._prompts(split, 0)])
        self._found = cache(self._find)
        self._tables = lru_cache(512)(self._read_table)  # a reading asks for each many times; some 0.3 MB each

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

    def tasks(self, notebook: str | None = None) -> list[Stage]:
        """The artefacts that a notebook reads, or all of them."""
        if notebook == "tour":
            first = self.comparisons[0]
            runs = [Run(first.name, arm, 0, self.middle(first.name)) for arm in first.arms[:2]]
            return [pairs_of(first.name, 0), PairTables(first.name, 0), *runs]
        found: list[Stage] = [Base(split, 0.0) for split in self._sets(notebook)]
        for one in self._comparisons(notebook):
            for replicate in self.replicates_of(one.name):
                found.append(PairTables(one.name, replicate))
                found += [Run(one.name, arm, replicate, at) for arm in one.arms for at in self.configurations(one.name)]
            if one.name in self.params.sampled_comparisons:
                found.append(Base("test", 1.0))
        if self.params.ifeval:  # of the middle rate alone: others are read on our prompts
            runs = [task for task in found if isinstance(task, Run) and not self.comparison(task.comparison).is_series]
            middle = [IFEvalRun(run) for run in runs if run.configuration == self.middle(run.comparison)]
            found += [Base(IFEVAL, 0.0), *middle]
        return list(dict.fromkeys(found))

    def configurations(self, name: str) -> tuple[Configuration, ...]:
        """What every arm of a comparison is run at."""
        return configurations(self.comparison(name), self.params)

    def middle(self, name: str) -> Configuration:
        """The configuration of a comparison that has one, or the middle of its grid. ValueError where there is none."""
        if not self.comparison(name).is_series:
            return Configuration(self.params.learning_rate)
        first, *others = self.configurations(name)
        if others:
            allowed = "; ".join(map(str, (first, *others)))
            raise ValueError(f"comparison {name!r} has no middle configuration: say which one; allowed: {allowed}")
        return first

    def replicates_of(self, name: str) -> range:
        """The replicates that a comparison is run in."""
        one, p = self.comparison(name), self.params
        n_series = 1 if one.runs_at == "pilot" else p.n_series_replicates or p.n_replicates
        return range(n_series) if one.is_series else self.replicates

    def at_hand(self, tasks: list[Stage], say: Callable[[str], None]) -> list[Stage]:
        """The tasks without IFEval's, where its prompts are neither on this machine nor on a hub that answers."""
        on_ifeval = [task for task in tasks if isinstance(task, IFEvalRun) or task == Base(IFEVAL, 0.0)]
        if not on_ifeval or self.has_ifeval_prompts():
            return tasks
        from ifpref.evaluation.sets import ifeval_prompts

        if ifeval_prompts() is not None:
            return tasks
        say(f"IFEval is left out of {len(on_ifeval)} evaluations: its prompts cannot be fetched (IFEVAL_PROMPTS=file)")
        return [task for task in tasks if task not in on_ifeval]

    def _comparisons(self, notebook: str | None) -> list[Comparison]:
        return self.comparisons if notebook is None else of_notebook(notebook, self.params)

    def _sets(self, notebook: str | None) -> list[str]:
        return list(dict.fromkeys(split for one in self._comparisons(notebook) for split in one.sets))

    def run(
        self,
        notebook: str | None = None,
        *,
        workers: int | None = None,
        say: Callable[[str], None] = say_to_stderr,
    ) -> dict[Stage, str]:
        """Compute what is missing for a notebook, or for the whole study.

        workers  processes; None: $IFPREF_WORKERS, or one for each GPU, or for each core (or for each group of
                 `training_processes` of them). 0: this process

        Returns what failed, with the reason, and warns of it; everything else is there, and a run that is missing is
        left out of tables and counted. StudyError where what all the rest is read against is missing (held-out
        prompts, or the base), and where no arm of any comparison has a pair.
        """
        self._found.cache_clear()
        self._tables.cache_clear()
        n_gpus = gpus(self.params)
        device = first_device(n_gpus)
        self.pipeline = Pipeline(self.params, self.pipeline.store, device)  # with what has come since
        schedule = Schedule(self.pipeline, self.at_hand(self.tasks(notebook), say), device)
        what = f"study {self.name}" + (f", {notebook}" if notebook else "")
        if not schedule.needs:
            if notebook:
                say(f"{what}: all {len(schedule.cached)} artefacts are there")
            self._check_pairs(notebook, lambda line: say(f"{what}: {line}"))
            return {}
        for root, count in self.pipeline.store.outdated().items():
            say(f"{what}: {paths.shown(root)} holds {count:,} artefacts of an older layout: they are not used")
        preflight.check(self.pipeline, schedule.needs, n_gpus, lambda line: say(f"{what}: {line}"))
        n = min(n_workers(self.params, n_gpus, workers), len(schedule.needs))
        say(f"{what}: {len(schedule.needs)} artefacts to make, {len(schedule.cached)} are there; workers: {n or 1}")
        executor = Workers(n, gpu_groups(n_gpus, self.params.training_processes)) if n > 1 else InProcess()
        rehearsal.begin(self.pipeline, schedule.needs, executor, device, lambda line: say(f"{what}: {line}"))
        forget()
        backends()  # what counts sentences here is said once, and not by each worker
        schedule.work(executor, max(n, 1), lambda line: say(f"{what}: {line}"))
        if schedule.failed:
            text = f"{what}: {len(schedule.failed)} of {len(schedule.needs)} artefacts could not be made:\n"
            text += "\n".join(f"  {task}: {reason}" for task, reason in schedule.failed.items())
            if any(task == Prompts() or isinstance(task, Base) for task in schedule.failed):
                raise StudyError(text)
            warnings.warn(text, stacklevel=2)
        self._check_pairs(notebook, lambda line: say(f"{what}: {line}"))
        return schedule.failed

    def _check_pairs(self, notebook: str | None, say: Callable[[str], None]) -> None:
        """Say which comparisons of a notebook have no pairs in any arm; StudyError where no comparison at all has."""

        def n_pairs(one: Comparison) -> int | None:
            tables = self.pair_tables(one.name)
            return sum(sum(table["pairs"].values()) for table in tables) if tables else None

        empty = [one.name for one in self._comparisons(notebook) if n_pairs(one) == 0]
        if not empty:
            return
        text = f"no pairs in any arm of {', '.join(empty)}, so nothing is trained there; the yields say where they went"
        if not any(map(n_pairs, self.comparisons)):
            raise StudyError(f"{text}. What helps: more n_train_prompts or n_responses, or rules that keep more pairs")
        say(text)

    def keys(self, notebook: str | None = None) -> list[str]:
        """The keys of what a notebook reads, of what is there."""
        handles = map(self.pipeline.find, self.tasks(notebook))
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
        """Rows of prompts: "train" (of a replicate), "dev", "test", "transfer", "ifeval". The list is the caller's."""
        return list(self._prompts(split, replicate if split == "train" else 0))

    def _read_prompts(self, split: str, replicate: int) -> list[dict[str, Any]]:
        if split == "train":
            return self.pipeline.rows(Prompts(replicate), PROMPTS)
        return rows_of_split(self.pipeline.get(IFEvalPrompts() if split == IFEVAL else Prompts()), split)

    def _base(self, split: str = "test", temperature: float = 0.0) -> Table:
        """The verdict table of the base."""
        return Table.from_dict(self.pipeline.get(Base(split, temperature)).read_json(SMALL_TABLE))

    def responses(self, replicate: int = 0) -> list[dict[str, Any]]:
        """Rows of whole responses."""
        return self.pipeline.rows(Responses(replicate), RESPONSES)

    def trees(self, curation: str = "mcts", replicate: int = 0) -> list[dict[str, Any]]:
        """Rows of trees: "mcts" or "rs_branched"."""
        return self.pipeline.rows(Trees(curation, replicate), TREES)

    def pairs(self, name: str, replicate: int = 0) -> ComparedPairs:
        """The pairs of a comparison in one replicate."""
        made = self.pipeline.get(pairs_of(name, replicate))
        rows, outcomes = rows_by_arm(made, self.comparison(name).arms), made.read_json(OUTCOMES)
        return ComparedPairs(rows, {arm: outcomes[str(arm)] for arm in rows}, made.read_json(DROPPED))

    def pair_tables(self, name: str) -> list[dict[str, Any]]:
        """Of each replicate: "pairs", "yields", "balance", "shared_prefix", "dropped" (pipeline/pairs.py)."""
        found = (self.pipeline.find(PairTables(name, replicate)) for replicate in self.replicates_of(name))
        return [handle.read_json(TABLES) for handle in found if handle]

    def record(self, name: str, arm: Arm, replicate: int, at: Configuration | None = None) -> dict[str, Any] | None:
        """What is kept of a run (pipeline/runs.py), or None if it is not there. at: None is the `middle`."""
        return self._found(Run(name, arm, replicate, at or self.middle(name)), RECORD)

    def _find(self, task: Stage, file: str) -> Any:
        """What a file of an artefact holds, or None where it is not there."""
        handle = self.pipeline.find(task)
        return handle.read_json(file) if handle else None

    def tables(
        self, name: str, arm: Arm, *, key: str = "test/greedy", at: Configuration | None = None
    ) -> list[Table | None]:
        """The verdict table of each replicate: "test/greedy", "transfer/greedy"; on grids "dev/sampled"; at the middle
        rate "test/sampled" and "ifeval/greedy".

        at  the configuration; None: the `middle`, of a comparison that has one
        """
        at = at or self.middle(name)
        return [self._tables(Run(name, arm, replicate, at), key) for replicate in self.replicates_of(name)]

    def _read_table(self, run: Run, key: str) -> Table | None:
        if key == IFEVAL_KEY:
            found = self._found(IFEvalRun(run), SMALL_TABLE)
            return Table.from_dict(found) if found else None
        record = self._found(run, RECORD)
        if not record or key not in record["tables"]:
            return None
        return table_of(record, key, self._prompt_ids(key.partition("/")[0]))

    def log(self, name: str) -> list[dict[str, Any]]:
        """Training logs of a comparison, one row a step: arm, configuration, learning_rate (the peak), replicate, and
        trainer.py's other columns."""
        rows = []
        for arm, at, replicate in product(
            self.comparison(name).arms, self.configurations(name), self.replicates_of(name)
        ):
            record = self.record(name, arm, replicate, at)
            if record and record["log"]:
                run = {"arm": str(arm), "configuration": str(at), "replicate": replicate}
                run["learning_rate"] = at.learning_rate
                columns = record["log"]
                rows += [dict(zip(columns, step, strict=True)) | run for step in zip(*columns.values(), strict=True)]
        return rows

    def policy(self, name: str, arm: Arm, replicate: int = 0, at: Configuration | None = None) -> Handle:
        """The policy of a run, with its adapter, trained now if only its run is there."""
        return self.pipeline.policy(Run(name, arm, replicate, at or self.middle(name)))

    def model(self) -> LoadedModel:
        """The base."""
        return self.pipeline.model.loaded

    def run_keys(self, names: Collection[str]) -> list[str]:
        """Keys of the runs of these comparisons that are there."""
        runs = [task for task in self.tasks() if isinstance(task, Run) and task.comparison in names]
        return sorted({handle.key for handle in map(self.pipeline.find, runs) if handle})

    def has_ifeval_prompts(self) -> bool:
        return self.pipeline.find(IFEvalPrompts()) is not None

    def costs(self) -> list[dict[str, Any]]:
        """Of each stage the artefacts that are there, of all that the study is made from, and the minutes they took."""
        seconds: dict[str, list[float]] = {stage.name: [] for stage in STAGES}
        for task in self.pipeline.needs(self.tasks()):
            if handle := self.pipeline.find(task):
                seconds[task.name].append(handle.manifest["made"]["seconds"])
        return [
            {"stage": stage, "artefacts": len(took), "minutes": sum(took) / 60}
            for stage, took in seconds.items()
            if took
        ]


# ---- command line


@command(StoreError)
def main(arguments: Sequence[str] | None = None) -> int:
    parser = parser_of("ifpref.study", __doc__, study=True)
    parser.add_argument("--only", choices=NOTEBOOKS, help="what one notebook needs")
    parser.add_argument("--workers", type=int, help="processes (default: one for each GPU, or core; 0: this one)")
    options = parser.parse_args(arguments)
    start = time.monotonic()
    study = Study(options.profile, **parse_overrides(options.set))
    try:
        failed = study.run(options.only, workers=options.workers)
    except StudyError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if failed:
        print(f"study {study.name}: {len(failed)} artefacts failed; the same command tries them again", file=sys.stderr)
        return 1
    print(f"study {study.name}: everything is there ({time.monotonic() - start:.0f} s)", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
