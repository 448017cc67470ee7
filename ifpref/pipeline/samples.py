"""Stages up to what is sampled: prompts, whole responses, search trees.

Prompts(0), Prompts()               training prompts of replicate 0; the held-out prompts, which all replicates share
Prompts(0, "hard")                  more training prompts, of another pool
IFEvalPrompts()                     IFEval's 541
Responses(0), Responses(0, "pass rate")      whole responses; others, that a prompt's pass rate is measured by
Trees("mcts", 0)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ifpref.curation.mcts import SearchSettings
from ifpref.params import Params
from ifpref.pipeline.model import Speaking
from ifpref.pipeline.stage import Job, ModelJob, Stage, Units, pick, seed_of
from ifpref.store import Handle, StoreError, Writer
from ifpref.store.shards import write_shards

PROMPTS, RESPONSES, TREES = "prompts.jsonl.gz", "responses.jsonl.gz", "trees.jsonl.gz"
HELD_OUT = ("dev", "test", "transfer")
POOLS = ("", "sizes", "easy", "moderate", "hard")
"""Training prompts of a replicate: those of all comparisons; many, for growing numbers of pairs or few that match; and,
of one difficulty, what a cell draws from beside the first. Each has random streams of its own."""


def constraints_of_pool(p: Params, pool: str) -> range:
    """The numbers of constraints that its prompts have, each as often."""
    ends = [p.min_constraints, p.easy_max_constraints + 1, p.moderate_max_constraints + 1, p.max_constraints + 1]
    if pool not in POOLS[2:]:
        return range(ends[0], ends[-1])
    place = POOLS[2:].index(pool)
    return range(max(ends[place], ends[0]), min(ends[place + 1], ends[-1]))


def n_of_pool(p: Params, pool: str) -> int:
    """How many prompts it has; of a difficulty, those that a cell lacks in the first pool."""
    if pool not in POOLS[2:]:
        return p.n_size_prompts if pool else p.n_train_prompts
    every, own = constraints_of_pool(p, ""), constraints_of_pool(p, pool)
    rounds, rest = divmod(p.n_train_prompts, len(every))  # each number of constraints in turn
    there = rounds * len(own) + sum(k in own for k in every[:rest])
    return max(0, p.n_cell_prompts - there) if own else 0


def seed_of_pool(p: Params, replicate: int | None, pool: str) -> int:
    """A replicate's own for each pool."""
    return seed_of(p, replicate) + 1_000 * POOLS.index(pool)


@dataclass(frozen=True, kw_only=True)
class PromptSettings:
    """counts: how many prompts of each split."""

    domain: str
    constraint_set: str
    min_constraints: int
    max_constraints: int
    easy_max_constraints: int
    moderate_max_constraints: int
    transfer_ids: tuple[str, ...]
    counts: Mapping[str, int]


@dataclass(frozen=True)
class Prompts(Stage):
    """The training prompts of a replicate (of one of `POOLS`), or, of none, the held-out prompts.

    Files: prompts.jsonl.gz (DESIGN: prompts), report.json.
    """

    replicate: int | None = None
    pool: str = ""
    name = "prompts"

    def __str__(self) -> str:
        return "prompts held-out" if self.replicate is None else super().__str__()

    @property
    def label(self) -> str:
        return "held-out" if self.replicate is None else self.pool or "training"

    def counts(self, p: Params) -> dict[str, int]:
        if self.replicate is not None:
            return {"train": n_of_pool(p, self.pool)}
        counts = {name: getattr(p, f"n_{name}_prompts") for name in HELD_OUT}
        return {name: count for name, count in counts.items() if count}

    def settings(self, p: Params) -> PromptSettings:
        numbers = constraints_of_pool(p, self.pool)
        ends = {"min_constraints": numbers[0], "max_constraints": numbers[-1]}
        return pick(PromptSettings, p, counts=self.counts(p), **ends)

    def seed(self, p: Params) -> int:
        return seed_of_pool(p, self.replicate, self.pool)

    def work(self, p: Params, n_pairs: Any) -> Units:
        return {"prompt": sum(self.counts(p).values())}

    @staticmethod
    def make(job: Job, writer: Writer) -> None:
        from ifpref.constraints import CONSTRAINT_SETS
        from ifpref.prompts.build import build, to_rows

        s = job.settings
        built = build(
            s.counts,
            job.seed,
            domain=s.domain,
            ids=CONSTRAINT_SETS[s.constraint_set],
            k=(s.min_constraints, s.max_constraints),
            transfer_ids=s.transfer_ids,
            difficulty=(s.easy_max_constraints, s.moderate_max_constraints),
            workers=1 if sum(s.counts.values()) < 5_000 else None,
        )
        writer.write_jsonl(PROMPTS, to_rows(built.prompts))
        writer.write_json("report.json", {"rejected": built.rejected, "duplicates": built.duplicates})


@dataclass(frozen=True)
class SourceSettings:
    """Where a table comes from: its address, or the hash of a file."""

    source: Mapping[str, Any]


@dataclass(frozen=True)
class IFEvalPrompts(Stage):
    """IFEval's prompts, as rows of prompts; a file that $IFEVAL_PROMPTS names is known by its bytes."""

    name = "ifeval_prompts"
    keep_all = True

    def settings(self, p: Params) -> SourceSettings:
        from ifpref.evaluation.sets import ifeval_source

        return SourceSettings(ifeval_source())

    @staticmethod
    def make(job: Job, writer: Writer) -> None:
        from ifpref.evaluation.sets import ifeval_prompts

        rows = ifeval_prompts()
        if rows is None:
            raise StoreError("IFEval's prompts are out of reach; allowed: $IFEVAL_PROMPTS, or a network")
        writer.write_jsonl(PROMPTS, rows)


class Sampled(Stage):
    """What is sampled from the base for the training prompts of its `replicate` and `pool`."""

    of_model = True

    def inputs(self, p: Params) -> dict[str, Stage]:
        return {"prompts": Prompts(self.replicate, self.pool)}

    def seed(self, p: Params) -> int:
        return seed_of_pool(p, self.replicate, self.pool)


@dataclass(frozen=True, kw_only=True)
class ResponseSettings:
    """stream: put before the names of the random streams, for responses independent of those without it."""

    n_responses: int
    stream: str
    temperature: float
    top_p: float
    max_tokens: int
    shard_prompts: int
    speaking: Speaking


@dataclass(frozen=True)
class Responses(Sampled):
    """Whole responses of rejection sampling to the training prompts of a replicate; `purpose`: "", or "pass rate".

    Files: responses.jsonl.gz (curation/rejection.py), and chat.json where the text that is verified is not all that was
    sampled.
    """

    replicate: int
    purpose: str = ""
    pool: str = ""
    name = "responses"
    version = 3

    def settings(self, p: Params) -> ResponseSettings:
        extra = {"n_responses": p.n_pass_rate_responses} if self.purpose else {}
        stream = f"{self.purpose}/" if self.purpose else ""
        return pick(ResponseSettings, p, stream=stream, speaking=pick(Speaking, p), **extra)

    def work(self, p: Params, n_pairs: Any) -> Units:
        return {"response": n_of_pool(p, self.pool) * self.settings(p).n_responses}

    @staticmethod
    def make(job: ModelJob, writer: Writer) -> None:
        from ifpref.curation.rejection import respond

        s, engine = job.settings, job.model.engine(job.settings.speaking)
        prompts = job.inputs["prompts"].read_jsonl(PROMPTS)
        sampling = sampling_of(s, job.seed)
        write_shards(
            writer,
            RESPONSES,
            prompts,
            lambda shard: respond(shard, engine, sampling, s.n_responses, s.stream),
            size=s.shard_prompts,
        )
        count_chat(writer, engine, (row["token_ids"] for row in writer.iter_jsonl(RESPONSES)))


@dataclass(frozen=True, kw_only=True)
class TreeSettings:
    search: SearchSettings
    scorer: str
    temperature: float
    top_p: float
    max_tokens: int
    shard_prompts: int
    speaking: Speaking


@dataclass(frozen=True)
class Trees(Sampled):
    """A search tree for each training prompt of a replicate.

    curation  "mcts", or "rs_branched"        scorer  "" is the verifier

    Files: trees.jsonl.gz (curation/tree.py), chat.json as of responses.
    """

    curation: str
    replicate: int
    scorer: str = ""
    pool: str = ""
    name = "trees"
    version = 3

    def settings(self, p: Params) -> TreeSettings:
        search = SearchSettings.from_params(p, self.curation)
        return pick(TreeSettings, p, search=search, scorer=self.scorer or "verifier", speaking=pick(Speaking, p))

    def work(self, p: Params, n_pairs: Any) -> Units:
        return {f"tree {self.curation}": n_of_pool(p, self.pool)}

    @staticmethod
    def make(job: ModelJob, writer: Writer) -> None:
        from ifpref.curation.mcts import grow
        from ifpref.curation.pairs import read_trees

        s, engine = job.settings, job.model.engine(job.settings.speaking)
        prompts = job.inputs["prompts"].read_jsonl(PROMPTS)
        sampling = sampling_of(s, job.seed)
        write_shards(
            writer,
            TREES,
            prompts,
            lambda shard: grow(shard, engine, sampling, s.search, s.scorer),
            size=s.shard_prompts,
        )
        leaves = (leaf for row in writer.iter_jsonl(TREES) for leaf in read_trees([row])[row["prompt_id"]])
        count_chat(writer, engine, (leaf.token_ids for leaf in leaves))


def sampling_of(s: Any, seed: int) -> Any:
    """sampling.Settings of a stage's settings."""
    from ifpref.sampling import Settings

    return Settings(s.temperature, s.top_p, s.max_tokens, seed)


def count_chat(writer: Writer, engine: Any, responses: Iterable[Sequence[int]]) -> None:
    """What was taken from these responses before they were verified, in chat.json (sampling/chat.py); no file where the
    engine takes nothing. Of a tree, each distinct response counts once."""
    from ifpref.sampling import ChatEngine

    if isinstance(engine, ChatEngine):
        writer.write_json("chat.json", engine.count(responses))


def rows_of_split(prompts: Handle, split: str) -> list[dict[str, Any]]:
    """The rows of a split, of an artefact of prompts."""
    return [row for row in prompts.read_jsonl(PROMPTS) if row["split"] == split]
