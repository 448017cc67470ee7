"""Logits to tokens: one choice for each row of a batch, with the log-probability of what was chosen.

    token, logprob = choose(logits, keys, steps, temperature=1.0, top_p=1.0)     # (B, V) -> (B,), (B,)

The Gumbel-max trick in its exponential form: argmax of p / E, E standard exponential, draws from p. It needs one
logarithm for each token, moves by as little as p does, and takes its noise by counter, where `torch.multinomial`
draws from one generator for the whole batch, in an order that depends on the batch.
"""

import torch

from ifpref.sampling.streams import exponential


def choose(
    logits: torch.Tensor, keys: torch.Tensor, steps: torch.Tensor, temperature: float, top_p: float
) -> tuple[torch.Tensor, torch.Tensor]:
    """The next token of each row and its log-probability at temperature 1.

    logits  (B, V), any dtype
    keys    (B,) int64, of `streams.stream_key`; steps: (B,) int64, tokens sampled so far
    """
    logits = logits.float()
    logprobs = torch.log_softmax(logits, dim=-1)  # (B, V)
    if temperature == 0:
        token = logits.argmax(dim=-1)
    else:
        if temperature != 1:  # the largest logit becomes 0, so that no temperature is too small to divide by
            logits = (logits - logits.amax(dim=-1, keepdim=True)) / temperature
        p = torch.softmax(logits, dim=-1)
        if top_p < 1:
            p = nucleus(p, top_p)
        token = (p / exponential(keys, steps, p.shape[-1])).argmax(dim=-1)
    return token, logprobs.gather(-1, token[:, None]).squeeze(-1)


def nucleus(p: torch.Tensor, top_p: float) -> torch.Tensor:
    """The probabilities (B, V) with 0 outside the smallest set of tokens that holds a mass of `top_p`. Not rescaled."""
    ordered, tokens = p.sort(dim=-1, descending=True, stable=True)
    before = ordered.cumsum(dim=-1) - ordered  # mass of the more probable tokens
    return torch.zeros_like(p).scatter(-1, tokens, ordered.masked_fill(before >= top_p, 0.0))
