"""Random numbers by counter: the noise of a response depends on (seed, stream, sample, step) and on nothing else.

    key = stream_key(seed=0, stream="p-17", sample=3)     # one 64-bit key a response
    uniforms(keys, steps)                                 # (B,): a number for each response, in torch

splitmix64 (Steele, Lea and Flood 2014), seeded twice: the key is a hash of the names, the state of a step is drawn from
the key, and its number from that state. Integer arithmetic only, so CPU and GPU agree on every bit. torch has no
logical shift for signed integers; the arithmetic one makes each xorshift two-to-one (x and ~x meet), which costs one
bit of 64 and leaves the outputs uniform.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def signed(z: int) -> int:
    """The 64 low bits, as torch's int64 holds them."""
    return (z + 2**63) % 2**64 - 2**63


GOLDEN = signed(0x9E3779B97F4A7C15)
FIRST, SECOND = signed(0xBF58476D1CE4E5B9), signed(0x94D049BB133111EB)
BITS = 53  # of a float64's mantissa


def stream_key(seed: int, stream: str, sample: int) -> int:
    """The key of one response, a signed 64-bit integer."""
    digest = blake2b(f"{seed}\x1f{stream}\x1f{sample}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def uniforms(keys: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
    """A number in [0, 1) for each response: (B,) int64 keys and steps to (B,) float64."""
    z = _mix_(_mix_(keys + GOLDEN * (steps + 1)) + GOLDEN)
    return z.bitwise_and_(2**BITS - 1).double().mul_(2.0**-BITS)


def _mix_(z: Any) -> Any:
    z = z.bitwise_xor_(z >> 30).mul_(FIRST)
    z = z.bitwise_xor_(z >> 27).mul_(SECOND)
    return z.bitwise_xor_(z >> 31)
