"""The DPO loss in NumPy: what trl computes, short enough to be read; tests hold the two together.

dpo_loss(policy_chosen=[-20.0], policy_rejected=[-25.0], ref_chosen=[-21.0], ref_rejected=[-24.0], beta=0.1)
# log-ratios +1 and -1: margin 0.1 * 2 = 0.2, loss ln(1 + exp(-0.2)) = 0.598
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def dpo_loss(
    policy_chosen: ArrayLike, policy_rejected: ArrayLike, ref_chosen: ArrayLike, ref_rejected: ArrayLike, beta: float
) -> tuple[np.ndarray, np.ndarray]:
    """(losses, margins), one for each pair, from summed log-probabilities of the completions (natural log)."""
    chosen_log_ratio = np.asarray(policy_chosen, float) - np.asarray(ref_chosen, float)  # (N,)
    rejected_log_ratio = np.asarray(policy_rejected, float) - np.asarray(ref_rejected, float)  # (N,)
    margin = beta * (chosen_log_ratio - rejected_log_ratio)
    loss = np.logaddexp(0, -margin)  # -log sigmoid(margin): Eq. 7, arXiv 2305.18290
    return loss, margin
