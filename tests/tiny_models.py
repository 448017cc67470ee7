"""A base of a few thousand parameters, made and saved as a hub model would lie in a folder."""

from pathlib import Path

BOS, EOS, USER, ASSISTANT = 1, 2, 3, 4
"""Ids of pocket's special tokens, which its tokenizers have in common."""


def save_base(folder: Path, seed: int = 0, kind: str = "llama") -> Path:
    """A model of this kind with random weights and peaked predictions, which show every difference; its tokenizer."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from ifpref.pocket.tokenizer import train_tokenizer

    tokenizer = train_tokenizer(["The river ran past the old mill."], 280)
    torch.manual_seed(seed)
    config = AutoConfig.for_model(
        kind,
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        max_position_embeddings=128,
        sliding_window=None,
        bos_token_id=BOS,
        eos_token_id=EOS,
        pad_token_id=0,
        initializer_range=0.3,
    )
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
