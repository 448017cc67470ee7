"""Models: what decides their output, how they are loaded, what the hub is asked, and adapters on them.

from ifpref.models import load_model
loaded = load_model("pocket")
"""

from ifpref.models.adapters import (
    BASE_FILE,
    attach_adapter,
    detach_adapter,
    merged,
    remove_adapter,
    without_adapter,
)
from ifpref.models.checks import encode
from ifpref.models.hub import ModelError, Unreachable, cached_commit, cached_folder, look_on_hub
from ifpref.models.load import (
    POCKET_FOLDER,
    LoadedModel,
    content_hash,
    end_ids,
    identify,
    is_local,
    load_config,
    load_generation,
    load_model,
    load_tokenizer,
)

__all__ = [
    "BASE_FILE",
    "POCKET_FOLDER",
    "LoadedModel",
    "ModelError",
    "Unreachable",
    "attach_adapter",
    "cached_commit",
    "cached_folder",
    "content_hash",
    "detach_adapter",
    "encode",
    "end_ids",
    "identify",
    "is_local",
    "load_config",
    "load_generation",
    "load_model",
    "load_tokenizer",
    "look_on_hub",
    "merged",
    "remove_adapter",
    "without_adapter",
]
