"""A base or a policy on held-out prompts: sampled, judged strictly and loosely, written in shards.

    rows = evaluate(prompts, engine, Settings(temperature=0.0, max_tokens=128, seed=7), n=1)
    write_evaluation(writer, prompts, loaded, engine, settings, n=1, shard_prompts=128)

One row; the last two are of `write_evaluation` above temperature 0:

    {"prompt_id": "0c7d…", "sample": 0, "token_ids": [41, 7, 9, 2], "text": "The sun is out.", "finish": "stop",
     "strict": [true, false], "loose": [true, true], "unasked": [], "repeated": false, "nearly_repeated": false,
     "n_tokens": 4, "logprob": -9.3, "base_logprob": -9.9, "entropy": 0.6}

Decisions
- The random streams are named by prompt and seed alone, so a base and its policies draw the same numbers: differences
  between them are paired in the noise too.
- Above temperature 0 policy and base read the finished responses once more, in the same batches: `logprob` is then that
  of this pass (the engine's differs by rounding), and `logprob - base_logprob` of the base itself is exactly 0.
- `entropy` is that of the distribution that was sampled from, at its temperature; log-probabilities are at 1.
- A shard is one call of the engine and these passes, so a run that was killed and continued gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ifpref.constraints import verify
from ifpref.evaluation.side_effects import side_effects
from ifpref.evaluation.table import Table
from ifpref.models import LoadedModel
from ifpref.prompts.build import constraints_of
from ifpref.sampling.protocol import Engine, Request, Settings
from ifpref.store import Writer
from ifpref.store.shards import write_shards

Rows = Sequence[Mapping[str, Any]]
ROWS, TABLE = "evaluation.jsonl", "table.json"


def evaluate(prompts: Rows, engine: Engine, settings: Settings, n: int) -> list[dict[str, Any]]:
    """n rows a prompt, in the order of the prompts, by one call of the engine."""
    requests = [Request(prompt["prompt_id"], engine.encode(prompt["text"]), n=n) for prompt in prompts]
    rows = []
    for prompt, completions in zip(prompts, engine.sample(requests, settings), strict=True):
        constraints = constraints_of(prompt)
        for sample, completion in enumerate(completions):
            rows.append(
                {
                    "prompt_id": prompt["prompt_id"],
                    "sample": sample,
                    "token_ids": list(completion.token_ids),
                    "text": completion.text,
                    "finish": completion.finish,
                    "strict": verify(completion.text, constraints),
                    "loose": verify(completion.text, constraints, loose=True),
                    **side_effects(completion.text, {one.id for one in constraints}),
                    "n_tokens": len(completion.token_ids),
                    "logprob": completion.logprob,
                }
            )
    return rows


def write_evaluation(
    writer: Writer, prompts: Rows, loaded: LoadedModel, engine: Engine, settings: Settings, n: int, shard_prompts: int
) -> None:
    """The artefact `evaluation`: evaluation.jsonl, `shard_prompts` prompts a shard, and table.json (`Table.to_dict`).

    loaded, engine  the base or a policy, and an engine of it; shards that a killed run has left are not made again

    Raises ValueError for no prompts, a prompt given twice, or a shard of less than one.
    """

    def rows(shard: Rows) -> list[dict[str, Any]]:
        found = evaluate(shard, engine, settings, n)
        return measured(found, shard, loaded, engine, settings.temperature) if settings.temperature > 0 else found

    write_shards(writer, ROWS, prompts, rows, size=shard_prompts)
    writer.write_json(TABLE, Table.from_rows(writer.iter_jsonl(ROWS)).to_dict())


def measured(
    rows: Rows, prompts: Rows, loaded: LoadedModel, engine: Engine, temperature: float
) -> list[dict[str, Any]]:
    """The rows with `logprob` and `base_logprob` at temperature 1, and `entropy` at `temperature`."""
    from ifpref.evaluation.distribution import read_tokens
    from ifpref.models import without_adapter

    prefix = {prompt["prompt_id"]: engine.encode(prompt["text"]) for prompt in prompts}
    items = [(prefix[row["prompt_id"]], row["token_ids"]) for row in rows]
    logprob, entropy = read_tokens(loaded, items, temperature=temperature)
    base_logprob = logprob
    if loaded.adapter is not None:
        with without_adapter(loaded.model):
            base_logprob, _ = read_tokens(loaded, items)
    columns = zip(rows, logprob.tolist(), base_logprob.tolist(), entropy.tolist(), strict=True)
    return [{**row, "logprob": own, "base_logprob": base, "entropy": mean} for row, own, base, mean in columns]
