"""What is compared with what, and how it is trained: one table of comparisons, and the configurations of each.

A *comparison* is a set of arms whose pairs are made together: equal numbers, the same prompts where that can be. It
runs each arm at the same *configurations*: a learning rate, and whatever else is not as the profile says. A *run* is an
arm at a configuration, in one replicate. A profile names the comparisons that it runs (`comparisons` in params/), a
notebook reads those that are its own:

    for comparison in of_notebook("contrast", params):
        print(comparison.name, *comparison.arms, comparison.question)
    configurations(COMPARISONS["triples"], params)       # (Configuration(0.001), Configuration(0.0025), ...)

To add one: a line here, and its name in a profile. To add a level of a factor: a rule in ifpref/curation, then a line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from ifpref.constraints.registry import nearest
from ifpref.curation.pairs import Arm, require
from ifpref.params import Params, ParamsError, changes_of

NOTEBOOKS = ("tour", "prefix", "contrast", "difficulty", "findings")


@dataclass(frozen=True)
class Configuration:
    """How the arms of a comparison are trained; None: as the profile says.

    n_pairs  of the pairs of an arm these many, the first by a seeded rank of their prompts
    """

    learning_rate: float
    beta: float | None = None
    num_train_epochs: float | None = None
    n_pairs: int | None = None

    def changes(self) -> dict[str, Any]:
        """The parameters that it sets, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def __str__(self) -> str:
        words = {"learning_rate": "lr {:g}", "beta": "beta {:g}", "num_train_epochs": "{:g} epochs"}
        return ", ".join(words.get(name, "{} pairs").format(value) for name, value in self.changes().items())


@dataclass(frozen=True)
class Comparison:
    """Arms that are compared, and how their pairs hang together.

    design         how contrasts hang together: a key of `ifpref.curation.contrast.DESIGNS`
    match          what pairs are alike in beside their number: "scores" or "verdicts" of chosen and rejected, prompt by
                   prompt, in all arms; "ids": gap, chosen score and ids of partners on other prompts; "": nothing
    runs_at        the configurations: the profile's grid of learning rates, its middle one alone, the harsh ones, or
                   the middle rate at growing numbers of pairs, or those of the pilot (`configurations`)
    pool           the prompts that pairs are made of: those of training; these, and more of the comparison's
                   difficulty ("cell"); or a larger set ("sizes"), where pairs are to be many, or few of them match
    difficulty_by  what `difficulty` of a training prompt means: its number of constraints, or the base's pass rate
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
    match: Literal["", "scores", "verdicts", "ids"] = ""
    runs_at: Literal["grid", "middle", "harsh", "sizes", "pilot"] = "middle"
    pool: Literal["train", "cell", "sizes"] = "train"
    difficulty_by: Literal["constraints", "pass rate"] = "constraints"
    without_ids: bool = False
    as_many_as: str | None = None
    part_of: str | None = None
    part: Literal["lower", "middle", "upper"] | None = None
    sets: tuple[str, ...] = ("test",)

    @property
    def equal(self) -> tuple[str, ...]:
        """The quantities of the balance table that are equal in all arms, prompt by prompt, by design."""
        if self.part_of:
            return COMPARISONS[self.part_of].equal
        swaps = "mcts_unshared" in {arm.curation for arm in self.arms}
        return _EQUAL.get("verdicts" if swaps else self.match or self.design, ())

    @property
    def is_series(self) -> bool:
        """Whether it asks how something changes over many configurations, none of which is its middle."""
        return self.runs_at in ("harsh", "sizes", "pilot")


_SCORES = ("k", "in all arms", "chosen score", "rejected score", "gap")
_EQUAL = {
    "scores": _SCORES,
    "verdicts": (*_SCORES, "separates", "reverses"),
    "triples": ("k", "in all arms", "chosen score", "chosen", "chosen stopped"),
    "quality": ("k", "in all arms", "gap"),
}


def _arms(curations: str, contrasts: str = "high", difficulties: str = "all") -> tuple[Arm, ...]:
    return tuple(Arm(a, b, c) for a in curations.split() for b in contrasts.split() for c in difficulties.split())


def _cell(contrast: str, difficulty: str) -> Comparison:
    question = f"C1 in one cell: do {contrast}-contrast pairs of {difficulty} prompts do better with a shared prefix?"
    arms = _arms("rs mcts", contrast, difficulty)
    return Comparison(f"{contrast}_{difficulty}", "prefix", question, arms, match="scores", runs_at="grid", pool="cell")


def _dose(part: Literal["lower", "middle", "upper"]) -> Comparison:
    question = f"Dose: mcts against rs on the prompts whose mcts pairs share a {part}-third part"
    return Comparison(f"dose_{part}", "prefix", question, _arms("rs mcts"), part_of="sharing", part=part)


_LEVELS = _arms("rs", "high", "easy moderate hard")
_HELD_OUT = ("test", "transfer")
_TABLE = (
    Comparison(
        "sharing",
        "prefix",
        "C1: at equal scores of chosen and rejected, do pairs that share a prefix do better?",
        _arms("rs mcts"),
        match="scores",
        runs_at="grid",
    ),
    *(_cell("high", difficulty) for difficulty in ("easy", "moderate", "hard")),
    *(_cell("low", difficulty) for difficulty in ("moderate", "hard")),  # with k <= 2 small gaps do not exist
    Comparison(
        "as_they_come",
        "prefix",
        "The same, pairs as they come: scores, gaps and the constraints separated differ too",
        _arms("rs mcts rs_branched shuffled"),
    ),
    Comparison(
        "equal_verdicts",
        "prefix",
        "The same, where chosen and rejected meet the same constraints in both arms",
        _arms("rs mcts"),
        match="verdicts",
    ),
    Comparison("unshared", "prefix", "Sharing alone: the same pairs, one side swapped", _arms("mcts mcts_unshared")),
    Comparison(
        "branched",
        "prefix",
        "Is it the search, or are branches at random as good, at equal scores?",
        _arms("rs mcts rs_branched"),
        match="scores",
    ),
    *(_dose(part) for part in ("lower", "middle", "upper")),
    Comparison("alone", "prefix", "What does DPO on RS pairs give, with all the pairs there are?", _arms("rs")),
    Comparison(
        "stability",
        "prefix",
        "C2: which arm stands more harsh configurations, on hard prompts?",
        _arms("rs mcts", "high", "hard"),
        match="scores",
        runs_at="harsh",
        pool="cell",
    ),
    Comparison(
        "sizes_sharing",
        "prefix",
        "C1 by the number of pairs",
        _arms("rs mcts"),
        match="scores",
        runs_at="sizes",
        pool="sizes",
    ),
    Comparison(
        "pilot",
        "contrast",
        "Which learning rates? One replicate, read on dev before anything is compared",
        _arms("rs"),
        runs_at="pilot",
        sets=("dev",),
    ),
    Comparison(
        "triples",
        "contrast",
        "C3, C4: high, low or mixed contrast, one chosen for all?",
        _arms("rs", "high low mixed"),
        design="triples",
        runs_at="grid",
    ),
    Comparison(
        "quality",
        "contrast",
        "At equal low gaps, must the chosen be perfect?",
        _arms("rs", "low low_imperfect"),
        design="quality",
    ),
    Comparison(
        "remedy",
        "contrast",
        "What is left of the gain where features that nobody asked for, and repetition, cost points?",
        (Arm("rs"), Arm("rs", scorer="clean")),
    ),
    Comparison(
        "sizes_contrast",
        "contrast",
        "C3 by the number of pairs",
        _arms("rs", "high low"),
        design="triples",
        runs_at="sizes",
        pool="sizes",
    ),
    Comparison(
        "difficulty",
        "difficulty",
        "C5: which training prompts generalise best, as they come?",
        _LEVELS,
        runs_at="grid",
    ),
    Comparison(
        "difficulty_matched",
        "difficulty",
        "C5, with pairs alike in gap, chosen score and ids",
        _LEVELS,
        match="ids",
        runs_at="grid",
        pool="sizes",  # of the pairs of one prompt in 25 there are partners of every difficulty
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


def configurations(comparison: Comparison, p: Params) -> tuple[Configuration, ...]:
    """What every arm of a comparison runs at: the same for all, so that no difference between arms is one of these.

    grid    each of `learning_rates`; null: `learning_rate` alone
    middle  `learning_rate`
    harsh   each of `harsh_learning_rates` with each of `harsh_changes`
    sizes   `learning_rate`, with each number of `pair_sizes`
    pilot   each of `pilot_learning_rates`
    """
    if comparison.runs_at == "harsh":
        changes = [changes_of(text) for text in p.harsh_changes]
        return tuple(Configuration(rate, **changed) for changed in changes for rate in p.harsh_learning_rates)
    if comparison.runs_at == "sizes":
        return tuple(Configuration(p.learning_rate, n_pairs=size) for size in p.pair_sizes)
    if comparison.runs_at == "pilot":
        return tuple(map(Configuration, p.pilot_learning_rates))
    is_grid = comparison.runs_at == "grid" and p.learning_rates
    return tuple(map(Configuration, p.learning_rates if is_grid else (p.learning_rate,)))


def chosen(params: Params) -> list[Comparison]:
    """The comparisons of a profile, in the order of the table. ParamsError for names that are not in it."""
    for name in (*params.comparisons, *params.sampled_comparisons):
        try:
            require(name, tuple(COMPARISONS), "comparisons:")
        except ValueError as error:
            raise ParamsError(str(error)) from None
    if not params.comparisons:
        raise ParamsError(f"comparisons = []; allowed: one or more of {', '.join(COMPARISONS)}")
    for name in params.sampled_comparisons:
        if COMPARISONS[name].is_series:
            raise ParamsError(f"sampled_comparisons: {name!r} has no middle rate; allowed: comparisons that run at it")
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
