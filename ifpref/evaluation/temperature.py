"""The base at the temperature at which it is as sharp as a policy.

    curve = entropy_curve(base, engine, prompts, settings, TEMPERATURES)  # [{"temperature": 0.3, "entropy": 0.21}, ...]
    matched_temperature(curve, float(table.entropy.mean()))          # Matched(temperature=0.62, clamped=False)

DPO sharpens a model, and a sharper model follows more constraints when it is sampled, without having learnt any. So a
policy's gain at temperature 1 is read beside the base at the temperature whose mean token entropy equals the policy's.

Decisions
- Entropy is that of the distribution sampled from (at the temperature), on the model's own responses: the mean over a
  response's tokens, then over responses. The same for the policy (`Table.entropy`) and for the curve.
- Entropy grows with temperature; where sampling noise says otherwise, the largest value so far stands.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ifpref.models import LoadedModel
from ifpref.sampling.protocol import Engine, Request, Settings

Prompts = Sequence[Mapping[str, Any]]
TEMPERATURES = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2)


@dataclass(frozen=True)
class Matched:
    """`clamped`: the entropy lies outside the curve, so the temperature is that of its nearer end."""

    temperature: float
    clamped: bool


def entropy_curve(
    loaded: LoadedModel, engine: Engine, prompts: Prompts, settings: Settings, temperatures: Sequence[float]
) -> list[dict[str, float]]:
    """Mean token entropy of the model by temperature, in nats: {"temperature", "entropy"}; one sample a prompt."""
    from ifpref.evaluation.distribution import read_tokens

    requests = [Request(prompt["prompt_id"], engine.encode(prompt["text"])) for prompt in prompts]
    if not requests:
        raise ValueError("an entropy curve needs prompts; found none")
    curve = []
    for temperature in temperatures:
        completions = engine.sample(requests, replace(settings, temperature=temperature))
        items = [(request.ids, one.token_ids) for request, [one] in zip(requests, completions, strict=True)]
        _, entropy = read_tokens(loaded, items, temperature=temperature)
        curve.append({"temperature": temperature, "entropy": float(entropy.mean())})
    return curve


def matched_temperature(curve: Sequence[Mapping[str, float]], entropy: float, step: float = 0.02) -> Matched:
    """The temperature of the curve at which the entropy (nats) is this one.

    step  temperatures between those of the curve are interpolated and rounded to a multiple of this, so that policies
          that are equally sharp share one evaluation of the base
    """
    if len(curve) < 2 or not math.isfinite(entropy):
        raise ValueError(f"entropy {entropy} on a curve of {len(curve)} points; allowed: a number, two points or more")
    ordered = sorted(curve, key=lambda point: point["temperature"])
    temperatures = np.array([point["temperature"] for point in ordered])
    entropies = np.maximum.accumulate([point["entropy"] for point in ordered])
    if not entropies[0] <= entropy <= entropies[-1]:
        return Matched(float(temperatures[0 if entropy < entropies[0] else -1]), clamped=True)
    between = float(np.interp(entropy, entropies, temperatures))
    rounded = min(max(round(between / step) * step, temperatures[0]), temperatures[-1])
    return Matched(round(float(rounded), 6), clamped=False)
