"""Sampling: prefixes as token ids in, n completions each out. One protocol, several engines.

    engine = TransformersEngine(load_model("pocket"), batch_size=128)
    request = Request(stream="p-17", ids=engine.encode("Tell a story about a fox."), n=8)
    [completions] = engine.sample([request], Settings(temperature=1.0, seed=0))

protocol.py      Request, Completion, Settings, Engine     streams.py   each response's own random numbers
transformers.py  the default engine, CPU and GPU           tokens.py    logits to tokens: greedy, temperature, top-p
cache.py         keys and values of the rows it decodes    scripted.py  an engine for tests and teaching
batching.py      transformers' continuous batching, GPUs    http.py      a server of vLLM or SGLang (server.py)
chat.py          around any of them: system prompt, thinking blocks, stop strings
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ifpref.sampling.protocol import Completion, Engine, Request, SamplingError, Settings

if TYPE_CHECKING:
    from ifpref.sampling.batching import BatchingEngine
    from ifpref.sampling.chat import ChatEngine
    from ifpref.sampling.http import HttpEngine
    from ifpref.sampling.scripted import ScriptedEngine
    from ifpref.sampling.transformers import TransformersEngine

_ENGINES = {
    "BatchingEngine": "batching",
    "ChatEngine": "chat",
    "HttpEngine": "http",
    "ScriptedEngine": "scripted",
    "TransformersEngine": "transformers",
}

__all__ = [
    "BatchingEngine",
    "ChatEngine",
    "Completion",
    "Engine",
    "HttpEngine",
    "Request",
    "SamplingError",
    "ScriptedEngine",
    "Settings",
    "TransformersEngine",
]


def __getattr__(name: str) -> Any:
    """The engines, when they are asked for: some of them import torch."""
    if name in _ENGINES:
        return getattr(import_module(f"ifpref.sampling.{_ENGINES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
