"""Models: a causal language model with its tokenizer, from the embedded `pocket`, a folder, or the hub.

    loaded = load_model("pocket")
    loaded.model, loaded.tokenizer, loaded.identity     # {"id": "pocket", "revision": None, "weights": "9c1e…"}

    policy = attach_adapter(loaded, folder)             # "policy.model" is the base with the adapter of a policy
    detach_adapter(policy)

One way in for all of them: safetensors only, no remote code, padding on the left, a chat template and an end token
required. A hub model is asked for by one quick look first (hub.py), so that what is wrong with it is said within
seconds. `identity` is what tells a model apart in the key of an artefact: the revision that the hub resolved, or the
hash of the weights in a folder; with an adapter, the hash of its weights too. An adapter belongs to the base that it
was trained on, which base.json beside it names; it is refused on another.
"""

from __future__ import annotations

import hashlib
import json
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from ifpref.models.hub import ModelError, Unreachable, cached_commit, look_on_hub
from ifpref.progress import is_live

POCKET_FOLDER = Path(__file__).parents[1] / "pocket" / "weights"
BASE_FILE = "base.json"
"""In an adapter's folder: the `identity` of the base that it was trained on."""


@dataclass(frozen=True)
class LoadedModel:
    """A model in evaluation mode with its tokenizer; `folder` is None for a hub model, `commit` for a folder.

    adapter  the folder of the adapter that is attached, if one is
    """

    id: str
    model: Any
    tokenizer: Any
    folder: Path | None
    commit: str | None
    adapter: Path | None = None

    @cached_property
    def identity(self) -> dict[str, str | None]:
        """Id, the hub's commit, and the hash of the weights of a folder; the hash of an adapter that is attached."""
        weights = weight_hash(self.folder) if self.folder else None
        base = {"id": self.id, "revision": self.commit, "weights": weights}
        return base | ({"adapter": weight_hash(self.adapter)} if self.adapter else {})

    @cached_property
    def eos_ids(self) -> tuple[int, ...]:
        """Every token that ends a response: of the generation config (one or several) and of the tokenizer."""
        configured = getattr(self.model.generation_config, "eos_token_id", None)
        configured = configured if isinstance(configured, list | tuple) else [configured]
        return tuple(sorted({id for id in [*configured, self.tokenizer.eos_token_id] if id is not None}))


def load_model(
    id: str = "pocket", *, revision: str | None = None, dtype: str = "float32", device: str = "cpu"
) -> LoadedModel:
    """Load a model and its tokenizer.

    id        "pocket", a folder, or a hub id
    revision  a commit, branch or tag of the hub; None for its default branch
    dtype     "float32" or "bfloat16"

    Raises `ModelError` for what is not there, has no chat template, no end token or no safetensors.
    """
    from transformers import AutoModelForCausalLM

    folder = _folder(id)
    options = _options_of(id, revision)
    tokenizer = _tokenizer(id, options)
    with _bars_only_where_someone_watches(), _said_clearly(id):
        model = AutoModelForCausalLM.from_pretrained(str(folder or id), dtype=dtype, use_safetensors=True, **options)
    model.to(device).eval()
    return LoadedModel(id, model, tokenizer, folder, options.get("revision"))


def load_tokenizer(id: str = "pocket", *, revision: str | None = None) -> Any:
    """The tokenizer alone, checked: what is wrong with it is known before any weights are fetched or read."""
    return _tokenizer(id, _options_of(id, revision))


def _tokenizer(id: str, options: Mapping[str, Any]) -> Any:
    from transformers import AutoTokenizer

    with _said_clearly(id):
        tokenizer = AutoTokenizer.from_pretrained(str(_folder(id) or id), padding_side="left", **options)
    if tokenizer.eos_token_id is None:
        raise ModelError(f"model {id!r}: its tokenizer has no end-of-sequence token, so no response would end")
    if not tokenizer.chat_template:
        raise ModelError(f"model {id!r} has no chat template: it is a base model; take an instruct model")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_config(id: str = "pocket", *, revision: str | None = None) -> Any:
    """transformers' config of a model: sizes, without weights."""
    from transformers import AutoConfig

    options = _options_of(id, revision)
    with _said_clearly(id):
        return AutoConfig.from_pretrained(str(_folder(id) or id), **options)


def _folder(id: str) -> Path | None:
    """Where a model lies that is not the hub's."""
    folder = POCKET_FOLDER if id == "pocket" else Path(id) if Path(id).is_dir() else None
    if id == "pocket" and not (folder / "model.safetensors").exists():
        raise ModelError(f"{folder}: the embedded model's weights are missing; `make pocket-model` rebuilds them")
    return folder


def _options_of(id: str, revision: str | None) -> dict[str, Any]:
    """How transformers is to read a model: never with code of the model's own; of the hub, one commit."""
    options: dict[str, Any] = {"trust_remote_code": False}
    if _folder(id) is not None:
        return options
    commit, is_reachable = _resolve(id, revision)
    return options | {"revision": commit} | ({} if is_reachable else {"local_files_only": True})


def _resolve(id: str, revision: str | None) -> tuple[str, bool]:
    """A hub model's commit, and whether the hub was there to say it; else what an earlier run has fetched will do."""
    try:
        return look_on_hub(id, revision).sha, True
    except Unreachable:
        if (commit := cached_commit(id, revision)) is None:
            raise
        return commit, False


@contextmanager
def _said_clearly(id: str) -> Iterator[None]:
    """transformers' errors, the first line of each, as `ModelError`."""
    try:
        yield
    except (OSError, ValueError) as error:
        text = str(error).strip()
        if "trust_remote_code" in text:
            text = "it needs Python code of its own, and code from a hub or a folder is not run here."
        raise ModelError(
            f"model {id!r} cannot be loaded: {text.splitlines()[0] if text else type(error).__name__} "
            "Allowed: 'pocket', a folder with safetensors, or a hub id"
        ) from error


@contextmanager
def _bars_only_where_someone_watches() -> Iterator[None]:
    """transformers' own progress bars would fill a log."""
    from transformers.utils import logging

    hide = not is_live() and logging.is_progress_bar_enabled()
    if hide:
        logging.disable_progress_bar()
    try:
        yield
    finally:
        if hide:
            logging.enable_progress_bar()


def is_local(id: str) -> bool:
    """Whether a model is pocket or a folder: not the hub's."""
    return _folder(id) is not None


def identify(id: str = "pocket", revision: str | None = None) -> dict[str, str | None]:
    """The `identity` that `load_model` would give, without loading: the hash of a folder's weights, the hub's commit.

    `ModelError` where neither the hub nor its cache knows.
    """
    folder = _folder(id)
    if folder is not None:
        return {"id": id, "revision": None, "weights": weight_hash(folder)}
    return {"id": id, "revision": _resolve(id, revision)[0], "weights": None}


def attach_adapter(loaded: LoadedModel, folder: str | Path) -> LoadedModel:
    """The base with the LoRA adapter in `folder` (a policy's `adapter`), in evaluation mode.

    The layers are put into `loaded.model` in place, without a copy of the base: `loaded` is not to be used again before
    `detach_adapter`, which gives it back bit for bit. `ModelError` for an adapter of another base, for one that names
    none, and for a base that has an adapter already.
    """
    from peft import PeftModel

    folder = Path(folder)
    try:
        recorded = json.loads((folder / BASE_FILE).read_bytes())
    except FileNotFoundError:
        raise ModelError(
            f"{folder}: no {BASE_FILE}, which names an adapter's base; allowed: the adapter of a policy"
        ) from None
    if loaded.adapter is not None or hasattr(loaded.model, "peft_config"):
        raise ModelError(f"model {loaded.id!r} has an adapter already ({loaded.adapter}); detach it first")
    part = "weights" if recorded["weights"] and loaded.identity["weights"] else "revision"
    same_id = part == "weights" or recorded["id"] == loaded.id  # the same weights may lie in another folder
    if not same_id or recorded[part] is None or recorded[part] != loaded.identity[part]:
        raise ModelError(
            f"{folder}: the adapter was trained on {recorded['id']!r}, {part} {recorded[part]}; found: {loaded.id!r}, "
            f"{part} {loaded.identity[part]}; allowed: its own base"
        )
    with warnings.catch_warnings():  # transformers 5.23 asks itself for a name that it will drop
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*", category=FutureWarning)
        PeftModel.from_pretrained(loaded.model, str(folder)).eval()  # puts its layers into the model
    return replace(loaded, adapter=folder)


def detach_adapter(policy: LoadedModel) -> LoadedModel:
    """The base of a policy, as it was before `attach_adapter`."""
    remove_adapter(policy.model)
    return replace(policy, adapter=None)


def remove_adapter(model: Any) -> None:
    """Put a model's own layers back in the places of an adapter's, which hold them."""
    for name, layer in _adapted(model).items():
        _put(model, name, layer.get_base_layer())
    model.__dict__.pop("peft_config", None)


@contextmanager
def without_adapter(model: Any) -> Iterator[None]:
    """Within it, a model whose layers hold a LoRA adapter is its base, bit for bit; one without stays as it is."""
    adapted = _adapted(model)
    try:
        for name, layer in adapted.items():
            _put(model, name, layer.get_base_layer())
        yield
    finally:
        for name, layer in adapted.items():
            _put(model, name, layer)


@contextmanager
def merged(model: Any) -> Iterator[None]:
    """Within it, LoRA adapters that lie in a model's layers are part of its weights: a fifth to a third less time to
    sample, and the same numbers but for rounding (in float32). Afterwards the model is as it was, bit for bit."""
    from torch.nn import Parameter

    layers = _adapted(model)
    weights = {name: layer.get_base_layer().weight for name, layer in layers.items()}
    with without_adapter(model):
        try:
            for name, layer in layers.items():
                [adapter] = layer.active_adapters
                merged_weight = weights[name] + layer.get_delta_weight(adapter)
                layer.get_base_layer().weight = Parameter(merged_weight, requires_grad=False)
            yield
        finally:
            for name, layer in layers.items():
                layer.get_base_layer().weight = weights[name]


def _adapted(model: Any) -> dict[str, Any]:
    """The layers of a model that hold an adapter, by name; also where memory ran out while peft put them in."""
    if "peft" not in sys.modules:  # which is slow to import, and then no layer can hold one
        return {}
    from peft.tuners.tuners_utils import BaseTunerLayer

    return {name: layer for name, layer in model.named_modules() if isinstance(layer, BaseTunerLayer)}


def _put(model: Any, name: str, layer: Any) -> None:
    parent, _, child = name.rpartition(".")
    setattr(model.get_submodule(parent), child, layer)


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
