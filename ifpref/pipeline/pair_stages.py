"""The stages of pairs: made for a whole comparison, a third of another's, and the tables that are read of them.

    stages = PairStages(load_params("smoke"), Store(paths.store_folder()))
    stages.get(Task("pairs", ("sharing", 0)))       # the pairs of all arms of a comparison, in replicate 0
    stages.pairs_of("sharing", 0)[Arm("mcts")]      # rows (ifpref/curation/pairs.py)

Files of pairs: pairs.jsonl.gz; outcomes.json.gz, what became of each prompt in each arm; difficulty.json.gz, of each
prompt; dropped.json, responses of each source that hold a start token, which no pair may.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ifpref.curation.pairs import CURATIONS, Arm, PairSettings
from ifpref.design import COMPARISONS, Comparison
from ifpref.pipeline.stages import CODE, Stages, Step, Task
from ifpref.store import Artefact, Writer


class PairStages(Stages):
    """The stages from responses and trees to pairs."""

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
