"""Stages of runs: an arm of a comparison in a replicate, trained and evaluated; and the rate that it is run at.

    Run("sharing", Arm("mcts"), 0, 2.5e-3)      at a learning rate; without one: at the arm's own
    Rate("sharing", Arm("mcts"))                the arm's own rate, where dev chooses it
    IFEvalRun(Run("sharing", Arm("mcts"), 0))   the same policy on IFEval's prompts

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
- A record is small, since hundreds are kept with the reference run: its tables leave out what the held-out set says
  (prompt ids), and log-probabilities of greedy responses, which nothing reads. Evaluations have them.
- An arm without pairs in a replicate has no run: its record says so (`training.state` is "no pairs"), and its scores
  are missing, not 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ifpref.curation.pairs import Arm
from ifpref.design import COMPARISONS
from ifpref.evaluation.table import Table
from ifpref.evaluation.temperature import matched_temperature
from ifpref.params import Params
from ifpref.pipeline.pairs import pairs_of, rows_by_arm
from ifpref.pipeline.policies import (
    CURVE,
    IFEVAL,
    IFEVAL_PROMPTS,
    SMALL_TABLE,
    Base,
    BaseSettings,
    Entropies,
    EvaluationSettings,
    evaluate,
    n_prompts,
    train,
)
from ifpref.pipeline.samples import IFEvalPrompts, Prompts
from ifpref.pipeline.stage import ModelJob, Stage, Units, seed_of
from ifpref.store import Handle, Writer
from ifpref.training import TrainingSettings

RECORD, RATE = "record.json.gz", "rate.json"
KEPT = ("state", "reason", "steps", "adapter_step", "trainable_parameters", "n_pairs", "start")
"""What a run's record keeps of training.json."""


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
    keep_all = True
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
            training=TrainingSettings.from_params(p, algorithm=self.arm.algorithm, **rate),
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
            "trained pair": pairs * p.num_train_epochs,
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
    keep_all = True

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
    keep_all = True
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
