"""Sizes by arithmetic, before anything is loaded: GPU memory of training and sampling, and bytes on disk.

    model = skeleton(load_config("meta-llama/Llama-3.1-8B-Instruct"))    # on the meta device: shapes, no weights
    training_memory(model, TrainingSettings.from_params(params), 2)      # Memory(weights=16.1e9, adapter=0.7e9, ...)
    sampling_memory(model, rows=128, length=2048, width=2)
    download_bytes(model, folder)                                        # of the weights that are not there yet

Decisions
- The worst case: every row as long as `max_length`, chosen and rejected apart. Real batches are shorter.
- Weights, adapter, gradients and Adam's two moments are counted exactly. Activations are what autograd keeps: the input
  and the output of every linear layer, the products of the MLP, and the norms in float32. With gradient checkpointing
  that is one layer's, and of the others the input alone. Against what autograd was seen to keep of a tiny model
  (tests/test_estimate.py) this is too much by less than a half; attention is assumed to keep no scores.
- A search keeps keys and values of what it has sampled, and its buffer grows by half while the old one is there
  (sampling/cache.py): two and a half times a buffer, at the most.
- Of the logits as many columns are there at a time as trl's kernel takes, in float32, three times over.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ifpref.design import COMPARISONS
from ifpref.params import Params
from ifpref.pipeline.pairs import n_prompts_of
from ifpref.pipeline.stage import Stage
from ifpref.training import TrainingSettings
from ifpref.training.checks import expected_trainable

GIB = 2**30
RESERVE = int(1.5 * GIB)
"""Of a GPU for its context, kernels and what fragments."""


@dataclass(frozen=True)
class Memory:
    """Bytes. `adapter`: LoRA's weights, gradients and moments; `cache`: keys and values of what is sampled; `kept`:
    those that a search keeps."""

    weights: int
    adapter: int = 0
    activations: int = 0
    logits: int = 0
    cache: int = 0
    kept: int = 0

    @property
    def total(self) -> int:
        return sum(asdict(self).values())

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {value / GIB:.1f}" for name, value in asdict(self).items() if value)
        return f"{self.total / GIB:.1f} GiB ({parts})"


def skeleton(config: Any) -> Any:
    """The model of a config on the meta device: every shape, no memory."""
    import torch
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config)


def training_memory(model: Any, settings: TrainingSettings, width: int) -> Memory:
    """Of one GPU that trains LoRA by DPO; `width`: bytes of a weight, 2 in bfloat16, 4 in float32."""
    from ifpref.training.forward import CHUNK

    config, per_layer = model.config.get_text_config(), _kept_per_layer(model, 2 if settings.bf16 else width)
    n_tokens = 2 * settings.per_device_train_batch_size * settings.max_length  # chosen and rejected
    layers, entering = config.num_hidden_layers, config.hidden_size * (2 if settings.bf16 else width)
    kept = layers * entering + per_layer if settings.gradient_checkpointing else layers * per_layer
    return Memory(
        weights=_parameters(model) * width,
        adapter=expected_trainable(model, settings) * 4 * 4,  # float32: weight, gradient, two moments
        activations=n_tokens * kept,
        logits=n_tokens * min(config.vocab_size, CHUNK) * 4 * 3,
    )


def sampling_memory(model: Any, rows: int, length: int, width: int, *, searched: int = 0) -> Memory:
    """Of one GPU that samples: `rows` responses at a time, prompt and response `length` tokens together.

    searched  responses of the trees that are grown together; 0 where there is no search
    """
    from ifpref.sampling.transformers import KEEP_BYTES

    config = model.config.get_text_config()
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    of_token = 2 * config.num_hidden_layers * (config.num_key_value_heads or config.num_attention_heads) * head * width
    cache = rows * length * of_token
    return Memory(
        weights=_parameters(model) * width,
        logits=rows * config.vocab_size * 4 * 3,
        cache=cache * 5 // 2 if searched else cache,
        kept=min(searched * length * of_token, KEEP_BYTES),
    )


def _parameters(model: Any) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def _kept_per_layer(model: Any, width: int) -> int:
    """Bytes that autograd keeps of one layer, for each token."""
    from torch.nn import Linear

    config, head = model.config.get_text_config(), model.get_output_embeddings()
    linear = [module for module in model.modules() if isinstance(module, Linear) and module is not head]
    outer = sum(module.in_features + module.out_features for module in linear) / config.num_hidden_layers
    norms = 2 * config.hidden_size * (2 * 4 + width)
    return int(width * (outer + config.intermediate_size) + norms)


# ---- on disk

RESPONSE_BYTES, EVALUATION_BYTES = 4.0, 10.0
"""Bytes of a token in responses.jsonl.gz and trees.jsonl.gz, and in evaluation.jsonl, which is not compressed."""


def disk_bytes(params: Params, tasks: Collection[Stage], adapter_parameters: int, at_once: int = 1) -> int:
    """Roughly what these tasks write, were every response as long as `max_tokens` allows.

    at_once  arms that are trained side by side, each with its checkpoints
    """
    response, trained = params.max_tokens * RESPONSE_BYTES, 4 * adapter_parameters  # in float32
    evaluated = dict.fromkeys(("base", "greedy", "sampled"), params.max_tokens * EVALUATION_BYTES)
    sampled = {"response": response, "tree": params.n_responses * response, "pairs": 2 * response}
    of_unit, units = {"training": trained} | evaluated | sampled, Counter()
    for task in tasks:
        units.update(task.work(params, lambda name, arm: n_prompts_of(COMPARISONS[name], params)))
    # a checkpoint has two moments too, and is there beside the next one
    checkpoints = at_once * 2 * 3 * trained if "training" in units else 0
    return int(checkpoints + sum(count * of_unit.get(unit.split()[0], 0) for unit, count in units.items()))


def download_bytes(model: Any, folder: Path | None) -> int:
    """Of a hub model's weights, in the type that its config names, what the hub's cache lacks.

    folder  the model's in the cache, with what an earlier run has fetched; None where there is none
    """
    whole = sum(parameter.nbytes for parameter in model.parameters())
    if folder is None:
        return whole
    index, names = folder / "model.safetensors.index.json", {"model.safetensors"}
    if index.is_file():
        names = set(json.loads(index.read_bytes())["weight_map"].values())
    there = [(folder / name).stat().st_size for name in names if (folder / name).is_file()]
    return 0 if len(there) == len(names) else max(whole - sum(there), 0)
