"""Stages of pairs: made for a whole comparison, a third of another's, and the tables that are read of them.

    pairs_of("sharing", 0)         # the task: Pairs, or PairsPart where the comparison is part of another
    PairTables("sharing", 0)

Files of pairs: pairs.jsonl.gz; outcomes.json.gz, what became of each prompt in each arm; difficulty.json.gz, of each
prompt; dropped.json, responses of each source that hold a start token, which no pair may.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from ifpref.curation.pairs import CURATIONS, Arm, PairSettings
from ifpref.design import COMPARISONS, Comparison
from ifpref.params import Params
from ifpref.pipeline.model import Speaking
from ifpref.pipeline.samples import PROMPTS, RESPONSES, TREES, Prompts, Responses, Trees, n_of_pool
from ifpref.pipeline.stage import Job, ModelJob, Stage, Units, pick
from ifpref.store import Handle, Writer

PAIRS, OUTCOMES, DIFFICULTY, DROPPED = "pairs.jsonl.gz", "outcomes.json.gz", "difficulty.json.gz", "dropped.json"
TABLES = "tables.json.gz"
NO_SOURCE = ("prompts", "pass_rate", "as_many_as")
"""Inputs of pairs that no pair is made of."""


@dataclass(frozen=True, kw_only=True)
class ComparisonSettings:
    """How the pairs of a comparison hang together (design.py), and what may stand in one.

    without_ids   constraint ids whose prompts are left out
    share_of      arms of the comparison that this one has no more pairs than; 0: of none
    draws         seed and replicate, which name the random streams
    """

    pairs: PairSettings
    arms: tuple[Arm, ...]
    design: str
    match: str
    difficulty_by: str
    without_ids: tuple[str, ...]
    share_of: int
    replicate: int
    speaking: Speaking


def pairs_of(name: str, replicate: int) -> Stage:
    """The task that makes the pairs of a comparison."""
    return PairsPart(name, replicate) if COMPARISONS[name].part_of else Pairs(name, replicate)


def pools_of(one: Comparison, p: Params) -> tuple[str, ...]:
    """The pools of training prompts that pairs of a comparison are made of."""
    if one.pool == "cell":
        level = one.arms[0].difficulty
        return ("", level) if n_of_pool(p, level) else ("",)
    return ("sizes",) if one.pool == "sizes" else ("",)


def n_prompts_of(one: Comparison, p: Params) -> int:
    """How many prompts these are."""
    return sum(n_of_pool(p, pool) for pool in pools_of(one, p))


def _prompts(one: Comparison, replicate: int, p: Params) -> dict[str, Stage]:
    """As inputs: "prompts", "prompts@hard"."""
    return {_in_pool("prompts", pool): Prompts(replicate, pool) for pool in pools_of(one, p)}


def _in_pool(name: str, pool: str) -> str:
    return f"{name}@{pool}" if pool else name


@dataclass(frozen=True)
class Pairs(Stage):
    """The pairs of all arms of a comparison in a replicate."""

    comparison: str
    replicate: int
    name = "pairs"
    version = 2
    of_model = True

    def settings(self, p: Params) -> ComparisonSettings:
        one = COMPARISONS[self.comparison]
        return ComparisonSettings(
            pairs=PairSettings.from_params(p),
            arms=one.arms,
            design=one.design,
            match=one.match,
            difficulty_by=one.difficulty_by,
            without_ids=p.transfer_ids if one.without_ids else (),
            share_of=len(COMPARISONS[one.as_many_as].arms) if one.as_many_as else 0,
            replicate=self.replicate,
            speaking=pick(Speaking, p),
        )

    def inputs(self, p: Params) -> dict[str, Stage]:
        one, replicate = COMPARISONS[self.comparison], self.replicate
        found = _prompts(one, replicate, p)
        for arm, pool in product(one.arms, pools_of(one, p)):
            source, scorer = CURATIONS[arm.curation].source, "" if arm.scorer == "verifier" else arm.scorer
            sampled = Responses(replicate, pool=pool)
            found[_in_pool(arm.source, pool)] = sampled if source == "rs" else Trees(source, replicate, scorer, pool)
            if arm.curation == "mcts_unshared":  # where the tree holds no match, these may
                found[_in_pool(replace(arm, curation="rs").source, pool)] = sampled
        if one.difficulty_by == "pass rate":
            found["pass_rate"] = Responses(replicate, "pass rate")
        if one.as_many_as:
            found["as_many_as"] = pairs_of(one.as_many_as, replicate)
        return found

    def seed(self, p: Params) -> int:
        return p.seed

    def work(self, p: Params, n_pairs: Any) -> Units:
        return {f"pairs {self.comparison}": n_prompts_of(COMPARISONS[self.comparison], p)}

    @staticmethod
    def make(job: ModelJob, writer: Writer) -> None:
        from ifpref.curation import by_pass_rate, compare

        s, inputs = job.settings, job.inputs
        prompts = read_prompts(inputs)
        if "pass_rate" in inputs:
            prompts = by_pass_rate(prompts, inputs["pass_rate"].read_jsonl(RESPONSES), job.seed)
        left_out = set(s.without_ids)
        prompts = [prompt for prompt in prompts if not {one["id"] for one in prompt["constraints"]} & left_out]
        limits = [s.pairs.n_pairs] if s.pairs.n_pairs is not None else []
        if "as_many_as" in inputs:
            limits.append(len(inputs["as_many_as"].read_jsonl(PAIRS)) // s.share_of)
        engine = job.model.encoder(s.speaking)
        made = compare(
            s.arms,
            prompts,
            read_sources(inputs, prompts),
            engine.encode,
            replace(s.pairs, n_pairs=min(limits, default=None)),
            seed=job.seed,
            replicate=s.replicate,
            design=s.design,
            match=s.match,
            barred=start_tokens(engine),
        )
        writer.write_jsonl(PAIRS, [row for arm in s.arms for row in made.rows[arm]])
        writer.write_json(OUTCOMES, {str(arm): dict(made.outcomes[arm]) for arm in s.arms})
        writer.write_json(DIFFICULTY, {prompt["prompt_id"]: prompt["difficulty"] for prompt in prompts})
        writer.write_json(DROPPED, made.dropped)


@dataclass(frozen=True)
class PartSettings:
    """part: "lower", "middle" or "upper", of the prompts by the fraction that their `mcts` pairs share."""

    arms: tuple[Arm, ...]
    part: str


@dataclass(frozen=True)
class PairsPart(Stage):
    """The pairs of another comparison, of a third of its prompts by the fraction that their `mcts` pairs share."""

    comparison: str
    replicate: int
    name = "pairs_part"

    def settings(self, p: Params) -> PartSettings:
        one = COMPARISONS[self.comparison]
        return PartSettings(one.arms, one.part)

    def inputs(self, p: Params) -> dict[str, Stage]:
        return {"pairs": pairs_of(COMPARISONS[self.comparison].part_of, self.replicate)}

    @staticmethod
    def make(job: Job, writer: Writer) -> None:
        from ifpref.statistics import terciles

        s, whole = job.settings, job.inputs["pairs"]
        by_arm = rows_by_arm(whole, s.arms)
        searched = by_arm[Arm("mcts")]
        third = terciles([row["shared_prefix_fraction"] for row in searched]).tolist()
        number = ("lower", "middle", "upper").index(s.part)
        there = {row["prompt_id"] for row, t in zip(searched, third, strict=True) if t == number}
        # a prompt that the other arm has no pair of leaves both, so that both have the same prompts
        there &= set.intersection(*({row["prompt_id"] for row in by_arm[arm]} for arm in s.arms))
        writer.write_jsonl(PAIRS, [row for arm in s.arms for row in by_arm[arm] if row["prompt_id"] in there])
        outcomes = whole.read_json(OUTCOMES)
        writer.write_json(OUTCOMES, {str(arm): _within(outcomes[str(arm)], there) for arm in s.arms})
        for same in (DIFFICULTY, DROPPED):
            writer.write_json(same, whole.read_json(same))


@dataclass(frozen=True)
class ArmSettings:
    arms: tuple[Arm, ...]


@dataclass(frozen=True)
class PairTables(Stage):
    """Yields, balance and shared prefixes: what is read of pairs, without the pairs. File: tables.json.gz."""

    comparison: str
    replicate: int
    name = "pair_tables"
    version = 2
    keep_all = True

    def settings(self, p: Params) -> ArmSettings:
        return ArmSettings(COMPARISONS[self.comparison].arms)

    def inputs(self, p: Params) -> dict[str, Stage]:
        prompts = _prompts(COMPARISONS[self.comparison], self.replicate, p)
        return {"pairs": pairs_of(self.comparison, self.replicate)} | prompts

    @staticmethod
    def make(job: Job, writer: Writer) -> None:
        from ifpref.curation.balance import balance, taught, yields

        pairs, by_arm = job.inputs["pairs"], rows_by_arm(job.inputs["pairs"], job.settings.arms)
        difficulty, outcomes = pairs.read_json(DIFFICULTY), pairs.read_json(OUTCOMES)
        prompts = read_prompts(job.inputs)
        known = [{**row, "difficulty": difficulty.get(row["prompt_id"], "")} for row in prompts]
        shared = {str(arm): [round(row["shared_prefix_fraction"], 4) for row in rows] for arm, rows in by_arm.items()}
        tables = {
            "pairs": {str(arm): len(rows) for arm, rows in by_arm.items()},
            "dropped": pairs.read_json(DROPPED),
            "yields": yields({arm: outcomes[str(arm)] for arm in by_arm}, known),
            "balance": balance(by_arm, known),
            "taught": taught(by_arm, known),
            "shared_prefix": shared,
        }
        writer.write_json(TABLES, tables)


def rows_by_arm(pairs: Handle, arms: tuple[Arm, ...]) -> dict[Arm, list[dict[str, Any]]]:
    """The pairs of each arm; an arm can be there without any."""
    found: dict[Arm, list[dict[str, Any]]] = {arm: [] for arm in arms}
    for row in pairs.iter_jsonl(PAIRS):
        arm = Arm.of_row(row)
        if arm in found:
            found[arm].append(row)
    return found


def read_prompts(inputs: Mapping[str, Handle]) -> list[dict[str, Any]]:
    """Of all pools; a prompt that two of them have by chance is that of the first, and `pool` says which that is."""
    found: dict[str, dict[str, Any]] = {}
    for name, handle in inputs.items():
        kind, _, pool = name.partition("@")
        for row in handle.read_jsonl(PROMPTS) if kind == "prompts" else ():
            found.setdefault(row["prompt_id"], row | {"pool": pool})
    return list(found.values())


def read_sources(inputs: Mapping[str, Handle], prompts: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The rows of each source, by an arm's name of it: "rs", "mcts", "rs/<scorer>"."""
    from ifpref.curation.scoring import scored_again

    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for name, handle in inputs.items():
        kind, _, pool = name.partition("@")
        if kind in NO_SOURCE:
            continue
        source, _, scorer = kind.partition("/")
        own = {row["prompt_id"] for row in prompts if row["pool"] == pool}
        rows = handle.iter_jsonl(RESPONSES if source == "rs" else TREES)
        rows = [row for row in rows if row["prompt_id"] in own]
        found[kind] += scored_again(rows, prompts, scorer) if scorer and source == "rs" else rows
    return found


def start_tokens(engine: Any) -> tuple[int, ...]:
    """What no response of a pair may hold: the start token, where it is no end token too."""
    start = engine.tokenizer.bos_token_id
    return () if start is None or start in engine.eos_ids else (start,)


def _within(outcomes: Mapping[str, str], there: set[str]) -> dict[str, str]:
    return {p: "equal numbers" if found == "pair" and p not in there else found for p, found in outcomes.items()}
