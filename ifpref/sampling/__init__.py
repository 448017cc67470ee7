"""Sampling: prefixes as token ids in, n completions each out. One protocol, several engines.

    engine = TransformersEngine(load_model("pocket"), batch_size=128)
    request = Request(stream="p-17", ids=engine.encode("Tell a story about a fox."), n=8)
    [completions] = engine.sample([request], Settings(temperature=1.0, seed=0))

protocol.py      Request, Completion, Settings, Engine     streams.py   each response's own random numbers
transformers.py  the default engine, CPU and GPU           tokens.py    logits to tokens: greedy, temperature, top-p
cache.py         keys and values of the rows it decodes    scripted.py  an engine for tests and teaching
"""

from typing import TYPE_CHECKING, Any

from ifpref.sampling.protocol import Completion, Engine, Request, SamplingError, Settings

if TYPE_CHECKING:
    from ifpref.sampling.scripted import ScriptedEngine
    from ifpref.sampling.transformers import TransformersEngine

__all__ = [
    "Completion",
    "Engine",
    "Request",
    "SamplingError",
    "ScriptedEngine",
    "Settings",
    "TransformersEngine",
]


def __getattr__(name: str) -> Any:
    """The engines, when they are asked for: one of them imports torch."""
    if name == "ScriptedEngine":
        from ifpref.sampling.scripted import ScriptedEngine

        return ScriptedEngine
    if name == "TransformersEngine":
        from ifpref.sampling.transformers import TransformersEngine

        return TransformersEngine
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
