"""The parameters of training, by trl's and peft's own names, and what follows from them.

    settings = TrainingSettings.from_params(load_params("pocket"), learning_rate=3.0e-4)
    settings.effective_batch_size, settings.steps(400), settings.micro_batches(processes=2)

What changes the result only by rounding (how a batch is cut into micro-batches, gradient checkpointing, how often a
checkpoint is written) is left out of `key_fields()`, and so out of the key of a policy.
"""

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

from ifpref.params import Params
from ifpref.training.algorithms import find_algorithm
from ifpref.training.checks import TrainingError

MECHANICS = ("per_device_train_batch_size", "gradient_accumulation_steps", "gradient_checkpointing", "save_steps")


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """See ifpref/params.py for what each means. `TrainingError` for a combination that its algorithm refuses."""

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
    algorithm: str = "dpo"

    def __post_init__(self) -> None:
        find_algorithm(self.algorithm).check_settings(self)

    @classmethod
    def from_params(cls, params: Params, **replaced: Any) -> Self:
        """The keys that training reads, some of them replaced. What `params` lacks keeps its default."""
        names = [field.name for field in fields(cls) if hasattr(params, field.name)]
        return cls(**params.subset(*names) | replaced)

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
        size = next(n for n in range(min(self.per_device_train_batch_size, each), 0, -1) if each % n == 0)
        return size, each // size
