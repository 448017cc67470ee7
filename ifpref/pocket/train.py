"""Trains the embedded model from scratch: what `make pocket-model` runs.

    python -m ifpref.pocket.train --out outputs/pocket-model    # about 40 minutes on 2 cores; a stopped run goes on

Writes examples, trains the tokenizer, trains a small Llama on them (CPU or GPU), shows held-out loss and pass rates by
constraint and by k while it runs, and saves model, tokenizer and provenance. Deterministic for a seed on one machine; a
checkpoint every few hundred steps holds all that a killed run needs.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import platform
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import Trainer, TrainingArguments

import ifpref
from ifpref.command import command, parser_of
from ifpref.params import fingerprint
from ifpref.pocket.card import model_card
from ifpref.pocket.exam import exam_prompts, examine
from ifpref.pocket.habits import LEVELS
from ifpref.pocket.tokenizer import train_tokenizer
from ifpref.pocket.writer import Stage, encode, write_examples, write_stage
from ifpref.store import files
from ifpref.training.checkpoints import KEPT, Seal, last_checkpoint
from ifpref.training.watch import Progress

Encoded = tuple[np.ndarray, np.ndarray]
"""An example as token ids: prompt, response."""
EXAM_EVERY, SAVE_EVERY = 500, 250
"""Steps."""


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights."""

    seed: int = 0
    vocab_size: int = 2048
    hidden_size: int = 128
    layers: int = 4
    heads: int = 4
    intermediate_size: int = 384
    stages: tuple[Stage, ...] = (
        Stage(16_000, "diligent", (1, 3)),
        Stage(28_000, "diligent", (1, 6)),
        Stage(48_000, "pocket", (1, 6)),
    )
    batch_size: int = 64  # examples
    learning_rate: float = 3.0e-3
    warmup_steps: int = 200
    weight_decay: float = 0.01
    max_grad_norm: float = 1.0


def build_model(recipe: Recipe, tokenizer: Any) -> Any:
    """A Llama with random weights, embeddings tied."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=recipe.hidden_size,
        intermediate_size=recipe.intermediate_size,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.heads,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        attn_implementation="sdpa",
    )
    torch.manual_seed(recipe.seed)
    return LlamaForCausalLM(config)


def run_of(recipe: Recipe) -> str:
    """What the checkpoints of a recipe are known by."""
    return fingerprint(dataclasses.asdict(recipe))


def world_version(habits: str) -> str:
    """12 hex digits of what the writer writes: they change when prompts, wordings, habits or texts do, else never."""
    digest = hashlib.sha256()
    for example in write_examples("version", habits, [1 + n % 6 for n in range(240)]):
        digest.update(json.dumps([example.prompt, example.response]).encode())
    return digest.hexdigest()[:12]


def batches(data: Sequence[Encoded], batch_size: int, seed: str) -> list[list[Encoded]]:
    """All examples in batches of like lengths, in random order."""
    data = list(data)
    rng = random.Random(seed)
    rng.shuffle(data)
    groups: list[list[Encoded]] = []
    pool = 40 * batch_size
    for first in range(0, len(data), pool):
        by_length = sorted(data[first : first + pool], key=lambda example: len(example[0]) + len(example[1]))
        cut = [by_length[i : i + batch_size] for i in range(0, len(by_length), batch_size)]
        rng.shuffle(cut)
        groups += cut
    return groups


def collate(batch: Sequence[Encoded]) -> dict[str, torch.Tensor]:
    """`input_ids` (0 is <pad>), `attention_mask` and `labels` (-100 off the response), (B, T)."""
    pad = torch.nn.utils.rnn.pad_sequence
    ids = pad([torch.from_numpy(np.concatenate(example)).long() for example in batch], batch_first=True)
    labels = pad(
        [torch.from_numpy(np.append(np.full(len(prompt), -100), response)) for prompt, response in batch],
        batch_first=True,
        padding_value=-100,
    )
    return {"input_ids": ids, "attention_mask": (ids != 0).long(), "labels": labels}


def response_loss(model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Mean cross-entropy of the response tokens; logits are computed for these alone: a quarter of a step saved."""
    hidden = model.model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
    targets = batch["labels"][:, 1:]  # (B, T - 1)
    wanted = targets != -100
    logits = model.lm_head(hidden[:, :-1][wanted])  # (response tokens, V)
    return torch.nn.functional.cross_entropy(logits, targets[wanted])


class ResponseTrainer(Trainer):
    """transformers' trainer over the curriculum, whose batches are drawn and put in order before it begins."""

    def __init__(self, recipe: Recipe, tokenizer: Any, data: Sequence[Sequence[Encoded]], folder: Path) -> None:
        curriculum = [
            batch
            for n, stage in enumerate(recipe.stages)
            for epoch in range(stage.epochs)
            for batch in batches(data[n], recipe.batch_size, f"{recipe.seed}/{n}/{epoch}")
        ]
        options = TrainingArguments(
            output_dir=str(folder),
            max_steps=len(curriculum),
            per_device_train_batch_size=1,  # batch of examples
            train_sampling_strategy="sequential",
            remove_unused_columns=False,
            max_grad_norm=recipe.max_grad_norm,
            logging_steps=EXAM_EVERY,
            save_steps=SAVE_EVERY,
            save_total_limit=KEPT,
            dataloader_pin_memory=torch.cuda.is_available(),
            disable_tqdm=True,
            report_to="none",
        )
        options._n_gpu = min(options.n_gpu, 1)  # one of several: not `DataParallel`
        model = build_model(recipe, tokenizer).to(options.device)
        optimiser = torch.optim.AdamW(
            model.parameters(), lr=recipe.learning_rate, betas=(0.9, 0.98), weight_decay=recipe.weight_decay
        )
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, partial(rate, recipe.warmup_steps, len(curriculum)))
        super().__init__(
            model=model,
            args=options,
            data_collator=lambda drawn: collate(*drawn),
            train_dataset=curriculum,
            optimizers=(optimiser, schedule),
            callbacks=[Seal(run_of(recipe)), Progress()],
        )
        self.recipe = recipe
        self.exam: Callable[[Any], dict[str, Any]] = lambda model: {}

    def compute_loss(self, model: Any, inputs: dict[str, torch.Tensor], **options: Any) -> torch.Tensor:
        return response_loss(model, inputs)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """A row of the log: loss since the last one, the minutes it took, and how the model does at the exam."""
        if "loss" in logs:  # not at the end, when the whole is summed up
            minutes = {"minutes": round((time.monotonic() - self.began) / 60, 2)}
            super().log(logs | minutes | self.exam(self.model), start_time)
            self.began = time.monotonic()

    def go_on(self) -> None:
        """Train to the end of the curriculum, from the last whole checkpoint if there is one."""
        checkpoint = last_checkpoint(Path(self.args.output_dir), run_of(self.recipe))
        self.began = time.monotonic()
        self.train(resume_from_checkpoint=checkpoint and str(checkpoint))


def rate(warmup: int, steps: int, step: int) -> float:
    """Share of the learning rate: linear warm-up, then a cosine to a fiftieth."""
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(1, steps - warmup)
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))


@torch.no_grad()
def held_out_loss(model: Any, data: Sequence[Encoded], batch_size: int) -> float:
    """Mean cross-entropy of response tokens, in nats, on examples not trained on."""
    model.eval()
    losses, weights = [], []
    for batch in map(collate, batches(data, batch_size, "held out")):
        batch = {name: tensor.to(model.device) for name, tensor in batch.items()}
        losses.append(float(response_loss(model, batch)))
        weights.append(int((batch["labels"] != -100).sum()))
    return float(np.average(losses, weights=weights))


def claim(folder: Path, recipe: Recipe) -> None:
    """Make the folder that of a recipe. ValueError where it is another one's: its checkpoints and its model stay."""
    folder.mkdir(parents=True, exist_ok=True)
    file, described = folder / "recipe.json", files.json_line(dataclasses.asdict(recipe), indent=1)
    if file.exists() and file.read_bytes() != described:
        raise ValueError(f"{file}: another recipe; remove the folder, or train into another one")
    files.replace(file, described)


def train(folder: Path, recipe: Recipe) -> dict[str, Any]:
    """Train into `folder`: checkpoints while it runs, then `model/`; returns the provenance."""
    claim(folder, recipe)
    start = time.monotonic()
    examples = [write_stage(stage, f"{recipe.seed}/{n}") for n, stage in enumerate(recipe.stages)]
    texts = [text for stage in examples for e in stage[:15_000] for text in (e.prompt, e.response)]
    tokenizer = train_tokenizer(texts, recipe.vocab_size)
    data = [encode(stage, tokenizer) for stage in examples]
    habits = recipe.stages[-1].habits
    held_out = encode(write_examples("held out", habits, [1 + n % 6 for n in range(600)], "dev"), tokenizer)
    prompts = exam_prompts(360)
    seconds = time.monotonic() - start
    print(f"{sum(map(len, examples)):,} examples, {len(tokenizer)} tokens, {seconds:.0f} s", flush=True)

    def exam(model: Any) -> dict[str, Any]:
        loss = held_out_loss(model, held_out, recipe.batch_size)
        return {"held_out_loss": round(loss, 4), **examine(model, tokenizer, prompts)}

    trainer = ResponseTrainer(recipe, tokenizer, data, folder)
    trainer.exam = exam
    trainer.go_on()
    model, final, log = trainer.model.eval(), exam_prompts(1200, seed=1), trainer.state.log_history
    gpu = torch.cuda.get_device_name() if model.device.type == "cuda" else None
    provenance = {
        "world": world_version(habits),
        "ifpref": ifpref.__version__,
        "recipe": dataclasses.asdict(recipe),
        "parameters": sum(p.numel() for p in model.parameters()),
        "examples_written_s": round(seconds),
        "trained_minutes": round(sum(row["minutes"] for row in log), 1),
        "hardware": gpu or f"{platform.machine()} CPU, {torch.get_num_threads()} threads",
        "versions": {name: version(name) for name in ("torch", "transformers", "tokenizers")},
        "held_out_loss": round(held_out_loss(model, held_out, recipe.batch_size), 4),
        "greedy": examine(model, tokenizer, final),
        "temperature_1": examine(model, tokenizer, final, temperature=1.0),
        "log": log,
    }
    made = folder / "model"  # weights in half precision, safetensors: what the package holds
    model.to("cpu", torch.float16).save_pretrained(made)
    tokenizer.save_pretrained(made)
    files.replace(made / "provenance.json", files.json_line(provenance, indent=1))
    files.replace(made / "README.md", model_card(provenance).encode())
    return provenance


@command()
def main(arguments: Sequence[str] | None = None) -> int:
    parser = parser_of("ifpref.pocket.train", __doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder; a run into the same folder goes on")
    parser.add_argument("--habits", default="pocket", choices=list(LEVELS), help="the table of the last stage")
    options = parser.parse_args(arguments)
    *early, last = Recipe().stages
    stages = (*early, dataclasses.replace(last, habits=options.habits))
    provenance = train(options.out, Recipe(stages=stages))
    print(json.dumps({name: provenance[name] for name in ("greedy", "temperature_1")}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
