"""The parameters of training, by trl's and peft's own names, and what follows from them.

    settings = TrainingSettings.from_params(load_params("pocket"), learning_rate=3.0e-4)
    settings.effective_batch_size, settings.steps(400), settings.micro_batches(processes=2)

What changes the result only by rounding (how a batch is cut into micro-batches, gradient checkpointing, how often a
checkpoint is written) is left out of `key_fields()`, and so out of the key of a policy.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

from ifpref.params import Params

MECHANICS = ("per_device_train_batch_size", "gradient_accumulation_steps", "gradient_checkpointing", "save_steps")
SMOOTHED = ("robust", "exo_pair")
"""The losses that read `label_smoothing`; trl 1.16 ignores it in the others without a word."""


class TrainingError(ValueError):
    """Training that must not begin, or could not be started; the message says what was found and what is allowed."""


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """See ifpref/params.py for what each means. `TrainingError` for a combination that trl would misread."""

    loss_type: str
    beta: float
    label_smoothing: float
    learning_rate: float
    lr_scheduler_type: str
    warmup_steps: float
    max_grad_norm: float
    num_train_epochs: float
    per_device_train_batch_size: int
    gradient_accumulation_steps: int
    max_length: int
    lora_r: int
    lora_alpha: int
    lora_dropout: float
    lora_target_modules: tuple[str, ...]
    bf16: bool
    gradient_checkpointing: bool
    divergence_ratio: float
    save_steps: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "lora_target_modules", tuple(self.lora_target_modules))  # JSON has lists
        if self.loss_type in SMOOTHED and not 0 < self.label_smoothing < 0.5:
            raise TrainingError(
                f"label_smoothing = {self.label_smoothing}, loss_type {self.loss_type!r}; allowed: above 0, below 0.5"
            )
        if self.loss_type not in SMOOTHED and self.label_smoothing != 0:
            raise TrainingError(
                f"label_smoothing = {self.label_smoothing} with loss_type {self.loss_type!r}, which does not read it; "
                f"allowed: 0, or loss_type {' or '.join(SMOOTHED)}"
            )
        if not self.lora_target_modules:
            raise TrainingError("lora_target_modules is empty; allowed: all-linear, or names of linear layers")

    @classmethod
    def from_params(cls, params: Params, **replaced: Any) -> TrainingSettings:
        """The keys that training reads, some of them replaced."""
        return cls(**params.subset(*(field.name for field in fields(cls))) | replaced)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def key_fields(self) -> dict[str, Any]:
        """What the key of a policy depends on."""
        kept = {name: value for name, value in asdict(self).items() if name not in MECHANICS}
        return kept | {"effective_batch_size": self.effective_batch_size}

    @property
    def effective_batch_size(self) -> int:
        """Pairs that one step averages over, whatever the number of processes."""
        return self.per_device_train_batch_size * self.gradient_accumulation_steps

    def steps(self, n_pairs: int) -> int:
        """Optimizer steps: the epochs, rounded up to whole batches."""
        return math.ceil(self.num_train_epochs * n_pairs / self.effective_batch_size)

    def micro_batches(self, processes: int) -> tuple[int, int]:
        """(pairs in a micro-batch, micro-batches that each process accumulates): the effective batch, kept.

        The micro-batch stays as large as memory was said to allow, or the next smaller size that divides evenly.
        """
        whole = self.effective_batch_size
        if whole % processes:
            fits = [n for n in range(1, whole + 1) if whole % n == 0]
            raise TrainingError(f"a batch of {whole} pairs cannot be shared by {processes} processes; allowed: {fits}")
        each = whole // processes
        sizes = range(min(self.per_device_train_batch_size, each), 0, -1)
        size = next(size for size in sizes if each % size == 0)
        return size, each // size

    @property
    def initial_loss(self) -> float:
        """The loss before training, where every log-ratio is 0; for `sigmoid` that is ln 2."""
        beta, epsilon = self.beta, self.label_smoothing
        return {
            "sigmoid": math.log(2),
            "sigmoid_norm": math.log(2),
            "robust": math.log(2),
            "hinge": 1.0,
            "ipo": (1 / (2 * beta)) ** 2,
            "exo_pair": 0.0 if not epsilon else -math.log(2) - 0.5 * (math.log1p(-epsilon) + math.log(epsilon)),
        }[self.loss_type]
