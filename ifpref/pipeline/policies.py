"""Stages of models: policies trained on pairs, and base and policies evaluated on held-out prompts.

    Base("test", 0.0)        the base's verdict table; above temperature 0 also where it is as sharp as a policy
    Entropies()              mean token entropy of the base by temperature

Nested, made of what a run is given: Policy, Reference, Evaluation. Their keys hold the tokens of the pairs and not
whose they are, so two arms that have the same pairs share them.

Decisions
- Base and policies are evaluated on the same random streams, so that every difference between them is paired.
- IFEval's prompts are an artefact of their own, beside the held-out prompts: a run is not repeated when they are asked
  for, or when they are at hand at last. Responses to them may be as long as IFEVAL_TOKENS.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from ifpref.evaluation.temperature import TEMPERATURES
from ifpref.models import attach_adapter, detach_adapter, merged
from ifpref.params import Params
from ifpref.pipeline.fitting import fit_training
from ifpref.pipeline.model import Speaking
from ifpref.pipeline.samples import IFEvalPrompts, Prompts, count_chat, rows_of_split, sampling_of
from ifpref.pipeline.stage import ModelJob, Stage, Units, pick, seed_of
from ifpref.store import Handle, Writer
from ifpref.training import TrainingSettings

TABLE, SMALL_TABLE, CURVE = "table.json", "table.json.gz", "curve.json"
IFEVAL, IFEVAL_KEY = "ifeval", "ifeval/greedy"
IFEVAL_PROMPTS, IFEVAL_TOKENS = 541, 1280
"""How many prompts it has, and most tokens of a response to them, as in lm-eval: some ask for 1,000 words."""


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
        from ifpref.training.algorithms import find_algorithm

        settings, processes, reference = job.settings.training, job.machine.training_processes, None
        algorithm = find_algorithm(settings.algorithm)
        algorithm.check_data(job.data, job.model.loaded, settings)
        if algorithm.needs_reference:
            found = job.nested(Reference, ReferenceSettings(job.settings.pairs, settings.bf16), data=job.data)
            reference = read_reference(found)

        def train(fits: TrainingSettings) -> None:
            make_policy(
                writer,
                job.model.loaded,
                job.data,
                reference,
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
    def of(cls, p: Params, split: str, temperature: float, n: int | None = None) -> EvaluationSettings:
        """As the base and all policies are evaluated; n: responses to a prompt, as the profile says by default."""
        most = max(p.max_tokens, IFEVAL_TOKENS) if split == IFEVAL else p.max_tokens
        n = n or (p.n_sampled if temperature > 0 else 1)
        return cls(
            split=split,
            temperature=temperature,
            n=n,
            max_tokens=most,
            shard_prompts=max(p.shard_prompts * p.n_responses // n, 1),  # as many responses as in a shard of responses
            speaking=pick(Speaking, p).here(),
        )


class Evaluation(Stage):
    """A base, or a policy, on a held-out set. Files: evaluation.jsonl, table.json (evaluation/policy.py), chat.json."""

    name = "evaluation"
    version = 3
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
    version = 3
    keep_all = True
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
    version = 3
    keep_all = True
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
