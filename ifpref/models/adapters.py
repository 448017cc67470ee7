"""LoRA adapters on a base: attached in place, taken off bit for bit, or merged for as long as something is sampled.

    policy = attach_adapter(loaded, folder)             # `policy.model` is the base with the adapter of a policy
    detach_adapter(policy)

An adapter belongs to the base that it was trained on, which base.json beside it names; it is refused on another.
"""

import json
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ifpref.models.hub import ModelError
from ifpref.models.load import LoadedModel

BASE_FILE = "base.json"
"""In an adapter's folder: the `identity` of the base that it was trained on."""


def attach_adapter(loaded: LoadedModel, folder: str | Path) -> LoadedModel:
    """The base with the LoRA adapter in `folder` (a policy's `adapter`), in evaluation mode.

    The layers are put into `loaded.model` in place, without a copy of the base: `loaded` is not to be used again before
    `detach_adapter`, which gives it back bit for bit. `ModelError` for an adapter of another base, for one that names
    none, and for a base that has an adapter already.
    """
    from peft import PeftModel

    folder = Path(folder)
    recorded = _recorded_base(folder)
    if loaded.adapter is not None or hasattr(loaded.model, "peft_config"):
        raise ModelError(f"model {loaded.id!r} has an adapter already ({loaded.adapter}); detach it first")
    names = ("content",) if recorded["content"] and loaded.identity["content"] else ("id", "revision")
    wanted, found = ({name: base[name] for name in names} for base in (recorded, loaded.identity))
    if wanted != found or None in wanted.values():
        raise ModelError(
            f"{folder}: the adapter was trained on {recorded['id']!r}, {names[-1]} {wanted[names[-1]]}; found: "
            f"{loaded.id!r}, {names[-1]} {found[names[-1]]}; allowed: its own base"
        )
    with warnings.catch_warnings():  # transformers 5.23 asks itself for a name that it will drop
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*", category=FutureWarning)
        PeftModel.from_pretrained(loaded.model, str(folder)).eval()  # puts its layers into the model
    return replace(loaded, adapter=folder)


def _recorded_base(folder: Path) -> dict[str, Any]:
    try:
        recorded = json.loads((folder / BASE_FILE).read_bytes())
        return {name: recorded[name] for name in ("id", "revision", "content")}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"{folder / BASE_FILE}: {error!r}; allowed: the identity of a base, as policies keep it"
        ) from None


def detach_adapter(policy: LoadedModel) -> LoadedModel:
    """The base of a policy, as it was before `attach_adapter`."""
    remove_adapter(policy.model)
    return replace(policy, adapter=None)


def remove_adapter(model: Any) -> None:
    """Put a model's own layers back in the places of an adapter's, which hold them."""
    for name, layer in _adapted(model).items():
        model.set_submodule(name, layer.get_base_layer())
    model.__dict__.pop("peft_config", None)


@contextmanager
def without_adapter(model: Any) -> Iterator[None]:
    """Within it, a model whose layers hold a LoRA adapter is its base, bit for bit; one without stays as it is."""
    adapted = _adapted(model)
    try:
        for name, layer in adapted.items():
            model.set_submodule(name, layer.get_base_layer())
        yield
    finally:
        for name, layer in adapted.items():
            model.set_submodule(name, layer)


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
