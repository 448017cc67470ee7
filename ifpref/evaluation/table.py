"""An evaluation without its texts: the verdicts, lengths and log-probabilities that analyses read.

    table = Table.from_rows(rows)                # of policy.evaluate
    table.prompt_level().mean()                  # share of responses that meet every constraint, strictly
    table.prompt_level("loose") - base.prompt_level("loose")      # paired, (N,)
    Table.from_dict(table.to_dict())             # small JSON; verdicts and counts come back exactly

Two prompts with one sample each, the second with two constraints, as `to_dict` gives them:

    {"prompt_ids": ["0c7d…", "91ab…"], "n_samples": 1, "n_constraints": [1, 2], "strict": "110", "loose": "111",
     "truncated": "00", "empty": "00", "repetitive": "00", "n_tokens": [31, 64], "logprob": [-12.5, -40.25],
     "kl": [0.5, -0.25], "entropy": [0.4, 0.75]}

Decisions
- Every mean is over samples first, then over prompts: a prompt is the unit of inference, and has one value.
- Floats are written with 5 significant digits. `kl` is written rather than the base's log-probability: it is a small
  difference of large numbers, whose digits would be lost.
- *Degenerate text*, counted but not scored: `truncated` (finish "length"), `empty` (no letter, no digit) and
  `repetitive` (`is_repetitive`). A policy that gains on constraints and loops more often has not got better.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Mode = Literal["strict", "loose"]

NGRAM, LEAST, SHARE = 4, 3, 0.2
"""Repetitive: a run of 4 tokens that occurs 3 times or more and is more than a fifth of all runs of 4."""

FLAGS = ("truncated", "empty", "repetitive")


@dataclass(frozen=True, eq=False)
class Table:
    """N prompts, n samples of each, k_i constraints of prompt i.

    strict, loose  N arrays (n, k_i) of bool: whether a sample meets a constraint
    n_tokens       (N, n), the end token included
    truncated, empty, repetitive    (N, n) bool
    logprob        (N, n): of the policy at temperature 1, summed over the response, natural log
    base_logprob   (N, n): the same of the base; None where it was not computed (greedy)
    entropy        (N, n): of the distribution that was sampled from, mean over a response's tokens, in nats; or None
    """

    prompt_ids: tuple[str, ...]
    strict: tuple[np.ndarray, ...]
    loose: tuple[np.ndarray, ...]
    n_tokens: np.ndarray
    truncated: np.ndarray
    empty: np.ndarray
    repetitive: np.ndarray
    logprob: np.ndarray
    base_logprob: np.ndarray | None = None
    entropy: np.ndarray | None = None

    # ---- what analyses read

    def __len__(self) -> int:
        return len(self.prompt_ids)

    @property
    def n_samples(self) -> int:
        return self.n_tokens.shape[1]

    @property
    def kl(self) -> np.ndarray | None:
        """(N, n): log-ratio of policy to base, in nats. Of responses sampled at temperature 1 its mean estimates their
        divergence, KL(policy || base), per response, without bias.
        """
        return None if self.base_logprob is None else self.logprob - self.base_logprob

    def prompt_level(self, mode: Mode = "strict") -> np.ndarray:
        """(N,): the share of a prompt's samples that meet all its constraints."""
        return np.array([verdicts.all(axis=1).mean() for verdicts in self.verdicts(mode)])

    def score(self, mode: Mode = "strict") -> np.ndarray:
        """(N,): the share of its constraints that a prompt's samples meet."""
        return np.array([verdicts.mean() for verdicts in self.verdicts(mode)])

    def instruction_level(self, mode: Mode = "strict") -> float:
        """The share of all constraints that are met, over all prompts and samples; NaN of no prompts."""
        found = self.verdicts(mode)
        return sum(int(verdicts.sum()) for verdicts in found) / sum(v.size for v in found) if found else math.nan

    def of_id(self, ids: Sequence[Sequence[str]], id: str, mode: Mode = "strict") -> tuple[np.ndarray, np.ndarray]:
        """How often one kind of constraint is met: (M,) of the prompts that have it, and their indices, (M,).

        ids  the constraint ids of each prompt, in order; a prompt's value is the mean over samples and, where the id
             stands there twice, over both
        """
        if [len(of_prompt) for of_prompt in ids] != [verdicts.shape[1] for verdicts in self.strict]:
            raise ValueError(
                "ids do not fit the table: allowed are, for each prompt in order, the ids of its constraints"
            )
        places = {i: [j for j, one in enumerate(of_prompt) if one == id] for i, of_prompt in enumerate(ids)}
        places = {i: columns for i, columns in places.items() if columns}
        verdicts = self.verdicts(mode)
        met = np.array([verdicts[i][:, columns].mean() for i, columns in places.items()])
        return met, np.array(list(places), dtype=int)

    def take(self, indices: Sequence[int] | np.ndarray) -> Table:
        """The table of some prompts, in the order of the indices."""
        where = np.asarray(indices, dtype=int)
        parts = {name: getattr(self, name) for name in ("n_tokens", *FLAGS, "logprob", "base_logprob", "entropy")}
        return Table(
            prompt_ids=tuple(self.prompt_ids[i] for i in where),
            strict=tuple(self.strict[i] for i in where),
            loose=tuple(self.loose[i] for i in where),
            **{name: None if part is None else part[where] for name, part in parts.items()},
        )

    def verdicts(self, mode: Mode) -> tuple[np.ndarray, ...]:
        """`strict` or `loose`."""
        if mode not in ("strict", "loose"):
            raise ValueError(f"mode {mode!r}; allowed: 'strict', 'loose'")
        return self.strict if mode == "strict" else self.loose

    # ---- from rows, to JSON and back

    @classmethod
    def from_rows(cls, rows: Iterable[Mapping[str, Any]]) -> Table:
        """The table of an evaluation's rows, with prompts in the order of their first rows.

        Raises ValueError where there are no rows, and for a prompt whose samples are not 0, 1, …, n - 1.
        """
        of: dict[str, list[Mapping[str, Any]]] = {}
        for row in rows:
            of.setdefault(row["prompt_id"], []).append(row)
        if not of:
            raise ValueError("an evaluation without rows; allowed: one sample or more of one prompt or more")
        n = len(next(iter(of.values())))
        for prompt_id, samples in of.items():
            if [row["sample"] for row in samples] != list(range(n)):
                found = [row["sample"] for row in samples]
                raise ValueError(
                    f"prompt {prompt_id!r} has samples {found}; allowed: 0 to {n - 1}, as the first prompt"
                )
        every = list(of.values())

        def each(read: Any, type_: type) -> np.ndarray:
            return np.array([[read(row) for row in samples] for samples in every], dtype=type_)

        def measured(key: str) -> np.ndarray | None:
            return each(lambda row: row[key], float) if key in every[0][0] else None

        return cls(
            prompt_ids=tuple(of),
            strict=tuple(np.array([row["strict"] for row in samples], dtype=bool) for samples in every),
            loose=tuple(np.array([row["loose"] for row in samples], dtype=bool) for samples in every),
            n_tokens=each(lambda row: row["n_tokens"], int),
            truncated=each(lambda row: row["finish"] == "length", bool),
            empty=each(lambda row: is_empty(row["text"]), bool),
            repetitive=each(lambda row: is_repetitive(row["token_ids"], row["text"]), bool),
            logprob=each(lambda row: row["logprob"], float),
            base_logprob=measured("base_logprob"),
            entropy=measured("entropy"),
        )

    def to_dict(self) -> dict[str, Any]:
        """As small JSON: verdicts prompt by prompt, sample by sample, as one string of 0 and 1; see above."""
        out: dict[str, Any] = {"prompt_ids": list(self.prompt_ids), "n_samples": self.n_samples}
        out["n_constraints"] = [verdicts.shape[1] for verdicts in self.strict]
        out |= {mode: "".join(map(_bits, self.verdicts(mode))) for mode in ("strict", "loose")}
        out |= {flag: _bits(getattr(self, flag)) for flag in FLAGS}
        out["n_tokens"] = self.n_tokens.ravel().tolist()
        floats = {"logprob": self.logprob, "kl": self.kl, "entropy": self.entropy}
        return out | {name: _short(values) for name, values in floats.items() if values is not None}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Table:
        """The table that `to_dict` wrote."""
        n, k = found["n_samples"], np.array(found["n_constraints"], dtype=int)
        shape = (len(found["prompt_ids"]), n)
        ends = np.cumsum(n * k)[:-1]

        def by_prompt(mode: str) -> tuple[np.ndarray, ...]:
            if not len(k):
                return ()
            return tuple(part.reshape(n, -1) for part in np.split(_from_bits(found[mode]), ends))

        def floats(name: str) -> np.ndarray | None:
            return np.array(found[name], dtype=float).reshape(shape) if name in found else None

        logprob, kl = floats("logprob"), floats("kl")
        return cls(
            prompt_ids=tuple(found["prompt_ids"]),
            strict=by_prompt("strict"),
            loose=by_prompt("loose"),
            n_tokens=np.array(found["n_tokens"], dtype=int).reshape(shape),
            **{flag: _from_bits(found[flag]).reshape(shape) for flag in FLAGS},
            logprob=logprob,
            base_logprob=None if kl is None else logprob - kl,
            entropy=floats("entropy"),
        )


def is_empty(text: str) -> bool:
    """Whether a text has neither a letter nor a digit."""
    return not any(map(str.isalnum, text))


def is_repetitive(token_ids: Sequence[int], text: str) -> bool:
    """Whether a response loops: the same sentence or line three times in a row, or one run of 4 tokens again and again.

    The second after the repetition filters of Rae et al. 2021 (arXiv 2112.11446, table A1): the share of the most
    frequent n-gram. It must occur three times, since in a dozen tokens any run is more than a fifth of them.
    """
    parts = [" ".join(part.split()).casefold() for part in re.split(r"\n|(?<=[.!?])\s", text)]
    parts = [part for part in parts if not is_empty(part)]
    if any(parts[i] == parts[i + 1] == parts[i + 2] for i in range(len(parts) - 2)):
        return True
    runs = Counter(tuple(token_ids[i : i + NGRAM]) for i in range(len(token_ids) - NGRAM + 1))
    most = max(runs.values(), default=0)
    return most >= LEAST and most > SHARE * runs.total()


def _bits(values: np.ndarray) -> str:
    return "".join("1" if value else "0" for value in values.ravel().tolist())


def _from_bits(bits: str) -> np.ndarray:
    return np.frombuffer(bits.encode(), dtype=np.uint8) == ord("1")


def _short(values: np.ndarray) -> list[float]:
    return [float(f"{value:.5g}") for value in values.ravel().tolist()]
