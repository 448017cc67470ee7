"""Does LoRA-DPO teach pocket anything? 400 high-contrast RS pairs, five replicates, held-out prompts.

The goals: greedy, prompt-level, at least 8 points over the base; at temperature 1 above the base of equal entropy; both
with intervals above zero. And the time of a greedy evaluation of 512 prompts: under 10 s.
"""

from __future__ import annotations

import time
from typing import Any


def run(n_pairs: int = 400, replicates: int = 5, n_train_prompts: int = 600, profile: str = "pocket") -> dict[str, Any]:
    """Gains over the base in points, with intervals over replicates x prompts; artefacts lie in the study's store."""
    from ifpref.analysis import results
    from ifpref.study import Study

    study = Study(
        profile,
        comparisons=["alone"],
        sampled_comparisons=["alone"],
        n_pairs=n_pairs,
        n_replicates=replicates,
        n_train_prompts=n_train_prompts,
    )
    study.run()
    pairs = [table["pairs"]["rs/high/all"] for table in study.pair_tables("alone")]
    rows = [*results.decoding(study, "alone"), *results.gains(study, "alone", metric="score")]
    kept = ("label", "group", "estimate", "low", "high", "replicates", "prompts", "temperature")
    return {
        "pairs": pairs,
        "learning_rate": study.params.learning_rate,
        "effects": [{name: _short(row.get(name)) for name in kept} for row in rows],
        "accuracies": [
            {name: _short(value) for name, value in row.items()} for row in results.accuracies(study, "alone")
        ],
        "greedy_evaluation_of_512_prompts_s": evaluation_seconds(),
        "goal": "greedy at least 8 points, at temperature 1 above the base of equal entropy, intervals above 0; 10 s",
    }


def evaluation_seconds(n: int = 512, repeats: int = 3) -> float:
    """Sampling and verdicts of the base, greedy; the fastest of `repeats`."""
    from ifpref.evaluation.policy import evaluate
    from ifpref.models import load_model
    from ifpref.prompts.build import build, to_rows
    from ifpref.sampling import Settings, TransformersEngine

    prompts = list(to_rows(build({"test": n}, seed=3, domain="pocket", workers=1).prompts))
    engine, settings, seconds = TransformersEngine(load_model("pocket")), Settings(temperature=0.0), []
    evaluate(prompts[:8], engine, settings, 1)  # what is loaded on first use is not counted
    for _ in range(repeats):
        start = time.perf_counter()
        evaluate(prompts, engine, settings, 1)
        seconds.append(time.perf_counter() - start)
    return round(min(seconds), 2)


def _short(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value
