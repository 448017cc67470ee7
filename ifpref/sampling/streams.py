"""Random numbers by counter: the noise of a response depends on (seed, stream, sample, step) and on nothing else.

    key = stream_key(seed=0, stream="p-17", sample=3)     # one 64-bit key a response
    uniform(key, step=0)                                  # 0.7312…: one number, in plain Python
    exponential(keys, steps, n=2048)                      # (B, 2048): a row of noise for each response, in torch

splitmix64 (Steele, Lea and Flood 2014), seeded twice: the key is a hash of the names, the state of a step is drawn from
the key, and the numbers of a step from its state. Integer arithmetic only, so CPU and GPU agree on every bit; the
logarithm may differ in the last one. torch has no logical shift for signed integers; the arithmetic one makes each
xorshift two-to-one (x and ~x meet), which costs one bit of 64 and leaves the outputs uniform.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def _signed(z: int) -> int:
    """The 64 low bits, as torch's int64 holds them."""
    return (z + 2**63) % 2**64 - 2**63


GOLDEN = _signed(0x9E3779B97F4A7C15)
_FIRST, _SECOND = _signed(0xBF58476D1CE4E5B9), _signed(0x94D049BB133111EB)
_BITS = 0x7FFFFFFF  # 31 of each 32, so that small numbers keep their relative precision in float32
_SCALE = (1 - 2**-24) * 2**-31  # the largest number stays below 1 in float32


def stream_key(seed: int, stream: str, sample: int) -> int:
    """The key of one response, a signed 64-bit integer."""
    digest = blake2b(f"{seed}\x1f{stream}\x1f{sample}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def uniform(key: int, step: int, i: int = 0) -> float:
    """The i-th number of a step, in (0, 1): what `exponential` takes the logarithm of."""
    state = _mixed(_signed(key + GOLDEN * (step + 1)))
    z = _mixed(_signed(state + GOLDEN * (i // 2 + 1)))
    return (((z >> 32 * (i % 2)) & _BITS) | 1) * _SCALE


def _mixed(z: int) -> int:
    z = _signed((z ^ z >> 30) * _FIRST)
    z = _signed((z ^ z >> 27) * _SECOND)
    return z ^ z >> 31


def exponential(keys: torch.Tensor, steps: torch.Tensor, n: int) -> torch.Tensor:
    """n standard exponential numbers for each response: (B,) int64 keys and steps to (B, n) float32.

    -log(its rows) is Gumbel noise. Each 64-bit draw gives two numbers; the smallest is 5e-10, the largest 17.
    """
    import torch

    counters = torch.arange(1, (n + 1) // 2 + 1, device=keys.device)
    z = _mix_(_mix_(keys + GOLDEN * (steps + 1))[:, None] + GOLDEN * counters)  # (B, n / 2)
    u = z.view(torch.int32)[:, :n].bitwise_and(_BITS).bitwise_or_(1).to(torch.float32)  # (B, n)
    return u.mul_(-_SCALE).log1p_().neg_()


def _mix_(z: Any) -> Any:
    z = z.bitwise_xor_(z >> 30).mul_(_FIRST)
    z = z.bitwise_xor_(z >> 27).mul_(_SECOND)
    return z.bitwise_xor_(z >> 31)
