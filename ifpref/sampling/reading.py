"""Responses that are there already, read by a model: one forward pass over prompt and response, no decoding.

    for batch, logits, targets in read_batches(model, [(prompt_ids, response_ids), ...], batch_size=64):
        logits.log_softmax(dim=-1).gather(-1, targets[..., None])       # of the items `batch`, (B, L, 1)

Padding is on the left, so that all responses end at the last column and only the columns that predict a response go
through the model's own head. Batches are composed of the items alone, of like lengths: two models read the same items
in the same batches.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from ifpref.sampling.cache import left_padded

Item = tuple[Sequence[int], Sequence[int]]
"""Token ids of a prompt, and of a response to it; neither is empty."""

LOGITS = 2**26
"""Most logits of a batch: 256 MiB in float32."""


def read_batches(
    model: Any, items: Sequence[Item], batch_size: int
) -> Iterator[tuple[list[int], torch.Tensor, torch.Tensor]]:
    """Of each batch, its items, what predicts their responses, (B, L, V) float32, and the responses, (B, L): a response
    of fewer than L tokens ends at the last column."""
    for batch in batches(items, batch_size, model.config.get_text_config(decoder=True).vocab_size):
        ids, real, positions = left_padded([(*items[i][0], *items[i][1]) for i in batch], model.device)  # (B, T)
        longest = max(len(items[i][1]) for i in batch)
        inputs = {"input_ids": ids, "attention_mask": real.long(), "position_ids": positions}
        outputs = model(**inputs, use_cache=False, logits_to_keep=longest + 1)
        # The last column predicts what comes after the response.
        yield batch, outputs.logits[:, :-1].float(), ids[:, -longest:]


def batches(items: Sequence[Item], batch_size: int, vocabulary: int) -> Iterator[list[int]]:
    """The items, longest response first, in batches of at most `batch_size` rows and `LOGITS` logits, or of one row."""
    waiting = sorted(range(len(items)), key=lambda i: (-len(items[i][1]), -len(items[i][0]), i))
    while waiting:
        rows = max(1, min(batch_size, LOGITS // (len(items[waiting[0]][1]) * vocabulary)))
        yield waiting[:rows]
        waiting = waiting[rows:]
