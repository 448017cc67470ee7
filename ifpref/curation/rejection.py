"""Rejection sampling: n whole responses a prompt, verified and scored; the material of the arm `rs`.

    rows = respond(prompts, engine, Settings(temperature=1.0, max_tokens=128, seed=0), n=16)

One row (the EOS is among the ids where `finish` is "stop"):

    {"prompt_id": "0c7d…", "sample": 3, "token_ids": [41, 7, 9, 2], "text": "The sun is out.", "logprob": -9.3,
     "finish": "stop", "verdicts": [true, false], "score": 0.5}

Nothing is rejected here: which two responses become a pair is for pairs.py to say, from the same stored responses.
A shard is one sampling call for a fixed number of prompts, so its batches, and with them every last bit of its
log-probabilities, are the same in a run that was killed and continued.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ifpref.curation.scoring import Judge
from ifpref.sampling.protocol import Engine, Request, Settings


def respond(
    prompts: Iterable[Mapping[str, Any]], engine: Engine, sampling: Settings, n: int, stream: str = ""
) -> list[dict[str, Any]]:
    """n rows a prompt, in the order of the prompts, by one call of the engine.

    stream  put before the names of the random streams, for responses independent of those without it
    """
    prompts = list(prompts)
    requests = [Request(stream + prompt["prompt_id"], engine.encode(prompt["text"]), n=n) for prompt in prompts]
    rows = []
    for prompt, completions in zip(prompts, engine.sample(requests, sampling), strict=True):
        judge = Judge(prompt)
        for sample, completion in enumerate(completions):
            verdicts, score = judge(completion.text)
            rows.append(
                {
                    "prompt_id": prompt["prompt_id"],
                    "sample": sample,
                    "token_ids": list(completion.token_ids),
                    "text": completion.text,
                    "logprob": completion.logprob,
                    "finish": completion.finish,
                    "verdicts": list(verdicts),
                    "score": score,
                }
            )
    return rows
