"""A table's metrics as tidy rows: over all prompts, by number of constraints, by difficulty, by kind of constraint.

    summary(table, prompts)

    {"group": "all", "level": "all", "metric": "prompt_level_strict", "value": 0.375, "n": 512}
    {"group": "k", "level": "3", "metric": "kl", "value": 1.9, "n": 85}
    {"group": "id", "level": "punctuation:no_comma", "metric": "instruction_level_loose", "value": 0.8, "n": 133}

`n` counts prompts, the unit of inference, in every row. `instruction_level_*` weighs every constraint alike, `score`
every prompt. Of an id there are the two instruction-level metrics, over the verdicts of that id alone. `kl` (per
response, against the base, at temperature 1) and `entropy` (mean per token, of the distribution that was sampled from)
are in nats, and are there where the table holds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ifpref.constraints import CONSTRAINTS
from ifpref.evaluation.table import FLAGS, Table

DIFFICULTIES = ("easy", "moderate", "hard")
MODES = ("strict", "loose")


def summary(table: Table, prompts: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Tidy rows of every metric in every group.

    prompts  rows that hold those of the table, in any order

    Raises ValueError for a prompt of the table that is not among them, or has another number of constraints.
    """
    known = {prompt["prompt_id"]: prompt for prompt in prompts}
    if missing := [id for id in table.prompt_ids if id not in known]:
        raise ValueError(f"prompt {missing[0]!r} of the table is not among the {len(known)} prompts given")
    asked = [known[id] for id in table.prompt_ids]
    ids = [[constraint["id"] for constraint in prompt["constraints"]] for prompt in asked]
    rows = _rows("all", "all", table)
    for group, key, order in (("k", "n_constraints", sorted), ("difficulty", "difficulty", _by_difficulty)):
        values = [prompt[key] for prompt in asked]
        for level in order(set(values)):
            members = [i for i, value in enumerate(values) if value == level]
            rows += _rows(group, str(level), table.take(members))
    present = {id for of_prompt in ids for id in of_prompt}
    return rows + [_of_id(table, ids, id, mode) for id in CONSTRAINTS if id in present for mode in MODES]


def metrics(table: Table) -> dict[str, float]:
    """Every metric of a table, by name."""
    found = {f"prompt_level_{mode}": table.prompt_level(mode).mean() for mode in MODES}
    found |= {f"instruction_level_{mode}": table.instruction_level(mode) for mode in MODES}
    found["score"] = table.score().mean()
    found |= {name: getattr(table, name).mean() for name in ("n_tokens", *FLAGS)}
    found |= {name: values.mean() for name in ("kl", "entropy") if (values := getattr(table, name)) is not None}
    return {name: float(value) for name, value in found.items()}


def _rows(group: str, level: str, table: Table) -> list[dict[str, Any]]:
    found = metrics(table).items()
    return [{"group": group, "level": level, "metric": name, "value": value, "n": len(table)} for name, value in found]


def _of_id(table: Table, ids: list[list[str]], id: str, mode: str) -> dict[str, Any]:
    """Over all verdicts of the id, so that a prompt that holds it twice counts twice, as it does over all ids."""
    met, members = table.of_id(ids, id, mode)
    weights = [ids[i].count(id) for i in members]
    value = float(np.average(met, weights=weights))
    return {"group": "id", "level": id, "metric": f"instruction_level_{mode}", "value": value, "n": len(members)}


def _by_difficulty(levels: Iterable[str]) -> list[str]:
    """Easy first; other names after them, by alphabet."""
    return sorted(levels, key=lambda name: (DIFFICULTIES.index(name) if name in DIFFICULTIES else 3, name))
