"""Benchmark: models of real size on one GPU, in bf16, against what the card itself was measured to do.

    make bench ONLY=gpu                                        # minutes; outputs/benchmarks/gpu.json
    python -c "from tests.bench import gpu; gpu.run(sizes=['1b'])"

Llama's shapes of 1B and 8B parameters with random weights: speed does not depend on what they are. Measured are the
card (a matrix product, a copy), tokens per second of plain `generate`, of continuous batching and of our engine, pairs
per second of LoRA-DPO, and the peak of memory beside what ifpref/study/sizes.py reckons.

The floor of sampling is the larger of two times: bytes (the weights once for each step of a full batch, and the keys
and values of every token's context) over the bandwidth, and operations (2 for each weight and token) over the matrix
rate. That of training is its operations alone: 2 for each weight and token forward, as many backward (weights are
frozen), as many again where activations are computed anew; attention's own products are left out. A random model ends
hardly a response (1 in 200), so each one's limit is drawn, between an eighth of MAX_TOKENS and all of it.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.bench import LeftOut

SHAPES: dict[str, dict[str, Any]] = {  # Llama 3.2 1B and Llama 3.1 8B
    "1b": {"hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16, "head_dim": 64},
    "8b": {"hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "head_dim": 128},
}
COMMON = {"num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256, "max_position_embeddings": 4096}
TIED = ("1b",)
PROMPT, MAX_TOKENS, N_PROMPTS, N_SAMPLES, BATCH = 128, 512, 64, 8, 256
N_PAIRS, PAIRS_A_STEP, MICRO = 64, 32, 4
NO_ROOM = "out of memory"


@dataclass(frozen=True)
class Card:
    """What a device was measured to do: floating-point operations and bytes a second."""

    matrix_rate: float
    bandwidth: float


def run(sizes: Sequence[str] = tuple(SHAPES)) -> dict:
    """All figures of the models named; a row says what did not fit. `LeftOut` where there is no GPU."""
    import torch

    if not torch.cuda.is_available():
        raise LeftOut("it needs a CUDA GPU, and none is here")
    card = measure_card("cuda")
    found: dict[str, Any] = {
        "card": {"bf16_tflops": card.matrix_rate / 1e12, "copy_gb_per_s": card.bandwidth / 1e9},
        "sampling": [],
        "training": [],
    }
    for size in sizes:
        try:
            loaded = random_model(SHAPES[size] | COMMON, "cuda", tied=size in TIED, name=size)
        except torch.cuda.OutOfMemoryError:
            row = {"model": f"random-{size}"}
            found["sampling"].append(row | {"tokens_per_s": NO_ROOM})
            found["training"].append(row | {"pairs_per_s": NO_ROOM})
            torch.cuda.empty_cache()
            continue
        found["sampling"] += sampling(loaded, card)
        found["training"] += training(loaded, card)
        del loaded
        torch.cuda.empty_cache()
    return found


def measure_card(device: str, n: int = 8192, copied: int = 2**32, repeats: int = 20) -> Card:
    """A matrix product of n x n in bf16, and a copy of so many bytes, which are read and written."""
    import torch

    a, b = (torch.randn(n, n, device=device, dtype=torch.bfloat16) for _ in range(2))
    source = torch.randint(0, 255, (copied,), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    product = clocked(lambda: torch.matmul(a, b), device, repeats)
    copy = clocked(lambda: target.copy_(source), device, repeats)
    return Card(2 * n**3 / product, 2 * copied / copy)


def clocked(work: Callable[[], object], device: str, repeats: int) -> float:
    """Median seconds, after three runs to warm up."""
    seconds = []
    for turn in range(repeats + 3):
        wait(device)
        start = time.perf_counter()
        work()
        wait(device)
        if turn >= 3:
            seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def wait(device: Any) -> None:
    import torch

    if str(device).startswith("cuda"):
        torch.cuda.synchronize()


def random_model(shape: dict[str, Any], device: str, *, tied: bool, name: str) -> Any:
    """A Llama of this shape with random weights in bf16, and pocket's tokenizer, whose ids any vocabulary holds."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    from ifpref.models import LoadedModel, load_tokenizer

    tokenizer = load_tokenizer("pocket")
    ids = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": 0}
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device(device):
            model = LlamaForCausalLM(LlamaConfig(**shape, **ids, tie_word_embeddings=tied)).eval()
    finally:
        torch.set_default_dtype(before)
    return LoadedModel(f"random-{name}", model, tokenizer, None, None)


# ---- sampling


def sampling(
    loaded: Any,
    card: Card,
    *,
    n_prompts: int = N_PROMPTS,
    n_samples: int = N_SAMPLES,
    batch: int = BATCH,
    max_tokens: int = MAX_TOKENS,
    prompt: int = PROMPT,
) -> list[dict[str, Any]]:
    """Tokens per second of each engine on the same requests, and each one's share of the floor."""
    from ifpref.sampling import BatchingEngine, Request, Settings, TransformersEngine

    draw = random.Random(0)
    prompts = [tuple(draw.randrange(5, 2000) for _ in range(prompt)) for _ in range(n_prompts)]
    limits = [[draw.randint(max_tokens // 8, max_tokens) for _ in range(n_samples)] for _ in prompts]
    requests = [
        Request(f"p-{i}", ids, first_sample=j, max_tokens=limit)
        for i, ids in enumerate(prompts)
        for j, limit in enumerate(limits[i])
    ]
    settings = Settings(max_tokens=max_tokens)
    contenders: dict[str, Callable[[], int]] = {
        "generate": lambda: generate(loaded, requests, batch, max_tokens),
        "batching": lambda: sampled(BatchingEngine(loaded, batch), requests, settings),
        "ours": lambda: sampled(TransformersEngine(loaded, batch), requests, settings),
    }
    tokens = sum(map(sum, limits))
    floor = floor_of_sampling(loaded.model, prompt, [limit for row in limits for limit in row], batch, card)
    rows = []
    for name, sample in contenders.items():
        row: dict[str, Any] = {"model": loaded.id, "engine": name}
        try:
            sample()  # warms up: kernels, graphs, allocator
            start = time.perf_counter()
            made = sample()
            wait(loaded.model.device)
            seconds = time.perf_counter() - start
        except Exception as error:  # one engine that cannot run here does not take the others' figures with it
            rows.append(row | {"tokens_per_s": f"{type(error).__name__}: {error}".splitlines()[0][:120]})
            continue
        if not 0.95 * tokens <= made <= tokens:
            raise AssertionError(f"{name} made {made} tokens of {tokens}")
        rows.append(row | {"tokens_per_s": made / seconds, "share_of_floor": floor / seconds})
    return rows


def sampled(engine: Any, requests: Sequence[Any], settings: Any) -> int:
    return sum(len(one.token_ids) for row in engine.sample(requests, settings) for one in row)


def generate(loaded: Any, requests: Sequence[Any], batch: int, max_tokens: int) -> int:
    """Plain `generate`: each batch runs until its longest row ends; the tokens up to each row's limit."""
    import torch

    made = 0
    for start in range(0, len(requests), batch):
        some = requests[start : start + batch]
        ids = torch.tensor([request.ids for request in some], device=loaded.model.device)
        longest = max(request.max_tokens for request in some)
        out = loaded.model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            do_sample=True,
            min_new_tokens=longest,
            max_new_tokens=longest,
            pad_token_id=0,
        )
        made += sum(min(request.max_tokens, out.shape[1] - ids.shape[1]) for request in some)
    return made


def floor_of_sampling(model: Any, prompt: int, limits: Sequence[int], batch: int, card: Card) -> float:
    """Seconds: see the head of this file."""
    config, n = model.config, weights(model)
    width = next(model.parameters()).element_size()
    per_token = 2 * config.num_hidden_layers * config.num_key_value_heads * config.head_dim * width
    tokens = sum(limits)
    context = sum(prompt * limit + limit * (limit + 1) // 2 for limit in limits)
    moved = tokens / min(batch, len(limits)) * n * width + context * per_token
    return max(moved / card.bandwidth, 2 * n * tokens / card.matrix_rate)


def weights(model: Any) -> int:
    """Weights that every token is multiplied with: all but the embeddings, and the head."""
    embeddings = model.get_input_embeddings().weight.numel()
    head = model.get_output_embeddings().weight.numel()
    return (
        sum({id(p): p.numel() for p in model.parameters()}.values())
        - embeddings
        + (head if model.config.tie_word_embeddings else 0)
    )


# ---- training


def training(
    loaded: Any,
    card: Card,
    *,
    n_pairs: int = N_PAIRS,
    batch: int = PAIRS_A_STEP,
    micro: int = MICRO,
    max_tokens: int = MAX_TOKENS,
    prompt: int = PROMPT,
) -> list[dict[str, Any]]:
    """Pairs per second of LoRA-DPO with gradient checkpointing and without, and the share of the matrix rate."""
    import torch

    from ifpref.params import load_params
    from ifpref.pipeline.sizes import GIB, training_memory
    from ifpref.training import TrainingSettings
    from ifpref.training.algorithms import find_algorithm
    from ifpref.training.trainer import build_trainer
    from tests.bench.training import reference_rows

    draw = random.Random(1)
    new = lambda least, most: [draw.randrange(5, 2000) for _ in range(draw.randint(least, most))]  # noqa: E731
    pairs = []
    for i in range(n_pairs):
        start = [1, *new(prompt, prompt)]
        sides = {side: new(max_tokens // 8, max_tokens) for side in ("chosen_ids", "rejected_ids")}
        pairs.append({"pair_id": str(i), "prompt_ids": start, **sides})
    device, on_cpu = loaded.model.device, loaded.model.device.type == "cpu"
    whole = TrainingSettings.from_params(load_params("gpu"))
    whole = replace(whole, num_train_epochs=1.0, max_length=prompt + 1 + max_tokens, bf16=not on_cpu)
    whole = replace(whole, per_device_train_batch_size=micro, gradient_accumulation_steps=batch // micro)
    rows = []
    for checkpointing in (True, False):
        settings = replace(whole, gradient_checkpointing=checkpointing)
        row: dict[str, Any] = {"model": loaded.id, "gradient_checkpointing": checkpointing}
        with tempfile.TemporaryDirectory() as folder:
            seconds = []
            try:
                table, reference_s = reference_rows(loaded, pairs, Path(folder))
                if not on_cpu:
                    torch.cuda.reset_peak_memory_stats()
                for turn in range(2):  # the first warms up
                    trainer = build_trainer(loaded, table, settings, 0, Path(folder) / f"{turn}")
                    start = time.perf_counter()
                    trainer.train()
                    wait(device)
                    seconds.append(time.perf_counter() - start)
            except torch.cuda.OutOfMemoryError:
                rows.append(row | {"pairs_per_s": NO_ROOM})
                continue
        shared = sum(map(find_algorithm("dpo").length, table))
        scored = sum(len(pair["chosen_ids"]) + len(pair["rejected_ids"]) for pair in pairs)
        head = loaded.model.get_output_embeddings().weight.numel()
        turns = 3 if checkpointing else 2  # forward, backward, and forward again
        operations = 2 * turns * (weights(loaded.model) - head) * shared + 2 * 2 * head * scored
        reckoned = training_memory(loaded.model, settings, next(loaded.model.parameters()).element_size())
        rows.append(
            row
            | {
                "pairs_per_s": n_pairs / seconds[-1],
                "tokens_per_s": shared / seconds[-1],
                "share_of_matrix_rate": operations / card.matrix_rate / seconds[-1],
                "reference_pairs_per_s": n_pairs / reference_s,
                "peak_gib": 0.0 if on_cpu else torch.cuda.max_memory_allocated() / GIB,
                "reckoned_gib": reckoned.total / GIB,
            }
        )
    return rows
