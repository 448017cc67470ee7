"""A base of a few thousand parameters, made and saved as a hub model would lie in a folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

BOS, EOS, USER, ASSISTANT = 1, 2, 3, 4
"""Ids of pocket's special tokens, which its tokenizers have in common."""


def save_base(folder: Path, seed: int = 0, kind: str = "llama") -> Path:
    """A model that knows one sentence's letters, for training and evaluation."""
    from ifpref.pocket.tokenizer import train_tokenizer

    tokenizer = train_tokenizer(["The river ran past the old mill."], 280)
    sizes = {"intermediate_size": 48, "max_position_embeddings": 128, "sliding_window": None}
    return save_random(folder, tokenizer, kind, seed, **sizes)


def save_random(
    folder: Path, tokenizer: Any, kind: str, seed: int = 0, ends: Sequence[int] = (), **config: Any
) -> Path:
    """A model of this kind with random weights and peaked predictions, which show every difference; its tokenizer.

    ends  tokens besides the tokenizer's that end a response; config: more of the model's configuration
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(seed)
    settings = AutoConfig.for_model(
        kind,
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        initializer_range=0.3,
        **config,
    )
    model = AutoModelForCausalLM.from_config(settings)
    if ends:
        model.generation_config.eos_token_id = [tokenizer.eos_token_id, *ends]
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
