"""Stages after pairs: policies trained on them, and base and policies evaluated on held-out prompts.

    Run("sharing", Arm("mcts"), 0, 2.5e-3)      one arm in a replicate at a learning rate: trained and evaluated
    Base("test", 0.0)                           the base's verdict table; above temperature 0 also where it is as sharp
    Rate("sharing", Arm("mcts"))                the rate that an arm is compared at, where dev chooses it

Nested, made of what a run is given: Policy, Reference, Evaluation. Their keys hold the tokens of the pairs and not whose
they are, so two arms that have the same pairs share them.

A run's record.json.gz is what analyses read of one policy:

    {"arm": {...}, "learning_rate": 0.001, "n_pairs": 214, "policy": "<key>",
     "training": {"state": "finished", "steps": 28, ...}, "log": {"step": [1, 2, ...], "loss": [...], ...},
     "tables": {"test/greedy": {...}, "test/sampled": {...}},       # evaluation/table.py, read by `table_of`
     "matched": {"temperature": 0.62, "clamped": false}}            # of the base; where "test/sampled" is there

Decisions
- A base at temperature 1 differs from a policy in sharpness too: beside every such figure stands the base at the
  temperature whose mean token entropy is the policy's.
- An arm's rate, where it is tuned, is the one of the grid with the best prompt-level accuracy on dev, greedy, over the
  first `n_tuning_replicates`; of equal ones that nearest to `learning_rate`, by its ratio. Test has no part in it.
- IFEval's prompts are a task of their own beside each run: a run is not repeated when they are asked for, or when they
  are at hand at last. Responses to them may be as long as IFEVAL_TOKENS.
- A record is small, since hundreds are kept with the reference run: its tables leave out what the held-out set says
  (prompt ids), and log-probabilities of greedy responses, which nothing reads. Evaluations have them.
- An arm without pairs in a replicate has no run: its record says so (`training.state` is "no pairs"), and its scores
  are missing, not 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from ifpref.curation.pairs import Arm
from ifpref.design import COMPARISONS
from ifpref.evaluation.table import Table
from ifpref.evaluation.temperature import TEMPERATURES, matched_temperature
from ifpref.models import attach_adapter, detach_adapter, merged
from ifpref.params import Params
from ifpref.pipeline.fitting import fit_training
from ifpref.pipeline.model import Speaking
from ifpref.pipeline.pairs import pairs_of, rows_by_arm
from ifpref.pipeline.samples import IFEvalPrompts, Prompts, count_chat, rows_of_split, sampling_of
from ifpref.pipeline.stage import ModelJob, Stage, Units, pick, seed_of
from ifpref.store import Handle, Writer
from ifpref.training import TrainingSettings

RECORD, TABLE, SMALL_TABLE, RATE, CURVE = (
    "record.json.gz",
    "table.json",
    "table.json.gz",
    "rate.json",
    "curve.json",
)
IFEVAL, IFEVAL_KEY = "ifeval", "ifeval/greedy"
IFEVAL_PROMPTS, IFEVAL_TOKENS = 541, 1280
"""How many prompts it has, and most tokens of a response to them, as in lm-eval: some ask for 1,000 words."""
KEPT = ("state", "reason", "steps", "adapter_step", "trainable_parameters", "n_pairs", "start")
"""What a run's record keeps of training.json."""


def prompts_of(split: str) -> Stage:
    """The task that makes a held-out set."""
    return IFEvalPrompts() if split == IFEVAL else Prompts()


def n_prompts(p: Params, split: str) -> int:
    return IFEVAL_PROMPTS if split == IFEVAL else getattr(p, f"n_{split}_prompts")


# ---- nested: made of what a run is given


@dataclass(frozen=True)
class ReferenceSettings:
    """pairs: the hash of their tokens."""

    pairs: str
    bf16: bool


class Reference(Stage):
    """Log-probabilities of pairs under the base. File: reference.jsonl."""

    name = "reference"
    of_model = True

    @staticmethod
    def make(job: ModelJob, writer: Writer) -> None:
        from ifpref.training import write_reference

        write_reference(writer, job.model.loaded, job.data, job.settings.bf16)


@dataclass(frozen=True)
class PolicySettings:
    """pairs: the hash of their tokens, in the order of training."""

    pairs: str
    training: TrainingSettings


class Policy(Stage):
    """A LoRA adapter trained on pairs. Files: adapter/, training.json, log.jsonl (training/policy.py)."""

    name = "policy"
    of_model = True

    @staticmethod
    def make(job: ModelJob, writer: Writer) -> None:
        """By as many processes as the profile says, in micro-batches that fit."""
        from ifpref.training import make_policy, read_reference

        settings, processes = job.settings.training, job.machine.training_processes
        reference = job.nested(Reference, ReferenceSettings(job.settings.pairs, settings.bf16), data=job.data)

        def train(fits: TrainingSettings) -> None:
            make_policy(
                writer,
                job.model.loaded,
                job.data,
                read_reference(reference),
                fits,
                seed=job.seed,
                processes=processes,
                checkpoints_folder=Path(f"{job.folder}.checkpoints"),
            )

        fit_training(train, job.model.loaded, settings, processes, job.model.fitting)


@dataclass(frozen=True, kw_only=True)
class EvaluationSettings:
    split: str
    temperature: float
    n: int
    max_tokens: int
    shard_prompts: int
    speaking: Speaking

    top_p: float = 1.0

    @classmethod
    def of(cls, p: Params, split: str, temperature: float) -> EvaluationSettings:
        """As the base and all policies are evaluated."""
        most = max(p.max_tokens, IFEVAL_TOKENS) if split == IFEVAL else p.max_tokens
        return cls(
            split=split,
            temperature=temperature,
            n=p.n_sampled if temperature > 0 else 1,
            max_tokens=most,
            shard_prompts=p.shard_prompts,
            speaking=pick(Speaking, p).here(),
        )


class Evaluation(Stage):
    """A base, or a policy, on a held-out set. Files: evaluation.jsonl, table.json (evaluation/policy.py), chat.json."""

    name = "evaluation"
    of_model = True

    @staticmethod
    def make(job: ModelJob, writer: Writer) -> None:
        from ifpref.evaluation.policy import ROWS, write_evaluation

        s, base, policy = job.settings, job.model.loaded, job.inputs.get("policy")
        loaded = attach_adapter(base, policy.path("adapter")) if policy else base
        # Above temperature 0 the base is read beside the policy, so its weights must stay; in bfloat16 a merge would
        # round the adapter away.
        is_exact = policy is not None and s.temperature == 0 and base.dtype == "float32"
        try:
            with merged(loaded.model) if is_exact else nullcontext():
                engine = job.model.engine(s.speaking, loaded)
                prompts = rows_of_split(job.inputs["prompts"], s.split)
                settings = sampling_of(s, job.seed)
                write_evaluation(writer, prompts, loaded, engine, settings, n=s.n, shard_prompts=s.shard_prompts)
                count_chat(writer, engine, (row["token_ids"] for row in writer.iter_jsonl(ROWS)))
        finally:
            if policy:
                detach_adapter(loaded)


def evaluate(job: ModelJob, settings: EvaluationSettings, policy: Handle | None) -> dict[str, Any]:
    """The verdict table of the base, or of a policy."""
    prompts = job.inputs["ifeval_prompts" if settings.split == IFEVAL else "prompts"]
    inputs = {"prompts": prompts} | ({"policy": policy} if policy else {})
    return job.nested(Evaluation, settings, inputs=inputs, seed=job.settings.held_out_seed).read_json(TABLE)


def train(job: ModelJob, pairs: Sequence[Mapping[str, Any]], training: TrainingSettings) -> Handle:
    """The policy of these pairs, from the store or trained now."""
    return job.nested(Policy, policy_settings(pairs, training), data=pairs, seed=job.seed)


def policy_settings(pairs: Sequence[Mapping[str, Any]], training: TrainingSettings) -> PolicySettings:
    ids = repr([[list(pair[name]) for name in ("prompt_ids", "chosen_ids", "rejected_ids")] for pair in pairs])
    return PolicySettings(sha256(ids.encode()).hexdigest()[:16], training)


# ---- the base


@dataclass(frozen=True)
class BaseSettings:
    evaluation: EvaluationSettings
    held_out_seed: int


@dataclass(frozen=True)
class Base(Stage):
    """The base's verdict table on a held-out set, without the texts. File: table.json.gz."""

    split: str
    temperature: float
    name = "base"
    of_model = True

    def settings(self, p: Params) -> BaseSettings:
        return BaseSettings(EvaluationSettings.of(p, self.split, self.temperature), seed_of(p, None))

    def inputs(self, p: Params) -> dict[str, Stage]:
        prompts = prompts_of(self.split)
        return {"ifeval_prompts" if self.split == IFEVAL else "prompts": prompts}

    def work(self, p: Params, n_pairs: Any) -> Units:
        return {"base sampled" if self.temperature else "base greedy": n_prompts(p, self.split)}

    @staticmethod
    def make(job: ModelJob, writer: Writer) -> None:
        writer.write_json(SMALL_TABLE, evaluate(job, job.settings.evaluation, None))


@dataclass(frozen=True, kw_only=True)
class EntropySettings:
    max_tokens: int
    temperatures: tuple[float, ...] = TEMPERATURES
    top_p: float = 1.0
    temperature: float = 1.0
    speaking: Speaking


@dataclass(frozen=True)
class Entropies(Stage):
    """Mean token entropy of the base by temperature, on the dev prompts. File: curve.json."""

    name = "entropies"
    of_model = True

    def settings(self, p: Params) -> EntropySettings:
        return EntropySettings(max_tokens=p.max_tokens, speaking=pick(Speaking, p).here())

    def inputs(self, p: Params) -> dict[str, Stage]:
        return {"prompts": Prompts()}

    def seed(self, p: Params) -> int:
        return seed_of(p, None)

    def work(self, p: Params, n_pairs: Any) -> Units:
        return {"base sampled": p.n_dev_prompts * len(TEMPERATURES)}

    @staticmethod
    def make(job: ModelJob, writer: Writer) -> None:
        from ifpref.evaluation.temperature import entropy_curve

        s, loaded = job.settings, job.model.loaded
        prompts, engine = rows_of_split(job.inputs["prompts"], "dev"), job.model.engine(job.settings.speaking, loaded)
        writer.write_json(CURVE, entropy_curve(loaded, engine, prompts, sampling_of(s, job.seed), s.temperatures))


# ---- runs


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """sets: held-out sets, greedy; sampled: of these also at temperature 1."""

    arm: Arm
    training: TrainingSettings
    sets: Mapping[str, EvaluationSettings]
    sampled: EvaluationSettings | None
    held_out_seed: int


@dataclass(frozen=True)
class Run(Stage):
    """An arm of a comparison in a replicate, at a learning rate (None: at the arm's own), trained and evaluated.

    purpose  "", or "dev": evaluated on dev alone, to choose a rate by
    """

    comparison: str
    arm: Arm
    replicate: int
    rate: float | None = None
    purpose: str = ""
    name = "run"
    of_model = True

    def is_tuned(self, p: Params) -> bool:
        return self.rate is None and p.n_tuning_replicates > 0

    def is_sampled(self, p: Params) -> bool:
        sampled = self.comparison in p.sampled_comparisons and not COMPARISONS[self.comparison].every_rate
        return sampled and not self.purpose

    def settings(self, p: Params) -> RunSettings:
        sets = (self.purpose,) if self.purpose else COMPARISONS[self.comparison].sets
        rate = {} if self.rate is None else {"learning_rate": self.rate}
        return RunSettings(
            arm=self.arm,
            training=TrainingSettings.from_params(p, **rate),
            sets={split: EvaluationSettings.of(p, split, 0.0) for split in sets},
            sampled=EvaluationSettings.of(p, "test", 1.0) if self.is_sampled(p) else None,
            held_out_seed=seed_of(p, None),
        )

    def inputs(self, p: Params) -> dict[str, Stage]:
        found: dict[str, Stage] = {"pairs": pairs_of(self.comparison, self.replicate), "prompts": Prompts()}
        if self.is_sampled(p):
            found["entropies"] = Entropies()
        if self.is_tuned(p):
            found["rate"] = Rate(self.comparison, self.arm)
        return found

    def seed(self, p: Params) -> int:
        return seed_of(p, self.replicate)

    def work(self, p: Params, n_pairs: Any) -> Units:
        pairs, s = n_pairs(self.comparison, self.arm), self.settings(p)
        if not pairs:
            return {"artefact": 1}
        test = n_prompts(p, "test") if s.sampled else 0
        return {
            "artefact": 1,
            "training": 1,
            "step": s.training.steps(pairs),
            "reference": pairs,
            "pair token": pairs * p.num_train_epochs,
            "greedy": sum(n_prompts(p, split) for split in s.sets),
            "sampled": test,
            "base sampled": test,  # and the base, as sharp as the policy
        }

    @staticmethod
    def make(job: ModelJob, writer: Writer) -> None:
        s, rows = job.settings, rows_by_arm(job.inputs["pairs"], (job.settings.arm,))[job.settings.arm]
        training = at_rate(s.training, job.inputs.get("rate"))
        record = {"arm": s.arm.levels(), "learning_rate": training.learning_rate, "n_pairs": len(rows)}
        if not rows:
            writer.write_json(RECORD, record | {"training": {"state": "no pairs"}, "log": {}, "tables": {}})
            return
        policy = train(job, rows, training)
        tables = {f"{split}/greedy": evaluate(job, how, policy) for split, how in s.sets.items()}
        if s.sampled:
            tables["test/sampled"] = evaluate(job, s.sampled, policy)
            record["matched"] = matched_base(job, Table.from_dict(tables["test/sampled"]))
        made = policy.read_json("training.json")
        record |= {"training": {part: made[part] for part in KEPT}, "log": _columns(policy)}
        tables = {key: _short(table) for key, table in tables.items()}
        writer.write_json(RECORD, record | {"policy": policy.key, "tables": tables})


def at_rate(training: TrainingSettings, rate: Handle | None) -> TrainingSettings:
    """The settings, at the rate that dev chose, where it did."""
    return training if rate is None else replace(training, learning_rate=rate.read_json(RATE)["learning_rate"])


def matched_base(job: ModelJob, table: Table) -> dict[str, Any]:
    """The temperature at which the base is as sharp as this policy; the base is evaluated there, for who reads this."""
    matched = matched_temperature(job.inputs["entropies"].read_json(CURVE), float(table.entropy.mean()))
    there = replace(job.settings.sampled, temperature=matched.temperature)
    settings = BaseSettings(there, job.settings.held_out_seed)
    job.nested(Base, settings, inputs={"prompts": job.inputs["prompts"]})
    return {"temperature": matched.temperature, "clamped": matched.clamped}


@dataclass(frozen=True)
class RateSettings:
    """rates: the grid; nearest_to: of equally good ones, that whose ratio to this is nearest to 1 is taken."""

    rates: tuple[float, ...]
    nearest_to: float


@dataclass(frozen=True)
class Rate(Stage):
    """The learning rate of an arm that was best on dev. File: rate.json, with the accuracy at each rate of the grid."""

    comparison: str
    arm: Arm
    name = "rate"

    def settings(self, p: Params) -> RateSettings:
        return RateSettings(p.learning_rates, p.learning_rate)

    def runs(self, p: Params) -> dict[str, Run]:
        """The runs that it is chosen by, named by rate and replicate."""
        replicates = range(min(p.n_tuning_replicates, p.n_replicates))
        return {
            f"{rate!r} {replicate}": Run(self.comparison, self.arm, replicate, rate, "dev")
            for rate in p.learning_rates
            for replicate in replicates
        }

    def inputs(self, p: Params) -> dict[str, Stage]:
        return dict(self.runs(p))

    @staticmethod
    def make(job: Any, writer: Writer) -> None:
        found: dict[float, list[float]] = {rate: [] for rate in job.settings.rates}
        for name, run in job.inputs.items():
            tables = run.read_json(RECORD)["tables"]
            if tables:
                table = tables["dev/greedy"]
                accuracy = Table.from_dict(
                    {"prompt_ids": list(range(len(table["n_constraints"]))), **table}
                ).prompt_level()
                found[float(name.split()[0])].append(accuracy.mean())
        accuracy = {rate: float(sum(each) / len(each)) if each else None for rate, each in found.items()}
        known = {rate: value for rate, value in accuracy.items() if value is not None}
        nearest_to = job.settings.nearest_to
        best = max(known, key=lambda rate: (known[rate], -abs(math.log(rate / nearest_to))), default=nearest_to)
        writer.write_json(RATE, {"learning_rate": best, "dev_accuracy": [[r, value] for r, value in accuracy.items()]})


@dataclass(frozen=True)
class IFEvalSettings:
    arm: Arm
    training: TrainingSettings
    evaluation: EvaluationSettings
    held_out_seed: int


@dataclass(frozen=True)
class IFEvalRun(Stage):
    """The verdict table of a run's policy on IFEval, greedy. File: table.json.gz, null where the run has no policy."""

    run: Run
    name = "ifeval"
    of_model = True

    @property
    def replicate(self) -> int:
        return self.run.replicate

    @property
    def comparison(self) -> str:
        return self.run.comparison

    def settings(self, p: Params) -> IFEvalSettings:
        of_run = self.run.settings(p)
        evaluation = EvaluationSettings.of(p, IFEVAL, 0.0)
        return IFEvalSettings(of_run.arm, of_run.training, evaluation, of_run.held_out_seed)

    def inputs(self, p: Params) -> dict[str, Stage]:
        of_run = {name: task for name, task in self.run.inputs(p).items() if name in ("pairs", "rate")}
        return {"run": self.run, "ifeval_prompts": IFEvalPrompts()} | of_run

    def seed(self, p: Params) -> int:
        return self.run.seed(p)

    def work(self, p: Params, n_pairs: Any) -> Units:
        return {"greedy": IFEVAL_PROMPTS}

    @staticmethod
    def make(job: ModelJob, writer: Writer) -> None:
        s, table = job.settings, None
        if "policy" in job.inputs["run"].read_json(RECORD):
            rows = rows_by_arm(job.inputs["pairs"], (s.arm,))[s.arm]
            table = evaluate(job, s.evaluation, train(job, rows, at_rate(s.training, job.inputs.get("rate"))))
        writer.write_json(SMALL_TABLE, table)


def table_of(record: Mapping[str, Any], key: str, prompt_ids: Sequence[str]) -> Table:
    """The verdict table that a record has under this key."""
    return Table.from_dict(record["tables"][key] | {"prompt_ids": list(prompt_ids)})


def _short(table: Mapping[str, Any]) -> dict[str, Any]:
    """A table as a record holds it; `table_of` reads it."""
    return {name: part for name, part in table.items() if name != "prompt_ids" and (name != "logprob" or "kl" in table)}


def _columns(policy: Handle) -> dict[str, list[float | None]]:
    """The log by column, six digits each: small enough to be kept with every run."""
    rows = policy.read_jsonl("log.jsonl")
    short = lambda value: float(f"{value:.6g}") if isinstance(value, float) else value  # noqa: E731
    return {name: [short(row[name]) for row in rows] for name in (rows[0] if rows else ())}
