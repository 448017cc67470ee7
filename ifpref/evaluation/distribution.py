"""What a model thinks of given responses: their log-probability, and the entropy of the distributions on the way.

    items = [(engine.encode(prompt["text"]), row["token_ids"]), ...]
    logprob, entropy = read_tokens(policy, items, temperature=1.0)         # (M,) nats, (M,) nats
    with without_adapter(policy.model):                                    # of ifpref.models
        base_logprob, _ = read_tokens(policy, items)

One forward pass over prompt and response, no decoding. Padding is on the left, so that all responses end at the last
column and only the columns that predict a response go through the model's own head. Batches are composed of the items
alone, of like lengths, so two models read the same items in the same batches: for equal models the difference is 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from ifpref.models import LoadedModel
from ifpref.sampling.cache import left_padded

Item = tuple[Sequence[int], Sequence[int]]
"""Token ids of a prompt, and of a response to it."""

LOGITS = 2**26
"""Most logits of a batch: 256 MiB in float32, of which the entropy holds three at a time."""


def read_tokens(
    loaded: LoadedModel, items: Sequence[Item], *, temperature: float = 1.0, batch_size: int = 64
) -> tuple[np.ndarray, np.ndarray]:
    """Of each response given its prompt, (M,) each, in nats: the summed log-probability of its tokens at temperature 1,
    and the entropy of the next token at `temperature`, mean over its tokens.

    Raises ValueError for an empty prompt or response, and for a temperature of 0 (whose entropy is 0).
    """
    if not temperature > 0:
        raise ValueError(f"temperature = {temperature}; allowed: a positive number")
    for i, (prompt, response) in enumerate(items):
        if not (prompt and response):
            raise ValueError(
                f"item {i} has {len(prompt)} prompt and {len(response)} response tokens; allowed: 1 or more"
            )
    logprob, entropy = np.zeros(len(items)), np.zeros(len(items))
    was_training = loaded.model.training
    loaded.model.eval()
    try:
        with torch.inference_mode():
            for batch in _batches(items, batch_size, loaded.model.config.get_text_config(decoder=True).vocab_size):
                logprob[batch], entropy[batch] = _read(loaded.model, [items[i] for i in batch], temperature)
    finally:
        loaded.model.train(was_training)
    return logprob, entropy


def _batches(items: Sequence[Item], batch_size: int, vocabulary: int) -> Iterator[list[int]]:
    """The items, longest response first, in batches of at most `batch_size` rows and `LOGITS` logits, or of one row."""
    waiting = sorted(range(len(items)), key=lambda i: (-len(items[i][1]), -len(items[i][0]), i))
    while waiting:
        rows = max(1, min(batch_size, LOGITS // (len(items[waiting[0]][1]) * vocabulary)))
        yield waiting[:rows]
        waiting = waiting[rows:]


def _read(model: Any, items: Sequence[Item], temperature: float) -> tuple[np.ndarray, np.ndarray]:
    ids, real = left_padded([(*prompt, *response) for prompt, response in items], model.device)  # (B, T)
    longest = max(len(response) for _, response in items)
    positions = (real.cumsum(dim=-1) - 1).clamp(min=0)
    inputs = {"input_ids": ids, "attention_mask": real.long(), "position_ids": positions}
    outputs = model(**inputs, use_cache=False, logits_to_keep=longest + 1)
    logits = outputs.logits[:, :-1].float()  # (B, longest, V); the last column predicts what comes after the response
    targets = ids[:, -longest:]
    lengths = torch.tensor([len(response) for _, response in items], device=ids.device)
    counted = torch.arange(longest, device=ids.device) >= longest - lengths[:, None]  # (B, longest)
    log_p = logits.log_softmax(dim=-1)
    token_logprob = log_p.gather(-1, targets[..., None])[..., 0]
    if temperature != 1:
        log_p = (log_p / temperature).log_softmax(dim=-1)
    # What is impossible (-inf) adds nothing: 0 * -inf would be no number.
    token_entropy = torch.special.entr(log_p.exp()).sum(dim=-1)
    logprob = token_logprob.double().masked_fill(~counted, 0).sum(dim=-1)
    entropy = token_entropy.double().masked_fill(~counted, 0).sum(dim=-1) / lengths
    return logprob.cpu().numpy(), entropy.cpu().numpy()
