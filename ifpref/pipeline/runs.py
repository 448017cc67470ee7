"""Stages of runs: an arm of a comparison in a replicate, trained at a configuration and evaluated.

    Run("sharing", Arm("mcts"), 0, Configuration(2.5e-3))
    IFEvalRun(Run("sharing", Arm("mcts"), 0, Configuration(2.5e-3)))   the same policy on IFEval's prompts

A run's record.json.gz is what analyses read of one policy:

    {"arm": {...}, "learning_rate": 0.001, "n_pairs": 214, "policy": "<key>",
     "training": {"state": "finished", "steps": 28, ...}, "log": {"step": [1, 2, ...], "loss": [...], ...},
     "tables": {"test/greedy": {...}, "dev/sampled": {...}},        # evaluation/table.py, read by `table_of`
     "matched": {"temperature": 0.62, "clamped": false}}            # of the base; where "test/sampled" is there

Decisions
- A configuration is the same for all arms of a comparison (design.py): nothing is chosen for one arm. Test prompts have
  no part in it.
- How far a policy went from the base (KL) is measured where learning rates are compared: "dev/sampled", one response to
  each dev prompt at temperature 1. Equal rates are not equal distances.
- A base at temperature 1 differs from a policy in sharpness too: beside "test/sampled" stands the base at the
  temperature whose mean token entropy is the policy's.
- A record is small, since hundreds are kept with the reference run: its tables leave out what the held-out set says
  (prompt ids), and log-probabilities of greedy responses, which nothing reads. Evaluations have them.
- An arm without pairs in a replicate, or with fewer than the configuration asks for, has no run: `training.state` of
  its record is "no pairs" or "too few pairs" (`reason`: "312 of 400"), and its scores are missing, not 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ifpref.curation.equal import first_pairs
from ifpref.curation.pairs import Arm
from ifpref.design import COMPARISONS, Configuration
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

RECORD, SAMPLED = "record.json.gz", "test/sampled"
KEPT = ("state", "reason", "steps", "adapter_step", "trainable_parameters", "n_pairs", "start")
"""What a run's record keeps of training.json."""


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """n_pairs: how many of the arm's pairs, None: all; tables: how each table of the record is made, by its name."""

    arm: Arm
    n_pairs: int | None
    training: TrainingSettings
    tables: Mapping[str, EvaluationSettings]
    held_out_seed: int


@dataclass(frozen=True)
class Run(Stage):
    """An arm of a comparison in a replicate, trained at a configuration and evaluated."""

    comparison: str
    arm: Arm
    replicate: int
    configuration: Configuration
    name = "run"
    version = 3
    keep_all = True
    of_model = True

    def is_sampled(self, p: Params) -> bool:
        """Whether its policy is also evaluated on test at temperature 1."""
        return self.comparison in p.sampled_comparisons and self.configuration == Configuration(p.learning_rate)

    def settings(self, p: Params) -> RunSettings:
        one, changes = COMPARISONS[self.comparison], self.configuration.changes()
        n_pairs = changes.pop("n_pairs", None)
        tables = {f"{split}/greedy": EvaluationSettings.of(p, split, 0.0) for split in one.sets}
        if one.runs_at in ("grid", "pilot"):
            tables["dev/sampled"] = EvaluationSettings.of(p, "dev", 1.0, n=1)
        if self.is_sampled(p):
            tables[SAMPLED] = EvaluationSettings.of(p, "test", 1.0)
        return RunSettings(
            arm=self.arm,
            n_pairs=n_pairs,
            training=TrainingSettings.from_params(p, algorithm=self.arm.algorithm, **changes),
            tables=tables,
            held_out_seed=seed_of(p, None),
        )

    def inputs(self, p: Params) -> dict[str, Stage]:
        found: dict[str, Stage] = {"pairs": pairs_of(self.comparison, self.replicate), "prompts": Prompts()}
        return found | ({"entropies": Entropies()} if self.is_sampled(p) else {})

    def seed(self, p: Params) -> int:
        return seed_of(p, self.replicate)

    def work(self, p: Params, n_pairs: Any) -> Units:
        s, there = self.settings(p), n_pairs(self.comparison, self.arm)
        pairs = there if s.n_pairs is None else s.n_pairs
        if not 0 < pairs <= there:
            return {"artefact": 1}
        prompts = {name: how.n * n_prompts(p, how.split) for name, how in s.tables.items()}
        return {
            "artefact": 1,
            "training": 1,
            "step": s.training.steps(pairs),
            "reference": pairs,
            "trained pair": pairs * s.training.num_train_epochs,
            "greedy": sum(n for name, n in prompts.items() if name.endswith("greedy")),
            "sampled": sum(n for name, n in prompts.items() if name.endswith("sampled")),
            "base sampled": prompts.get(SAMPLED, 0),  # and the base, as sharp as the policy
        }

    @staticmethod
    def make(job: ModelJob, writer: Writer) -> None:
        s, there = job.settings, rows_by_arm(job.inputs["pairs"], (job.settings.arm,))[job.settings.arm]
        record = {"arm": s.arm.levels(), "learning_rate": s.training.learning_rate, "n_pairs": len(there)}
        rows = first_pairs(there, s.n_pairs, job.seed)
        if not rows:
            lacks = {"state": "too few pairs", "reason": f"{len(there)} of {s.n_pairs}"}
            training = lacks if there else {"state": "no pairs"}
            writer.write_json(RECORD, record | {"training": training, "log": {}, "tables": {}})
            return
        policy = train(job, rows, s.training)
        tables = {name: evaluate(job, how, policy) for name, how in s.tables.items()}
        if SAMPLED in tables:
            record["matched"] = matched_base(job, Table.from_dict(tables[SAMPLED]))
        made = policy.read_json("training.json")
        record |= {"n_pairs": len(rows), "training": {part: made[part] for part in KEPT}, "log": _columns(policy)}
        tables = {key: _short(table) for key, table in tables.items()}
        writer.write_json(RECORD, record | {"policy": policy.key, "tables": tables})


def pairs_of_run(pairs: Handle, s: RunSettings, seed: int) -> list[dict[str, Any]]:
    """The pairs that a run is trained on; none where there are fewer than it asks for."""
    return first_pairs(rows_by_arm(pairs, (s.arm,))[s.arm], s.n_pairs, seed)


def matched_base(job: ModelJob, table: Table) -> dict[str, Any]:
    """The temperature at which the base is as sharp as this policy; the base is evaluated there, for who reads this."""
    matched = matched_temperature(job.inputs["entropies"].read_json(CURVE), float(table.entropy.mean()))
    there = replace(job.settings.tables[SAMPLED], temperature=matched.temperature)
    settings = BaseSettings(there, job.settings.held_out_seed)
    job.nested(Base, settings, inputs={"prompts": job.inputs["prompts"]})
    return {"temperature": matched.temperature, "clamped": matched.clamped}


@dataclass(frozen=True)
class IFEvalSettings:
    """of_run: as the policy was made; evaluation: how it answers IFEval."""

    of_run: RunSettings
    evaluation: EvaluationSettings
    held_out_seed: int


@dataclass(frozen=True)
class IFEvalRun(Stage):
    """The verdict table of a run's policy on IFEval, greedy. File: table.json.gz, null where the run has no policy."""

    run: Run
    name = "ifeval"
    version = 3
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
        return IFEvalSettings(of_run, EvaluationSettings.of(p, IFEVAL, 0.0), of_run.held_out_seed)

    def inputs(self, p: Params) -> dict[str, Stage]:
        return {"run": self.run, "ifeval_prompts": IFEvalPrompts(), "pairs": self.run.inputs(p)["pairs"]}

    def seed(self, p: Params) -> int:
        return self.run.seed(p)

    def work(self, p: Params, n_pairs: Any) -> Units:
        return {"greedy": IFEVAL_PROMPTS}

    @staticmethod
    def make(job: ModelJob, writer: Writer) -> None:
        s, table = job.settings, None
        if "policy" in job.inputs["run"].read_json(RECORD):
            rows = pairs_of_run(job.inputs["pairs"], s.of_run, job.seed)
            table = evaluate(job, s.evaluation, train(job, rows, s.of_run.training))
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
