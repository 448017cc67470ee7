"""Algorithms of training. One is a file with a subclass of `Algorithm`, and a line in `ALGORITHMS`.

    algorithm = find_algorithm("dpo")
    rows = algorithm.rows(pairs, reference)              # what its trainer reads

An algorithm says which trainer of trl it is, with which options, on which rows, and what must hold at step 0. All else
is the same for all and knows no algorithm: LoRA, the order of the rows, checkpoints, divergence, the record, several
processes (trainer.py, checkpoints.py, watch.py, processes.py).

The module of an algorithm is imported wherever settings are read: it imports trl and torch inside its methods.
"""

from __future__ import annotations

import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ifpref.training.checks import TrainingError, check_pairs

if TYPE_CHECKING:
    from ifpref.models import LoadedModel
    from ifpref.training.reference_model import Reference
    from ifpref.training.settings import TrainingSettings

ALGORITHMS = {
    "dpo": "ifpref.training.algorithms.dpo:DPO",
}
"""Name in `params` -> its class, as `module:class`."""

Row = Mapping[str, Any]


class Algorithm(ABC):
    """What an algorithm declares. It holds no state: settings and data are arguments."""

    needs_reference = False
    """Whether `rows` reads log-probabilities under the base, which are then computed before."""

    @abstractmethod
    def rows(self, pairs: Sequence[Row], reference: Reference | None) -> list[Row]:
        """The rows that its trainer reads, of token ids as they were sampled."""

    @abstractmethod
    def length(self, row: Row) -> int:
        """Tokens that a row costs: in a batch the longest come first."""

    @abstractmethod
    def trainer(self) -> tuple[type, type]:
        """(trainer, config): two classes of trl. See `Fed` in trainer.py for what is overridden in all trainers."""

    @abstractmethod
    def options(self, settings: TrainingSettings) -> dict[str, Any]:
        """The options of its config that are its own."""

    def check_settings(self, settings: TrainingSettings) -> None:  # noqa: B027 (there may be nothing to refuse)
        """TrainingError for settings that its trainer would misread."""

    def check_data(self, pairs: Sequence[Row], loaded: LoadedModel, settings: TrainingSettings) -> None:
        """TrainingError for data that cannot be trained on, whole and as it was sampled."""
        check_pairs(pairs, loaded, settings.max_length)

    def adapt(self, trainer: Any) -> dict[str, Any]:
        """Change its trainer once it is built; what the record should say of that."""
        return {}

    def measure_start(self, trainer: Any, batch: Mapping[str, Any], settings: TrainingSettings) -> dict[str, float]:
        """Numbers of a micro-batch at step 0, "loss" among them; TrainingError where they cannot be right."""
        return {"loss": trainer.compute_loss(trainer.model, batch).item()}

    def log_row(self, entry: Row, settings: TrainingSettings) -> dict[str, float]:
        """Columns of the log beside loss, norm of the gradient and learning rate, from trl's entry of a step."""
        return {}


def find_algorithm(name: str) -> Algorithm:
    if name not in ALGORITHMS:
        raise TrainingError(f"algorithm = {name!r}; allowed: {', '.join(ALGORITHMS)}")
    return pkgutil.resolve_name(ALGORITHMS[name])()
