"""Logits to tokens: one choice for each row of a batch, with the log-probability of what was chosen.

    token, logprob = choose(logits, keys, steps, temperature=1.0, top_p=1.0)     # (B, V) -> (B,), (B,)

A choice is where one uniform number for each row falls in the running sum of its probabilities. The number comes by
counter (streams.py), where `torch.multinomial` draws from one generator for the whole batch, in an order that depends
on the batch. Sums are taken in blocks of the vocabulary, and then within one of them, in float64: one pass over (B, V),
and a token whose probability is 0 is never chosen.
"""

import torch

from ifpref.sampling.streams import uniforms

BLOCK = 256
"""Tokens whose probabilities are summed first."""


def choose(
    logits: torch.Tensor, keys: torch.Tensor, steps: torch.Tensor, temperature: float, top_p: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """The next token of each row and its log-probability at temperature 1.

    logits  (B, V), any dtype
    keys    (B,) int64, of `streams.stream_key`; steps: (B,) int64, tokens sampled so far
    """
    log_p = torch.log_softmax(logits, dim=-1, dtype=torch.float32)  # (B, V)
    if temperature == 0:
        token = log_p.argmax(dim=-1)
    else:
        if temperature == 1:
            p = log_p.exp()
        else:  # the largest becomes 0, so that no temperature is too small to divide by
            p = torch.softmax((log_p - log_p.amax(dim=-1, keepdim=True)) / temperature, dim=-1)
        token = draw(nucleus(p, top_p) if top_p < 1 else p, uniforms(keys, steps))
    return token, log_p.gather(-1, token[:, None]).squeeze(-1)


def draw(weights: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
    """(B,) tokens, each with a probability in proportion to its weight.

    weights  (B, V), at least 0, of each row one above 0; numbers: (B,) float64 in [0, 1)
    """
    rows, size = weights.shape
    blocks = torch.nn.functional.pad(weights, (0, -size % BLOCK)).view(rows, -1, BLOCK)
    ends = blocks.sum(dim=-1).double().cumsum(dim=-1)  # (B, V / BLOCK): the sum up to the end of each block
    block = _first_above(ends, numbers * ends[:, -1])
    before = torch.where(block > 0, ends.gather(1, (block - 1).clamp(min=0)[:, None]).squeeze(1), 0.0)
    within = blocks[torch.arange(rows, device=block.device), block].double().cumsum(dim=-1)  # (B, BLOCK)
    return (block * BLOCK + _first_above(within, numbers * ends[:, -1] - before)).clamp(max=size - 1)


def _first_above(sums: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """(B,): the first place of each row of running sums (B, n) that is above its value. A value that rounding has put
    at the last sum or beyond stands for a number just below it. The last place where there are no numbers (NaN), which
    the log-probability then shows."""
    values = torch.minimum(values, sums[:, -1] * (1 - 1e-12))
    return torch.searchsorted(sums, values[:, None], right=True).squeeze(1).clamp(max=sums.shape[1] - 1)


def nucleus(p: torch.Tensor, top_p: float) -> torch.Tensor:
    """The probabilities (B, V) with 0 outside the smallest set of tokens that holds a mass of `top_p`. Not rescaled."""
    ordered, tokens = p.sort(dim=-1, descending=True, stable=True)
    before = ordered.cumsum(dim=-1) - ordered  # mass of the more probable tokens
    return torch.zeros_like(p).scatter(-1, tokens, ordered.masked_fill(before >= top_p, 0.0))
