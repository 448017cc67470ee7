"""An evaluation without its texts: the verdicts, lengths and log-probabilities that analyses read.

    table = Table.from_rows(rows)                # of policy.evaluate
    table.prompt_level().mean()                  # share of responses that meet every constraint, strictly
    table.prompt_level("loose") - base.prompt_level("loose")      # paired, (N,)
    Table.from_dict(table.to_dict())             # small JSON; verdicts and counts come back exactly

Two prompts with one sample each, the second with two constraints, as `to_dict` gives them:

    {"prompt_ids": ["0c7d…", "91ab…"], "n_samples": 1, "n_constraints": [1, 2], "strict": "110", "loose": "111",
     "truncated": "00", "empty": "00", "repeated": "01", "nearly_repeated": "00",
     "unasked": {"detectable_format:title": "10"}, "n_tokens": [31, 64], "logprob": [-12.5, -40.25],
     "kl": [0.5, -0.25], "entropy": [0.4, 0.75]}

Decisions
- Every mean is over samples first, then over prompts: a prompt is the unit of inference, and has one value.
- Floats are written with 5 significant digits. `kl` is written rather than the base's log-probability: it is a small
  difference of large numbers, whose digits would be lost.
- Beside the verdicts stands what a response does that was not asked for: `truncated` (finish "length"), `empty` (no
  letter, no digit), `repeated` sentences and `unasked` features (side_effects.py). *Clean* is who meets all constraints
  without the last two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Literal

import numpy as np

from ifpref.evaluation.side_effects import FEATURES

Mode = Literal["strict", "loose"]

MODES: tuple[Mode, ...] = ("strict", "loose")
FLAGS = ("truncated", "empty", "repeated", "nearly_repeated")
FLOATS = ("logprob", "kl", "entropy")


@dataclass(frozen=True, eq=False)
class Table:
    """N prompts, n samples of each, k_i constraints of prompt i.

    strict, loose  N arrays (n, k_i) of bool: whether a sample meets a constraint
    n_tokens       (N, n), the end token included
    truncated, empty, repeated, nearly_repeated    (N, n) bool
    unasked        constraint id -> (N, n) bool: whether a response has its feature, for which nobody asked
    logprob        (N, n): of the policy at temperature 1, summed over the response, natural log; None where it was not
                   kept (greedy tables of runs)
    base_logprob   (N, n): the same of the base; None where it was not computed (greedy)
    entropy        (N, n): of the distribution that was sampled from, mean over a response's tokens, in nats; or None
    """

    prompt_ids: tuple[str, ...]
    strict: tuple[np.ndarray, ...]
    loose: tuple[np.ndarray, ...]
    n_tokens: np.ndarray
    truncated: np.ndarray
    empty: np.ndarray
    repeated: np.ndarray
    nearly_repeated: np.ndarray
    unasked: Mapping[str, np.ndarray]
    logprob: np.ndarray | None
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

    @property
    def any_unasked(self) -> np.ndarray:
        """(N, n) bool: whether a response has an unasked feature, whichever."""
        return np.logical_or.reduce(list(self.unasked.values()))

    def clean(self, mode: Mode = "strict") -> np.ndarray:
        """(N,): the share of a prompt's samples that meet all its constraints, with no unasked feature and no repeated
        sentence."""
        met = np.array([verdicts.all(axis=1) for verdicts in self.verdicts(mode)])
        return (met & ~self.any_unasked & ~self.repeated).mean(axis=1)

    def score(self, mode: Mode = "strict") -> np.ndarray:
        """(N,): the share of its constraints that a prompt's samples meet."""
        return np.array([verdicts.mean() for verdicts in self.verdicts(mode)])

    def instruction_level(self, mode: Mode = "strict") -> float:
        """The share of all constraints that are met, over all prompts and samples."""
        found = self.verdicts(mode)
        return sum(int(verdicts.sum()) for verdicts in found) / sum(verdicts.size for verdicts in found)

    def of_id(self, ids: Sequence[Sequence[str]], id: str, mode: Mode = "strict") -> tuple[np.ndarray, np.ndarray]:
        """How often one kind of constraint is met: (M,) of the prompts that have it, and their indices, (M,).

        ids  the constraint ids of each prompt, in order; a prompt's value is the mean over samples and, where the id
             stands there twice, over both
        """
        if [len(of_prompt) for of_prompt in ids] != [verdicts.shape[1] for verdicts in self.strict]:
            raise ValueError(
                "ids do not fit the table: allowed are, for each prompt in order, the ids of its constraints"
            )
        rows = enumerate(zip(ids, self.verdicts(mode), strict=True))
        met = {i: verdicts[:, at].mean() for i, (own, verdicts) in rows if (at := np.array(own) == id).any()}
        return np.array(list(met.values())), np.array(list(met), dtype=int)

    def verdicts(self, mode: Mode) -> tuple[np.ndarray, ...]:
        """`strict` or `loose`."""
        if mode not in MODES:
            raise ValueError(f"mode {mode!r}; allowed: 'strict', 'loose'")
        return getattr(self, mode)

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
        first, n = next(iter(of.values()))[0], len(next(iter(of.values())))
        for prompt_id, samples in of.items():
            if (found := [row["sample"] for row in samples]) != list(range(n)):
                raise ValueError(
                    f"prompt {prompt_id!r} has samples {found}; allowed: 0 to {n - 1}, as the first prompt"
                )

        def column(read: Callable[[Mapping[str, Any]], Any], type_: type) -> np.ndarray:
            return np.array([[read(row) for row in samples] for samples in of.values()], dtype=type_)

        def verdicts(mode: Mode) -> tuple[np.ndarray, ...]:
            return tuple(np.array([row[mode] for row in samples], dtype=bool) for samples in of.values())

        floats = [name for name in ("logprob", "base_logprob", "entropy") if name in first]
        return cls(
            prompt_ids=tuple(of),
            **{mode: verdicts(mode) for mode in MODES},
            n_tokens=column(itemgetter("n_tokens"), int),
            truncated=column(lambda row: row["finish"] == "length", bool),
            empty=column(lambda row: is_empty(row["text"]), bool),
            repeated=column(itemgetter("repeated"), bool),
            nearly_repeated=column(itemgetter("nearly_repeated"), bool),
            unasked={id: column(lambda row, id=id: id in row["unasked"], bool) for id in FEATURES},
            **{name: column(itemgetter(name), float) for name in floats},
        )

    def to_dict(self) -> dict[str, Any]:
        """As small JSON: verdicts prompt by prompt, sample by sample, as one string of 0 and 1; see above."""
        out: dict[str, Any] = {"prompt_ids": list(self.prompt_ids), "n_samples": self.n_samples}
        out["n_constraints"] = [verdicts.shape[1] for verdicts in self.strict]
        out |= {mode: "".join(map(_bits, self.verdicts(mode))) for mode in MODES}
        out |= {flag: _bits(getattr(self, flag)) for flag in FLAGS}
        out["unasked"] = {id: _bits(found) for id, found in self.unasked.items() if found.any()}
        out["n_tokens"] = self.n_tokens.ravel().tolist()
        return out | {name: _short(values) for name in FLOATS if (values := getattr(self, name)) is not None}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Table:
        """The table that `to_dict` wrote."""
        n, shape = found["n_samples"], (len(found["prompt_ids"]), found["n_samples"])
        ends = np.cumsum(n * np.array(found["n_constraints"]))[:-1]
        columns = {name: np.array(found[name], dtype=float).reshape(shape) for name in FLOATS if name in found}
        unasked = {id: _from_bits(found["unasked"].get(id, "0" * (shape[0] * n))).reshape(shape) for id in FEATURES}
        logprob, kl = (columns.pop(name, None) for name in ("logprob", "kl"))
        return cls(
            prompt_ids=tuple(found["prompt_ids"]),
            **{mode: tuple(v.reshape(n, -1) for v in np.split(_from_bits(found[mode]), ends)) for mode in MODES},
            n_tokens=np.array(found["n_tokens"], dtype=int).reshape(shape),
            **{flag: _from_bits(found[flag]).reshape(shape) for flag in FLAGS},
            unasked=unasked,
            logprob=logprob,
            base_logprob=None if kl is None else logprob - kl,
            **columns,
        )


def is_empty(text: str) -> bool:
    """Whether a text has neither a letter nor a digit."""
    return not any(map(str.isalnum, text))


def _bits(values: np.ndarray) -> str:
    return "".join("1" if value else "0" for value in values.ravel().tolist())


def _from_bits(bits: str) -> np.ndarray:
    return np.frombuffer(bits.encode(), dtype=np.uint8) == ord("1")


def _short(values: np.ndarray) -> list[float]:
    return [float(f"{value:.5g}") for value in values.ravel().tolist()]
