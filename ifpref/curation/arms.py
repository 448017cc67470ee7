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
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from ifpref.curation.contrast import DESIGNS, PARTS, Found
from ifpref.curation.equal import Sides, assign_sides, equal_prompts, halves, rank
from ifpref.curation.matching import matched, swaps
from ifpref.curation.pairs import (
    CURATIONS,
    SIDES,
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

Taken = dict[str, tuple[Pair, ...]]
"""The pair of each prompt, or both of its pairs in `mixed`."""
Swapped = dict[str, dict[str, tuple[Pair, ...]]]
"""The same with one side swapped, for each prompt and each side that can be."""


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
    match: bool = False,
    barred: Collection[int] = (),
) -> ComparedPairs:
    """Pairs for arms that are to be compared.

    prompts  rows of a prompts artefact (for the other reading of difficulty: of `by_pass_rate`)
    sources  {"rs": rows of responses, "mcts": rows of trees, "rs_branched": rows of trees}, those that the arms need;
             in "rs", if given, `mcts_unshared` looks where the tree holds no match
    encode   text of a prompt to the token ids of the chat-templated prompt: an engine's
    design   how contrasts hang together, a key of `DESIGNS`
    barred   token ids that no response of a pair may hold: the model's start token
    match    take pairs alike in gap, chosen score and ids (`matching.matched`), not only equal numbers

    Raises ValueError for arms that the design or `match` does not offer, missing sources, verdicts that do not fit.
    """
    _check(arms, prompts, sources, design, match)
    stream = f"{seed}/{replicate}"
    by_id = {prompt["prompt_id"]: prompt for prompt in prompts}
    whole = {name: _read(name, rows) for name, rows in sources.items()}
    _check_verdicts(whole, by_id)
    read = {name: _without(of_source, frozenset(barred)) for name, of_source in whole.items()}
    dropped = {name: _count(of_source) - _count(read[name]) for name, of_source in whole.items()}
    found = {
        name: _choose(name, read[name], prompts, settings, stream, design) for name in {arm.source for arm in arms}
    }
    taken: dict[Arm, Taken] = {}
    outcomes: dict[Arm, dict[str, str]] = {}
    for arm in arms:
        taken[arm], outcomes[arm] = _of_arm(arm, prompts, found[arm.source])
    encode = cache(encode)
    swapped = {arm: _swaps(arm, taken[arm], read, settings, stream) for arm in arms if arm.curation == "mcts_unshared"}
    for arm, found_swaps in swapped.items():  # prompts of which nothing can be swapped leave this arm and its partner
        unmatched = taken[arm].keys() - found_swaps.keys()
        for one in {arm, _partner(arm)} & taken.keys():
            outcomes[one].update(dict.fromkeys(unmatched & taken[one].keys(), Reason.NO_MATCH))
            taken[one] = {prompt_id: pairs for prompt_id, pairs in taken[one].items() if prompt_id not in unmatched}
    if match:
        kept = _keep_matched(taken, by_id, settings.n_pairs, stream)
    else:
        kept = _keep_equal(taken, swapped, by_id, settings.n_pairs, stream)
    rows = {}
    for arm in arms:
        rows[arm] = [
            to_row(by_id[prompt_id], encode(by_id[prompt_id]["text"]), arm, pair, replicate)
            for prompt_id, pair in sorted(kept[arm].items())
        ]
        if arm.curation == "shuffled":
            rows[arm] = shuffled(rows[arm], f"{stream}/shuffled")
        left_out = taken[arm].keys() - kept[arm].keys()
        outcomes[arm].update(dict.fromkeys(left_out, Reason.NO_PARTNER if match else Reason.EQUAL_NUMBERS))
    return ComparedPairs(rows, outcomes, dropped)


def shuffled(rows: Sequence[Row], seed: str) -> list[dict[str, Any]]:
    """The rows with chosen and rejected turned round in exactly half of them, whose gaps are negative then."""
    turned = halves({row["prompt_id"]: len(row["chosen_verdicts"]) for row in rows}, seed)
    return [_turned(row) if turned[row["prompt_id"]] else dict(row) for row in rows]


def _turned(row: Row) -> dict[str, Any]:
    turned = dict(row)
    for key in row:
        side, _, rest = key.partition("_")
        if side in SIDES:
            turned[key] = row[f"{'rejected' if side == 'chosen' else 'chosen'}_{rest}"]
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
    if missing := [prompt["prompt_id"] for prompt in prompts if prompt["prompt_id"] not in read]:
        raise ValueError(
            f"prompt {missing[0]} has no response, so it has no pass rate; {len(missing)} prompts have none"
        )

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


def _read(name: str, rows: Sequence[Row]) -> dict[str, list[Response]]:
    source = name.partition("/")[0]
    return read_responses(rows) if source == "rs" else read_trees(rows, source)


def _without(read: Mapping[str, list[Response]], barred: frozenset[int]) -> dict[str, list[Response]]:
    """The responses that hold no barred token."""
    return {
        prompt_id: [response for response in responses if barred.isdisjoint(response.token_ids)]
        for prompt_id, responses in read.items()
    }


def _count(read: Mapping[str, list[Response]]) -> int:
    return sum(map(len, read.values()))


def _choose(
    name: str,
    read: Mapping[str, list[Response]],
    prompts: Sequence[Row],
    settings: PairSettings,
    stream: str,
    design: str,
) -> dict[str, dict[str, Found]]:
    """For each prompt, a pair or a reason for each contrast of the design; once for all arms of one source."""
    return {
        prompt["prompt_id"]: DESIGNS[design].rule(
            candidates(read.get(prompt["prompt_id"], ()), CURATIONS[name.partition("/")[0]].may_pair),
            prompt["n_constraints"],
            settings,
            random.Random(f"{stream}/{name}/{design}/{prompt['prompt_id']}"),
        )
        for prompt in prompts
    }


def _of_arm(arm: Arm, prompts: Sequence[Row], found: Mapping[str, Mapping[str, Found]]) -> tuple[Taken, dict[str, str]]:
    taken, outcomes = {}, {}
    for prompt in prompts:
        if arm.difficulty not in ("all", prompt["difficulty"]):
            continue
        pairs = [found[prompt["prompt_id"]][part] for part in PARTS.get(arm.contrast, (arm.contrast,))]
        reasons = [pair for pair in pairs if isinstance(pair, Reason)]
        outcomes[prompt["prompt_id"]] = reasons[0] if reasons else "pair"
        if not reasons:
            taken[prompt["prompt_id"]] = tuple(pairs)
    return taken, outcomes


def _swaps(
    arm: Arm,
    taken: Taken,
    read: Mapping[str, Mapping[str, list[Response]]],
    settings: PairSettings,
    stream: str,
) -> Swapped:
    """What can be swapped of the pairs that an arm has taken."""
    found: Swapped = {}
    rs = replace(arm, curation="rs").source
    for prompt_id, pairs in taken.items():
        pool = [*read[arm.source].get(prompt_id, ()), *read.get(rs, {}).get(prompt_id, ())]
        found[prompt_id] = swaps(pairs, pool, settings, random.Random(f"{stream}/swap/{arm.contrast}/{prompt_id}"))
    return {prompt_id: sides for prompt_id, sides in found.items() if sides}


def _partner(arm: Arm) -> Arm:
    return replace(arm, curation="mcts")


def _keep_equal(
    taken: Mapping[Arm, Taken],
    swapped: Mapping[Arm, Swapped],
    by_id: Mapping[str, Row],
    n: int | None,
    stream: str,
) -> dict[Arm, dict[str, Pair]]:
    """Equal numbers, the pair of each prompt settled."""
    sides: dict[Arm, Sides] = {}
    for arm, found in swapped.items():
        # The partner has the same prompts and the same sides, so that it keeps the same of them.
        for one in {arm, _partner(arm)} & taken.keys():
            sides[one] = {prompt_id: frozenset(by_side) for prompt_id, by_side in found.items()}
    prompt_ids = equal_prompts(taken, n, f"{stream}/equal", sides)
    kept = {}
    for arm, pairs in taken.items():
        part = halves({p: by_id[p]["n_constraints"] for p in prompt_ids[arm]}, f"{stream}/mixed")
        if arm in swapped:
            side = assign_sides({p: sides[arm][p] for p in prompt_ids[arm]}, f"{stream}/side")
            pairs = {p: swapped[arm][p][side[p]] for p in prompt_ids[arm]}
        kept[arm] = {p: pairs[p][part[p] if len(pairs[p]) > 1 else 0] for p in prompt_ids[arm]}
    return kept


def _keep_matched(
    taken: Mapping[Arm, Taken], by_id: Mapping[str, Row], n: int | None, stream: str
) -> dict[Arm, dict[str, Pair]]:
    """Partners alike, the first n of them; `_check` has refused arms that are made of halves of something."""
    rows = {arm: [to_row(by_id[p], (), arm, pair, 0) for p, (pair,) in pairs.items()] for arm, pairs in taken.items()}
    partners = matched(rows, {p: ids_of(prompt) for p, prompt in by_id.items()}, f"{stream}/match")
    return {
        arm: {row["prompt_id"]: taken[arm][row["prompt_id"]][0] for row in kept[:n]} for arm, kept in partners.items()
    }


def _check(arms: Sequence[Arm], prompts: Sequence[Row], sources: Mapping[str, Any], design: str, match: bool) -> None:
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


def _check_verdicts(read: Mapping[str, Mapping[str, list[Response]]], by_id: Mapping[str, Row]) -> None:
    for found in read.values():
        for prompt_id in found.keys() & by_id.keys():
            for response in found[prompt_id]:
                if len(response.verdicts) != by_id[prompt_id]["n_constraints"]:
                    raise ValueError(
                        f"prompt {prompt_id}, {response.source}: {len(response.verdicts)} verdicts for "
                        f"{by_id[prompt_id]['n_constraints']} constraints; are these the prompts it was sampled from?"
                    )
