"""Report: what each arm's pairs are like on pocket, from the same prompts and the same number of responses.

Not a race but a look: yield of each arm by difficulty, with the reasons for no pair; scores, gap, lengths and shared
prefix of the pairs; and which constraints they separate (the chosen meets them, the rejected does not).
"""

from __future__ import annotations

from typing import Any

CURATIONS = ("rs", "mcts", "rs_branched", "mcts_unshared", "shuffled")
QUANTITIES = (
    "chosen score",
    "rejected score",
    "gap",
    "chosen",
    "rejected",
    "shared prefix tokens",
    "shared prefix fraction",
)


def run(n_prompts: int = 512, model: str = "pocket", profile: str = "pocket") -> dict[str, Any]:
    """Tables of yields and of balance; 512 prompts take a few minutes on 2 cores."""
    from ifpref.curation import SearchSettings, grow, respond
    from ifpref.curation.arms import compare
    from ifpref.curation.balance import balance, yields
    from ifpref.curation.pairs import Arm, PairSettings
    from ifpref.models import load_model
    from ifpref.params import load_params
    from ifpref.prompts.build import build, to_rows
    from ifpref.sampling import Settings, TransformersEngine

    params = load_params(profile)
    prompts = list(to_rows(build({"train": n_prompts}, seed=7, domain=params.domain, workers=1).prompts))
    engine, sampling = TransformersEngine(load_model(model)), Settings(max_tokens=params.max_tokens)
    sources = {
        "rs": respond(prompts, engine, sampling, params.n_responses),
        "mcts": grow(prompts, engine, sampling, SearchSettings.from_params(params, "mcts")),
        "rs_branched": grow(prompts, engine, sampling, SearchSettings.from_params(params, "rs_branched")),
    }
    arms = [Arm(curation, "high", "all") for curation in CURATIONS]
    settings = PairSettings.from_params(params)
    together = compare(arms, prompts, sources, engine.encode, settings, seed=0)
    alone = {arm.curation: compare([arm], prompts, sources, engine.encode, settings, seed=0) for arm in arms}
    found = [row for one in alone.values() for row in yields(one.outcomes, prompts)]
    return {
        "prompts": len(prompts),
        "responses_per_prompt": params.n_responses,
        "pairs_in_each_arm_together": len(together.rows[arms[0]]),
        "yield_of_each_arm_alone": _yields(found),
        "reasons_for_no_pair": _reasons(found),
        "balance_together": _table(together, prompts, balance, arms, lambda row: row["quantity"] in QUANTITIES),
        "separated_share_of_pairs": _table(together, prompts, balance, arms, lambda row: row["group"] == "separates"),
    }


def _yields(rows: list[dict]) -> list[dict]:
    share = {(row["curation"], row["prompt_difficulty"]): row["share"] for row in rows if row["outcome"] == "pair"}
    levels = ("easy", "moderate", "hard")
    return [{"": curation, **{level: share[curation, level] for level in levels}} for curation in CURATIONS]


def _reasons(rows: list[dict]) -> list[dict]:
    reasons = sorted({row["outcome"] for row in rows} - {"pair"})

    def count(curation: str, reason: str) -> int:
        return sum(row["prompts"] for row in rows if (row["curation"], row["outcome"]) == (curation, reason))

    return [{"": reason, **{curation: count(curation, reason) for curation in CURATIONS}} for reason in reasons]


def _table(comparison: Any, prompts: list[dict], balance: Any, arms: list, keep: Any) -> list[dict]:
    """One row a quantity, one column an arm: means."""
    means: dict[str, dict[str, float]] = {}
    for row in balance({arm.curation: comparison.rows[arm] for arm in arms}, prompts):
        if keep(row):
            means.setdefault(row["quantity"], {})[row["arm"]] = round(row["mean"], 3)
    return [{"": quantity, **by_arm} for quantity, by_arm in means.items()]
