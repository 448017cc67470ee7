"""The forward pass of a batch of pairs: what chosen and rejected share is computed once, and only tokens are scored.

trl's `DPOTrainer` asks its model for the log-probabilities of a batch that holds each prompt twice, [chosen; rejected],
and on a CPU projects every position, prompt and padding too, onto the vocabulary. This module answers the same
question with the same numbers (1e-5) for less: of a pair, one row is made,

    prompt 1 2 3, chosen 4 5 6, rejected 4 7:    1 2 3 4 | 5 6 | 4 7
    positions                                    0 1 2 3 | 4 5 | 3 4

in which the rejected branch starts with the last shared token once more, since two tokens are predicted from there,
and does not see the chosen one. Loss, margins and gradients are those of separate rows: attention is a function of
what is seen and of positions. A prefix that both completions share (MCTS) is computed once like the prompt.

Where the head or the attention is not plain (soft caps, scaled logits, sliding windows, flash attention, mixtures of
experts), trl's own forward stays.

    scorer = scoring(model)                             # or a model of trl's trainer, after `share_prefixes(model)`
    log_probs = completion_log_probs(scorer, batch)     # (2 B,), of a batch of trl's collator
"""

import copy
import functools
import types
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

from ifpref.sampling.cache import is_plain

IGNORED = -100
CHUNK = 32768
"""Vocabulary columns at a time in trl's kernel, as trl has it."""
SCALED_HEADS = ("final_logit_softcapping", "logit_scale", "output_multiplier", "lm_head_multiplier", "logits_scaling")


@dataclass(frozen=True)
class Rows:
    """B pairs as B rows of at most L tokens, made from 2 B sequences of at most T."""

    input_ids: torch.Tensor  # (B, L)
    position_ids: torch.Tensor  # (B, L)
    allowed: torch.Tensor  # (B, 1, L, L) bool: query, key
    targets: torch.Tensor  # (B, L): the token that is to be predicted there, IGNORED where none
    rejected_at: torch.Tensor  # (B, T - 1): where each place of the rejected sequence lies in the row
    labelled: torch.Tensor  # (2 B, T - 1) bool: which places trl has labels for

    def unfold(self, values: torch.Tensor) -> torch.Tensor:
        """What was computed at the scored places, (N,), as trl lays it out: (2 B, T - 1), 0 where there is no label."""
        scored = self.targets != IGNORED
        row = values.new_zeros(scored.shape).masked_scatter(scored, values)
        chosen, rejected = row[:, : self.rejected_at.shape[1]], row.gather(1, self.rejected_at)
        return torch.cat([chosen, rejected]).masked_fill(~self.labelled, 0)


def fold(input_ids: torch.Tensor, attention_mask: torch.Tensor, labels: torch.Tensor) -> Rows:
    """One row for each pair of a batch [chosen; rejected], padded on the right, (2 B, T)."""
    width = input_ids.shape[1]
    chosen, rejected = input_ids.chunk(2)  # (B, T)
    n_chosen, n_rejected = (n[:, None] for n in attention_mask.sum(dim=1).chunk(2))  # (B, 1)
    columns = torch.arange(width, device=input_ids.device)
    alike = (chosen == rejected) & (columns < torch.minimum(n_chosen, n_rejected))
    shared = alike.cumprod(dim=1).sum(dim=1, keepdim=True)  # (B, 1), at least 1: the prompt's first token
    length = int((n_chosen + n_rejected - shared + 1).max())
    at = torch.arange(length, device=input_ids.device)  # (L,)
    branch = at >= n_chosen  # (B, L): in the rejected branch, or beyond it
    position = torch.where(branch, at - n_chosen + shared - 1, at).clamp(max=width - 1)
    next_label = F.pad(labels[:, 1:], (0, 1), value=IGNORED).chunk(2)

    def laid(of_chosen: torch.Tensor, of_rejected: torch.Tensor) -> torch.Tensor:
        return torch.where(branch, of_rejected.gather(1, position), of_chosen.gather(1, position))

    unseen = (at >= shared - 1) & ~branch  # (B, L): keys that the rejected branch must not see
    causal = at[:, None] >= at
    places = columns[: width - 1]
    return Rows(
        input_ids=laid(chosen, rejected),
        position_ids=position,
        # What lies beyond a row's end sees something, so that no softmax is empty, and is seen by nothing real.
        allowed=(causal & ~(branch[:, :, None] & unseen[:, None, :]))[:, None],
        targets=laid(*next_label),
        rejected_at=torch.where(places < shared - 1, places, places + n_chosen - shared + 1).clamp(max=length - 1),
        labelled=labels[:, 1:] != IGNORED,
    )


def on_same_weights(model: Any) -> Any:
    """A copy of a model on its weights, which take no memory twice. What peft and trl do to the copy, hooks, flags,
    adapters, another forward, the model does not see."""
    parameters = {id(p): torch.nn.Parameter(p.data, p.requires_grad) for p in model.parameters()}
    return copy.deepcopy(model, parameters)


def scoring(model: Any) -> Any:
    """The model, on the same weights, of which `(..., labels=..., fused_lm_head=True)` can be asked, as trl asks."""
    from trl.trainer.utils import add_fused_lm_head

    scorer = on_same_weights(model)
    add_fused_lm_head(scorer)
    share_prefixes(scorer)
    return scorer


def share_prefixes(model: Any) -> bool:
    """Give a model with trl's fused head the forward pass of this module, where its numbers are the model's own."""
    config = model.config.get_text_config()
    is_scaled = any(getattr(config, name, None) is not None for name in SCALED_HEADS)
    if not is_plain(model) or is_scaled or hasattr(config, "output_router_logits"):
        return False
    fused = model.forward

    @functools.wraps(type(model).forward)  # the signature, which `generate` looks at
    def forward(self: Any, *args: Any, fused_lm_head: bool = False, **kwargs: Any) -> Any:
        return _scored(self, **kwargs) if fused_lm_head else fused(*args, **kwargs)

    model.forward = types.MethodType(forward, model)
    return True


def completion_log_probs(model: Any, batch: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Summed log-probabilities of the completions of a batch of trl's collator, (2 B,), natural log."""
    labels = batch["input_ids"].masked_fill(batch["completion_mask"] == 0, IGNORED)
    inputs = {name: batch[name] for name in ("input_ids", "attention_mask")}
    return model(**inputs, labels=labels, fused_lm_head=True).log_probs.sum(dim=1)


def _scored(model: Any, *, input_ids: Any, attention_mask: Any, labels: Any, **kwargs: Any) -> Any:
    from trl.trainer.utils import FusedCausalLMOutput

    rows = fold(input_ids, attention_mask, labels)
    mask = rows.allowed
    if model.config._attn_implementation == "eager":  # adds its mask
        mask = torch.zeros_like(mask, dtype=model.dtype).masked_fill(~mask, torch.finfo(model.dtype).min)
    kwargs |= {"input_ids": rows.input_ids, "attention_mask": mask, "position_ids": rows.position_ids}
    outputs = model.base_model(**kwargs | {"use_cache": False})
    scored = rows.targets != IGNORED
    values = _head(model.get_output_embeddings(), outputs.last_hidden_state[scored], rows.targets[scored])
    log_probs = rows.unfold(values)
    none = torch.zeros_like(log_probs)  # what trl logs beside the loss, and nobody here reads
    return FusedCausalLMOutput(log_probs=log_probs, entropy=none, mean_logits=none, is_top1=none.bool())


def _head(head: Any, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """The log-probability of the target at each scored place, (N,)."""
    if hidden.device.type == "cuda":  # trl's kernel keeps no (N, V) logits; without Triton it is three times slower
        from trl.kernels import ChunkedLogProbFunction

        what = (hidden, head.weight, head.bias, targets)
        return ChunkedLogProbFunction.apply(*what, 1.0, CHUNK, None, 1.0, ())[0]  # nothing beside them
    log_p = head(hidden).float().log_softmax(dim=-1)  # (N, V)
    return log_p.gather(1, targets[:, None])[:, 0]
