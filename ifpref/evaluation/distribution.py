"""What a model thinks of given responses: their log-probability, and the entropy of the distributions on the way.

    items = [(engine.encode(prompt["text"]), row["token_ids"]), ...]
    logprob, entropy = read_tokens(policy, items, temperature=1.0)         # (M,) nats, (M,) nats
    with without_adapter(policy.model):                                    # of ifpref.models
        base_logprob, _ = read_tokens(policy, items)

One forward pass over prompt and response (sampling/reading.py), in batches of the items alone: for equal models the
difference is 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from ifpref.models import LoadedModel
from ifpref.sampling.reading import Item, read_batches


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
            for batch, logits, targets in read_batches(loaded.model, items, batch_size):
                lengths = torch.tensor([len(items[i][1]) for i in batch], device=targets.device)
                logprob[batch], entropy[batch] = _read(logits, targets, lengths, temperature)
    finally:
        loaded.model.train(was_training)
    return logprob, entropy


def _read(
    logits: torch.Tensor, targets: torch.Tensor, lengths: torch.Tensor, temperature: float
) -> tuple[np.ndarray, np.ndarray]:
    """Of a batch of `read_batches`; lengths: tokens of each response, (B,)."""
    longest = targets.shape[1]
    counted = torch.arange(longest, device=lengths.device) >= longest - lengths[:, None]  # (B, L)
    log_p = logits.log_softmax(dim=-1)
    token_logprob = log_p.gather(-1, targets[..., None])[..., 0]
    if temperature != 1:
        log_p = (log_p / temperature).log_softmax(dim=-1)
    # What is impossible (-inf) adds nothing: 0 * -inf would be no number.
    token_entropy = torch.special.entr(log_p.exp()).sum(dim=-1)
    logprob = token_logprob.double().masked_fill(~counted, 0).sum(dim=-1)
    entropy = token_entropy.double().masked_fill(~counted, 0).sum(dim=-1) / lengths
    return logprob.cpu().numpy(), entropy.cpu().numpy()
