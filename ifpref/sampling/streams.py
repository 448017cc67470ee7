"""Random numbers by counter: the noise of a response depends on (seed, stream, sample, step) and on nothing else.

    key = stream_key(seed=0, stream="p-17", sample=3)     # one 64-bit key a response
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


def signed(z: int) -> int:
    """The 64 low bits, as torch's int64 holds them."""
    return (z + 2**63) % 2**64 - 2**63


GOLDEN = signed(0x9E3779B97F4A7C15)
FIRST, SECOND = signed(0xBF58476D1CE4E5B9), signed(0x94D049BB133111EB)
BITS = 0x7FFFFFFF  # 31 of each 32, so that small numbers keep their relative precision in float32
SCALE = (1 - 2**-24) * 2**-31  # the largest number stays below 1 in float32


def stream_key(seed: int, stream: str, sample: int) -> int:
    """The key of one response, a signed 64-bit integer."""
    digest = blake2b(f"{seed}\x1f{stream}\x1f{sample}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)


def exponential(keys: torch.Tensor, steps: torch.Tensor, n: int) -> torch.Tensor:
    """n standard exponential numbers for each response: (B,) int64 keys and steps to (B, n) float32.

    -log(its rows) is Gumbel noise. Each 64-bit draw gives two numbers; the smallest is 5e-10, the largest 17.
    """
    import torch

    counters = torch.arange(1, (n + 1) // 2 + 1, device=keys.device)
    z = _mix_(_mix_(keys + GOLDEN * (steps + 1))[:, None] + GOLDEN * counters)  # (B, n / 2)
    u = z.view(torch.int32)[:, :n].bitwise_and(BITS).bitwise_or_(1).to(torch.float32)  # (B, n)
    return u.mul_(-SCALE).log1p_().neg_()


def _mix_(z: Any) -> Any:
    z = z.bitwise_xor_(z >> 30).mul_(FIRST)
    z = z.bitwise_xor_(z >> 27).mul_(SECOND)
    return z.bitwise_xor_(z >> 31)
