"""What stands beside every comparison: the yield of each arm, and how alike the arms' pairs are.

    yields(made.outcomes, prompts)             # one row per arm, difficulty of the prompt, and outcome
    {"curation": "mcts", "contrast": "high", "difficulty": "all", "prompt_difficulty": "hard",
     "outcome": "equal scores", "prompts": 31, "share": 0.155}

    balance(made.rows, prompts)                # one row per quantity and arm
    {"group": "scores", "quantity": "gap", "arm": "mcts/high/all", "pairs": 217, "mean": 0.61, "sd": 0.12,
     "difference": -0.02, "smd": -0.16}
    taught(made.rows, prompts)                 # is a side effect learnt from the pairs?
    {"arm": "rs/high/all", "id": "detectable_format:title", "pairs": 217, "chosen_only": 31, "rejected_only": 4}

Decisions
- Plain rows for pandas: `pd.DataFrame(balance(...)).pivot(index=["group", "quantity"], columns="arm", values="mean")`.
- Outcomes of a difficulty add up to its prompts: pairs and reasons are all there is.
- Everything in the balance table is a number per pair, so that the mean of a yes or no is a share. Of a constraint id,
  "separates" is the share of pairs whose chosen satisfies it and whose rejected does not, "reverses" that of pairs the
  other way round, "has" that of pairs whose prompt asks for it.
- `smd` is the standardised mean difference to the first arm (Austin 2009, doi 10.1002/sim.3697): over the root of the
  mean of the two variances. Above 0.1 is commonly called imbalance. None where there is no variance to divide by.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ifpref.curation.matching import separated
from ifpref.curation.pairs import DIFFICULTIES, SIDES, Arm, Row, ids_of
from ifpref.evaluation.side_effects import is_repeated, unasked


def yields(outcomes: Mapping[Arm, Mapping[str, str]], prompts: Sequence[Row]) -> list[dict[str, Any]]:
    """What became of the prompts of each arm, by their difficulty; "pair" is always there, reasons where they came up.

    outcomes  of `arms.compare`
    prompts   the rows that it was given
    """
    difficulty = {prompt["prompt_id"]: prompt["difficulty"] for prompt in prompts}
    rows = []
    for arm, outcome in outcomes.items():
        counts = Counter((difficulty[prompt_id], result) for prompt_id, result in outcome.items())
        for level in DIFFICULTIES[:-1]:
            here = {result: n for (where, result), n in counts.items() if where == level}
            for result in sorted({"pair", *here} if here else (), key=lambda result: (result != "pair", result)):
                number = {"prompts": here.get(result, 0), "share": here.get(result, 0) / sum(here.values())}
                rows.append({**arm.levels(), "prompt_difficulty": level, "outcome": result, **number})
    return rows


def balance(arms: Mapping[Any, Sequence[Row]], prompts: Sequence[Row]) -> list[dict[str, Any]]:
    """Mean and standard deviation (n - 1) of every quantity in every arm, and the difference to the first arm.

    arms     pairs rows by arm, or by any name; means are None for an arm without pairs
    prompts  rows of the prompts, which know the constraints
    """
    ids = {prompt["prompt_id"]: ids_of(prompt) for prompt in prompts}
    everywhere = set.intersection(*({row["prompt_id"] for row in rows} for rows in arms.values()))
    measured = {
        arm: [_quantities(row, ids[row["prompt_id"]], everywhere) for row in rows] for arm, rows in arms.items()
    }
    found = dict.fromkeys(key for pairs in measured.values() for pair in pairs for key in pair)
    table = []
    for group, quantity in sorted(found, key=lambda key: (GROUPS.index(key[0]), key[1] if key[0] in OF_IDS else "")):
        first = None
        for arm, pairs in measured.items():
            # An id that this pair has nothing to do with is not among its quantities: it counts as 0.
            mean, sd = _moments([pair.get((group, quantity), 0) for pair in pairs])
            first = first or (mean, sd)
            row = {"group": group, "quantity": quantity, "arm": str(arm), "pairs": len(pairs), "mean": mean, "sd": sd}
            table.append({**row, **_difference((mean, sd), first)})
    return table


ANY_UNASKED, REPEATED = "any unasked feature", "a repeated sentence"


def taught(arms: Mapping[Any, Sequence[Row]], prompts: Sequence[Row]) -> list[dict[str, Any]]:
    """In how many pairs of each arm one side alone has a side effect: those that teach it, and those that unteach it.

    arms     pairs rows by arm, or by any name
    prompts  rows of the prompts, which know what is asked

    A row for each unasked feature (evaluation/side_effects.py) that a pair has, for any of them, and for repetition.
    """
    asked = {prompt["prompt_id"]: set(ids_of(prompt)) for prompt in prompts}
    table = []
    for arm, rows in arms.items():
        counts = {ANY_UNASKED: Counter(), REPEATED: Counter()}
        for row in rows:
            chosen, rejected = (_defects(row[f"{side}_text"], asked[row["prompt_id"]]) for side in SIDES)
            for side, found in (("chosen_only", chosen - rejected), ("rejected_only", rejected - chosen)):
                for defect in found:
                    counts.setdefault(defect, Counter())[side] += 1
        for defect, n in counts.items():
            both = {side: n[side] for side in ("chosen_only", "rejected_only")}
            table.append({"arm": str(arm), "id": defect, "pairs": len(rows), **both})
    return table


def _defects(text: str, asked: set[str]) -> set[str]:
    found = unasked(text, asked)
    whole = {ANY_UNASKED: bool(found), REPEATED: is_repeated(text)}
    return {*found, *(defect for defect, there in whole.items() if there)}


OF_IDS = ("separates", "reverses", "has")
GROUPS = ("prompts", "scores", "tokens", "finish", "sharing", *OF_IDS)


def _quantities(row: Row, ids: Sequence[str], everywhere: set[str]) -> dict[tuple[str, str], float]:
    """Of one pair, by group and name."""
    chosen, rejected = len(row["chosen_ids"]), len(row["rejected_ids"])
    of_ids = (separated(row, ids), separated(row, ids, by="rejected"), set(ids))
    return {
        ("prompts", "k"): len(ids),
        ("prompts", "in all arms"): row["prompt_id"] in everywhere,
        ("scores", "chosen score"): row["chosen_score"],
        ("scores", "rejected score"): row["rejected_score"],
        ("scores", "gap"): row["gap"],
        ("tokens", "prompt"): len(row["prompt_ids"]),
        ("tokens", "chosen"): chosen,
        ("tokens", "rejected"): rejected,
        ("tokens", "chosen - rejected"): chosen - rejected,
        ("finish", "chosen stopped"): row["chosen_finish"] == "stop",
        ("finish", "rejected stopped"): row["rejected_finish"] == "stop",
        ("sharing", "shared prefix tokens"): row["shared_prefix_tokens"],
        ("sharing", "shared prefix fraction"): row["shared_prefix_fraction"],
        **{(group, id): 1 for group, found in zip(OF_IDS, of_ids, strict=True) for id in found},
    }


Moments = tuple[float | None, float | None]
"""Mean and standard deviation, None where there are too few values."""


def _moments(values: Sequence[float]) -> Moments:
    mean = math.fsum(values) / len(values) if values else None
    sd = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1)) if len(values) > 1 else None
    return mean, sd


def _difference(mine: Moments, first: Moments) -> dict[str, float | None]:
    if mine[0] is None or first[0] is None:
        return {"difference": None, "smd": None}
    difference = mine[0] - first[0]
    pooled = math.sqrt((mine[1] ** 2 + first[1] ** 2) / 2) if None not in (mine[1], first[1]) else 0.0
    return {"difference": difference, "smd": difference / pooled if pooled else None}
