"""The stages of a study: for every artefact what it needs, what it is called, and how it is made.

    stages = Stages(load_params("smoke"), Store(paths.store_folder()))
    stages.get(Task("responses", (0,)))            # the artefact of replicate 0, made if it is not there

prompts ──> responses ──┐
    └─────> trees ──────┴─> pairs ──> run (a policy, trained and evaluated)        see DESIGN: how data flows

Decisions
- An artefact's key follows from the parameters of its stage and the keys of what it read, so that it is known before
  anything is computed: whether a study is done is answered from names, without a model and without reading a pair.
- A *run* is what analyses read of one policy: its log, how training ended, and a verdict table for each held-out set.
  Policies with their adapters, and evaluations with their texts, are artefacts of their own, keyed by the pairs' tokens
  and by the policy: two arms that have the same pairs share them.
- A replicate draws everything again: training prompts, samples, ties between pairs, and LoRA's seed. Held-out prompts
  and their random streams are the same for all, so that every difference between policies is paired.
- Sizes that change a number by rounding alone (batch sizes, workers, processes of training) are in no key; the largest
  batches that fit are found once and kept (fitting.py). Engine, system prompt, thinking and stop strings are in the
  keys of what is sampled, where they are not the defaults.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from ifpref import paths
from ifpref.constraints import CONSTRAINT_SETS
from ifpref.models import LoadedModel, ModelError, identify, is_local
from ifpref.params import Params
from ifpref.pipeline.fitting import FILE, FittedEngine, Fitting
from ifpref.sampling import Settings
from ifpref.store import Artefact, Handle, Store, Writer, files
from ifpref.training import TrainingSettings

VERIFIER = ("ifpref.constraints.checks", "ifpref.constraints.registry", "ifpref.constraints.sentences")
VERIFIER += ("ifpref.constraints.text",)
SAMPLER = tuple(f"ifpref.sampling.{name}" for name in ("protocol", "streams", "tokens", "cache", "transformers"))
PROMPTS = tuple(f"ifpref.prompts.{name}" for name in ("build", "write", "combinations", "domain"))
PAIRS = tuple(f"ifpref.curation.{name}" for name in ("arms", "contrast", "equal", "matching", "pairs"))
SEARCH = tuple(f"ifpref.curation.{name}" for name in ("mcts", "tree", "boundaries", "rejection"))
EVALUATION = tuple(f"ifpref.evaluation.{name}" for name in ("policy", "distribution", "table"))
CODE = {  # stage -> the modules that its artefacts depend on
    "prompts": ("ifpref.constraints", *PROMPTS),
    "responses": (*VERIFIER, *SAMPLER, "ifpref.curation.rejection"),
    "trees": (*VERIFIER, *SAMPLER, *SEARCH),
    "pairs": PAIRS,
    "pair_tables": ("ifpref.curation.balance", "ifpref.curation.matching"),
    "evaluation": (*VERIFIER, *SAMPLER, *EVALUATION),
    "entropies": (*SAMPLER, "ifpref.evaluation.distribution", "ifpref.evaluation.temperature"),
    "run": (*VERIFIER, *SAMPLER, *EVALUATION, "ifpref.training", "ifpref.evaluation.temperature"),
}
COMMITS = "commits.json"
"""In the store: the commits of hub models, as they were first resolved."""
HELD_OUT = ("dev", "test", "transfer")
SAMPLING = ("temperature", "top_p", "max_tokens")
SPOKEN = ("system_prompt", "thinking_end", "stop_strings")


@dataclass(frozen=True)
class Task:
    """One artefact that is wanted: a stage, and which one of it."""

    stage: str
    args: tuple = ()

    def __str__(self) -> str:
        return " ".join([self.stage, *(str(arg) for arg in self.args if arg is not None)])


@dataclass(frozen=True)
class Step:
    """What a task stands for. `artefact` is a function, since a run at its own rate is named by what it needs."""

    needs: tuple[Task, ...]
    artefact: Callable[[], Artefact]
    make: Callable[[Writer], None]


class Stages:
    """The artefacts of one set of parameters in one store; `device` is "cpu" or "cuda:1"."""

    def __init__(self, params: Params, store: Store, device: str = "cpu") -> None:
        self.params, self.store, self.device = params, store, device
        self.step = cache(self._step)
        self._found: dict[Task, Handle] = {}
        self.key = cache(lambda task: self.step(task).artefact().key)

    def get(self, task: Task) -> Handle:
        """The artefact, made now (with all that it needs) if it is not there."""
        step = self.step(task)
        return self.store.get(step.artefact(), step.make)

    def find(self, task: Task) -> Handle | None:
        """The artefact, if it and what its name depends on are there. What was found once is not looked for again."""
        if task not in self._found:
            if any(self.find(need) is None for need in self.named_by(task)):
                return None
            if (handle := self.store.look(self.step(task).artefact())) is None:
                return None
            self._found[task] = handle
        return self._found[task]

    def named_by(self, task: Task) -> tuple[Task, ...]:
        """What must be there before a task has a name: the tuning of a run at its own rate."""
        is_tuned = task.stage == "run" and task.args[3] is None and self.params.n_tuning_replicates > 0
        return tuple(need for need in self.step(task).needs if need.stage == "run") if is_tuned else ()

    def _step(self, task: Task) -> Step:
        return getattr(self, f"_{task.stage}")(*task.args)

    # ---- what a computation needs, loaded when it is first asked for

    @cached_property
    def identity(self) -> dict[str, str | None]:
        return kept_identity(self.store.root / COMMITS, self.params.model, self.params.revision)

    @cached_property
    def loaded(self) -> LoadedModel:
        from ifpref.models import load_model

        revision = self.identity["revision"]
        return load_model(self.params.model, revision=revision, dtype=self.params.dtype, device=self.device)

    @cached_property
    def fitting(self) -> Fitting:
        return Fitting(self.store.root / FILE, self.identity)

    def engine(self, loaded: LoadedModel | None = None) -> Any:
        """What samples: of the base by the profile's engine, and of a model that is loaded here by one that is here."""
        from ifpref.sampling import BatchingEngine, HttpEngine, TransformersEngine
        from ifpref.sampling.chat import spoken_to
        from ifpref.sampling.http import read_tokenizer

        p = self.params
        if p.engine == "http" and loaded is None:
            vocabulary = read_tokenizer(p.model, self.identity["revision"])
            engine = HttpEngine(p.engine_url, vocabulary, concurrency=p.sampling_batch_size)
        else:
            kind = BatchingEngine if p.engine == "batching" else TransformersEngine
            engine = FittedEngine(kind(loaded or self.loaded, p.sampling_batch_size), self.fitting)
        return spoken_to(engine, p)

    def sampled_by(self, *, here: bool = False) -> tuple[dict[str, Any], tuple[str, ...]]:
        """Parameters and modules that an artefact depends on by its engine, where they are not the defaults.

        here  sampled from a model that is loaded here, which `http` is never used for
        """
        spoken = {name: getattr(self.params, name) for name in SPOKEN if getattr(self.params, name)}
        code = ("ifpref.sampling.chat",) if spoken else ()
        if self.params.engine == "transformers" or (here and self.params.engine == "http"):
            return spoken, code
        return spoken | {"engine": self.params.engine}, (*code, f"ifpref.sampling.{self.params.engine}")

    def seed(self, replicate: int | None) -> int:
        """Of a replicate; None: of what all replicates share."""
        return self.params.seed * 10_000 + (0 if replicate is None else replicate + 1)

    def sampling(self, replicate: int) -> Settings:
        return replace(Settings.of(self.params), seed=self.seed(replicate))

    def training(self, rate: float | None) -> TrainingSettings:
        return TrainingSettings.from_params(self.params, **({} if rate is None else {"learning_rate": rate}))

    # ---- prompts, responses, trees

    def _train_prompts(self, replicate: int) -> Step:
        return self._prompts({"train": self.params.n_train_prompts}, replicate)

    def _held_out(self) -> Step:
        counts = {name: getattr(self.params, f"n_{name}_prompts") for name in HELD_OUT}
        return self._prompts({name: count for name, count in counts.items() if count}, None)

    def _prompts(self, counts: Mapping[str, int], replicate: int | None) -> Step:
        p, seed = self.params, self.seed(replicate)
        names = ("domain", "constraint_set", "min_constraints", "max_constraints", "easy_max_constraints")
        params = p.subset(*names, "moderate_max_constraints", "transfer_ids") | {"counts": counts, "seed": seed}

        def make(writer: Writer) -> None:
            from ifpref.prompts.build import build, to_rows

            built = build(
                counts,
                seed,
                domain=p.domain,
                ids=CONSTRAINT_SETS[p.constraint_set],
                k=(p.min_constraints, p.max_constraints),
                transfer_ids=p.transfer_ids,
                difficulty=(p.easy_max_constraints, p.moderate_max_constraints),
                workers=1 if sum(counts.values()) < 5_000 else None,
            )
            writer.write_jsonl("prompts.jsonl.gz", to_rows(built.prompts))
            writer.write_json("report.json", {"rejected": built.rejected, "duplicates": built.duplicates})

        code = (*CODE["prompts"], f"ifpref.prompts.{p.domain}")
        return Step((), lambda: Artefact("prompts", params, code=code), make)

    def rows(self, task: Task, table: str = "prompts.jsonl.gz") -> list[dict[str, Any]]:
        return self.get(task).read_jsonl(table)

    def _responses(self, replicate: int, n: int | None = None) -> Step:
        """Whole responses; with n, as many others, which a prompt's pass rate is measured by."""
        from ifpref.curation.rejection import write_responses

        prompts = Task("train_prompts", (replicate,))
        sampling, shard = self.sampling(replicate), self.params.shard_prompts
        count, first = n or self.params.n_responses, "pass rate/" if n else ""
        params = self.params.subset(*SAMPLING, "shard_prompts")
        params |= {"n_responses": count, "seed": sampling.seed, "stream": first}

        def make(writer: Writer) -> None:
            rows = self.rows(prompts)
            engine = self.engine()
            write_responses(writer, rows, engine, sampling, n=count, shard_prompts=shard, stream=first)
            count_chat(writer, engine, (row["token_ids"] for row in writer.iter_jsonl("responses.jsonl.gz")))

        return Step((prompts,), lambda: self._sampled("responses", params, prompts), make)

    def _trees(self, curation: str, replicate: int) -> Step:
        from ifpref.curation.mcts import PARAMS, SearchSettings, write_trees
        from ifpref.curation.pairs import read_trees

        prompts = Task("train_prompts", (replicate,))
        sampling, settings = self.sampling(replicate), SearchSettings.from_params(self.params, curation)
        params = self.params.subset(*SAMPLING, *PARAMS[curation]) | {"curation": curation, "seed": sampling.seed}

        def make(writer: Writer) -> None:
            shard, engine = self.params.shard_prompts, self.engine()
            write_trees(writer, self.rows(prompts), engine, sampling, settings, shard_prompts=shard)
            rows = writer.iter_jsonl("trees.jsonl.gz")
            leaves = (leaf for row in rows for leaf in read_trees([row])[row["prompt_id"]])
            count_chat(writer, engine, (leaf.token_ids for leaf in leaves))

        return Step((prompts,), lambda: self._sampled("trees", params, prompts), make)

    def _sampled(self, stage: str, params: Mapping[str, Any], prompts: Task) -> Artefact:
        more, code = self.sampled_by()
        inputs = {"prompts": self.key(prompts)}
        return Artefact(stage, {**params, **more}, inputs=inputs, code=CODE[stage] + code, model=self.identity)


def count_chat(writer: Writer, engine: Any, responses: Iterable[Sequence[int]]) -> None:
    """What was taken from these responses before they were verified, in chat.json (sampling/chat.py); no file where the
    engine takes nothing. Of a tree, each distinct response counts once."""
    from ifpref.sampling import ChatEngine

    if isinstance(engine, ChatEngine):
        writer.write_json("chat.json", engine.count(responses))


def kept_identity(commits: Path, id: str, revision: str | None = None) -> dict[str, str | None]:
    """`models.identify`, with the commit of a hub model as it was first resolved: for all processes and later runs a
    model stays what it was, though its branch moves on or the hub cannot be asked.

    commits  the file that keeps them. ModelError where it cannot be read
    """
    if is_local(id):
        return identify(id)
    with files.lock(commits.with_name(f"{commits.name}.lock")):
        known, asked = _commits(commits), f"{id}@{revision or 'default branch'}"
        if asked not in known:
            known[asked] = identify(id, revision)["revision"]
            files.replace(commits, files.json_line(known, indent=1))
    return {"id": id, "revision": known[asked], "weights": None}


def _commits(file: Path) -> dict[str, str]:
    if not file.exists():
        return {}
    try:
        known = json.loads(files.read(file))
    except ValueError as error:
        known = f"no JSON ({error})"
    if not isinstance(known, dict) or not all(isinstance(commit, str) for commit in known.values()):
        raise ModelError(
            f"{paths.shown(file)}: {known!r}; allowed: an object, of each model@revision its commit. Without the file, "
            "all are resolved anew"
        )
    return known
