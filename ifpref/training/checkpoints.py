"""Checkpoints that a killed run goes on from: sealed when they are whole, checked before they are used.

    callbacks = [Seal(run)]                       # of the trainer: seals each `checkpoint-N` that transformers wrote
    checkpoint = last_checkpoint(folder, run)     # a path, or None: begin anew

    checkpoint-40/sealed.json    {"run": "5a...", "checkpoint": "checkpoint-40", "files": {"optimizer.pt": {...}}}

Decisions
- The seal names every file, and the run: the hash of all that decides its result. It is written last, when all files
  are on the disk, and in one rename. A checkpoint is used if a seal made now would be equal to the one that is there:
  so a byte that has changed, a file that is missing, torn or too many, another step and another run all look the same.
- What is not used is removed, with a word in the log, and training goes on from the one before, or begins anew. So two
  are kept.
- A run that ends writes no more checkpoints: what was decided at its end (divergence) is in none.
"""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from accelerate import PartialState
from transformers import TrainerCallback

from ifpref import paths
from ifpref.models import LoadedModel
from ifpref.params import fingerprint
from ifpref.store import files
from ifpref.training.algorithms import Row
from ifpref.training.settings import TrainingSettings

SEAL = "sealed.json"
KEPT = 2
log = logging.getLogger(__name__)


class Seal(TrainerCallback):
    """Seals each checkpoint, once every process has written its part."""

    def __init__(self, run: str) -> None:
        self.run = run

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        control.should_save = control.should_save and not control.should_training_stop

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        PartialState().wait_for_everyone()
        if state.is_world_process_zero:
            seal(Path(args.output_dir) / f"checkpoint-{state.global_step}", self.run)


def run_of(loaded: LoadedModel, rows: Sequence[Row], settings: TrainingSettings, seed: int, processes: int) -> str:
    """The hash of all that decides what a run makes, and of the number of processes: each has its random state."""
    run = {"settings": settings.key_fields(), "rows": rows, "seed": seed, "processes": processes}
    return fingerprint(run | {"base": loaded.identity})


def seal(checkpoint: Path, run: str) -> None:
    """Name the files of a whole checkpoint, and wait until they and their names are on the disk."""
    contents = _contents(checkpoint, run)
    for name in contents["files"]:
        files.sync(checkpoint / name)
    files.replace(checkpoint / SEAL, files.json_line(contents, indent=1))
    for path in (checkpoint / SEAL, checkpoint, checkpoint.parent):
        files.sync(path)


def last_checkpoint(folder: Path, run: str) -> Path | None:
    """The last checkpoint of this run that is as it was sealed; all later ones are removed."""
    for checkpoint in sorted(folder.glob("checkpoint-*"), key=_age, reverse=True):
        if _is_as_sealed(checkpoint, run):
            return checkpoint
        log.warning("%s: torn, damaged or of another run; removed, and not gone on from", paths.shown(checkpoint))
        files.discard(checkpoint)
    return None


def _contents(checkpoint: Path, run: str) -> dict[str, Any]:
    """What the seal of a checkpoint says of it."""
    found = sorted(path for path in checkpoint.rglob("*") if not path.is_dir() or path.is_symlink())
    states = {path.relative_to(checkpoint).as_posix(): files.state(path) for path in found if path.name != SEAL}
    return {"run": run, "checkpoint": checkpoint.name, "files": states}


def _is_as_sealed(checkpoint: Path, run: str) -> bool:
    try:
        return json.loads((checkpoint / SEAL).read_bytes()) == _contents(checkpoint, run)
    except (OSError, ValueError):  # no seal, no JSON, or a file that cannot be read
        return False


def _age(checkpoint: Path) -> tuple[int, str]:
    """Sorts `checkpoint-9` before `checkpoint-10`."""
    return len(checkpoint.name), checkpoint.name
