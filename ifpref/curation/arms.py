"""Arms: pairs for every arm of one comparison, equal in number, over the same prompts where that can be.

    arms = [Arm("rs"), Arm("mcts"), Arm("mcts_unshared"), Arm("shuffled")]
    made = compare(arms, prompts, {"rs": responses, "mcts": trees}, engine.encode, settings, seed=0, replicate=1)
    made.rows[Arm("mcts")]        # rows of the pairs artefact
    made.outcomes[Arm("mcts")]    # {prompt_id: "pair", or a reason of REASONS}: every prompt of the arm's difficulty

Decisions
- Everything is drawn from streams named by seed, replicate and prompt: the order of rows changes nothing, and an arm
  has the pairs that it has in another comparison of the same design, but for those that are left out.
- Halves are exact, and made after prompts are left out (equal.py): `mixed` (high or low), `mcts_unshared` (chosen or
  rejected swapped), `shuffled` (turned round or not; of the pairs of `mcts`).
- `mcts_unshared` restricts the `mcts` arm of its contrast and difficulty to the prompts that have a match.
- A response that holds a token of `barred` makes no pair: at temperature 1 a model writes its start token into the
  middle of a response now and then (pocket: once in some ten thousand), which no chat could contain.
- Rows are in the order of prompt ids, so that a shared prompt stands in the same order in all arms.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from ifpref.curation.contrast import DESIGNS, LIKENESS, PARTS, Found, alike, options
from ifpref.curation.equal import assign_sides, equal_prompts, halves, rank
from ifpref.curation.matching import matched, swaps
from ifpref.curation.pairs import (
    CURATIONS,
    Arm,
    Pair,
    PairSettings,
    Reason,
    Response,
    Row,
    candidates,
    ids_of,
    pair_id,
    read_responses,
    read_trees,
    require,
    to_row,
)


@dataclass(frozen=True)
class ComparedPairs:
    """Pairs of arms that can be compared.

    rows      the pairs of each arm
    outcomes  for each arm and each prompt of its difficulty, "pair" or a reason
    dropped   responses of each source that hold a barred token
    """

    rows: Mapping[Arm, list[dict[str, Any]]]
    outcomes: Mapping[Arm, Mapping[str, str]]
    dropped: Mapping[str, int]


def compare(
    arms: Sequence[Arm],
    prompts: Sequence[Row],
    sources: Mapping[str, Sequence[Row]],
    encode: Callable[[str], Sequence[int]],
    settings: PairSettings,
    *,
    seed: int,
    replicate: int = 0,
    design: str = "single",
    match: str = "",
    barred: Collection[int] = (),
) -> ComparedPairs:
    """Pairs for arms that are to be compared.

    prompts  rows of a prompts artefact (for the other reading of difficulty: of `by_pass_rate`)
    sources  rows by `Arm.source`, those that the arms need: {"rs": rows of responses, "mcts": rows of trees}; in "rs",
             if given, `mcts_unshared` looks where the tree holds no match
    encode   text of a prompt to the token ids of the chat-templated prompt: an engine's
    design   how contrasts hang together, a key of `DESIGNS`
    match    what pairs are alike in beside their number: "scores" or "verdicts" of both sides, prompt by prompt
             (`contrast.alike`); "ids": gap, chosen score and ids of partners (`matching.matched`); "": nothing
    barred   token ids that no response of a pair may hold: the model's start token

    Raises ValueError for arms that `design` or `match` does not offer, missing sources, verdicts that do not fit, and
    arms that have pairs, each by itself, and none that are alike.
    """
    _check(arms, prompts, sources, design, match)
    stream, encode = f"{seed}/{replicate}", cache(encode)
    by_id = {prompt["prompt_id"]: prompt for prompt in prompts}
    read, dropped = {}, {}
    for name, rows in sources.items():
        read[name], dropped[name] = _read(name, rows, by_id, frozenset(barred))

    states = {arm: _State() for arm in arms}
    for prompt in prompts:
        for arm, found in _take(arms, prompt, read, settings, design, match, stream).items():
            states[arm].add(prompt["prompt_id"], *found)
    if match in LIKENESS:
        _check_alike(states, match)
    for arm in arms:
        if arm.curation == "mcts_unshared":
            _swap(arm, states, read, settings, stream)
    keep, reason = (_keep_matched, Reason.NO_PARTNER) if match == "ids" else (_keep_equal, Reason.EQUAL_NUMBERS)
    kept = keep(states, by_id, settings.n_pairs, stream)
    rows = {}
    for arm, state in states.items():
        rows[arm] = [
            to_row(by_id[p], encode(by_id[p]["text"]), arm, pair, replicate) for p, pair in sorted(kept[arm].items())
        ]
        if arm.curation == "shuffled":
            rows[arm] = shuffled(rows[arm], f"{stream}/shuffled")
        state.drop(state.pairs.keys() - kept[arm].keys(), reason)
    return ComparedPairs(rows, {arm: state.outcomes for arm, state in states.items()}, dropped)


def shuffled(rows: Sequence[Row], seed: str) -> list[dict[str, Any]]:
    """The rows with chosen and rejected turned round in exactly half of them, whose gaps are negative then."""
    turned = halves({row["prompt_id"]: len(row["chosen_verdicts"]) for row in rows}, seed)
    return [_turned(row) if turned[row["prompt_id"]] else dict(row) for row in rows]


def _turned(row: Row) -> dict[str, Any]:
    turned = dict(row)
    for key in row:
        side, _, rest = key.partition("_")
        if side == "chosen":
            turned[f"chosen_{rest}"], turned[f"rejected_{rest}"] = row[f"rejected_{rest}"], row[f"chosen_{rest}"]
    turned["gap"] = -row["gap"]
    turned["pair_id"] = pair_id(turned)
    return turned


def by_pass_rate(prompts: Sequence[Row], responses: Sequence[Row], seed: int) -> list[dict[str, Any]]:
    """The prompts with `difficulty` by tercile of the base's pass rate among those with as many constraints.

    Pass rate is the fraction of a prompt's responses that are perfect; ties go by the mean score, then by the seed.
    Where the same responses make the pairs, some of a rate is luck that the pairs share: take others if there are any.
    ValueError where a prompt has no response.
    """
    read = read_responses(responses)
    missing = [prompt["prompt_id"] for prompt in prompts if prompt["prompt_id"] not in read]
    if missing:
        raise ValueError(f"prompt {missing[0]} has no response, so no pass rate; {len(missing)} prompts have none")

    def ease(prompt_id: str) -> tuple[float, float, float]:
        scores = sorted(response.score for response in read[prompt_id])
        return scores.count(1.0) / len(scores), sum(scores) / len(scores), rank(seed, "pass rate", prompt_id)

    label = {}
    for k in {prompt["n_constraints"] for prompt in prompts}:
        ids = [prompt["prompt_id"] for prompt in prompts if prompt["n_constraints"] == k]
        for place, prompt_id in enumerate(sorted(ids, key=ease, reverse=True)):
            label[prompt_id] = ("easy", "moderate", "hard")[3 * place // len(ids)]
    return [{**prompt, "difficulty": label[prompt["prompt_id"]]} for prompt in prompts]


# ---- the steps of compare

Read = dict[str, list[Response]]
"""The responses to each prompt."""
Kept = dict[Arm, dict[str, Pair]]
"""The one pair of each prompt that an arm keeps."""


@dataclass
class _State:
    """An arm on its way through `compare`.

    outcomes  prompt -> "pair", or a reason; of the prompts of its difficulty
    pairs     prompt -> its pair, or both of its pairs in `mixed`
    sides     of `mcts_unshared` and the `mcts` that it swaps: prompt -> the side that is swapped
    """

    outcomes: dict[str, str] = field(default_factory=dict)
    pairs: dict[str, tuple[Pair, ...]] = field(default_factory=dict)
    sides: dict[str, str] | None = None

    def add(self, prompt_id: str, *found: Found) -> None:
        """What a prompt has: a pair, or all of its parts, or the reason why one is not there."""
        self.outcomes[prompt_id] = next((one for one in found if isinstance(one, Reason)), "pair")
        if self.outcomes[prompt_id] == "pair":
            self.pairs[prompt_id] = found

    def drop(self, prompt_ids: Iterable[str], reason: Reason) -> None:
        """Take the pairs of these prompts out."""
        for prompt_id in self.pairs.keys() & prompt_ids:
            del self.pairs[prompt_id]
            self.outcomes[prompt_id] = reason


States = dict[Arm, _State]


def _read(name: str, rows: Sequence[Row], by_id: Mapping[str, Row], barred: frozenset[int]) -> tuple[Read, int]:
    """The responses of each prompt that hold no barred token, and how many do."""
    source = name.partition("/")[0]
    kept, dropped = {}, 0
    for prompt_id, responses in (read_responses(rows) if source == "rs" else read_trees(rows, source)).items():
        for response in responses if prompt_id in by_id else ():
            if len(response.verdicts) != (k := by_id[prompt_id]["n_constraints"]):
                raise ValueError(
                    f"prompt {prompt_id}, {response.source}: {len(response.verdicts)} verdicts for {k} constraints; "
                    "are these the prompts it was sampled from?"
                )
        kept[prompt_id] = [response for response in responses if barred.isdisjoint(response.token_ids)]
        dropped += len(responses) - len(kept[prompt_id])
    return kept, dropped


def _take(
    arms: Sequence[Arm],
    prompt: Row,
    read: Mapping[str, Read],
    settings: PairSettings,
    design: str,
    match: str,
    stream: str,
) -> dict[Arm, tuple[Found, ...]]:
    """What the arms have of a prompt of their difficulty: a pair (in `mixed`, both of its parts), or a reason."""
    prompt_id, k = prompt["prompt_id"], prompt["n_constraints"]
    here = [arm for arm in arms if arm.difficulty in ("all", prompt["difficulty"])]
    found = {}
    for source in {arm.source for arm in here}:
        found[source] = candidates(read[source].get(prompt_id, ()), CURATIONS[source.partition("/")[0]].shares)
    if here and match in LIKENESS:
        allowed = {arm: options(arm.contrast, found[arm.source], k, settings) for arm in here}
        return {arm: (one,) for arm, one in alike(allowed, match, f"{stream}/{match}/{prompt_id}").items()}
    for source, some in found.items():
        rng = random.Random(f"{stream}/{source}/{design}/{prompt_id}")
        found[source] = DESIGNS[design].rule(some, k, settings, rng)
    return {arm: tuple(found[arm.source][part] for part in PARTS.get(arm.contrast, (arm.contrast,))) for arm in here}


class NothingAlikeError(ValueError):
    """Every arm of a comparison has pairs, and on no prompt are they alike in what they are to be."""


def _check_alike(states: States, match: str) -> None:
    """`NothingAlikeError` where every arm has pairs, and none are alike."""
    alone = {arm: list(state.outcomes.values()).count(LIKENESS[match][1]) for arm, state in states.items()}
    if all(alone.values()) and not any(state.pairs for state in states.values()):
        numbers = ", ".join(f"{arm}: {n}" for arm, n in alone.items())
        raise NothingAlikeError(
            f"no prompt has common {match} of chosen and rejected in all arms (prompts with a pair: {numbers}); "
            "allowed: arms that have; more n_responses or training prompts help"
        )


def _swap(arm: Arm, states: States, read: Mapping[str, Read], settings: PairSettings, stream: str) -> None:
    """Swap one side of each of an arm's pairs; prompts of which none can be leave this arm and its partner."""
    state, swapped = states[arm], {}
    rs = read.get(replace(arm, curation="rs").source, {})
    for prompt_id, (pair,) in state.pairs.items():
        pool = [*read[arm.source].get(prompt_id, ()), *rs.get(prompt_id, ())]
        swapped[prompt_id] = swaps(pair, pool, settings, random.Random(f"{stream}/swap/{arm.contrast}/{prompt_id}"))
    can = {prompt_id: sides for prompt_id, sides in swapped.items() if sides}
    side = assign_sides(can, f"{stream}/side")
    for one in {arm, replace(arm, curation="mcts")} & states.keys():  # both keep the same prompts and halves
        states[one].drop(swapped.keys() - can.keys(), Reason.NO_MATCH)
        states[one].drop(can.keys() - side.keys(), Reason.EQUAL_NUMBERS)
        states[one].sides = side
    state.pairs = {prompt_id: (can[prompt_id][of],) for prompt_id, of in side.items()}


def _keep_equal(states: States, by_id: Mapping[str, Row], n: int | None, stream: str) -> Kept:
    """Equal numbers, and of the two parts of `mixed` one in each half."""
    available = {arm: state.pairs for arm, state in states.items()}
    sides = {arm: state.sides for arm, state in states.items() if state.sides is not None}
    kept = {}
    for arm, prompt_ids in equal_prompts(available, n, f"{stream}/equal", sides).items():
        part = halves({p: by_id[p]["n_constraints"] for p in prompt_ids}, f"{stream}/mixed")
        kept[arm] = {p: available[arm][p][part[p] if arm.contrast in PARTS else 0] for p in prompt_ids}
    return kept


def _keep_matched(states: States, by_id: Mapping[str, Row], n: int | None, stream: str) -> Kept:
    """Partners alike, the first n of them; `_check` has refused arms that are made of halves of something."""
    rows = {
        arm: [to_row(by_id[p], (), arm, pair, 0) for p, (pair,) in state.pairs.items()] for arm, state in states.items()
    }
    partners = matched(rows, {p: ids_of(prompt) for p, prompt in by_id.items()}, f"{stream}/match")
    return {
        arm: {row["prompt_id"]: states[arm].pairs[row["prompt_id"]][0] for row in kept[:n]}
        for arm, kept in partners.items()
    }


def _check(arms: Sequence[Arm], prompts: Sequence[Row], sources: Mapping[str, Any], design: str, match: str) -> None:
    require(design, tuple(DESIGNS), "design")
    require(match, ("", "ids", *LIKENESS), "match")
    for name in sources:
        require(name.partition("/")[0], ("rs", "mcts", "rs_branched"), "source")
    for what, names in (("arm", arms), ("prompt", [prompt["prompt_id"] for prompt in prompts])):
        if repeated := [name for name, count in Counter(names).items() if count > 1]:
            raise ValueError(f"{what} {repeated[0]} is given twice; allowed: once")
    for arm in arms:
        if arm.contrast not in DESIGNS[design].contrasts:
            offered = ", ".join(DESIGNS[design].contrasts)
            raise ValueError(f"{arm}: design {design!r} has no contrast {arm.contrast!r}; it has {offered}")
        if arm.source not in sources:
            raise ValueError(f"{arm} needs the source {arm.source!r}; given: {', '.join(sources) or 'none'}")
        if (arm.curation == "mcts_unshared" and arm.contrast in PARTS) or (match and _is_of_halves(arm)):
            raise ValueError(f"{arm} is made of halves, and matching would break them; allowed: arms that are not")
    if match in LIKENESS and (design != "single" or len({replace(arm, curation="rs") for arm in arms}) > 1):
        raise ValueError(
            f"match = {match!r}: {', '.join(map(str, arms))}, design {design!r}; "
            "allowed: arms that differ in curation alone, design 'single'"
        )


def _is_of_halves(arm: Arm) -> bool:
    return arm.curation in ("mcts_unshared", "shuffled") or arm.contrast in PARTS
