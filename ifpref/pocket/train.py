"""Trains the embedded model from scratch: what `make pocket-model` runs.

    python -m ifpref.pocket.train --out outputs/pocket-model    # about 40 minutes on 2 cores; a stopped run goes on

Writes examples, trains the tokenizer, trains a small Llama on them (CPU or GPU), shows held-out loss and pass rates by
constraint and by k while it runs, and saves model, tokenizer and provenance. Deterministic for a seed on one machine; a
checkpoint every few hundred steps holds all that a killed run needs.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import io
import json
import math
import platform
import random
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

import ifpref
from ifpref.pocket.card import model_card
from ifpref.pocket.exam import exam_prompts, examine
from ifpref.pocket.habits import LEVELS
from ifpref.pocket.tokenizer import train_tokenizer
from ifpref.pocket.writer import Stage, encode, write_examples, write_stage
from ifpref.store import files

Encoded = tuple[np.ndarray, np.ndarray]
"""An example as token ids: prompt, response."""


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


class Trainer:
    """The training loop: model, optimiser, place in the curriculum; saved and loaded as one checkpoint."""

    def __init__(self, recipe: Recipe, tokenizer: Any, data: Sequence[Sequence[Encoded]], folder: Path) -> None:
        self.recipe, self.folder = recipe, folder
        self.device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else "cpu"
        self.model = build_model(recipe, tokenizer).to(self.device)
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(),
            lr=recipe.learning_rate,
            betas=(0.9, 0.98),
            weight_decay=recipe.weight_decay,
            fused=torch.cuda.is_available(),
        )
        self.batches = [
            batch
            for n, stage in enumerate(recipe.stages)
            for epoch in range(stage.epochs)
            for batch in batches(data[n], recipe.batch_size, f"{recipe.seed}/{n}/{epoch}")
        ]
        self.schedule = torch.optim.lr_scheduler.LambdaLR(self.optimiser, self._rate)
        self.step, self.seconds, self.log = 0, 0.0, []

    def _rate(self, step: int) -> float:
        """Share of the learning rate: linear warm-up, then a cosine to a fiftieth."""
        if step < self.recipe.warmup_steps:
            return (step + 1) / self.recipe.warmup_steps
        done = (step - self.recipe.warmup_steps) / max(1, len(self.batches) - self.recipe.warmup_steps)
        return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))

    def run(self, evaluate: Callable[[Any], dict[str, Any]], *, every: int = 500, checkpoint_every: int = 250) -> None:
        """Train to the end of the curriculum; what `evaluate(model)` gives every so many steps goes into the log."""
        losses, tokens, start = [], 0, time.monotonic()
        for batch in map(collate, self.batches[self.step :]):
            losses.append(self._update(batch))
            tokens += int(batch["attention_mask"].sum())
            self.step += 1
            evaluated = self.step % every == 0 or self.step == len(self.batches)
            if evaluated:
                spent = time.monotonic() - start
                row = {
                    "step": self.step,
                    "loss": round(float(torch.stack(losses).mean()), 4),
                    "tokens_per_s": round(tokens / spent),
                    "minutes": round((self.seconds + spent) / 60, 1),
                    **evaluate(self.model),
                }
                self.log.append(row)
                left = (len(self.batches) - self.step) * spent / len(losses) / 60
                print(f"step {self.step} of {len(self.batches)}, {left:.0f} min left: {json.dumps(row)}", flush=True)
            if evaluated or self.step % checkpoint_every == 0:
                self.seconds += time.monotonic() - start
                self.save()
                losses, tokens, start = [], 0, time.monotonic()

    def _update(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """One step of the optimiser; returns the loss before it."""
        self.model.train()
        loss = response_loss(self.model, {name: tensor.to(self.device) for name, tensor in batch.items()})
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.max_grad_norm)
        self.optimiser.step()
        self.schedule.step()
        self.optimiser.zero_grad()
        return loss.detach()

    def save(self) -> None:
        """One file that holds all a killed run needs; the last whole one stays if this is interrupted."""
        state = {
            "recipe": _described(self.recipe),
            "progress": (self.step, self.seconds, self.log),
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
        }
        content = io.BytesIO()
        torch.save(state, content)
        files.replace(self.folder / "checkpoint.pt", content.getvalue())

    def load(self) -> None:
        """Go on from the checkpoint, if there is one."""
        if state := read_checkpoint(self.folder, self.recipe):
            self.model.load_state_dict(state["model"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.schedule.load_state_dict(state["schedule"])
            self.step, self.seconds, self.log = state["progress"]


def read_checkpoint(folder: Path, recipe: Recipe) -> dict[str, Any] | None:
    """The checkpoint in a folder, or None where there is none; ValueError for one of another recipe."""
    path = folder / "checkpoint.pt"
    if not path.exists():
        return None
    state = torch.load(path, map_location="cpu", weights_only=True)
    if state["recipe"] != _described(recipe):
        raise ValueError(f"{path}: made by another recipe; remove it, or train into another folder")
    return state


def _described(recipe: Recipe) -> str:
    return json.dumps(dataclasses.asdict(recipe))


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


def train(folder: Path, recipe: Recipe) -> dict[str, Any]:
    """Train into `folder`: checkpoint while it runs, then `model/`; returns the provenance."""
    folder.mkdir(parents=True, exist_ok=True)
    read_checkpoint(folder, recipe)  # one of another recipe is refused before minutes of work
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

    def evaluate(model: Any) -> dict[str, Any]:
        loss = held_out_loss(model, held_out, recipe.batch_size)
        return {"held_out_loss": round(loss, 4), **examine(model, tokenizer, prompts)}

    trainer = Trainer(recipe, tokenizer, data, folder)
    trainer.load()
    trainer.run(evaluate)
    model, final = trainer.model.eval(), exam_prompts(1200, seed=1)
    gpu = torch.cuda.get_device_name() if model.device.type == "cuda" else None
    provenance = {
        "world": world_version(habits),
        "ifpref": ifpref.__version__,
        "recipe": dataclasses.asdict(recipe),
        "parameters": sum(p.numel() for p in model.parameters()),
        "examples_written_s": round(seconds),
        "trained_minutes": round(trainer.seconds / 60, 1),
        "hardware": gpu or f"{platform.machine()} CPU, {torch.get_num_threads()} threads",
        "versions": {name: version(name) for name in ("torch", "transformers", "tokenizers")},
        "held_out_loss": round(held_out_loss(model, held_out, recipe.batch_size), 4),
        "greedy": examine(model, tokenizer, final),
        "temperature_1": examine(model, tokenizer, final, temperature=1.0),
        "log": trainer.log,
    }
    save_model(folder / "model", model, tokenizer, provenance)
    return provenance


def save_model(folder: Path, model: Any, tokenizer: Any, provenance: dict[str, Any]) -> None:
    """Weights in half precision (safetensors), tokenizer, provenance and model card: what the package holds."""
    model.to("cpu", torch.float16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    (folder / "provenance.json").write_text(json.dumps(provenance, indent=1) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(model_card(provenance), encoding="utf-8")


def main(argv: list[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="make pocket-model", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder; a run into the same folder goes on")
    parser.add_argument("--habits", default="pocket", choices=list(LEVELS), help="the table of the last stage")
    args = parser.parse_args(argv)
    *early, last = Recipe().stages
    try:
        provenance = train(args.out, Recipe(stages=(*early, dataclasses.replace(last, habits=args.habits))))
    except (ValueError, OSError) as error:
        print(f"make pocket-model: {error}", file=sys.stderr)
        return 2
    print(json.dumps({name: provenance[name] for name in ("greedy", "temperature_1")}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
