"""Preference pairs: which two responses to a prompt may be paired, and the row that a pair becomes.

Records in, records out. contrast.py takes one pair a prompt for each contrast; arms.py puts arms together that can be
compared, with equal numbers (equal.py) and matched controls (matching.py); balance.py holds their tables. Worked by
hand: a prompt with k = 3 constraints. Its RS responses, with their verdicts,

    rs/0  ✓✓✓      rs/1  ✓✓✗      rs/2  ✓✗✗      rs/3  ✗✓✗

give the triple chosen rs/0, low rejected rs/1 (gap 1/3), high rejected rs/2 or rs/3 (gap 2/3, drawn by the seed).
Its tree

    prompt ─┬─ node 1: tokens 5 6 ─┬─ leaf 2: 7 0   ✓✓✓
            │                      └─ leaf 3: 8 2 0 ✗✓✗
            └─ leaf 4: 9 8 6 0                      ✗✓✗

gives one pair of `mcts`: leaf 2 over leaf 3, which share 5 6 and part at node 1 (shared_prefix_tokens 2, fraction 2/4).
Its control in `mcts_unshared` is leaf 2 over leaf 4: the verdicts of leaf 3, nearly its length, and nothing shared.

Decisions
- `rs` pairs any two responses with different scores; `mcts` and `rs_branched` only leaves below one child of the root,
  since those part at a node beyond the prompt. What they share is measured on the ids that training sees.
- Equal texts have equal verdicts, so they never make a pair; where verdicts say otherwise, `to_row` raises.
- A prompt without a pair has a reason, one of `REASONS`; nothing leaves in silence. One pair a prompt.
- All draws are made from responses in the order of their tokens, so that the order of the rows read changes nothing.

    python -m pytest tests/test_pairs.py
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from pydantic.dataclasses import dataclass as checked_dataclass

from ifpref.constraints.registry import nearest
from ifpref.params import Params, fingerprint

Row = Mapping[str, Any]

CONTRASTS = ("high", "low", "mixed", "low_imperfect")
DIFFICULTIES = ("easy", "moderate", "hard", "all")
SIDES = ("chosen", "rejected")


class Reason(StrEnum):
    """Why a prompt has no pair in an arm: the reason, and what it means."""

    meaning: str

    def __new__(cls, reason: str, meaning: str) -> Reason:
        one = str.__new__(cls, reason)
        one._value_, one.meaning = reason, meaning
        return one

    NO_RESPONSES = "no responses", "the source holds none for this prompt that training could read"
    DUPLICATES = "duplicates", "all its responses have the same tokens"
    ALL_PERFECT = "all perfect", "every response has the score 1"
    EQUAL_SCORES = "equal scores", "every response has the same score, below 1"
    NO_SHARED_PREFIX = "no shared prefix", "no two leaves with different scores part at a node beyond the prompt"
    FEW_CONSTRAINTS = "k < 3", "fewer than three constraints: small gaps do not exist"
    NO_PERFECT_CHOSEN = "no perfect chosen", "no pair has a perfect chosen, and one is asked for"
    NO_IMPERFECT_CHOSEN = "no imperfect chosen", "no pair has an imperfect chosen, and one is asked for"
    NO_HIGH_GAP = "no high gap", "no pair has a gap of min_high_gap or more"
    NO_LOW_GAP = "no low gap", "no pair has a gap of max_low_gap or less"
    NO_COMMON_CHOSEN = "no common chosen", "high and low gaps are there, but not with one chosen"
    NO_EQUAL_GAP = "no equal gap", "no low gap is there with both a perfect and an imperfect chosen"
    NO_COMMON_SCORES = "no common scores", "the arms have no candidates with the same scores of chosen and rejected"
    NO_COMMON_VERDICTS = "no common verdicts", "the arms have none that meet the same constraints on both sides"
    NO_MATCH = "no match", "`mcts_unshared` and its `mcts`: no response with the verdicts, the length, another prefix"
    NO_PARTNER = "no partner", "matched arms: no pair of the other arms is close enough"
    EQUAL_NUMBERS = "equal numbers", "left out: the arms compared have equal numbers, and mcts_unshared exact halves"


REASONS: Mapping[Reason, str] = MappingProxyType({reason: reason.meaning for reason in Reason})


@dataclass(frozen=True)
class Arm:
    """The levels of the factors that a set of pairs stands for, and what it is scored and trained by.

    scorer     what responses are scored by: a key of `scoring.SCORERS`
    algorithm  what a policy is trained by: a key of `training.ALGORITHMS`

    ValueError for an unknown level; scorer and algorithm are looked up where they are used.
    """

    curation: str = "mcts"
    contrast: str = "high"
    difficulty: str = "all"
    scorer: str = "verifier"
    algorithm: str = "dpo"

    def __post_init__(self) -> None:
        levels = {"curation": tuple(CURATIONS), "contrast": CONTRASTS, "difficulty": DIFFICULTIES}
        for factor, allowed in levels.items():
            require(getattr(self, factor), allowed, f"Arm: {factor}")

    def levels(self) -> dict[str, str]:
        """By name: the three factors, and scorer and algorithm where they are not the usual ones."""
        usual = {"scorer": "verifier", "algorithm": "dpo"}
        return {name: level for name, level in vars(self).items() if usual.get(name) != level}

    @classmethod
    def of_row(cls, row: Row) -> Arm:
        """The arm that a row of pairs stands in."""
        return cls(**{field.name: row[field.name] for field in fields(cls) if field.name in row})

    @property
    def source(self) -> str:
        """The records that its pairs are made of: "rs", "mcts" or "rs_branched", and by whom they are scored."""
        source = CURATIONS[self.curation].source
        return source if self.scorer == "verifier" else f"{source}/{self.scorer}"

    def __str__(self) -> str:
        return "/".join(self.levels().values())


@checked_dataclass(frozen=True)
class PairSettings:
    """The parameters of pairs, by their names in params/ (whose schema has their limits)."""

    n_pairs: int | None
    min_high_gap: float
    max_low_gap: float
    chosen_quality: Literal["best", "perfect"]
    unshared_length_tolerance: float
    unshared_max_prefix: int

    @classmethod
    def from_params(cls, params: Params) -> PairSettings:
        return cls(**params.subset(*(one.name for one in fields(cls))))


@dataclass(frozen=True, slots=True)
class Response:
    """A complete, judged response.

    score   in [0, 1]
    source  where it comes from: "rs/3" is sample 3, "mcts/17" node 17 of the prompt's tree
    branch  the child of the root that a leaf hangs under, or is; None outside trees
    """

    source: str
    token_ids: tuple[int, ...]
    text: str
    verdicts: tuple[bool, ...]
    score: float
    finish: str
    branch: int | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two responses to one prompt, the chosen with the higher score."""

    chosen: Response
    rejected: Response

    @property
    def gap(self) -> float:
        """By how much the chosen's score is higher."""
        return difference(self.chosen.score, self.rejected.score)

    @property
    def perfect(self) -> bool:
        return self.chosen.score == 1


@lru_cache(maxsize=100_000)
def exact(score: float) -> Fraction:
    """What was divided: floats that should be equal can differ by their last bit, such as a node's mean of thirds."""
    return Fraction(score).limit_denominator(10**6)


@lru_cache(maxsize=100_000)
def difference(high: float, low: float) -> float:
    """Of two scores, as the fractions that they are: gaps that should be equal are."""
    return float(exact(high) - exact(low))


# ---- candidates: which two responses may be paired


class Curation(NamedTuple):
    """source: the records it takes (key of `sources`); shares: a pair must part at a node beyond the prompt."""

    source: str
    shares: bool


CURATIONS: Mapping[str, Curation] = MappingProxyType(
    {
        "rs": Curation("rs", False),
        "mcts": Curation("mcts", True),
        "rs_branched": Curation("rs_branched", True),
        "mcts_unshared": Curation("mcts", True),  # then one side is swapped: matching.swaps
        "shuffled": Curation("mcts", True),  # then half are turned round: arms.shuffled
    }
)


def candidates(responses: Iterable[Response], shares: bool) -> list[Pair] | Reason:
    """Every pair of a prompt's responses with different scores, or the reason why there is none.

    shares  only leaves of one tree that have a node beyond the prompt in common; else any two
    """
    distinct: dict[tuple[int, ...], Response] = {}
    for response in sorted(responses, key=lambda response: (response.token_ids, response.source)):
        distinct.setdefault(response.token_ids, response)
    if len(distinct) < 2:
        return Reason.DUPLICATES if distinct else Reason.NO_RESPONSES
    scores = {response.score for response in distinct.values()}
    if len(scores) < 2:
        return Reason.ALL_PERFECT if scores == {1} else Reason.EQUAL_SCORES
    by_score = sorted(distinct.values(), key=lambda response: response.score)  # and of one score, by tokens
    pairs = [
        Pair(better, worse)
        for better in by_score
        for worse in by_score
        if better.score > worse.score and (not shares or better.branch == worse.branch is not None)
    ]
    return pairs or Reason.NO_SHARED_PREFIX


# ---- records in, records out


def read_responses(rows: Iterable[Row]) -> dict[str, list[Response]]:
    """Rows of a responses artefact, by prompt."""
    found: dict[str, list[Response]] = {}
    for row in rows:
        found.setdefault(row["prompt_id"], []).append(_response(f"rs/{row['sample']}", [row], row["score"]))
    return found


def read_trees(rows: Iterable[Row], source: str = "mcts") -> dict[str, list[Response]]:
    """The leaves (nodes with verdicts) of the rows of a trees artefact, by prompt, each whole from the root on."""
    found: dict[str, list[Response]] = {}
    for row in rows:
        nodes = {node["node"]: node for node in row["nodes"]}
        leaves = found.setdefault(row["prompt_id"], [])
        for leaf in row["nodes"]:
            if leaf["verdicts"] is None:
                continue
            path = [leaf]
            while path[0]["parent"] in nodes:
                path.insert(0, nodes[path[0]["parent"]])
            branch = path[1]["node"] if len(path) > 1 else None
            leaves.append(_response(f"{source}/{leaf['node']}", path, leaf["value"], branch))
    return found


def _response(source: str, segments: Sequence[Row], score: float, branch: int | None = None) -> Response:
    return Response(
        source,
        token_ids=tuple(id for segment in segments for id in segment["token_ids"]),
        text="".join(segment["text"] for segment in segments),
        verdicts=tuple(segments[-1]["verdicts"]),
        score=float(exact(score)),
        finish=segments[-1]["finish"],
        branch=branch,
    )


def shared_prefix(first: Sequence[int], second: Sequence[int]) -> int:
    """How many token ids two sequences have in common from the start."""
    differ = (n for n, (a, b) in enumerate(zip(first, second, strict=False)) if a != b)
    return next(differ, min(len(first), len(second)))


def to_row(prompt: Row, prompt_ids: Sequence[int], arm: Arm, pair: Pair, replicate: int) -> dict[str, Any]:
    """One row of a pairs artefact. ValueError where both sides have one text: no verifier scores it in two ways.

    prompt_ids  token ids of the chat-templated prompt, as they were sampled from
    """
    row = {"prompt_id": prompt["prompt_id"], "replicate": replicate, **arm.levels(), "prompt_ids": list(prompt_ids)}
    for side, response in zip(SIDES, (pair.chosen, pair.rejected), strict=True):
        row[f"{side}_ids"] = list(response.token_ids)
        row[f"{side}_text"] = response.text
        row[f"{side}_score"] = response.score
        row[f"{side}_verdicts"] = list(response.verdicts)
        row[f"{side}_source"] = response.source
        row[f"{side}_finish"] = response.finish
    if row["chosen_text"] == row["rejected_text"]:
        raise ValueError(
            f"prompt {prompt['prompt_id']}: {pair.chosen.source} and {pair.rejected.source} have one text and two "
            f"scores, {row['chosen_score']:.3g} and {row['rejected_score']:.3g}: they were not judged by the same code"
        )
    shared = shared_prefix(pair.chosen.token_ids, pair.rejected.token_ids)
    row["gap"] = pair.gap
    row["shared_prefix_tokens"] = shared
    row["shared_prefix_fraction"] = shared / min(len(pair.chosen.token_ids), len(pair.rejected.token_ids))
    return {"pair_id": pair_id(row), **row}


def pair_id(row: Row) -> str:
    """16 hex digits of what training sees: one pair has one id in whatever arms it stands."""
    return fingerprint([list(row[key]) for key in ("prompt_ids", "chosen_ids", "rejected_ids")])[:16]


def ids_of(prompt: Row) -> list[str]:
    """Constraint ids of a prompts row, in the order of the verdicts; one can be there twice."""
    return [constraint["id"] for constraint in prompt["constraints"]]


def require(name: str, allowed: Sequence[str], what: str) -> None:
    """ValueError, with the nearest allowed name, where `name` is not allowed."""
    if name not in allowed:
        raise ValueError(f"{what} {name!r} is unknown{nearest(name, tuple(allowed))}; allowed: {', '.join(allowed)}")
