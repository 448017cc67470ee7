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

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ifpref.models import smollm2
from ifpref.models.checks import as_model_error, check_folder, check_loaded, check_tokenizer
from ifpref.models.hub import ModelError, Unreachable, cached_commit, cached_folder, look_on_hub
from ifpref.progress import is_live

POCKET_FOLDER = Path(__file__).parents[1] / "pocket" / "weights"
DECIDES_NOTHING = (".md", ".py", ".log", ".bin", ".gguf", ".onnx", ".msgpack", ".h5", ".pdf", ".png", ".new")
"""Endings of files in a model's folder that nothing here reads."""
NOT_OF_MODEL = ("provenance.json", "LICENSE", "NOTICE", "training_args.json")


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
        """Every token that ends a response."""
        return tuple(sorted(end_ids(self.model.generation_config, self.tokenizer)))


def load_model(
    id: str = "pocket", *, revision: str | None = None, dtype: str = "float32", device: str = "cpu"
) -> LoadedModel:
    """Load a model and its tokenizer.

    id        "pocket", "smollm2", a folder, or a hub id
    revision  a commit, branch or tag of the hub; None for its default branch
    dtype     "float32" or "bfloat16"
    device    "cpu", "cuda:1"; "meta" for shapes without numbers, which tells whether the weights fit

    Raises `ModelError` for what is not there or not whole, has no chat template, no end token or no safetensors.
    """
    from transformers import AutoModelForCausalLM
    from transformers.utils import logging

    if not is_live():
        logging.disable_progress_bar()  # it would fill a log
    folder, source = _source(id, revision)
    tokenizer = _tokenizer(id, source)
    with as_model_error(id):
        model, info = AutoModelForCausalLM.from_pretrained(
            **source,
            dtype=dtype,
            use_safetensors=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # `check_loaded` refuses them, by name
            device_map="meta" if device == "meta" else None,
        )
        ends = end_ids(model.generation_config, tokenizer)
    if folder is None:
        check_folder(cached_folder(id, source["revision"]))
    model.to(device).eval()
    check_loaded(id, model, tokenizer, info, ends)
    return LoadedModel(id, model, tokenizer, folder, source.get("revision"))


def end_ids(generation: Any, tokenizer: Any) -> set[int]:
    """Every token that ends a response: of the generation config (one or several) and of the tokenizer."""
    ends = generation.eos_token_id
    return {*(ends if isinstance(ends, list | tuple) else [ends]), tokenizer.eos_token_id} - {None}


def load_tokenizer(id: str = "pocket", *, revision: str | None = None) -> Any:
    """The tokenizer alone, checked: what is wrong with it is known before any weights are fetched or read."""
    return _tokenizer(id, _source(id, revision)[1])


def _tokenizer(id: str, source: Mapping[str, Any]) -> Any:
    from transformers import AutoTokenizer

    with as_model_error(id):
        tokenizer = AutoTokenizer.from_pretrained(**source, padding_side="left")
    check_tokenizer(id, tokenizer)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def load_config(id: str = "pocket", *, revision: str | None = None) -> Any:
    """transformers' config of a model: sizes, without weights."""
    from transformers import AutoConfig

    with as_model_error(id):
        return AutoConfig.from_pretrained(**_source(id, revision)[1])


def load_generation(id: str = "pocket", *, revision: str | None = None) -> Any:
    """transformers' generation config of a model, or, where it has none, its config: what they name as end tokens."""
    from transformers import GenerationConfig

    own = {"trust_remote_code", "pretrained_model_name_or_path"}  # which it does not know by these names
    source = _source(id, revision)[1]
    try:
        more = {name: value for name, value in source.items() if name not in own}
        return GenerationConfig.from_pretrained(source["pretrained_model_name_or_path"], **more)
    except OSError:
        return load_config(id, revision=revision).get_text_config(decoder=True)


def _folder(id: str) -> Path | None:
    """Where a model lies that is not the hub's; `smollm2` is fetched on first need."""
    if id == smollm2.NAME:
        return smollm2.model_folder()
    folder = POCKET_FOLDER if id == "pocket" else Path(id)
    if id == "pocket" and not (folder / "model.safetensors").exists():
        raise ModelError(f"{folder}: the embedded model's weights are missing; `make pocket-model` rebuilds them")
    if os.path.isfile(folder):
        gguf = "; of GGUFs only that of smollm2 is read here" if folder.suffix == ".gguf" else ""
        raise ModelError(
            f"model {id!r} is a file{gguf}; allowed: pocket, smollm2, a folder with safetensors, or a hub id"
        )
    return folder if os.path.isdir(folder) else None


def _source(id: str, revision: str | None) -> tuple[Path | None, dict[str, Any]]:
    """A model's folder, checked, and what transformers is to read, never with code of the model's own. Of the hub it is
    one commit: where the hub cannot be asked, what an earlier run has fetched will do."""
    name, own = "pretrained_model_name_or_path", {"trust_remote_code": False}
    if folder := _folder(id):
        check_folder(folder)
        return folder, own | {name: str(folder)}
    try:
        return None, own | {name: id, "revision": look_on_hub(id, revision).sha}
    except Unreachable:
        if (commit := cached_commit(id, revision)) is None:
            raise
        return None, own | {name: id, "revision": commit, "local_files_only": True}


def is_local(id: str) -> bool:
    """Whether a model is pocket or a folder: not the hub's."""
    return _folder(id) is not None


def identify(id: str = "pocket", revision: str | None = None, dtype: str = "float32") -> dict[str, str | None]:
    """The `identity` that `load_model` would give, without loading. `ModelError` where neither the hub nor its cache
    knows the model, or a folder holds none."""
    folder, source = _source(id, revision)
    content = content_hash(folder) if folder else None
    return {"id": id, "revision": source.get("revision"), "content": content, "dtype": dtype}


def content_hash(folder: Path) -> str:
    """16 hex digits of all files of a model, by name and content: weights, config, generation config, tokenizer,
    templates; not of what nothing reads."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not _decides_nothing(path, folder)]
    if not files:
        raise ModelError(f"{folder}: holds no file of a model")
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.relative_to(folder).as_posix().encode("utf-8", "surrogateescape") + b"\0")
        try:
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
        except OSError as error:
            raise ModelError(f"{file}: cannot be read: {error.strerror}") from None
    return digest.hexdigest()[:16]


def _decides_nothing(path: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
    return hidden or path.suffix in DECIDES_NOTHING or path.name in NOT_OF_MODEL
