"""What makes a model unusable, each said as a `ModelError` that names the model, or the file and what is in it.

check_folder(folder)                               # its files, without reading weights; fast, and without torch
check_tokenizer(id, tokenizer)                     # before weights are read
check_loaded(id, model, tokenizer, info, ends)     # tensors, vocabulary, end tokens, and one pass through it
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ifpref.models.hub import ModelError
from ifpref.models.template import MESSAGES, try_template

FLOATS = ("F64", "F32", "F16", "BF16")
CONFIG, INDEX = "config.json", "model.safetensors.index.json"
READ = (CONFIG, INDEX, "generation_config.json", "tokenizer_config.json", "special_tokens_map.json")
"""JSON files of which transformers passes over some that are broken."""
ATTENTION = ("eager", "sdpa")
"""What a config may name; others are fetched from a hub, or need packages of their own."""


@contextmanager
def as_model_error(id: str) -> Iterator[None]:
    """Whatever libraries raise of files that somebody else wrote, in one line, as `ModelError`."""
    try:
        yield
    except (MemoryError, ModelError):
        raise
    except Exception as error:
        text = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        if "trust_remote_code" in str(error):
            text = "it needs Python code of its own, and code from a hub or a folder is not run here"
        raise ModelError(
            f"model {id!r} cannot be loaded: {text}; allowed: 'pocket', a folder with safetensors, or a hub id"
        ) from error


def check_folder(folder: Path) -> None:
    """ModelError for files that are missing, torn or of another kind than is read here."""
    tensors = _tensors(folder)
    if (folder / "adapter_config.json").exists():
        raise ModelError(f"{folder}: holds an adapter (adapter_config.json); allowed: a whole model")
    read = {name: _object(folder / name) for name in READ if (folder / name).exists()}
    if CONFIG not in read:
        raise ModelError(f"{folder}: holds no {CONFIG}; allowed: a folder with a whole model")
    config = read[CONFIG]
    if config.get("quantization_config") is not None:
        raise ModelError(
            f"{folder / CONFIG}: quantization_config: its weights are quantised; allowed: {', '.join(FLOATS)}"
        )
    for key in ("attn_implementation", "_attn_implementation"):
        if config.get(key) not in (None, *ATTENTION):
            raise ModelError(f"{folder / CONFIG}: {key} = {config[key]!r}; allowed: {', '.join(ATTENTION)}")
    layers = config.get("num_hidden_layers")
    if isinstance(layers, int) and layers > len(tensors):
        raise ModelError(f"{folder / CONFIG}: num_hidden_layers = {layers}, and its weights are {len(tensors)} tensors")
    places = read.get(INDEX, {}).get("weight_map", {}) if not (folder / "model.safetensors").exists() else {}
    for name, file in places.items() if isinstance(places, dict) else ():
        if tensors.get(name) != file:
            raise ModelError(f"{folder / INDEX}: {name!r} is not in {file!r}; allowed: what the files hold")


def _object(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{file}: cannot be read as JSON: {error}") from None
    if not isinstance(found, dict):
        raise ModelError(f"{file}: holds {type(found).__name__}; allowed: a JSON object")
    return found


def _tensors(folder: Path) -> dict[str, str]:
    """The file of each tensor. ModelError for weights that are missing, torn, or no floating point numbers."""
    from safetensors import SafetensorError, safe_open

    files = sorted(folder.glob("*.safetensors"))
    if not files:
        gguf = "; of GGUFs only that of smollm2 is read here" if any(folder.glob("*.gguf")) else ""
        raise ModelError(
            f"{folder}: cannot be loaded: holds no .safetensors file{gguf}; allowed: weights as safetensors"
        )
    found: dict[str, str] = {}
    for file in files:
        try:
            with safe_open(file, framework="np") as tensors:  # which needs no torch
                kinds = {name: tensors.get_slice(name).get_dtype() for name in tensors.keys()}  # noqa: SIM118
        except (SafetensorError, OSError) as error:
            raise ModelError(f"{file}: cannot be read as safetensors: {error}") from None
        if odd := [f"{name} ({kind})" for name, kind in kinds.items() if kind not in FLOATS]:
            raise ModelError(f"{file}: {_some(odd)}: no floating point numbers; allowed: {', '.join(FLOATS)}")
        found |= dict.fromkeys(kinds, file.name)
    return found


def check_tokenizer(id: str, tokenizer: Any) -> None:
    """ModelError for no end token, no chat template, or one that cannot be used (template.py)."""
    if tokenizer.eos_token_id is None:
        raise ModelError(f"model {id!r}: its tokenizer has no end-of-sequence token, so no response would end")
    if not tokenizer.chat_template:
        raise ModelError(f"model {id!r} has no chat template: it is a base model; take an instruct model")
    try:
        if id != "pocket":
            try_template(json.dumps([tokenizer.get_chat_template(), tokenizer.special_tokens_map], default=str))
        first, second = (encode(tokenizer, text) for text in MESSAGES)
    except Exception as error:  # whatever a tokenizer of somebody else's may raise
        raise ModelError(f"model {id!r}: its chat template {error}; allowed: one that renders any message") from None
    if not first or first == second:
        raise ModelError(f"model {id!r}: its tokens of two messages are the same; allowed: a tokenizer that reads text")


def encode(tokenizer: Any, text: str, system: str | None = None) -> tuple[int, ...]:
    """A user's message in the chat template, after a system prompt if there is one, up to where the response begins."""
    chat = [{"role": "system", "content": system}] if system is not None else []
    chat.append({"role": "user", "content": text})
    return tuple(tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_dict=True)["input_ids"])


def check_loaded(id: str, model: Any, tokenizer: Any, info: Mapping[str, Any], ends: Sequence[Any]) -> None:
    """ModelError where a place of the model has no tensor of the checkpoint or the other way round, where a token has
    no row, and where weights, or what they predict, are not finite (of a model on the meta device nobody knows).

    info  what transformers tells of loading
    ends  the tokens that its generation config names as ends
    """
    import torch

    for what in ("missing_keys", "unexpected_keys", "mismatched_keys", "error_msgs"):
        if found := sorted(map(str, info.get(what) or ())):
            raise ModelError(
                f"model {id!r}: its weights do not fit its config: {what.replace('_', ' ')}: {_some(found)}; allowed: "
                "a checkpoint that is whole"
            )
    rows = model.get_input_embeddings().num_embeddings
    if (largest := max(tokenizer.get_vocab().values())) >= rows:
        raise ModelError(f"model {id!r}: its tokenizer has token {largest}, and its embedding {rows} rows; they differ")
    if odd := [end for end in ends if type(end) is not int or not 0 <= end < rows]:
        raise ModelError(f"model {id!r}: end token {odd[0]!r}; allowed: a token from 0 to {rows - 1}")
    if model.device.type == "meta":
        return
    for name, tensor in model.named_parameters():
        if not torch.isfinite(tensor).all():
            raise ModelError(f"model {id!r}: {name} holds numbers that are not finite; allowed: finite weights")
    with torch.no_grad(), as_model_error(id):
        ids = torch.tensor([encode(tokenizer, MESSAGES[0])], device=model.device)
        logits = model(ids, use_cache=False).logits
    if not torch.isfinite(logits).all():
        raise ModelError(f"model {id!r}: what it predicts is not finite; allowed: a config that fits its weights")


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
