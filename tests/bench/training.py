"""Benchmark: pairs per second of our training and of plain trl `DPOTrainer`, interleaved; and where the rest goes.

Same pairs, model, LoRA, batch, optimizer and precision (float32, no gradient checkpointing), one epoch. Prompts and
responses are of the pocket writer: chosen is its response, rejected that of another prompt with as many constraints.
trl gets them as text, as it wants them, and computes the reference in each step, as it does by default. The goal is 1.2
times; with `MODEL=smollm2`, on open prompts and their witnesses, 2 times, better 3. The contenders between add one
thing at a time:

    stored reference    trl's own forward on the ids, the reference read from the store (its cost is a row of its own)
    shared prefix       also one row for each pair, and only scored tokens projected onto the vocabulary
    ours                also micro-batches of pairs of like length
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

N_PAIRS, BATCH, MICRO, ROUNDS = 96, 16, 4, 2
SMOLLM2 = {"n_pairs": 16, "batch": 8, "rounds": 1, "only": ("trl", "ours")}


def run(model: str | None = None) -> dict:
    """What `measure` finds, in one thread, as a worker computes. `model`: "pocket" (None), or "smollm2"."""
    from ifpref.pipeline.model import fixed_threads

    with fixed_threads():
        return measure(model=model, **(SMOLLM2 if model == "smollm2" else {}))


def measure(
    n_pairs: int = N_PAIRS,
    batch: int = BATCH,
    micro: int = MICRO,
    rounds: int = ROUNDS,
    only: tuple[str, ...] = (),
    model: str | None = None,
) -> dict:
    """Median pairs per second of each contender, in the training loop and with all that precedes it, and ratios.

    only  these contenders, without a first round that warms up
    """
    from ifpref.models import POCKET_FOLDER
    from ifpref.params import load_params
    from ifpref.training import TrainingSettings
    from tests.bench.sampling import load, random_model

    model = model or "pocket"
    examples = write(n_pairs, model)
    random_weights = model == "pocket" and not (POCKET_FOLDER / "model.safetensors").exists()
    loaded = random_model([f"{e.prompt} {e.response}" for e in examples]) if random_weights else load(model)
    texts, pairs = pairs_of(examples, loaded.tokenizer)
    whole = {"per_device_train_batch_size": batch, "gradient_accumulation_steps": 1}
    settings = TrainingSettings.from_params(load_params(model), num_train_epochs=1.0, **whole)
    cut = replace(settings, per_device_train_batch_size=micro, gradient_accumulation_steps=batch // micro)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows, reference_s = reference_rows(loaded, pairs, folder)
        contenders: dict[str, Callable[[], tuple[float, float]]] = {
            "trl": lambda: plain(loaded, texts, settings, folder),
            "stored reference": lambda: ours(loaded, rows, settings, folder, share=False),
            "shared prefix": lambda: ours(loaded, rows, settings, folder),
            "ours": lambda: ours(loaded, rows, cut, folder),
        }
        contenders = {name: train for name, train in contenders.items() if name in (only or contenders)}
        seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
        for contender in () if only else contenders.values():  # warm-up, on the same shapes
            contender()
        for _ in range(rounds):
            for name, contender in contenders.items():
                seconds[name].append(contender())
        parts = where_the_time_goes(loaded, rows, cut, folder)

    table = []
    for name, measured in seconds.items():
        loop, overall = (statistics.median(column) for column in zip(*measured, strict=True))
        table.append({"contender": name, "pairs_per_s": n_pairs / loop, "with_setup": n_pairs / overall})
    rate = {row["contender"]: row["pairs_per_s"] for row in table}
    for row in table:
        row["times_trl"] = row["pairs_per_s"] / rate["trl"]
    ours_cold = n_pairs / (n_pairs / rate["ours"] + reference_s)
    return {
        "remark": "random weights: pocket's are not there" if random_weights else f"{model}, {loaded.model.dtype}",
        "pairs_per_second": table,
        "ratios": {
            "ours_over_trl": rate["ours"] / rate["trl"],
            "ours_over_trl_when_the_reference_is_computed_for_one_epoch": ours_cold / rate["trl"],
            "reference_pairs_per_s": n_pairs / reference_s,
        },
        "what_remains": parts | padding(rows, batch, micro),
    }


def write(n: int, model: str) -> list[Any]:
    """Prompts, each with a response of its own: the pocket writer's, or open prompts with their witnesses."""
    from ifpref.pocket.writer import Example, write_examples

    if model == "smollm2":
        from ifpref.prompts.build import build

        prompts = build({"train": n}, 0, domain="open", k=(1, 4)).prompts
        return [Example(prompt.text, prompt.witness, (), ()) for prompt in prompts]
    return write_examples("bench", "pocket", [1 + index % 6 for index in range(n)])


def pairs_of(examples: list[Any], tokenizer: Any) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The pairs as trl's conversations, and as ids; their tokens are the same, or it is an error. (A template may end a
    turn with a line break, which is a token more for trl.)"""
    ids = [
        (
            tokenizer.apply_chat_template(
                [{"role": "user", "content": example.prompt}], add_generation_prompt=True, return_dict=True
            )["input_ids"],
            tokenizer(example.response + tokenizer.eos_token, add_special_tokens=False)["input_ids"],
        )
        for example in examples
    ]
    texts, pairs = [], []
    for index, ((prompt, chosen), example) in enumerate(zip(ids, examples, strict=True)):
        other = (index + 6) % len(examples)
        user = {"role": "user", "content": example.prompt}
        sides = {"chosen": example.response, "rejected": examples[other].response}
        answers = {side: [{"role": "assistant", "content": text}] for side, text in sides.items()}
        texts.append({"prompt": [user], **answers})
        pairs.append({"pair_id": str(index), "prompt_ids": prompt, "chosen_ids": chosen, "rejected_ids": ids[other][1]})
        whole = tokenizer.apply_chat_template([user, *answers["rejected"]], return_dict=True)["input_ids"]
        mine = prompt + ids[other][1]
        if whole[: len(mine)] != mine or tokenizer.decode(whole[len(mine) :]).strip():
            raise AssertionError("trl's tokens would be others than ours")
    return texts, pairs


def reference_rows(loaded: Any, pairs: list[dict[str, Any]], folder: Path) -> tuple[list[dict[str, Any]], float]:
    """The rows that training reads, and the seconds that their reference took."""
    from ifpref.store import Store
    from ifpref.training.algorithms import find_algorithm
    from tests.policies import reference_of

    named = replace(loaded, folder=None)  # a random model has no folder whose weights could be hashed
    reference_of(Store(folder / "warm-up"), named, pairs[:4])
    start = time.perf_counter()
    reference = reference_of(Store(folder / "store"), named, pairs)
    return find_algorithm("dpo").rows(pairs, reference), time.perf_counter() - start


def plain(loaded: Any, texts: list[dict[str, Any]], settings: Any, folder: Path) -> tuple[float, float]:
    """Seconds of trl's loop, and with what it does before: tokenising, LoRA."""
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import PrinterCallback
    from trl import DPOTrainer

    from ifpref.training.forward import on_same_weights
    from ifpref.training.trainer import config

    start = time.perf_counter()
    trainer = DPOTrainer(
        model=on_same_weights(loaded.model),
        args=config(settings, 0, folder / "trl", settings.steps(len(texts)), on_cpu=True),
        processing_class=loaded.tokenizer,
        train_dataset=Dataset.from_list(texts),
        peft_config=LoraConfig(r=settings.lora_r, lora_alpha=settings.lora_alpha, target_modules="all-linear"),
    )
    trainer.remove_callback(PrinterCallback)
    return timed(trainer, start)


def ours(
    loaded: Any, rows: list[dict[str, Any]], settings: Any, folder: Path, share: bool = True
) -> tuple[float, float]:
    """Seconds of our loop, and with what precedes it but the reference."""
    import ifpref.training.trainer as trainer_module

    keep = mock.patch("ifpref.training.forward.share_prefixes", lambda model: False)
    start = time.perf_counter()
    if share:
        trainer = trainer_module.build_trainer(loaded, rows, settings, 0, folder / "ours")
    else:
        with keep:
            trainer = trainer_module.build_trainer(loaded, rows, settings, 0, folder / "ours")
    return timed(trainer, start)


def timed(trainer: Any, start: float) -> tuple[float, float]:
    loop = time.perf_counter()
    trainer.train()
    end = time.perf_counter()
    return end - loop, end - start


def where_the_time_goes(loaded: Any, rows: list[dict[str, Any]], settings: Any, folder: Path) -> dict[str, float]:
    """Shares of our loop: forward pass and loss, backward pass, all else (optimizer, log, collating, gc)."""
    from ifpref.training.trainer import build_trainer

    spent = {"forward": 0.0, "backward": 0.0}

    def clocked(name: str, function: Callable) -> Callable:
        def call(*arguments: Any, **options: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                spent[name] += time.perf_counter() - start

        return call

    trainer = build_trainer(loaded, rows, settings, 0, folder / "parts")
    trainer.compute_loss = clocked("forward", trainer.compute_loss)
    trainer.accelerator.backward = clocked("backward", trainer.accelerator.backward)
    loop, _ = timed(trainer, time.perf_counter())
    shares = {f"share_of_{name}": seconds / loop for name, seconds in spent.items()}
    return shares | {"share_of_all_else": 1 - sum(shares.values())}


def padding(rows: list[dict[str, Any]], batch: int, micro: int) -> dict[str, float]:
    """Token positions that are computed for a pair: what each way of batching gives, and what none could beat."""
    from ifpref.training.algorithms import find_algorithm
    from ifpref.training.trainer import order_of

    shared = list(map(find_algorithm("dpo").length, rows))
    apart = [len(row["prompt_ids"]) + max(len(row["chosen_ids"]), len(row["rejected_ids"])) for row in rows]
    both = [2 * len(row["prompt_ids"]) + len(row["chosen_ids"]) + len(row["rejected_ids"]) for row in rows]

    def computed(lengths: list[int], size: int, width: int = 1) -> float:
        order = order_of(shared, batch, len(rows) // batch, seed=0)
        micro_batches = [order[start : start + size] for start in range(0, len(order), size)]
        return width * sum(len(some) * max(lengths[i] for i in some) for some in micro_batches) / len(order)

    n = len(rows)
    return {
        "tokens_a_pair_in_trl": computed(apart, batch, width=2),
        "tokens_a_pair_in_trl_without_padding": sum(both) / n,
        "tokens_a_pair_with_a_shared_prefix": computed(shared, batch),
        "tokens_a_pair_in_ours": computed(shared, micro),
        "tokens_a_pair_in_ours_without_padding": sum(shared) / n,
        "padding_would_give_at_most_times": computed(shared, micro) / (sum(shared) / n),
    }
