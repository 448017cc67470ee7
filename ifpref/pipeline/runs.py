"""Runs: what becomes of a cell in one replicate. A policy is trained on the pairs and evaluated on held-out prompts.

    runs = Runs(load_params("smoke"), store)
    runs.rate("sharing", Arm("rs"))                              # the arm's own learning rate, chosen on dev
    runs.get(Task("run", ("sharing", Arm("rs"), 0, None)))       # replicate 0 of the arm, at that rate

Files of a run: record.json.gz, with

    {"arm": {...}, "learning_rate": 0.001, "n_pairs": 214, "policy": "<key>",
     "training": {"state": "finished", "steps": 28, ...}, "log": {"step": [1, 2, ...], "loss": [...], ...},
     "tables": {"test/greedy": {...}, "test/sampled": {...}},       # evaluation/table.py, read by `Runs.table`
     "matched": {"temperature": 0.62, "clamped": false}}            # of the base; where "test/sampled" is there

Decisions
- An arm's rate is the one of the grid with the best prompt-level accuracy on dev, greedy, over the first
  `n_tuning_replicates`; of equal ones that nearest to `learning_rate`, by its ratio. The test split has no part in it.
- A base at temperature 1 differs from a policy in sharpness too: beside every such figure stands the base at the
  temperature whose mean token entropy is the policy's.
- IFEval's prompts are a task of their own beside each run: a run is not repeated when they are asked for, or when they
  are at hand at last, and its key knows nothing of them. Responses to them may be as long as IFEVAL_TOKENS.
- A record is small, since hundreds are kept with the reference run: its tables leave out what the held-out set says
  (prompt ids), and log-probabilities of greedy responses, which nothing reads. Evaluations have them.
- An arm without pairs in a replicate has no run: its record says so (`training.state` is "no pairs"), and its scores
  are missing, not 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import cache
from typing import Any

from ifpref.curation.pairs import Arm
from ifpref.design import COMPARISONS
from ifpref.evaluation.table import Table
from ifpref.evaluation.temperature import TEMPERATURES, matched_temperature
from ifpref.models import LoadedModel, attach_adapter, detach_adapter, merged
from ifpref.params import Params
from ifpref.pipeline.fitting import fit_training
from ifpref.pipeline.pair_stages import PairStages
from ifpref.pipeline.stages import CODE, Step, Task, count_chat
from ifpref.sampling import Settings
from ifpref.store import Artefact, Handle, Store, StoreError, Writer
from ifpref.training import TrainingSettings, train_policy

RECORD = "record.json.gz"
HELD_OUT_TASK = Task("held_out")
IFEVAL, IFEVAL_TASK, IFEVAL_KEY = "ifeval", Task("ifeval_prompts"), "ifeval/greedy"
IFEVAL_TOKENS = 1280
"""Most tokens of a response to IFEval's prompts, as in lm-eval: some ask for 1,000 words."""


class Runs(PairStages):
    """The stages after pairs."""

    def __init__(self, params: Params, store: Store, device: str = "cpu") -> None:
        super().__init__(params, store, device)
        self.rate = cache(self._rate)
        self._split = cache(self._read_split)
        self.base = cache(self._read_base)
        self.prompt_ids = cache(lambda split: [prompt["prompt_id"] for prompt in self._split(split)])

    def decoding(self, temperature: float) -> Settings:
        """As the base and all policies are evaluated, on the same random streams."""
        return replace(Settings.of(self.params), temperature=temperature, top_p=1.0, seed=self.seed(None))

    def held_out(self, split: str) -> list[dict[str, Any]]:
        """Rows of prompts: "dev", "test", "transfer", "ifeval"; the list is the caller's."""
        return list(self._split(split))

    def _read_split(self, split: str) -> list[dict[str, Any]]:
        return [prompt for prompt in self.rows(_set_of(split)) if prompt["split"] == split]

    def _ifeval_prompts(self) -> Step:
        """IFEval's prompts, as an artefact; a file that $IFEVAL_PROMPTS names is known by its bytes."""
        from ifpref.evaluation.sets import ifeval_prompts, ifeval_source

        def make(writer: Writer) -> None:
            rows = ifeval_prompts()
            if rows is None:
                raise StoreError("IFEval's prompts are out of reach; allowed: $IFEVAL_PROMPTS, or a network")
            writer.write_jsonl("prompts.jsonl.gz", rows)

        return Step((), lambda: Artefact("prompts", ifeval_source(), code=("ifpref.evaluation.sets",)), make)

    # ---- evaluation

    def evaluation_artefact(self, split: str, temperature: float, policy: Handle | None) -> Artefact:
        inputs = {"prompts": self.key(_set_of(split))} | ({"policy": policy.key} if policy else {})
        params = {"split": split, "n": self._n(temperature), "max_tokens": self._max_tokens(split)}
        params |= {"temperature": temperature, "shard_prompts": self.params.shard_prompts, "seed": self.seed(None)}
        more, code = self.sampled_by(here=True)
        code = CODE["evaluation"] + code
        return Artefact("evaluation", params | more, inputs=inputs, code=code, model=self.identity)

    def _n(self, temperature: float) -> int:
        return self.params.n_sampled if temperature > 0 else 1

    def _max_tokens(self, split: str) -> int:
        return max(self.params.max_tokens, IFEVAL_TOKENS) if split == IFEVAL else self.params.max_tokens

    def evaluate(self, split: str, temperature: float, policy: Handle | None = None) -> Handle:
        """The artefact `evaluation` of the base, or of a policy."""

        def make(writer: Writer) -> None:
            if policy is None:
                self._write_evaluation(writer, self.loaded, split, temperature)
                return
            adapted = attach_adapter(self.loaded, policy.path("adapter"))
            # Above temperature 0 the base is read beside the policy, so its weights must stay; in bfloat16 a merge
            # would round the adapter away.
            is_exact = temperature == 0 and self.params.dtype == "float32"
            try:
                with merged(adapted.model) if is_exact else nullcontext():
                    self._write_evaluation(writer, adapted, split, temperature)
            finally:
                detach_adapter(adapted)

        return self.store.get(self.evaluation_artefact(split, temperature, policy), make)

    def _write_evaluation(self, writer: Writer, loaded: LoadedModel, split: str, temperature: float) -> None:
        from ifpref.evaluation.policy import ROWS, write_evaluation

        engine = self.engine(loaded)
        write_evaluation(
            writer,
            self.held_out(split),
            loaded,
            engine,
            replace(self.decoding(temperature), max_tokens=self._max_tokens(split)),
            n=self._n(temperature),
            shard_prompts=self.params.shard_prompts,
        )
        count_chat(writer, engine, (row["token_ids"] for row in writer.iter_jsonl(ROWS)))

    def _base(self, split: str, temperature: float) -> Step:
        """The base's verdict table, without the texts."""

        def artefact() -> Artefact:
            evaluation = self.evaluation_artefact(split, temperature, None)
            return Artefact("base", inputs={"evaluation": evaluation.key}, code=("ifpref.evaluation.table",))

        def make(writer: Writer) -> None:
            writer.write_json("table.json.gz", self.evaluate(split, temperature).read_json("table.json"))

        return Step((_set_of(split),), artefact, make)

    def _read_base(self, split: str, temperature: float) -> Table:
        """The base's verdict table."""
        return Table.from_dict(self.get(Task("base", (split, temperature))).read_json("table.json.gz"))

    def _entropies(self) -> Step:
        """Mean token entropy of the base by temperature, on the dev prompts."""
        params = self.params.subset("max_tokens") | {"temperatures": TEMPERATURES, "seed": self.seed(None)}

        def artefact() -> Artefact:
            inputs = {"prompts": self.key(HELD_OUT_TASK)}
            more, code = self.sampled_by(here=True)
            code = CODE["entropies"] + code
            return Artefact("entropies", params | more, inputs=inputs, code=code, model=self.identity)

        def make(writer: Writer) -> None:
            from ifpref.evaluation.temperature import entropy_curve

            prompts, settings = self.held_out("dev"), self.decoding(1.0)
            curve = entropy_curve(self.loaded, self.engine(self.loaded), prompts, settings, TEMPERATURES)
            writer.write_json("curve.json", curve)

        return Step((HELD_OUT_TASK,), artefact, make)

    # ---- runs

    def _rate(self, name: str, arm: Arm) -> float:
        """The learning rate that an arm is compared at."""
        if not self.params.n_tuning_replicates:
            return self.params.learning_rate
        accuracy = {rate: self.dev_accuracy(name, arm, rate) for rate in self.params.learning_rates}
        known = {rate: value for rate, value in accuracy.items() if value is not None}
        if not known:  # no pairs in any of them
            return self.params.learning_rate
        return max(known, key=lambda rate: (known[rate], -abs(math.log(rate / self.params.learning_rate))))

    def dev_accuracy(self, name: str, arm: Arm, rate: float) -> float | None:
        records = [self.get(task).read_json(RECORD) for task in self.tuning(name, arm, (rate,))]
        tables = [self.table(record, "dev/greedy") for record in records if record["tables"]]
        return sum(table.prompt_level().mean() for table in tables) / len(tables) if tables else None

    def tuning(self, name: str, arm: Arm, rates: tuple[float, ...] | None = None) -> tuple[Task, ...]:
        """The runs that an arm's rate is chosen by, evaluated on dev alone."""
        replicates = range(min(self.params.n_tuning_replicates, self.params.n_replicates))
        rates = self.params.learning_rates if rates is None else rates
        return tuple(Task("run", (name, arm, replicate, rate, "dev")) for rate in rates for replicate in replicates)

    def _run(self, name: str, arm: Arm, replicate: int, rate: float | None, purpose: str = "test") -> Step:
        pairs = Task("pairs", (name, replicate))
        if rate is None and self.params.n_tuning_replicates:
            needs = (pairs, *self.tuning(name, arm))
        else:
            needs = (pairs, HELD_OUT_TASK)
        one = COMPARISONS[name]
        sets = ("dev",) if purpose == "dev" else one.sets
        is_sampled = purpose != "dev" and name in self.params.sampled_comparisons and not one.every_rate
        if is_sampled:
            needs += (Task("entropies"),)

        def settings() -> Any:
            return self.training(self.rate(name, arm) if rate is None else rate)

        def artefact() -> Artefact:
            params = {"arm": vars(arm), "training": settings().key_fields(), "seed": self.seed(replicate)}
            params |= {"sets": sets, "sampled": self.params.n_sampled if is_sampled else 0}
            params |= self.params.subset("max_tokens", "shard_prompts")
            inputs = {"pairs": self.key(pairs), "held_out": self.key(HELD_OUT_TASK)}
            if is_sampled:
                inputs["entropies"] = self.key(Task("entropies"))
            return Artefact("run", params, inputs=inputs, code=CODE["run"], model=self.identity)

        def make(writer: Writer) -> None:
            rows = self.pairs_of(name, replicate)[arm]
            record = {"arm": vars(arm), "learning_rate": settings().learning_rate, "n_pairs": len(rows)}
            if not rows:
                writer.write_json(RECORD, record | {"training": {"state": "no pairs"}, "log": {}, "tables": {}})
                return
            policy = self._trained(rows, settings(), replicate)
            tables = {f"{split}/greedy": self._table(split, 0.0, policy) for split in sets}
            if is_sampled:
                tables["test/sampled"] = self._table("test", 1.0, policy)
                record["matched"] = self._matched(Table.from_dict(tables["test/sampled"]))
            training = policy.read_json("training.json")
            kept = ("state", "reason", "steps", "adapter_step", "trainable_parameters", "n_pairs", "start")
            record |= {"training": {part: training[part] for part in kept}, "log": _columns(policy)}
            tables = {key: _short(table) for key, table in tables.items()}
            writer.write_json(RECORD, record | {"policy": policy.key, "tables": tables})

        return Step(needs, artefact, make)

    def _ifeval(self, name: str, arm: Arm, replicate: int, rate: float | None) -> Step:
        """The verdict table of a run's policy on IFEval, greedy: table.json.gz, null where the run has no policy."""
        run = Task("run", (name, arm, replicate, rate))

        def artefact() -> Artefact:
            inputs = {"run": self.key(run), "prompts": self.key(IFEVAL_TASK)}
            return Artefact("ifeval", inputs=inputs, code=CODE["evaluation"], model=self.identity)

        def make(writer: Writer) -> None:
            has_policy = "policy" in self.get(run).read_json(RECORD)
            policy = self.policy(name, arm, replicate, rate) if has_policy else None
            writer.write_json("table.json.gz", self._table(IFEVAL, 0.0, policy) if policy else None)

        return Step((run, IFEVAL_TASK), artefact, make)

    def named_by(self, task: Task) -> tuple[Task, ...]:
        return (Task("run", task.args),) if task.stage == IFEVAL else super().named_by(task)

    def table(self, record: Mapping[str, Any], key: str) -> Table:
        """The verdict table of a record that has one under this key."""
        return Table.from_dict(record["tables"][key] | {"prompt_ids": self.prompt_ids(key.partition("/")[0])})

    def _table(self, split: str, temperature: float, policy: Handle) -> dict[str, Any]:
        return self.evaluate(split, temperature, policy).read_json("table.json")

    def _matched(self, table: Table) -> Mapping[str, Any]:
        curve = self.get(Task("entropies")).read_json("curve.json")
        matched = matched_temperature(curve, float(table.entropy.mean()))
        self.get(Task("base", ("test", matched.temperature)))  # so that who reads this finds it
        return {"temperature": matched.temperature, "clamped": matched.clamped}

    def policy(self, name: str, arm: Arm, replicate: int, rate: float | None = None) -> Handle:
        """The policy of a run, with its adapter, trained now if only its run is there."""
        rows = self.pairs_of(name, replicate)[arm]
        settings = self.training(self.rate(name, arm) if rate is None else rate)
        return self._trained(rows, settings, replicate)

    def _trained(self, rows: Sequence[Mapping[str, Any]], settings: TrainingSettings, replicate: int) -> Handle:
        """The policy of these pairs, by as many processes as the profile says, in micro-batches that fit."""
        processes, seed = self.params.training_processes, self.seed(replicate)

        def train(fits: TrainingSettings) -> Handle:
            return train_policy(self.store, self.loaded, rows, fits, seed=seed, processes=processes)

        return fit_training(train, self.loaded, settings, processes, self.fitting)


def _set_of(split: str) -> Task:
    """The artefact that holds a held-out set."""
    return IFEVAL_TASK if split == IFEVAL else HELD_OUT_TASK


def _short(table: Mapping[str, Any]) -> dict[str, Any]:
    """A table as a record holds it; `Runs.table` reads it."""
    return {name: part for name, part in table.items() if name != "prompt_ids" and (name != "logprob" or "kl" in table)}


def _columns(policy: Handle) -> dict[str, list[float | None]]:
    """The log by column, six digits each: small enough to be kept with every run."""
    rows = policy.read_jsonl("log.jsonl")
    short = lambda value: float(f"{value:.6g}") if isinstance(value, float) else value  # noqa: E731
    return {name: [short(row[name]) for row in rows] for name in (rows[0] if rows else ())}
