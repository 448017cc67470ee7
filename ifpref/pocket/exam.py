"""The exam: how well the embedded model follows constraints on held-out topics.

    examine(model, tokenizer, exam_prompts(360))
    # {"instruction": 0.61, "by_k": {1: 0.72, ...}, "by_id": {"detectable_format:title": 0.7, ...}, "mean_tokens": 38.2}

Verdicts are strict. It serves the training and the provenance; the sampling and the verdicts are the study's own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ifpref.evaluation.policy import evaluate
from ifpref.evaluation.table import Table
from ifpref.models import LoadedModel
from ifpref.prompts.build import build, to_rows
from ifpref.sampling import Settings, TransformersEngine

MAX_TOKENS = 128


def exam_prompts(n: int, seed: int = 0) -> list[dict[str, Any]]:
    """Rows of n prompts on held-out topics, k = 1..6 in equal numbers."""
    return list(to_rows(build({"dev": n}, seed, domain="pocket", workers=1).prompts))


def examine(
    model: Any, tokenizer: Any, prompts: Sequence[Mapping[str, Any]], temperature: float = 0.0
) -> dict[str, Any]:
    """Pass rates: by instruction, by prompt, prompt-level by k, by id; and the mean length in tokens."""
    engine = TransformersEngine(LoadedModel("pocket", model, tokenizer, None, None))
    table = Table.from_rows(evaluate(prompts, engine, Settings(temperature, max_tokens=MAX_TOKENS), n=1))
    ids = [[constraint["id"] for constraint in prompt["constraints"]] for prompt in prompts]
    whole, k = table.prompt_level(), np.array([len(of_prompt) for of_prompt in ids])
    by_id = {id: _mean(table.of_id(ids, id)[0]) for id in {id for of_prompt in ids for id in of_prompt}}
    return {
        "instruction": round(table.instruction_level(), 3),
        "prompt": _mean(whole),
        "by_k": {int(n): _mean(whole[k == n]) for n in np.unique(k)},
        "by_id": dict(sorted(by_id.items(), key=lambda item: (item[1], item[0]))),
        "mean_tokens": round(float(table.n_tokens.mean()), 1),
    }


def _mean(values: np.ndarray) -> float:
    return round(float(values.mean()), 3)
