"""What can happen to a checkpoint of training: each a function of its folder, `checkpoint-N`, which has a sibling.

    DAMAGES["a flipped bit in the optimizer"](folder / "checkpoint-6")

None may be gone on from, and none may change a policy: tests/test_training.py.
"""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path


def flip(name: str) -> Callable[[Path], None]:
    """One bit in the middle of a file."""

    def damage(checkpoint: Path) -> None:
        data = bytearray((checkpoint / name).read_bytes())
        data[len(data) // 2] ^= 1
        (checkpoint / name).write_bytes(data)

    return damage


def remove(name: str) -> Callable[[Path], None]:
    return lambda checkpoint: (checkpoint / name).unlink()


def cut(name: str) -> Callable[[Path], None]:
    """The second half is not there."""

    def damage(checkpoint: Path) -> None:
        os.truncate(checkpoint / name, (checkpoint / name).stat().st_size // 2)

    return damage


def change(name: str, **values: object) -> Callable[[Path], None]:
    """Other values in a JSON file."""

    def damage(checkpoint: Path) -> None:
        found = json.loads((checkpoint / name).read_text())
        (checkpoint / name).write_text(json.dumps(found | values))

    return damage


def sibling(checkpoint: Path) -> Path:
    return next(path for path in sorted(checkpoint.parent.glob("checkpoint-*")) if path != checkpoint)


def swap_optimizer(checkpoint: Path) -> None:
    shutil.copy(sibling(checkpoint) / "optimizer.pt", checkpoint / "optimizer.pt")


def become_a_copy(checkpoint: Path) -> None:
    """The one before, under the name of this."""
    shutil.rmtree(checkpoint)
    shutil.copytree(sibling(checkpoint), checkpoint)


def become_a_file(checkpoint: Path) -> None:
    shutil.rmtree(checkpoint)
    checkpoint.write_text("")


def become_a_link_to_nothing(checkpoint: Path) -> None:
    shutil.rmtree(checkpoint)
    checkpoint.symlink_to("nowhere")


DAMAGES: dict[str, Callable[[Path], None]] = {
    "a flipped bit in the adapter": flip("adapter_model.safetensors"),
    "a flipped bit in the optimizer": flip("optimizer.pt"),
    "a flipped bit in the random state": flip("rng_state.pth"),
    "no optimizer": remove("optimizer.pt"),
    "no scheduler": remove("scheduler.pt"),
    "no random state": remove("rng_state.pth"),
    "a torn adapter": cut("adapter_model.safetensors"),
    "another step": change("trainer_state.json", global_step=5),
    "a step in the seal": change("sealed.json", checkpoint="checkpoint-5"),
    "another run": change("sealed.json", run="0" * 64),
    "no seal": remove("sealed.json"),
    "a torn seal": cut("sealed.json"),
    "a seal that is no object": lambda checkpoint: (checkpoint / "sealed.json").write_text("null"),
    "a file too many": lambda checkpoint: (checkpoint / "scaler.pt").write_bytes(b"x"),
    "the optimizer of another step": swap_optimizer,
    "the checkpoint before under its name": become_a_copy,
    "a file in its place": become_a_file,
    "a link to nothing in its place": become_a_link_to_nothing,
}
