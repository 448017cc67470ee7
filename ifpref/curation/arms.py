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
- `mcts_unshared` restricts the `mcts` arm of its contrast and difficulty to the prompts that have a match. In `mixed`
  both pairs of a prompt must have one on the same side.
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

from ifpref.curation.contrast import DESIGNS, PARTS, Found
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
    barred   token ids that no response of a pair may hold: the model's start token
    match    take pairs alike in gap, chosen score and ids (`matching.matched`), not only equal numbers

    Raises ValueError for arms that the design or `match` does not offer, missing sources, verdicts that do not fit.
    """
    _check(arms, prompts, sources, design, match)
    stream, encode = f"{seed}/{replicate}", cache(encode)
    by_id = {prompt["prompt_id"]: prompt for prompt in prompts}
    read, dropped = {}, {}
    for name, rows in sources.items():
        read[name], dropped[name] = _read(name, rows, by_id, frozenset(barred))
    found: dict[str, dict[str, dict[str, Found]]] = {}
    for name in {arm.source for arm in arms}:  # once for all arms of one source
        rule, may_pair, found[name] = DESIGNS[design].rule, CURATIONS[name.partition("/")[0]].may_pair, {}
        for p, prompt in by_id.items():
            rng = random.Random(f"{stream}/{name}/{design}/{p}")
            found[name][p] = rule(candidates(read[name].get(p, ()), may_pair), prompt["n_constraints"], settings, rng)
    states = {arm: _take(arm, prompts, found[arm.source]) for arm in arms}
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
    swapped   of `mcts_unshared`: prompt -> side -> the pairs with that side swapped
    sides     of `mcts_unshared` and the `mcts` that it swaps: prompt -> the sides that can be
    """

    outcomes: dict[str, str] = field(default_factory=dict)
    pairs: dict[str, tuple[Pair, ...]] = field(default_factory=dict)
    swapped: dict[str, dict[str, tuple[Pair, ...]]] = field(default_factory=dict)
    sides: dict[str, frozenset[str]] | None = None

    def drop(self, prompt_ids: Iterable[str], reason: Reason) -> None:
        """Take the pairs of these prompts out."""
        for prompt_id in self.pairs.keys() & prompt_ids:
            del self.pairs[prompt_id]
            self.outcomes[prompt_id] = reason


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


def _take(arm: Arm, prompts: Sequence[Row], found: Mapping[str, Mapping[str, Found]]) -> _State:
    """What the arm's source has for its contrast and difficulty."""
    state = _State()
    for prompt in prompts:
        if arm.difficulty in ("all", prompt["difficulty"]):
            prompt_id = prompt["prompt_id"]
            pairs = [found[prompt_id][part] for part in PARTS.get(arm.contrast, (arm.contrast,))]
            state.outcomes[prompt_id] = next((one for one in pairs if isinstance(one, Reason)), "pair")
            if state.outcomes[prompt_id] == "pair":
                state.pairs[prompt_id] = tuple(pairs)
    return state


def _swap(
    arm: Arm, states: Mapping[Arm, _State], read: Mapping[str, Read], settings: PairSettings, stream: str
) -> None:
    """What can be swapped of an arm's pairs; prompts of which nothing can leave this arm and its partner."""
    swapped = {}
    rs = read.get(replace(arm, curation="rs").source, {})
    for prompt_id, pairs in states[arm].pairs.items():
        pool = [*read[arm.source].get(prompt_id, ()), *rs.get(prompt_id, ())]
        rng = random.Random(f"{stream}/swap/{arm.contrast}/{prompt_id}")
        swapped[prompt_id] = swaps(pairs, pool, settings, rng)
    states[arm].swapped = {prompt_id: sides for prompt_id, sides in swapped.items() if sides}
    for one in {arm, replace(arm, curation="mcts")} & states.keys():  # both keep the same prompts and halves
        states[one].drop(swapped.keys() - states[arm].swapped.keys(), Reason.NO_MATCH)
        states[one].sides = {prompt_id: frozenset(sides) for prompt_id, sides in states[arm].swapped.items()}


def _keep_equal(states: Mapping[Arm, _State], by_id: Mapping[str, Row], n: int | None, stream: str) -> Kept:
    """Equal numbers, the pair of each prompt settled."""
    sides = {arm: state.sides for arm, state in states.items() if state.sides is not None}
    prompt_ids = equal_prompts({arm: state.pairs for arm, state in states.items()}, n, f"{stream}/equal", sides)
    kept = {}
    for arm, state in states.items():
        pairs, part = state.pairs, halves({p: by_id[p]["n_constraints"] for p in prompt_ids[arm]}, f"{stream}/mixed")
        if arm.curation == "mcts_unshared":
            side = assign_sides({p: state.sides[p] for p in prompt_ids[arm]}, f"{stream}/side")
            pairs = {p: state.swapped[p][side[p]] for p in prompt_ids[arm]}
        kept[arm] = {p: pairs[p][part[p] if len(pairs[p]) > 1 else 0] for p in prompt_ids[arm]}
    return kept


def _keep_matched(states: Mapping[Arm, _State], by_id: Mapping[str, Row], n: int | None, stream: str) -> Kept:
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
        if match and (arm.curation == "mcts_unshared" or arm.contrast in PARTS):
            raise ValueError(f"{arm} is made of halves, and matching would break them; allowed: match=False")
