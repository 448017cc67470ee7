"""Trains the embedded model from scratch: what `make pocket-model` runs.

    python -m ifpref.pocket.train --out outputs/pocket-model          # about 50 minutes on 2 cores; --resume goes on

Writes examples, trains the tokenizer, trains a small Llama on them (transformers, accelerate; CPU or GPU), shows
held-out loss and pass rates by constraint and by k while it runs, and saves model, tokenizer and provenance.
Deterministic for a seed on one machine; a checkpoint every few hundred steps holds all that a killed run needs.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import math
import platform
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

import ifpref
from ifpref.pocket.card import model_card
from ifpref.pocket.data import Stage, encode, write_stage
from ifpref.pocket.exam import exam_prompts, examine
from ifpref.pocket.tokenizer import train_tokenizer
from ifpref.pocket.writer import write_examples

VERSION_EXAMPLES = 240  # examples that stand for the world in its version


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
    numbers = [1 + n % 6 for n in range(VERSION_EXAMPLES)]
    digest = hashlib.sha256()
    for example in write_examples("version", habits, numbers):
        digest.update(json.dumps([example.prompt, example.response]).encode())
    return digest.hexdigest()[:12]


def batches(
    data: Sequence[tuple[np.ndarray, np.ndarray]], batch_size: int, seed: str, start: int = 0
) -> Iterator[dict[str, torch.Tensor]]:
    """Batches of like lengths in random order: `input_ids`, `attention_mask`, `labels` (-100 off the response), (B, T).

    start  how many batches of this order to pass over, when a run goes on
    """
    rng = random.Random(seed)
    order = list(range(len(data)))
    rng.shuffle(order)
    groups: list[list[int]] = []
    pool = 40 * batch_size
    for first in range(0, len(order), pool):
        by_length = sorted(order[first : first + pool], key=lambda i: len(data[i][0]) + len(data[i][1]))
        cut = [by_length[i : i + batch_size] for i in range(0, len(by_length), batch_size)]
        rng.shuffle(cut)
        groups += cut
    for group in groups[start:]:
        length = max(len(data[i][0]) + len(data[i][1]) for i in group)
        ids = torch.zeros(len(group), length, dtype=torch.long)  # (B, T); 0 is <pad>
        labels = torch.full((len(group), length), -100)
        for row, i in enumerate(group):
            prompt, response = data[i]
            end = len(prompt) + len(response)
            ids[row, : len(prompt)] = torch.from_numpy(prompt.astype(np.int64))
            ids[row, len(prompt) : end] = torch.from_numpy(response.astype(np.int64))
            labels[row, len(prompt) : end] = ids[row, len(prompt) : end]
        yield {"input_ids": ids, "attention_mask": (ids != 0).long(), "labels": labels}


def response_loss(model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Mean cross-entropy of the response tokens; logits are computed for these alone: a quarter of a step saved."""
    hidden = model.model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
    targets = batch["labels"][:, 1:]  # (B, T - 1)
    wanted = targets != -100
    logits = model.lm_head(hidden[:, :-1][wanted])  # (response tokens, V)
    return torch.nn.functional.cross_entropy(logits, targets[wanted])


class Trainer:
    """The training loop: model, optimiser, place in the curriculum; saved and loaded as one checkpoint."""

    def __init__(self, recipe: Recipe, tokenizer: Any, data: Sequence[list], folder: Path) -> None:
        from accelerate import Accelerator

        self.recipe, self.tokenizer, self.data, self.folder = recipe, tokenizer, data, folder
        self.accelerator = Accelerator()
        model = build_model(recipe, tokenizer)
        optimiser = torch.optim.AdamW(
            model.parameters(),
            lr=recipe.learning_rate,
            betas=(0.9, 0.98),
            weight_decay=recipe.weight_decay,
            fused=torch.cuda.is_available(),
        )
        self.parts = [(n, epoch) for n, stage in enumerate(recipe.stages) for epoch in range(stage.epochs)]
        self.steps_of = [_count_batches(len(data[n]), recipe.batch_size) for n, _ in self.parts]
        self.steps = sum(self.steps_of)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, self._rate)
        self.model, self.optimiser, self.schedule = self.accelerator.prepare(model, optimiser, schedule)
        self.step, self.seconds, self.log = 0, 0.0, []

    def _rate(self, step: int) -> float:
        """Share of the learning rate: linear warm-up, then a cosine to a fiftieth."""
        if step < self.recipe.warmup_steps:
            return (step + 1) / self.recipe.warmup_steps
        done = (step - self.recipe.warmup_steps) / max(1, self.steps - self.recipe.warmup_steps)
        return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, done)))

    def run(self, evaluate: Callable[[Any], dict[str, Any]], *, every: int = 500, checkpoint_every: int = 250) -> None:
        """Train to the end of the curriculum; what `evaluate(model)` gives every so many steps goes into the log."""
        losses, tokens, start = [], 0, time.monotonic()
        for batch in self._remaining():
            loss = self._update(batch)
            self.step += 1
            losses.append(loss)
            tokens += int(batch["attention_mask"].sum())
            last = self.step == self.steps
            if last or self.step % every == 0:
                spent = time.monotonic() - start
                row = {
                    "step": self.step,
                    "loss": round(float(torch.stack(losses).mean()), 4),
                    "tokens_per_s": round(tokens / spent),
                    "minutes": round((self.seconds + spent) / 60, 1),
                    **evaluate(self.model),
                }
                left = (self.steps - self.step) * spent / len(losses) / 60
                print(f"step {self.step} of {self.steps}, {left:.0f} min left: {json.dumps(row)}", flush=True)
                self.log.append(row)
            if last or self.step % every == 0 or self.step % checkpoint_every == 0:
                self.seconds += time.monotonic() - start
                self.save()
                losses, tokens, start = [], 0, time.monotonic()

    def _remaining(self) -> Iterator[dict[str, torch.Tensor]]:
        """The batches from this step on, in the curriculum's order."""
        first = 0
        for (n, epoch), steps in zip(self.parts, self.steps_of, strict=True):
            if self.step < first + steps:
                seed = f"{self.recipe.seed}/{n}/{epoch}"
                yield from batches(self.data[n], self.recipe.batch_size, seed, self.step - first)
            first += steps

    def _update(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """One step of the optimiser; returns the loss before it."""
        self.model.train()
        loss = response_loss(self.model, {name: tensor.to(self.accelerator.device) for name, tensor in batch.items()})
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.model.parameters(), self.recipe.max_grad_norm)
        self.optimiser.step()
        self.schedule.step()
        self.optimiser.zero_grad()
        return loss.detach()

    def save(self) -> None:
        """One file that holds all a killed run needs; the last whole one stays if this is interrupted."""
        state = {
            "recipe": _plain(dataclasses.asdict(self.recipe)),
            "step": self.step,
            "seconds": self.seconds,
            "log": self.log,
            "model": self.accelerator.unwrap_model(self.model).state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict(),
        }
        temporary = self.folder / "checkpoint.tmp"
        torch.save(state, temporary)
        temporary.replace(self.folder / "checkpoint.pt")

    def load(self) -> None:
        """Go on from the checkpoint, if there is one; refuses one of another recipe."""
        path = self.folder / "checkpoint.pt"
        if not path.exists():
            return
        state = torch.load(path, map_location="cpu", weights_only=True)
        if state["recipe"] != _plain(dataclasses.asdict(self.recipe)):
            raise ValueError(f"{path}: made by another recipe; remove it, or train into another folder")
        self.accelerator.unwrap_model(self.model).load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.schedule.load_state_dict(state["schedule"])
        self.step, self.seconds, self.log = state["step"], state["seconds"], state["log"]


def _count_batches(n: int, batch_size: int) -> int:
    pool = 40 * batch_size
    return n // pool * 40 + math.ceil(n % pool / batch_size)


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))


@torch.no_grad()
def held_out_loss(model: Any, data: Sequence[tuple[np.ndarray, np.ndarray]], batch_size: int) -> float:
    """Mean cross-entropy of response tokens, in nats, on examples not trained on."""
    model.eval()
    losses, weights = [], []
    for batch in batches(data, batch_size, "held out"):
        batch = {name: tensor.to(model.device) for name, tensor in batch.items()}
        losses.append(float(response_loss(model, batch)))
        weights.append(int((batch["labels"] != -100).sum()))
    return float(np.average(losses, weights=weights))


def train(folder: Path, recipe: Recipe, workers: int | None = None) -> dict[str, Any]:
    """Train into `folder`: checkpoint while it runs, then `model/`; returns the provenance."""
    folder.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    examples = [write_stage(stage, f"{recipe.seed}/{n}", workers) for n, stage in enumerate(recipe.stages)]
    texts = [text for stage in examples for e in stage[:15_000] for text in (e.prompt, e.response)]
    tokenizer = train_tokenizer(texts, recipe.vocab_size)
    data = [encode(stage, tokenizer) for stage in examples]
    habits = recipe.stages[-1].habits
    held_out = encode(list(write_examples("held out", habits, [1 + n % 6 for n in range(600)], "dev")), tokenizer)
    prompts = exam_prompts(360)
    seconds = time.monotonic() - start
    print(f"{sum(map(len, examples)):,} examples, {len(tokenizer)} tokens, {seconds:.0f} s", flush=True)

    def evaluate(model: Any) -> dict[str, Any]:
        model.eval()
        loss = held_out_loss(model, held_out, recipe.batch_size)
        return {"held_out_loss": round(loss, 4), **examine(model, tokenizer, prompts)}

    trainer = Trainer(recipe, tokenizer, data, folder)
    trainer.load()
    trainer.run(evaluate)
    model = trainer.accelerator.unwrap_model(trainer.model).eval()
    final = exam_prompts(1200, seed=1)
    provenance = {
        "world": world_version(habits),
        "ifpref": ifpref.__version__,
        "recipe": dataclasses.asdict(recipe),
        "parameters": sum(p.numel() for p in model.parameters()),
        "examples_written_s": round(seconds),
        "trained_minutes": round(trainer.seconds / 60, 1),
        "hardware": hardware(str(trainer.accelerator.device)),
        "versions": {name: version(name) for name in ("torch", "transformers", "tokenizers", "accelerate")},
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


def hardware(device: str) -> str:
    """The processor or GPU in words."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_name()
    return f"{platform.machine()} CPU, {torch.get_num_threads()} threads"


def main(argv: list[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m ifpref.pocket.train", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder; a run into the same folder goes on")
    parser.add_argument("--habits", default="pocket", help="the table of the last stage: pocket or weak")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the examples, for a trial")
    args = parser.parse_args(argv)
    recipe = Recipe()
    *early, last = recipe.stages
    stages = [*early, dataclasses.replace(last, habits=args.habits)]
    stages = tuple(dataclasses.replace(s, examples=max(1, round(args.scale * s.examples))) for s in stages)
    try:
        provenance = train(args.out, dataclasses.replace(recipe, stages=stages))
    except (ValueError, OSError) as error:
        print(f"make pocket-model: {error}", file=sys.stderr)
        return 2
    print(json.dumps({name: provenance[name] for name in ("greedy", "temperature_1")}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
