"""The exam: how well the embedded model follows constraints on held-out topics.

    examine(model, tokenizer, exam_prompts(360))
    # {"instruction": 0.61, "by_k": {1: 0.72, ...}, "by_id": {"detectable_format:title": 0.7, ...}, "mean_tokens": 38.2}

Verdicts are strict. It serves the training and the provenance; the study's own evaluation is ifpref/evaluation.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import torch

from ifpref.constraints.checks import verify
from ifpref.prompts.build import build
from ifpref.prompts.write import Prompt

MAX_TOKENS = 128
_BATCH = 64


def exam_prompts(n: int, seed: int = 0) -> list[Prompt]:
    """n prompts on held-out topics, k = 1..6 in equal numbers."""
    return list(build({"dev": n}, seed, domain="pocket", workers=1).prompts)


@torch.no_grad()
def respond(model: Any, tokenizer: Any, texts: Sequence[str], temperature: float = 0.0) -> list[str]:
    """One response to each text, in order; temperature 0 is greedy."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
    sampling = {"do_sample": True, "temperature": temperature, "top_k": 0} if temperature else {"do_sample": False}
    responses = [""] * len(texts)
    for start in range(0, len(order), _BATCH):
        batch = order[start : start + _BATCH]
        chats = [[{"role": "user", "content": texts[i]}] for i in batch]
        prompts = tokenizer.apply_chat_template(chats, add_generation_prompt=True, tokenize=False)
        inputs = tokenizer(prompts, add_special_tokens=False, padding=True, return_tensors="pt").to(model.device)
        ids = model.generate(**inputs, max_new_tokens=MAX_TOKENS, pad_token_id=tokenizer.pad_token_id, **sampling)
        width = inputs["input_ids"].shape[1]
        for i, text in zip(batch, tokenizer.batch_decode(ids[:, width:], skip_special_tokens=True), strict=True):
            responses[i] = text
    return responses


def examine(model: Any, tokenizer: Any, prompts: Sequence[Prompt], temperature: float = 0.0) -> dict[str, Any]:
    """Pass rates: by instruction, by prompt, prompt-level by k, by id; and the mean length in tokens."""
    responses = respond(model, tokenizer, [prompt.text for prompt in prompts], temperature)
    by_k: dict[int, list[bool]] = defaultdict(list)
    by_id: dict[str, list[bool]] = defaultdict(list)
    for prompt, response in zip(prompts, responses, strict=True):
        verdicts = verify(response, prompt.constraints)
        by_k[len(verdicts)].append(all(verdicts))
        for constraint, verdict in zip(prompt.constraints, verdicts, strict=True):
            by_id[constraint.id].append(verdict)
    lengths = [len(ids) for ids in tokenizer(responses, add_special_tokens=False)["input_ids"]]
    return {
        "instruction": _mean([v for verdicts in by_id.values() for v in verdicts]),
        "prompt": _mean([v for verdicts in by_k.values() for v in verdicts]),
        "by_k": {k: _mean(by_k[k]) for k in sorted(by_k)},
        "by_id": {id: _mean(by_id[id]) for id in sorted(by_id, key=lambda id: _mean(by_id[id]))},
        "mean_tokens": round(sum(lengths) / len(lengths), 1),
    }


def _mean(values: Sequence[bool]) -> float:
    return round(sum(values) / len(values), 3)
