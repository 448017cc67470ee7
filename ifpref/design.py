"""What is compared with what: the cells of the study, one table.

A *comparison* is a set of arms whose pairs are made together: equal numbers, the same prompts where that can be. A cell
is an arm of a comparison, at a learning rate; a *run* is a cell in one replicate. A profile names the comparisons that
it runs (`comparisons` in params/), a notebook reads those that are its own:

    for comparison in of_notebook("contrast", params):
        print(comparison.name, *comparison.arms, comparison.question)

To add one: a line here, and its name in a profile. To add a level of a factor: a rule in ifpref/curation, then a line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from ifpref.constraints.registry import nearest
from ifpref.curation.pairs import Arm, require
from ifpref.params import Params, ParamsError

NOTEBOOKS = ("tour", "prefix", "contrast", "difficulty", "findings")


@dataclass(frozen=True)
class Comparison:
    """Arms that are compared, and how their pairs hang together.

    design         how contrasts hang together: a key of `ifpref.curation.contrast.DESIGNS`
    match          pairs alike in gap, chosen score and ids, not only equal in number
    difficulty_by  what `difficulty` of a training prompt means: its number of constraints, or the base's pass rate
    every_rate     each arm at every learning rate of the grid, instead of at its own
    without_ids    prompts that hold one of `transfer_ids` are left out of training
    as_many_as     another comparison: no more pairs than its arms have
    part_of, part  the pairs of another comparison, of prompts whose `mcts` pair is in this third of shared fractions
    sets           the held-out sets that its policies are evaluated on
    """

    name: str
    notebook: str
    question: str
    arms: tuple[Arm, ...]
    design: str = "single"
    match: bool = False
    difficulty_by: Literal["constraints", "pass rate"] = "constraints"
    every_rate: bool = False
    without_ids: bool = False
    as_many_as: str | None = None
    part_of: str | None = None
    part: Literal["lower", "middle", "upper"] | None = None
    sets: tuple[str, ...] = ("test",)


def _arms(curations: str, contrasts: str = "high", difficulties: str = "all") -> tuple[Arm, ...]:
    return tuple(Arm(a, b, c) for a in curations.split() for b in contrasts.split() for c in difficulties.split())


def _cell(contrast: str, difficulty: str) -> Comparison:
    question = f"C1 in one cell: do {contrast}-contrast pairs of {difficulty} prompts do better with a shared prefix?"
    return Comparison(f"{contrast}_{difficulty}", "prefix", question, _arms("rs mcts", contrast, difficulty))


def _dose(part: Literal["lower", "middle", "upper"]) -> Comparison:
    question = f"Dose: mcts against rs on the prompts whose mcts pairs share a {part}-third part"
    return Comparison(f"dose_{part}", "prefix", question, _arms("rs mcts"), part_of="sharing", part=part)


_LEVELS = _arms("rs", "high", "easy moderate hard")
_HELD_OUT = ("test", "transfer")
_TABLE = (
    Comparison(
        "sharing",
        "prefix",
        "C1: do pairs that share a prefix do better, and is it the sharing or the search?",
        _arms("rs mcts rs_branched shuffled"),
    ),
    Comparison("alone", "prefix", "What does DPO on RS pairs give, with all the pairs there are?", _arms("rs")),
    Comparison("unshared", "prefix", "Sharing alone: the same pairs, one side swapped", _arms("mcts mcts_unshared")),
    *(_dose(part) for part in ("lower", "middle", "upper")),
    *(_cell("high", difficulty) for difficulty in ("easy", "moderate", "hard")),
    *(_cell("low", difficulty) for difficulty in ("moderate", "hard")),  # with k <= 2 small gaps do not exist
    Comparison(
        "stability",
        "prefix",
        "C2: which arm stands more learning rates, on hard prompts?",
        _arms("rs mcts", "high", "hard"),
        every_rate=True,
    ),
    Comparison(
        "triples",
        "contrast",
        "C3, C4: high, low or mixed contrast, one chosen for all?",
        _arms("rs", "high low mixed"),
        design="triples",
    ),
    Comparison(
        "quality",
        "contrast",
        "At equal low gaps, must the chosen be perfect?",
        _arms("rs", "low low_imperfect"),
        design="quality",
    ),
    Comparison("difficulty", "difficulty", "C5: which training prompts generalise best, as they come?", _LEVELS),
    Comparison(
        "difficulty_matched", "difficulty", "C5, with pairs alike in gap, chosen score and ids", _LEVELS, match=True
    ),
    Comparison(
        "pass_rate", "difficulty", "C5, difficulty read as the base's pass rate", _LEVELS, difficulty_by="pass rate"
    ),
    Comparison(
        "transfer",
        "difficulty",
        "What is learnt about constraint types that training never saw?",
        _arms("rs"),
        without_ids=True,
        sets=_HELD_OUT,
    ),
    Comparison(
        "transfer_seen",
        "difficulty",
        "The same number of pairs, all constraint types seen",
        _arms("rs"),
        as_many_as="transfer",
        sets=_HELD_OUT,
    ),
)
COMPARISONS: Mapping[str, Comparison] = MappingProxyType({one.name: one for one in _TABLE})


def chosen(params: Params) -> list[Comparison]:
    """The comparisons of a profile, in the order of the table. ParamsError for names that are not in it."""
    for name in (*params.comparisons, *params.sampled_comparisons):
        try:
            require(name, tuple(COMPARISONS), "comparisons:")
        except ValueError as error:
            raise ParamsError(str(error)) from None
    if not params.comparisons:
        raise ParamsError(f"comparisons = []; allowed: one or more of {', '.join(COMPARISONS)}")
    names = set(params.comparisons)
    for name in params.comparisons:
        if (other := COMPARISONS[name].as_many_as or COMPARISONS[name].part_of) and other not in names:
            raise ParamsError(f"comparisons: {name!r} is made from the pairs of {other!r}; add it, or leave both out")
    return [one for one in _TABLE if one.name in names]


def of_notebook(notebook: str, params: Params) -> list[Comparison]:
    """Those that a notebook reads: `findings` all, `tour` those that begin with the study's first one."""
    require(notebook, NOTEBOOKS, "notebook")
    every = chosen(params)
    return every if notebook == "findings" else [one for one in every if one.notebook == notebook]


def of_levels(comparison: Comparison, factor: str, levels: Sequence[str], name: str) -> list[Arm]:
    """The arms that a notebook shows: those with these levels of a factor, in the order of the comparison.

    name  what the list is called in the notebook's cell of parameters

    ParamsError for a level that no arm has, and for fewer than two of them: nothing could be compared.
    """
    there = tuple(dict.fromkeys(getattr(arm, factor) for arm in comparison.arms))
    wanted = [levels] if isinstance(levels, str) else list(levels)
    allowed = f"allowed: two or more of {', '.join(there)}"
    for level in wanted:
        if level not in there:
            raise ParamsError(f"{name}: {level!r} is no arm of `{comparison.name}`{nearest(level, there)}; {allowed}")
    if len(set(wanted)) < 2:
        raise ParamsError(f"{name} = {wanted}; {allowed}")
    return [arm for arm in comparison.arms if getattr(arm, factor) in wanted]
