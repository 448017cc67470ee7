"""What looks on while trl trains: `Watch` ends a run that diverges, `Progress` shows how far it is.

    watch = Watch(limit=6.9)         # a callback of the trainer; the limit of the loss
    watch.reason                     # None, or "the gradient of step 12 is not finite"
    watch.adapter_step               # the updates that the adapter has which is left

Divergence is a result (C2 counts it), so nothing is raised. It is a gradient or an update that is not finite, or a
loss above the limit: `divergence_ratio` times that of step 0. The adapter that is left is the last finite one: an
update that is not finite is not made, or taken back. Several processes decide alike, since gradients and losses are
gathered before.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from transformers import TrainerCallback

from ifpref.progress import track


class Watch(TrainerCallback):
    """Ends a run that diverges, with the adapter as it was before the update that would have broken it."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.reason: str | None = None
        self.adapter_step: int | None = None

    def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, *, model: Any, **kwargs: Any) -> None:
        self.before = {p: p.detach().clone() for p in model.parameters() if p.requires_grad}
        if not all_finite([p.grad for p in self.before if p.grad is not None]):
            model.zero_grad(set_to_none=True)  # the update that follows changes nothing
            self._end(control, f"the gradient of step {state.global_step + 1} is not finite", state.global_step)

    def on_optimizer_step(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self.reason or all_finite(list(self.before)):
            return
        with torch.no_grad():
            for parameter, before in self.before.items():
                parameter.copy_(before)
        self._end(control, f"the update of step {state.global_step + 1} is not finite", state.global_step)

    def on_log(self, args: Any, state: Any, control: Any, logs: Mapping[str, float], **kwargs: Any) -> None:
        if not self.reason and "loss" in logs and not logs["loss"] <= self.limit:
            reason = f"the loss of step {state.global_step} is {logs['loss']:.4g}, above {self.limit:.4g}"
            self._end(control, reason, state.global_step)

    def _end(self, control: Any, reason: str, adapter_step: int) -> None:
        self.reason, self.adapter_step = reason, adapter_step
        control.should_training_stop, control.should_save = True, False


def all_finite(tensors: Sequence[torch.Tensor]) -> bool:
    """Whether no number of the tensors is NaN or infinite: by the largest, which, unlike a sum, cannot overflow."""
    return math.isfinite(torch.nn.utils.get_total_norm(tensors, norm_type=math.inf).item())


class Progress(TrainerCallback):
    """Steps, as ifpref/progress.py shows them; trl's own bar and prints are off. For one of several processes."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        left = state.max_steps - state.global_step
        self.steps = track(range(left), total=left, what="training steps")
        next(self.steps, None)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        next(self.steps, None)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.steps.close()
