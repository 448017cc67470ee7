"""What the pairs of a comparison are like, over all replicates: numbers, yields, balance, shared prefixes.

pair_counts(study, "sharing")    # {"arm": "rs/high/all", "pairs a replicate": "112–130", "pairs in all": 1204}
yields(study, "sharing")         # rows for figures.yields: what became of the prompts of each arm
balance(study, "sharing")        # rows for figures.balance: how alike the arms' pairs are
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from os.path import commonprefix
from typing import Any

from ifpref.analysis.results import Row, mean
from ifpref.curation.pairs import CURATIONS
from ifpref.study import Study

LEFT_OUT = "responses left out (start token inside)"


def n_pairs(study: Study, name: str) -> dict[str, list[int]]:
    """Of each arm its pairs, replicate by replicate."""
    tables = study.pair_tables(name)
    return {arm: [table["pairs"][arm] for table in tables] for arm in (tables[0]["pairs"] if tables else ())}


def pair_counts(study: Study, name: str) -> list[Row]:
    """Pairs of each arm: the fewest and the most in a replicate, and those of all replicates. Where curation left out
    responses with a start token inside, also how many of those that the arm takes its pairs from."""
    left_out = Counter()
    for table in study.pair_tables(name):
        left_out.update(table.get("dropped", {}))
    rows = []
    for arm, counts in n_pairs(study, name).items():
        ends = dict.fromkeys(f"{end:,}" for end in (min(counts), max(counts)))
        rows.append({"arm": arm, "pairs a replicate": "–".join(ends), "pairs in all": sum(counts)})
        if left_out.total():
            rows[-1][LEFT_OUT] = left_out[CURATIONS[arm.split("/")[0]].source]
    return rows


def yields(study: Study, name: str) -> list[Row]:
    """What became of the prompts, summed over replicates; a pair left out to make numbers equal was still there."""
    names = ("curation", "contrast", "difficulty", "scorer", "prompt_difficulty", "outcome")
    counts, whole = Counter(), Counter()
    for table in study.pair_tables(name):
        for row in table["yields"]:
            key = tuple({"scorer": "verifier", **row}[part] for part in names)
            counts[key] += row["prompts"]
            whole[key[:-1]] += row["prompts"]
    return [
        dict(zip(names, key, strict=True)) | {"prompts": count, "share": count / (whole[key[:-1]] or 1)}
        for key, count in counts.items()
    ]


def balance(study: Study, name: str) -> list[Row]:
    """The balance table, means over replicates. `by_design`: equal prompt by prompt, and not only here on average."""
    equal = {*study.comparison(name).equal}
    found: dict[tuple, list[Mapping[str, Any]]] = defaultdict(list)
    for table in study.pair_tables(name):
        for row in table["balance"]:
            found[row["group"], row["quantity"], row["arm"]].append(row)
    numbers = ("pairs", "mean", "sd", "difference", "smd")
    return [
        {"group": group, "quantity": quantity, "arm": arm, "by_design": bool({group, quantity} & equal)}
        | {part: mean(row[part] for row in rows if row[part] is not None) for part in numbers}
        for (group, quantity, arm), rows in found.items()
    ]


def taught(study: Study, name: str) -> list[Row]:
    """Is a side effect learnt from the pairs? Of each arm the pairs, in percent, whose chosen alone has it, and those
    whose rejected alone has it, over all replicates."""
    counts = defaultdict(Counter)
    for table in study.pair_tables(name):
        for row in table.get("taught", ()):
            counts[row["id"], row["arm"]].update({part: row[part] for part in ("chosen_only", "rejected_only")})
    pairs = {arm: sum(of_arm) for arm, of_arm in n_pairs(study, name).items()}
    return [
        {"id": id, "arm": arm, "pairs": pairs[arm]}
        | {f"{part}_percent": 100 * found[part] / (pairs[arm] or 1) for part in ("chosen_only", "rejected_only")}
        for (id, arm), found in counts.items()
    ]


def shared_prefix(study: Study, name: str) -> list[Row]:
    """The fraction that each pair shares, one row a pair, over all replicates."""
    return [
        {"arm": arm, "shared_prefix_fraction": fraction}
        for table in study.pair_tables(name)
        for arm, fractions in table["shared_prefix"].items()
        for fraction in fractions
    ]


def shared_characters(pair: Mapping[str, Any]) -> int:
    """How many characters both texts of a pair begin with: those of the shared tokens, or a few more."""
    return len(commonprefix([pair["chosen_text"], pair["rejected_text"]]))  # noqa: RUF071 - of characters
