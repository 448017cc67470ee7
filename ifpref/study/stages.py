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

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

from ifpref.constraints import CONSTRAINT_SETS
from ifpref.curation.pairs import CURATIONS, Arm, PairSettings
from ifpref.models import LoadedModel, identify
from ifpref.params import Params
from ifpref.sampling import Settings
from ifpref.store import Artefact, Handle, Store, Writer
from ifpref.study.cells import COMPARISONS, Comparison
from ifpref.study.fitting import FILE, FittedEngine, Fitting
from ifpref.training import TrainingSettings

VERIFIER = ("ifpref.constraints.checks", "ifpref.constraints.registry", "ifpref.constraints.sentences")
VERIFIER += ("ifpref.constraints.text",)
SAMPLER = tuple(f"ifpref.sampling.{name}" for name in ("protocol", "streams", "tokens", "cache", "transformers"))
PROMPTS = tuple(f"ifpref.prompts.{name}" for name in ("build", "write", "combinations", "domain", "domains"))
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
        self.key = cache(lambda task: self.step(task).artefact().key)

    def get(self, task: Task) -> Handle:
        """The artefact, made now (with all that it needs) if it is not there."""
        step = self.step(task)
        return self.store.get(step.artefact(), step.make)

    def find(self, task: Task) -> Handle | None:
        """The artefact, if it and what its name depends on are there."""
        if any(self.find(need) is None for need in self.named_by(task)):
            return None
        return self.store.look(self.step(task).artefact())

    def named_by(self, task: Task) -> tuple[Task, ...]:
        """What must be there before a task has a name: the tuning of a run at its own rate."""
        is_tuned = task.stage == "run" and task.args[3] is None and self.params.n_tuning_replicates > 0
        return tuple(need for need in self.step(task).needs if need.stage == "run") if is_tuned else ()

    def _step(self, task: Task) -> Step:
        return getattr(self, f"_{task.stage}")(*task.args)

    # ---- what a computation needs, loaded when it is first asked for

    @cached_property
    def identity(self) -> dict[str, str | None]:
        return identify(self.params.model, self.params.revision)

    @cached_property
    def loaded(self) -> LoadedModel:
        from ifpref.models import load_model

        revision = self.identity["revision"] or self.params.revision
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
            vocabulary = read_tokenizer(p.model, self.identity["revision"] or p.revision)
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
        from ifpref.sampling import ChatEngine

        prompts = Task("train_prompts", (replicate,))
        sampling, shard = self.sampling(replicate), self.params.shard_prompts
        count, first = n or self.params.n_responses, "pass rate/" if n else ""
        params = self.params.subset(*SAMPLING, "shard_prompts")
        params |= {"n_responses": count, "seed": sampling.seed, "stream": first}

        def make(writer: Writer) -> None:
            rows = self.rows(prompts)
            engine = self.engine()
            write_responses(writer, rows, engine, sampling, n=count, shard_prompts=shard, stream=first)
            if isinstance(engine, ChatEngine):
                written = writer.iter_jsonl("responses.jsonl.gz")
                writer.write_json("chat.json", engine.count(row["token_ids"] for row in written))

        return Step((prompts,), lambda: self._sampled("responses", params, prompts), make)

    def _trees(self, curation: str, replicate: int) -> Step:
        from ifpref.curation.mcts import PARAMS, SearchSettings, write_trees

        prompts = Task("train_prompts", (replicate,))
        sampling, settings = self.sampling(replicate), SearchSettings.from_params(self.params, curation)
        params = self.params.subset(*SAMPLING, *PARAMS[curation]) | {"curation": curation, "seed": sampling.seed}

        def make(writer: Writer) -> None:
            shard = self.params.shard_prompts
            write_trees(writer, self.rows(prompts), self.engine(), sampling, settings, shard_prompts=shard)

        return Step((prompts,), lambda: self._sampled("trees", params, prompts), make)

    def _sampled(self, stage: str, params: Mapping[str, Any], prompts: Task) -> Artefact:
        more, code = self.sampled_by()
        inputs = {"prompts": self.key(prompts)}
        return Artefact(stage, {**params, **more}, inputs=inputs, code=CODE[stage] + code, model=self.identity)

    # ---- pairs

    def _pairs(self, name: str, replicate: int) -> Step:
        from ifpref.curation import by_pass_rate, compare

        one, settings = COMPARISONS[name], PairSettings.from_params(self.params)
        if one.part_of:
            return self._part_of_pairs(one, replicate)
        needs = {"prompts": Task("train_prompts", (replicate,))}
        for arm in one.arms:
            source = CURATIONS[arm.curation].source
            needs[source] = Task("responses", (replicate,)) if source == "rs" else Task("trees", (source, replicate))
            if arm.curation == "mcts_unshared":  # where the tree holds no match, these may
                needs["rs"] = Task("responses", (replicate,))
        if one.difficulty_by == "pass rate":
            needs["pass_rate"] = Task("responses", (replicate, self.params.n_pass_rate_responses))
        if one.as_many_as:
            needs["as_many_as"] = Task("pairs", (one.as_many_as, replicate))
        left_out = self.params.transfer_ids if one.without_ids else ()
        params = vars(settings) | {"arms": [vars(arm) for arm in one.arms], "design": one.design, "match": one.match}
        params |= {"left_out": left_out, "seed": self.params.seed, "replicate": replicate}

        def make(writer: Writer) -> None:
            prompts = self.rows(needs["prompts"])
            if "pass_rate" in needs:
                prompts = by_pass_rate(prompts, self.rows(needs["pass_rate"], "responses.jsonl.gz"), self.params.seed)
            prompts = [prompt for prompt in prompts if not {c["id"] for c in prompt["constraints"]} & set(left_out)]
            limit = settings.n_pairs
            if one.as_many_as:
                other = len(self.rows(needs["as_many_as"], "pairs.jsonl.gz")) // len(COMPARISONS[one.as_many_as].arms)
                limit = other if limit is None else min(limit, other)
            wanted = {"rs": "responses.jsonl.gz", "mcts": "trees.jsonl.gz", "rs_branched": "trees.jsonl.gz"}
            engine = self.engine()
            made = compare(
                one.arms,
                prompts,
                {source: self.rows(needs[source], table) for source, table in wanted.items() if source in needs},
                engine.encode,
                replace(settings, n_pairs=limit),
                seed=self.params.seed,
                replicate=replicate,
                design=one.design,
                match=one.match,
                barred=_start_tokens(engine),
            )
            writer.write_jsonl("pairs.jsonl.gz", [row for arm in one.arms for row in made.rows[arm]])
            writer.write_json("outcomes.json.gz", {str(arm): dict(made.outcomes[arm]) for arm in one.arms})
            writer.write_json("difficulty.json.gz", {prompt["prompt_id"]: prompt["difficulty"] for prompt in prompts})
            writer.write_json("dropped.json", made.dropped)

        def artefact() -> Artefact:
            inputs = {what: self.key(task) for what, task in needs.items()}
            return Artefact("pairs", params, inputs=inputs, code=CODE["pairs"], model=self.identity)

        return Step(tuple(needs.values()), artefact, make)

    def _part_of_pairs(self, one: Comparison, replicate: int) -> Step:
        """A third of the prompts of another comparison, by the fraction that their `mcts` pairs share."""
        from ifpref.statistics import terciles

        whole = Task("pairs", (one.part_of, replicate))

        def artefact() -> Artefact:
            params = {"arms": [vars(arm) for arm in one.arms], "part": one.part}
            code = ("ifpref.statistics.intervals",)
            return Artefact("pairs", params, inputs={"pairs": self.key(whole)}, code=code, model=self.identity)

        def make(writer: Writer) -> None:
            handle, by_arm = self.get(whole), self.pairs_of(one.part_of, replicate)
            searched = by_arm[Arm("mcts")]
            third = terciles([row["shared_prefix_fraction"] for row in searched]).tolist()
            number = ("lower", "middle", "upper").index(one.part)
            there = {row["prompt_id"] for row, t in zip(searched, third, strict=True) if t == number}
            # a prompt that the other arm has no pair of leaves both, so that both have the same prompts
            there &= set.intersection(*({row["prompt_id"] for row in by_arm[arm]} for arm in one.arms))
            kept = [row for arm in one.arms for row in by_arm[arm] if row["prompt_id"] in there]
            writer.write_jsonl("pairs.jsonl.gz", kept)
            outcomes = handle.read_json("outcomes.json.gz")
            writer.write_json("outcomes.json.gz", {str(arm): _within(outcomes[str(arm)], there) for arm in one.arms})
            for same in ("difficulty.json.gz", "dropped.json"):
                writer.write_json(same, handle.read_json(same))

        return Step((whole,), artefact, make)

    def pairs_of(self, name: str, replicate: int) -> dict[Arm, list[dict[str, Any]]]:
        """The pairs of each arm; an arm can be there without any."""
        found: dict[Arm, list[dict[str, Any]]] = {arm: [] for arm in COMPARISONS[name].arms}
        for row in self.rows(Task("pairs", (name, replicate)), "pairs.jsonl.gz"):
            found[Arm(row["curation"], row["contrast"], row["difficulty"])].append(row)
        return found

    def _pair_tables(self, name: str, replicate: int) -> Step:
        """Yields, balance and shared prefixes: what is read of pairs, without the pairs."""
        from ifpref.curation.balance import balance, yields

        pairs, prompts = Task("pairs", (name, replicate)), Task("train_prompts", (replicate,))

        def make(writer: Writer) -> None:
            handle, by_arm = self.get(pairs), self.pairs_of(name, replicate)
            difficulty = handle.read_json("difficulty.json.gz")
            known = [{**row, "difficulty": difficulty.get(row["prompt_id"], "")} for row in self.rows(prompts)]
            outcomes = handle.read_json("outcomes.json.gz")
            tables = {
                "pairs": {str(arm): len(rows) for arm, rows in by_arm.items()},
                "dropped": handle.read_json("dropped.json"),
                "yields": yields({arm: outcomes[str(arm)] for arm in by_arm}, known),
                "balance": balance(by_arm, known),
                "shared_prefix": {
                    str(arm): [round(row["shared_prefix_fraction"], 4) for row in rows] for arm, rows in by_arm.items()
                },
            }
            writer.write_json("tables.json.gz", tables)

        inputs = lambda: {"pairs": self.key(pairs), "prompts": self.key(prompts)}  # noqa: E731
        return Step((pairs,), lambda: Artefact("pair_tables", inputs=inputs(), code=CODE["pair_tables"]), make)


def _start_tokens(engine: Any) -> tuple[int, ...]:
    """What no response of a pair may hold: the start token, where it is no end token too."""
    start = engine.tokenizer.bos_token_id
    return () if start is None or start in engine.eos_ids else (start,)


def _within(outcomes: Mapping[str, str], there: set[str]) -> dict[str, str]:
    return {p: "equal numbers" if found == "pair" and p not in there else found for p, found in outcomes.items()}
