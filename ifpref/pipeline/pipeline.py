"""The artefacts of one set of parameters in one store: what each is called, whether it is there, how it is made.

    pipeline = Pipeline(load_params("smoke"), Store(paths.store_folder()))
    pipeline.get(Responses(0))            # of replicate 0, made with all that it needs if it is not there

prompts ──> responses ──┐
    └─────> trees ──────┴─> pairs ──> run (a policy, trained and evaluated)        see DESIGN: how data flows

An artefact's name follows from parameters and names alone, so it is known before anything is computed: whether a study
is done is answered without a model and without reading a pair.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from functools import cache, cached_property
from typing import Any

from ifpref.params import Params
from ifpref.pipeline.fitting import FILE, Fitting
from ifpref.pipeline.lock import code_key
from ifpref.pipeline.model import Machine, Model, fixed_threads, kept_identity, with_dtype
from ifpref.pipeline.pairs import Pairs, PairsPart, PairTables
from ifpref.pipeline.policies import Base, Entropies, Evaluation, Policy, Reference, policy_settings
from ifpref.pipeline.runs import IFEvalRun, Run, pairs_of_run
from ifpref.pipeline.samples import IFEvalPrompts, Prompts, Responses, Trees
from ifpref.pipeline.stage import Job, ModelJob, Stage, key_value, pick
from ifpref.store import Artefact, Handle, Store, Writer

STAGES: tuple[type[Stage], ...] = (
    Prompts,
    IFEvalPrompts,
    Entropies,
    Base,
    Responses,
    Trees,
    Pairs,
    PairsPart,
    PairTables,
    Run,
    IFEvalRun,
)
"""Every stage that can be asked for, in the order in which a replicate needs them."""
NESTED: tuple[type[Stage], ...] = (Reference, Policy, Evaluation)
"""Stages that others ask for while they make something."""
COMMITS = "commits.json"
"""In the store: the commits of hub models, as they were first resolved."""
APART: Mapping[str, str] = {
    "device": "where it is computed: tables agree to their digits",
    "sampling_batch_size": "memory: rounding alone",
    "engine_url": "where the server is; which model it serves is checked",
    "gradient_checkpointing": "memory: the same numbers, computed twice",
    "training_processes": "time: a step averages over the same pairs",
    "save_steps": "how much a killed run repeats",
    "primary_metric": "of effects and claims, which analyses read from verdicts that are there",
    "confidence": "of intervals, which analyses compute from what is there",
    "equivalence_margin": "of verdicts, which analyses read from what is there",
}
"""Parameters that no key depends on, each with the reason. Every other one changes a key (tests/test_pipeline.py)."""


class Pipeline:
    """`device` is "cpu" or "cuda:1"; `params.dtype` is never `auto`, whatever was given."""

    def __init__(self, params: Params, store: Store, device: str = "cpu") -> None:
        self.params, self.store = with_dtype(params), store
        self.machine = pick(Machine, self.params, device=device)
        self.artefact, self.inputs = cache(self._artefact), cache(lambda task: task.inputs(self.params))
        self._found: dict[Stage, Handle] = {}

    def get(self, task: Stage) -> Handle:
        """The artefact, made now (with all that it needs) if it is not there."""
        settings, inputs = task.settings(self.params), self.inputs(task)
        given = lambda: {name: self.get(one) for name, one in inputs.items()}  # noqa: E731
        return self._get(self.artefact(task), type(task), settings, given)

    def find(self, task: Stage) -> Handle | None:
        """The artefact, if it is there. What was found once is not looked for again."""
        if task not in self._found:
            if (handle := self.store.look(self.artefact(task))) is None:
                return None
            self._found[task] = handle
        return self._found[task]

    def key(self, task: Stage) -> str:
        return self.artefact(task).key

    def needs(self, tasks: Iterable[Stage]) -> list[Stage]:
        """The tasks, and all that they are made from."""
        found: dict[Stage, None] = {}
        waiting = list(tasks)
        while waiting:
            if (task := waiting.pop()) not in found:
                found[task] = None
                waiting += self.inputs(task).values()
        return list(found)

    def policy(self, run: Run) -> Handle:
        """The policy of a run, trained now if only its record is there (of a committed reference)."""
        settings, seed = run.settings(self.params), run.seed(self.params)
        pairs = pairs_of_run(self.get(self.inputs(run)["pairs"]), settings, seed)
        return self.nested(Policy, policy_settings(pairs, settings.training), data=pairs, seed=seed)

    def rows(self, task: Stage, table: str) -> list[dict[str, Any]]:
        return self.get(task).read_jsonl(table)

    @cached_property
    def identity(self) -> dict[str, str | None]:
        p = self.params
        return kept_identity(self.store.root / COMMITS, p.model, p.revision, p.dtype)

    @cached_property
    def model(self) -> Model:
        return Model(self.identity, self.machine, Fitting(self.store.root / FILE, self.identity))

    def _artefact(self, task: Stage) -> Artefact:
        inputs = {name: self.artefact(one).key for name, one in self.inputs(task).items()}
        return self._declared(type(task), task.settings(self.params), inputs, task.seed(self.params))

    def _declared(self, stage: type[Stage], settings: Any, inputs: Mapping[str, Any], seed: int | None) -> Artefact:
        model = key_of_model(self.identity) if stage.of_model else None
        return Artefact(stage.name, key_value(settings), inputs, model, seed, code_key(stage))

    def _get(self, artefact: Artefact, stage: type[Stage], settings: Any, inputs: Any, data: Any = None) -> Handle:
        """The artefact of a stage, made by its `make` from a job that holds what is in the key, and nothing else."""

        with ExitStack() as while_made:

            def make(writer: Writer) -> None:
                folder = str(self.store.root / artefact.stage / artefact.key)
                given = (settings, inputs(), artefact.seed, self.machine, data, folder, self.nested)
                if stage.of_model:
                    while_made.enter_context(fixed_threads())  # until the manifest has said how many there were
                stage.make(ModelJob(*given, model=self.model) if stage.of_model else Job(*given), writer)

            return self.store.get(artefact, make)

    def nested(
        self,
        stage: type[Stage],
        settings: Any,
        *,
        inputs: Mapping[str, Handle] | None = None,
        data: Any = None,
        seed: int | None = None,
    ) -> Handle:
        """An artefact that a job asks for, of what it has been given."""
        inputs = inputs or {}
        return self._get(self._declared(stage, settings, inputs, seed), stage, settings, lambda: inputs, data)


def key_of_model(identity: Mapping[str, str | None]) -> dict[str, str | None]:
    """What of a model's identity stands in keys: a folder is known by what is in it, wherever it lies."""
    return {name: value for name, value in identity.items() if name != "id" or identity["content"] is None}
