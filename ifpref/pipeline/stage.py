"""What a stage is: one declaration of what it is given, and what it makes of that; its key is exactly what it is given.

    @dataclass(frozen=True)
    class Responses(Stage):                       # an instance is a task: one artefact that is wanted
        replicate: int
        name = "responses"
        def settings(self, p): return ResponseSettings(n_responses=p.n_responses, ...)
        def inputs(self, p): return {"prompts": Prompts(self.replicate)}
        def seed(self, p): return seed_of(p, self.replicate)
        @staticmethod
        def make(job: ModelJob, writer): ...      # job.settings, job.inputs, job.model, job.seed: nothing else

Decisions
- `make` is a plain function of a job. It does not see the parameters, so it cannot use one that is not in the key.
- What changes an artefact by rounding alone (where it is computed, in batches of which size) is in `job.machine`.
- A stage that needs more of what it has been given (a policy, evaluated) asks for it as an artefact of its own:
  `job.nested`. Its key, too, is exactly what it is given.
- Settings are frozen dataclasses. One that has parts which change nothing says by `key_fields` what its key depends on.
- `version` is raised when the results of a stage change; the hash of its code stands in stages.lock (lock.py).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ifpref.store import Handle, Writer

if TYPE_CHECKING:
    from ifpref.params import Params

from ifpref.pipeline.model import Machine, Model

Units = dict[str, float]
"""What an artefact costs, in units that `make estimate` times: {"response": 7680}."""


@dataclass(frozen=True)
class Job:
    """All that the making of an artefact is given.

    settings  of the stage       inputs  name -> finished artefact       seed  of all that is drawn
    data      what a nested artefact is made of; the hash of it stands in its settings
    folder    beside the artefact, for what outlives a kill (checkpoints); its maker empties it
    """

    settings: Any
    inputs: Mapping[str, Handle]
    seed: int | None
    machine: Machine
    data: Any
    folder: str
    nested: Callable[..., Handle]


@dataclass(frozen=True)
class ModelJob(Job):
    """A job that is given the base as well."""

    model: Model


@dataclass(frozen=True)
class Stage:
    """One artefact that is wanted; a subclass is the declaration of all artefacts of its kind.

    name      of the stage: its folder in the store
    version   of what it makes; raised when results change
    of_model  whether `make` is given the base
    keep_all  whether a committed reference keeps it of all replicates, since analyses read it; else of the first
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    of_model: ClassVar[bool] = False
    keep_all: ClassVar[bool] = False

    def __str__(self) -> str:
        return " ".join([self.name, *(str(value) for value in vars(self).values() if value not in (None, ""))])

    @property
    def label(self) -> str:
        """What this artefact has in common with those of other replicates, beside its stage."""
        parts = {name: value for name, value in vars(self).items() if name != "replicate"}
        return " ".join(str(value) for value in parts.values() if value not in (None, ""))

    def settings(self, p: Params) -> Any:
        """A frozen dataclass: everything of the parameters that `make` can read."""
        raise NotImplementedError

    def inputs(self, p: Params) -> dict[str, Stage]:
        """The artefacts that it reads."""
        return {}

    def seed(self, p: Params) -> int | None:
        return None

    def work(self, p: Params, n_pairs: Callable[[str, Any], int]) -> Units:
        """What it costs, in units; `n_pairs` says how many pairs an arm of a comparison is expected to have."""
        return {"artefact": 1}

    @staticmethod
    def make(job: Any, writer: Writer) -> None:
        """Write the files of the artefact."""
        raise NotImplementedError


def seed_of(p: Params, replicate: int | None) -> int:
    """Of a replicate; None: of what all replicates share."""
    return p.seed * 10_000 + (0 if replicate is None else replicate + 1)


def pick(kind: type, p: Params, **given: Any) -> Any:
    """Settings of this kind: the parameters of the same names, and what is given."""
    names = [field.name for field in dataclasses.fields(kind) if field.name not in given]
    return kind(**{name: getattr(p, name) for name in names}, **given)


def key_value(value: Any) -> Any:
    """Settings as they stand in a key: JSON values."""
    if hasattr(value, "key_fields"):
        return key_value(value.key_fields())
    if dataclasses.is_dataclass(value):
        return {field.name: key_value(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): key_value(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [key_value(inner) for inner in value]
    return value
