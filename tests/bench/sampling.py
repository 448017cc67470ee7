"""Benchmark: tokens per second of our engine and of plain `model.generate`, interleaved; and where the time goes.

Same model, type of weights, threads, prompts, samples a prompt, batch size, order and stopping; `generate` with its own
defaults (do_sample, top-k 50, left padding) and once with top-k off, which samples what we sample. The goal is 1.5
times, better 2.5; with `MODEL=smollm2`, which samples open prompts as its profile does, 3 times, better 5.
The floor is the model's matrix products alone, on the shapes of one run of ours.
"""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

N_PROMPTS, N_SAMPLES, BATCH_SIZE, MAX_TOKENS, ROUNDS = 64, 8, 128, 128, 3
SMOLLM2 = {"n_prompts": 32, "batch_size": 256, "max_tokens": 64, "rounds": 2, "only": ("ours", "generate")}
"""A real vocabulary: 256 rows, of which choosing tokens once took more than half. Minutes, so nothing warms up."""


def run(model: str | None = None) -> dict:
    """What `measure` finds, in one thread, as a worker computes. `model`: "pocket" (None), "smollm2", or "random"."""
    from ifpref.pipeline.model import fixed_threads

    with fixed_threads():
        return measure(model=model, **(SMOLLM2 if model == "smollm2" else {}))


def measure(
    n_prompts: int = N_PROMPTS,
    n_samples: int = N_SAMPLES,
    batch_size: int = BATCH_SIZE,
    max_tokens: int = MAX_TOKENS,
    rounds: int = ROUNDS,
    only: tuple[str, ...] = (),
    model: str | None = None,
) -> dict:
    """Median tokens per second of each contender and their ratios, the parts of our time, and the floor.

    only   these contenders, without a first round that warms up
    model  "pocket", "smollm2", a folder, or "random"; None: pocket, or random where its weights are missing
    """
    import torch

    from ifpref.models import POCKET_FOLDER
    from ifpref.sampling import Request, Settings, TransformersEngine

    model = model or ("pocket" if (POCKET_FOLDER / "model.safetensors").exists() else "random")
    texts = prompt_texts(n_prompts, model)
    loaded = random_model(texts) if model == "random" else load(model)
    engine = TransformersEngine(loaded, batch_size)
    ids = [engine.encode(text) for text in texts]

    def ours(seed: int) -> int:
        engine.batch_size = batch_size
        requests = [Request(f"p-{i}", prefix, n_samples) for i, prefix in enumerate(ids)]
        completions = engine.sample(requests, Settings(max_tokens=max_tokens, seed=seed))
        return sum(len(completion.token_ids) for row in completions for completion in row)

    def search_like(seed: int) -> int:
        requests = [Request(f"p-{i}", prefix) for i, prefix in enumerate(ids)]
        completions = engine.sample(requests, Settings(max_tokens=max_tokens, seed=seed))
        return sum(len(completion.token_ids) for row in completions for completion in row)

    def plain(seed: int, **options: Any) -> int:
        torch.manual_seed(seed)
        return generate(loaded, ids, n_samples, batch_size, engine.eos_ids, max_new_tokens=max_tokens, **options)

    contenders = {
        "ours": ours,
        "generate": plain,
        "generate_without_top_k": lambda seed: plain(seed, top_k=0),
        "ours_one_sample_a_prompt": search_like,
    }
    contenders = {name: sample for name, sample in contenders.items() if name in (only or contenders)}
    speeds: dict[str, list[float]] = {name: [] for name in contenders}
    lengths: dict[str, float] = {}
    for seed in range(1 if only else 0, rounds + 1):  # the first round warms up
        for name, sample in contenders.items():
            start = time.perf_counter()
            tokens = sample(seed)
            spent = time.perf_counter() - start
            if seed:
                speeds[name].append(tokens / spent)
                lengths[name] = round(tokens / (n_prompts * (1 if "one" in name else n_samples)), 1)
    ratio = [a / b for a, b in zip(speeds["ours"], speeds["generate"], strict=True)]
    parts, floor = where_time_goes(engine, lambda: ours(1))
    return {
        "model": "random weights, pocket's size" if model == "random" else model,
        "dtype": str(loaded.model.dtype),
        "threads": torch.get_num_threads(),
        "prompts": n_prompts,
        "samples_a_prompt": n_samples,
        "batch_size": batch_size,
        "max_tokens": max_tokens,
        "tokens_per_s": {name: round(statistics.median(values)) for name, values in speeds.items()},
        "times_generate": round(statistics.median(ratio), 2),
        "times_generate_by_round": [round(value, 2) for value in ratio],
        "mean_tokens": lengths,
        "seconds_of_one_run": parts,
        "floor_seconds": floor,
    }


def load(model: str) -> Any:
    """It, in the type of weights that a profile of its name computes in on this machine."""
    from ifpref.models import load_model
    from ifpref.params import load_params
    from ifpref.pipeline.model import with_dtype

    return load_model(model, dtype=with_dtype(load_params("smollm2")).dtype if model == "smollm2" else "float32")


def prompt_texts(n: int, model: str = "pocket") -> list[str]:
    """Pocket's training prompts, k = 1..6 in turn; smollm2's, open ones of k = 1..4."""
    if model == "smollm2":
        from ifpref.prompts.build import build

        return [prompt.text for prompt in build({"train": n}, 0, domain="open", k=(1, 4)).prompts]
    from ifpref.pocket.writer import write_examples

    return [example.prompt for example in write_examples("bench", "pocket", [1 + i % 6 for i in range(n)])]


def random_model(texts: list[str]) -> Any:
    """A model of pocket's size and vocabulary with random weights; one token in 43 ends a response."""
    from ifpref.models import LoadedModel
    from ifpref.pocket.tokenizer import train_tokenizer
    from ifpref.pocket.train import Recipe, build_model

    recipe = Recipe()
    tokenizer = train_tokenizer([f"{text} {i * 7919}" for i, text in enumerate(texts * 40)], recipe.vocab_size)
    model = build_model(recipe, tokenizer).eval()
    model.resize_token_embeddings(recipe.vocab_size)
    # near-uniform logits: a share of the vocabulary as end tokens gives that probability of ending at every step
    model.generation_config.eos_token_id = [tokenizer.eos_token_id, *range(2000, 2000 + recipe.vocab_size // 43)]
    return LoadedModel("random", model, tokenizer, None, None)


def generate(
    loaded: Any,
    prefixes: list[tuple[int, ...]],
    n_samples: int,
    batch_size: int,
    eos_ids: tuple[int, ...],
    **options: Any,
) -> int:
    """Plain `generate`: batches of like lengths, padded on the left; the tokens up to each end."""
    import torch

    pad, prompts_a_batch = loaded.tokenizer.pad_token_id, max(1, batch_size // n_samples)
    ordered = sorted(prefixes, key=len, reverse=True)
    ends, tokens = torch.tensor(eos_ids), 0
    for first in range(0, len(ordered), prompts_a_batch):
        batch = ordered[first : first + prompts_a_batch]
        width = len(batch[0])
        ids = torch.tensor([[pad] * (width - len(prefix)) + list(prefix) for prefix in batch])
        mask = torch.tensor([[0] * (width - len(prefix)) + [1] * len(prefix) for prefix in batch])
        sampled = loaded.model.generate(
            input_ids=ids,
            attention_mask=mask,
            do_sample=True,
            num_return_sequences=n_samples,
            eos_token_id=list(eos_ids),
            pad_token_id=pad,
            **options,
        )[:, width:]
        is_end = torch.isin(sampled, ends)
        tokens += int(torch.where(is_end.any(1), is_end.int().argmax(1) + 1, sampled.shape[1]).sum())
    return tokens


def where_time_goes(engine: Any, sample: Callable[[], int]) -> tuple[dict[str, float], float]:
    """Seconds of one run by part, and of its matrix products alone, replayed on the same shapes."""
    from ifpref.sampling import Engine
    from ifpref.sampling import transformers as module

    spent: dict[str, float] = defaultdict(float)
    with (
        timed(module, "forward", "steps", spent),
        timed(module, "read_prefixes", "reading prompts", spent),
        timed(module, "choose", "choosing tokens", spent),
        timed(module._Round, "_leave", "rows leave", spent),
        timed(module.RowCache, "keep", "rows leave", spent),
        timed(module.RowCache, "__init__", "placing prefixes", spent),
        timed(Engine, "texts", "decoding text", spent),
    ):
        start = time.perf_counter()
        sample()
        total = time.perf_counter() - start
    spent["the rest"] = total - sum(spent.values())
    return {name: round(seconds, 3) for name, seconds in [*spent.items(), ("total", total)]}, floor(
        engine.model, sample
    )


@contextmanager
def timed(owner: Any, name: str, part: str, spent: dict[str, float]) -> Iterator[None]:
    """Within it, calls of owner.name add to spent[part]."""
    original = getattr(owner, name)

    def wrapper(*args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        result = original(*args, **kwargs)
        spent[part] += time.perf_counter() - start
        return result

    is_class = isinstance(owner, type) and hasattr(original, "__self__")
    stored = vars(owner)[name]
    setattr(owner, name, staticmethod(wrapper) if is_class else wrapper)
    try:
        yield
    finally:
        setattr(owner, name, stored)


def floor(model: Any, sample: Callable[[], int]) -> float:
    """Seconds of the linear layers' products, on the shapes that `sample` gives them."""
    import torch

    shapes: list[tuple[Any, int]] = []
    linear = [module for module in model.modules() if isinstance(module, torch.nn.Linear)]
    hooks = [
        module.register_forward_pre_hook(lambda module, args: shapes.append((module.weight, args[0].numel())))
        for module in linear
    ]
    try:
        sample()
    finally:
        for hook in hooks:
            hook.remove()
    inputs = torch.randn(max(size for _, size in shapes), dtype=model.dtype)
    with torch.inference_mode():
        start = time.perf_counter()
        for weight, size in shapes:
            torch.nn.functional.linear(inputs[:size].view(-1, weight.shape[1]), weight)
        return round(time.perf_counter() - start, 3)


if __name__ == "__main__":
    import json

    print(json.dumps(run(), indent=2))
