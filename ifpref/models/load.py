"""Models: a causal language model with its tokenizer, from the embedded `pocket`, a folder, or the hub.

    loaded = load_model("pocket")
    loaded.model, loaded.tokenizer
    loaded.identity     # {"id": "pocket", "revision": None, "content": "9c1e…", "dtype": "float32"}

One way in for all of them: safetensors only, no remote code, padding on the left, a chat template that the prompt
passes through, an end token. Every tensor of the checkpoint has its place in the model and every place its tensor: what
transformers would initialise at random is refused. A hub model is asked for by one quick look first (hub.py), so that
what is wrong with it is said within seconds.

`identity` is everything that decides what a model answers, and stands in the keys of artefacts: the commit that the hub
resolved, or the hash of all files of a folder (weights, config, generation config, tokenizer, template); and the dtype.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ifpref.models.hub import ModelError, Unreachable, cached_commit, look_on_hub
from ifpref.progress import is_live

POCKET_FOLDER = Path(__file__).parents[1] / "pocket" / "weights"
DECIDES_NOTHING = (".md", ".py", ".log", ".bin", ".gguf", ".onnx", ".msgpack", ".h5", ".pdf", ".png", ".new")
"""Endings of files in a model's folder that nothing here reads."""
NOT_OF_MODEL = ("provenance.json", "LICENSE", "NOTICE", "training_args.json")
FLOATS = ("F64", "F32", "F16", "BF16")


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

    @property
    def dtype(self) -> str:
        return str(self.model.dtype).removeprefix("torch.")

    @cached_property
    def identity(self) -> dict[str, str | None]:
        """That of `identify`; with an adapter, the hash of its files too."""
        content = content_hash(self.folder) if self.folder else None
        base = {"id": self.id, "revision": self.commit, "content": content, "dtype": self.dtype}
        return base | ({"adapter": content_hash(self.adapter)} if self.adapter else {})

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

    Raises `ModelError` for what is not there or not whole, has no chat template, no end token or no safetensors.
    """
    from transformers import AutoModelForCausalLM

    folder = _folder(id)
    options = _options_of(id, revision)
    tokenizer = _tokenizer(id, options)
    if folder:
        _check_tensors(folder)
    with _bars_only_where_someone_watches(), _as_model_error(id):
        model, info = AutoModelForCausalLM.from_pretrained(
            str(folder or id), dtype=dtype, use_safetensors=True, output_loading_info=True, **options
        )
    _check_loaded(id, model, tokenizer, info)
    model.to(device).eval()
    return LoadedModel(id, model, tokenizer, folder, options.get("revision"))


def _check_tensors(folder: Path) -> None:
    """ModelError for a folder without safetensors, or with tensors that are no floating point numbers."""
    from safetensors import SafetensorError, safe_open

    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ModelError(f"{folder}: holds no .safetensors file; allowed: weights as safetensors")
    for file in files:
        try:
            with safe_open(file, framework="pt") as tensors:
                kinds = {name: tensors.get_slice(name).get_dtype() for name in tensors.keys()}  # noqa: SIM118
        except (SafetensorError, OSError) as error:
            raise ModelError(f"{file}: cannot be read as safetensors: {error}") from None
        if odd := {name: kind for name, kind in kinds.items() if kind not in FLOATS}:
            name, kind = next(iter(odd.items()))
            raise ModelError(f"{file}: {name} is {kind} (and {len(odd) - 1} more); allowed: {', '.join(FLOATS)}")


def _check_loaded(id: str, model: Any, tokenizer: Any, info: Mapping[str, Any]) -> None:
    """ModelError where a place of the model has no tensor of the checkpoint, or the other way round."""
    import torch

    for what in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"):
        if found := sorted(map(str, info.get(what) or ())):
            raise ModelError(
                f"model {id!r}: its weights do not fit its config: {what.replace('_', ' ')}: {', '.join(found[:3])}"
                f"{f' and {len(found) - 3} more' if len(found) > 3 else ''}; allowed: a checkpoint that is whole"
            )
    for name, tensor in model.named_parameters():
        if not torch.isfinite(tensor).all():
            raise ModelError(f"model {id!r}: {name} holds numbers that are not finite; allowed: finite weights")
    rows = model.get_input_embeddings().num_embeddings
    if (largest := max(tokenizer.get_vocab().values())) >= rows:
        raise ModelError(f"model {id!r}: its tokenizer has token {largest}, and its embedding {rows} rows; they differ")


def load_tokenizer(id: str = "pocket", *, revision: str | None = None) -> Any:
    """The tokenizer alone, checked: what is wrong with it is known before any weights are fetched or read."""
    return _tokenizer(id, _options_of(id, revision))


def _tokenizer(id: str, options: Mapping[str, Any]) -> Any:
    from transformers import AutoTokenizer

    with _as_model_error(id):
        tokenizer = AutoTokenizer.from_pretrained(str(_folder(id) or id), padding_side="left", **options)
    if tokenizer.eos_token_id is None:
        raise ModelError(f"model {id!r}: its tokenizer has no end-of-sequence token, so no response would end")
    if not tokenizer.chat_template:
        raise ModelError(f"model {id!r} has no chat template: it is a base model; take an instruct model")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    _check_template(id, tokenizer)
    return tokenizer


def _check_template(id: str, tokenizer: Any) -> None:
    """ModelError for a chat template that fails, or that says the same whatever the prompt."""
    said = []
    for text in ("Name a fruit.", "Count to ten, please."):
        try:
            message = [{"role": "user", "content": text}]
            encoded = tokenizer.apply_chat_template(message, add_generation_prompt=True, return_dict=True)
            said.append(list(encoded["input_ids"]))
        except Exception as error:  # whatever a template of somebody else's may raise
            raise ModelError(
                f"model {id!r}: its chat template fails on a user's message: {type(error).__name__}: {error}"
            ) from None
    if not said[0] or said[0] == said[1]:
        raise ModelError(f"model {id!r}: its chat template leaves out what the user says; allowed: one that holds it")


def load_config(id: str = "pocket", *, revision: str | None = None) -> Any:
    """transformers' config of a model: sizes, without weights."""
    from transformers import AutoConfig

    options = _options_of(id, revision)
    with _as_model_error(id):
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
def _as_model_error(id: str) -> Iterator[None]:
    """Whatever transformers raises of files that it did not write, the first line of it, as `ModelError`."""
    try:
        yield
    except (ImportError, MemoryError, ModelError):
        raise
    except Exception as error:
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


def identify(id: str = "pocket", revision: str | None = None, dtype: str = "float32") -> dict[str, str | None]:
    """The `identity` that `load_model` would give, without loading. `ModelError` where neither the hub nor its cache
    knows the model, or a folder holds none."""
    folder = _folder(id)
    if folder is not None:
        _check_tensors(folder)
        return {"id": id, "revision": None, "content": content_hash(folder), "dtype": dtype}
    return {"id": id, "revision": _resolve(id, revision)[0], "content": None, "dtype": dtype}


def content_hash(folder: Path) -> str:
    """16 hex digits of all files of a model, by name and content: weights, config, generation config, tokenizer,
    templates; not of what nothing reads."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not _decides_nothing(path, folder)]
    if not files:
        raise ModelError(f"{folder}: holds no file of a model")
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0")
        with file.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:16]


def _decides_nothing(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return hidden or path.suffix in DECIDES_NOTHING or path.name in NOT_OF_MODEL
