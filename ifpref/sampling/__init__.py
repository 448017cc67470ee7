"""Sampling: prefixes as token ids in, n completions each out. One protocol, several engines.

    engine = TransformersEngine(load_model("pocket"), batch_size=128)
    request = Request(stream="p-17", ids=engine.encode("Tell a story about a fox."), n=8)
    [completions] = engine.sample([request], Settings(temperature=1.0, seed=0))

protocol.py      Request, Completion, Settings, Engine     streams.py   each response's own random numbers
transformers.py  the default engine, CPU and GPU           tokens.py    logits to tokens: greedy, temperature, top-p
cache.py         keys and values of the rows it decodes    http.py      a server of vLLM or SGLang (server.py)
batching.py      transformers' continuous batching, GPUs      reading.py   responses that are there already
chat.py          around any of them: system prompt, thinking blocks, stop strings
"""

from importlib import import_module
from typing import Any

from ifpref.sampling.protocol import Completion, Engine, Request, SamplingError, Settings

_MODULES = {
    "BatchingEngine": "batching",
    "ChatEngine": "chat",
    "HttpEngine": "http",
    "TransformersEngine": "transformers",
}

__all__ = ["Completion", "Engine", "Request", "SamplingError", "Settings", *_MODULES]


def __getattr__(name: str) -> Any:
    """The engines, when they are asked for: some of them import torch."""
    if name in _MODULES:
        return getattr(import_module(f"ifpref.sampling.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
