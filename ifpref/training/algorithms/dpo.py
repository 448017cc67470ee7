"""Direct Preference Optimization (arXiv 2305.18290) through trl's `DPOTrainer`, and the losses derived from it.

dpo_loss(policy_chosen=[-20.0], policy_rejected=[-25.0], ref_chosen=[-21.0], ref_rejected=[-24.0], beta=0.1)
# log-ratios +1 and -1: margin 0.1 * 2 = 0.2, loss ln(1 + exp(-0.2)) = 0.598

A row of its log (losses and log-ratios are means over the batch of that step, before its update):

    {"step": 1, "epoch": 0.04, "loss": 0.6931, "margin": 0.0, "accuracy": 0.0, "chosen_log_ratio": 0.0,
     "rejected_log_ratio": 0.0, "grad_norm": 1.9, "learning_rate": 0.0001}
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ifpref.training.algorithms import Algorithm, Row
from ifpref.training.checks import IDS, TrainingError

if TYPE_CHECKING:
    from ifpref.training.reference_model import Reference
    from ifpref.training.settings import TrainingSettings

SMOOTHED = ("robust", "exo_pair")
"""The losses that read `label_smoothing`; trl 1.16 ignores it in the others without a word."""
TOLERANCE = {False: 1e-4, True: 0.4}
"""Most by which a summed log-ratio to the stored reference may differ from 0 at step 0, for each root of a token, in
float32 and in bfloat16.

Policy and reference are computed in batches of other shapes: rounding adds up like a random walk along the tokens. In
bfloat16 it was up to 0.2 (SmolLM2-135M, 256 tokens: 2.9 nats)."""


def dpo_loss(
    policy_chosen: ArrayLike, policy_rejected: ArrayLike, ref_chosen: ArrayLike, ref_rejected: ArrayLike, beta: float
) -> tuple[np.ndarray, np.ndarray]:
    """(losses, margins), one for each pair, from summed log-probabilities of the completions (natural log)."""
    chosen_log_ratio = np.asarray(policy_chosen, float) - np.asarray(ref_chosen, float)  # (N,)
    rejected_log_ratio = np.asarray(policy_rejected, float) - np.asarray(ref_rejected, float)  # (N,)
    margin = beta * (chosen_log_ratio - rejected_log_ratio)
    loss = np.logaddexp(0, -margin)  # -log sigmoid(margin): Eq. 7, arXiv 2305.18290
    return loss, margin


class DPO(Algorithm):
    """The chosen completion made more likely than the rejected one, both measured against the base."""

    needs_reference = True

    def rows(self, pairs: Sequence[Row], reference: Reference | None) -> list[Row]:
        values = [reference.of(pair) for pair in pairs]
        return [
            {**{name: list(pair[name]) for name in IDS}, "ref_chosen_logps": chosen, "ref_rejected_logps": rejected}
            for pair, (chosen, rejected) in zip(pairs, values, strict=True)
        ]

    def length(self, row: Row) -> int:
        """The prompt and what both completions share once, and the rest of both."""
        chosen, rejected = row["chosen_ids"], row["rejected_ids"]
        shared = takewhile(lambda pair: pair[0] == pair[1], zip(chosen, rejected, strict=False))
        return len(row["prompt_ids"]) + len(chosen) + len(rejected) - sum(1 for _ in shared)

    def trainer(self) -> tuple[type, type]:
        from trl import DPOConfig, DPOTrainer

        return DPOTrainer, DPOConfig

    def options(self, settings: TrainingSettings) -> dict[str, Any]:
        return {
            "loss_type": [settings.loss_type],
            "beta": settings.beta,
            "label_smoothing": settings.label_smoothing,
            "max_length": settings.max_length,
            "disable_dropout": False,  # it would silence LoRA's, too: see build_trainer
        }

    def check_settings(self, settings: TrainingSettings) -> None:
        smoothed, smoothing = settings.loss_type in SMOOTHED, settings.label_smoothing
        if not (0 < smoothing < 0.5 if smoothed else smoothing == 0):
            allowed = "above 0, below 0.5" if smoothed else f"0, or loss_type {' or '.join(SMOOTHED)}, which read it"
            raise TrainingError(f"label_smoothing = {smoothing}, loss_type {settings.loss_type!r}; allowed: {allowed}")

    def adapt(self, trainer: Any) -> dict[str, Any]:
        from ifpref.training.forward import share_prefixes

        # What `precompute_ref_log_probs=True` sets, without its hash of all weights and its pass over the data.
        trainer.precompute_ref_logps = True
        return {"shares_prefixes": share_prefixes(trainer.model.get_base_model())}

    def initial_loss(self, settings: TrainingSettings) -> float:
        """The loss where every log-ratio is 0; for `sigmoid` that is ln 2."""
        if settings.loss_type == "hinge":
            return 1.0
        if settings.loss_type == "ipo":
            return (1 / (2 * settings.beta)) ** 2
        if settings.loss_type == "exo_pair":
            epsilon = settings.label_smoothing
            return -math.log(2) - 0.5 * (math.log1p(-epsilon) + math.log(epsilon))
        return math.log(2)

    def measure_start(self, trainer: Any, batch: Mapping[str, Any], settings: TrainingSettings) -> dict[str, float]:
        """Like is compared with like: in bfloat16 two passes of other shapes differ by nats, so that the policy is held
        against its own model without the adapter, on this batch; float32 is exact enough for the stored reference."""
        import torch

        from ifpref.training.forward import completion_log_probs

        is_half = settings.bf16 or trainer.model.dtype == torch.bfloat16
        log_probs = completion_log_probs(trainer.model, batch)
        with trainer.model.disable_adapter():
            of_base = completion_log_probs(trainer.model, batch)
        if not torch.equal(log_probs, of_base):
            worst = (log_probs - of_base).abs().max().item()
            raise TrainingError(
                f"before training the adapter moves a log-probability by {worst:.3g}; allowed: 0. "
                "It does not begin at zero"
            )
        reference = torch.cat([batch["ref_chosen_logps"], batch["ref_rejected_logps"]])
        log_ratios = (log_probs - reference).tolist()
        self.check_reference(log_ratios, batch["completion_mask"].sum(dim=1).tolist(), is_half)
        if is_half:
            chosen, rejected = of_base.chunk(2)
            batch = {**batch, "ref_chosen_logps": chosen, "ref_rejected_logps": rejected}
        loss = trainer.compute_loss(trainer.model, batch).item()
        self.check_loss(loss, settings)
        return {"loss": loss, "largest_log_ratio": max(map(abs, log_ratios))}

    def check_reference(self, log_ratios: Sequence[float], lengths: Sequence[int], is_half: bool) -> None:
        """At step 0 the policy is the base, so that every log-ratio to the stored reference is 0.

        log_ratios, lengths  of each completion of a batch: summed log-ratio, and tokens
        is_half              computed in bfloat16
        """
        tolerance = TOLERANCE[is_half]
        ratios = zip(map(abs, log_ratios), lengths, strict=True)
        worst, n_tokens = max(ratios, key=lambda item: item[0] / item[1] ** 0.5)
        if not worst <= tolerance * n_tokens**0.5:
            raise TrainingError(
                f"before training a log-ratio is {worst:.3g} over {n_tokens} tokens; allowed: 0 (to {tolerance:g} for "
                "each root of a token). The stored reference is of another base"
            )

    def check_loss(self, loss: float, settings: TrainingSettings) -> None:
        """A margin of 0 gives it, whatever the data."""
        expected = self.initial_loss(settings)
        if not abs(loss - expected) <= 1e-3 * max(1.0, expected):
            raise TrainingError(
                f"before training the loss ({settings.loss_type}) is {loss:.6g}; allowed: {expected:.6g}, "
                "which a margin of 0 gives"
            )

    def log_row(self, entry: Row, settings: TrainingSettings) -> dict[str, float]:
        """trl calls beta times a log-ratio a reward."""
        return {
            "margin": entry["rewards/margins"],
            "accuracy": entry["rewards/accuracies"],
            "chosen_log_ratio": entry["rewards/chosen"] / settings.beta,
            "rejected_log_ratio": entry["rewards/rejected"] / settings.beta,
        }
