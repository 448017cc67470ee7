"""Models: a causal language model with its tokenizer, from the embedded `pocket`, a folder, or the hub.

    loaded = load_model("pocket")
    loaded.model, loaded.tokenizer, loaded.identity     # {"id": "pocket", "revision": None, "weights": "9c1e…"}

One way in for all of them: safetensors only, no remote code, padding on the left, a chat template and an end token
required. `identity` is what tells a model apart in the key of an artefact: the revision that the hub resolved, or
the hash of the weights in a folder.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

POCKET_FOLDER = Path(__file__).parent / "pocket" / "weights"


class ModelError(ValueError):
    """A model that cannot be used; the message says which, why, and what would do."""


@dataclass(frozen=True)
class LoadedModel:
    """A model in evaluation mode with its tokenizer; `folder` is None for a hub model, `commit` for a folder."""

    id: str
    model: Any
    tokenizer: Any
    folder: Path | None
    commit: str | None

    @cached_property
    def identity(self) -> dict[str, str | None]:
        """Id, the hub's commit, and the hash of the weights of a folder."""
        weights = weight_hash(self.folder) if self.folder else None
        return {"id": self.id, "revision": self.commit, "weights": weights}


def load_model(
    id: str = "pocket", *, revision: str | None = None, dtype: str = "float32", device: str = "cpu"
) -> LoadedModel:
    """Load a model and its tokenizer.

    id        "pocket", a folder, or a hub id
    revision  a commit, branch or tag of the hub; None for its default branch
    dtype     "float32" or "bfloat16"

    Raises `ModelError` for what is not there, has no chat template, no end token or no safetensors.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = POCKET_FOLDER if id == "pocket" else Path(id) if Path(id).is_dir() else None
    if id == "pocket" and not (folder / "model.safetensors").exists():
        raise ModelError(f"{folder}: the embedded model's weights are missing; `make pocket-model` rebuilds them")
    where = str(folder or id)
    options = {"revision": revision} if folder is None and revision else {}
    try:
        tokenizer = AutoTokenizer.from_pretrained(where, padding_side="left", **options)
        model = AutoModelForCausalLM.from_pretrained(where, dtype=dtype, use_safetensors=True, **options)
    except (OSError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise ModelError(
            f"model {id!r} cannot be loaded: {first} Allowed: 'pocket', a folder with safetensors, or a hub id"
        ) from error
    if tokenizer.eos_token_id is None:
        raise ModelError(f"model {id!r}: its tokenizer has no end-of-sequence token, so no response would end")
    if not tokenizer.chat_template:
        raise ModelError(f"model {id!r} has no chat template: it is a base model; take an instruct model")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    model.to(device).eval()
    commit = getattr(model.config, "_commit_hash", None) if folder is None else None
    return LoadedModel(id, model, tokenizer, folder, commit)


def weight_hash(folder: Path) -> str:
    """16 hex digits of all safetensors in a folder, by name and content."""
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ModelError(f"{folder}: holds no .safetensors file")
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.name.encode())
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:16]
