"""Monte Carlo Tree Search over responses, a forest in lock-step; and `rs_branched`, its control without search.

    rows = grow(prompts, engine, Settings(temperature=1.0, max_tokens=128, seed=0), SearchSettings(budget=16))

One round is one simulation of every tree: each tree chooses a node, one call samples from all of these nodes to the
end of the response, each response is verified, cut into nodes and backed up (tree.py). So `budget` calls give every
prompt exactly `budget` complete, verified responses, as many as rejection sampling gives, for fewer sampled tokens.

Choosing (`select`): from the root, take the action of the highest value + bonus until it is to sample.

    to a child i      Q_i          + c * P_i * sqrt(N) / (1 + N_i)         PUCT, Silver et al. 2017
    sample from here  V - reduction + c * P_new * sqrt(N)                   first-play urgency, Gelly & Wang 2006

Q_i is the child's mean score, V the node's, N visits. P is proportional to the length-normalised likelihood under the
model; a child yet to be sampled has the mean likelihood of its siblings. All in units of the score in [0, 1]: an
unvisited child never competes at zero. Sampling here is offered while the children are fewer than k * N ** alpha
(progressive widening, Coulom 2007; Couetoux et al. 2011) and fewer than the limit; where there is no child to go to,
widening does not hold it back. It ends where a sample would hardly be new: the model leaves less than `min_novelty` to
other children, or `patience` samples in a row have made none (at low temperatures the model's word is not enough). A
node with nothing left to do is closed, and its simulations go elsewhere in the tree; when the root is closed, they are
samples of whole responses, as in rejection sampling, so that the budget is spent whatever happens.

`rs_branched` draws an earlier response and one of its boundaries, both uniformly, by (seed, prompt, simulation). It has
no use for scores, priors, widening and limits, and avoids, as the search does, nodes whose samples only repeat.

A tree does not depend on the others: simulation s samples under the stream of the prompt as its sample s, so that the
first response is sample 0 of rejection sampling, and later ones from the root are its others.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass as checked_dataclass

from ifpref.curation.boundaries import Boundaries, Rule
from ifpref.curation.pairs import Row
from ifpref.curation.scoring import Judge
from ifpref.curation.tree import ROOT, Tree, insert, priors, to_row
from ifpref.params import Params
from ifpref.sampling.protocol import Engine, Request, Settings

SEARCHED = ("c_puct", "fpu_reduction", "widening", "widening_exponent", "root_children", "children")
"""Settings that the search alone reads: trees of `rs_branched` do not depend on them."""
Count = Annotated[int, Field(ge=1)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@checked_dataclass(frozen=True)
class SearchSettings:
    """How trees grow; `from_params` reads them from a profile. ValueError for values that are not allowed.

    curation            "mcts", or "rs_branched"
    budget              simulations, and so verified responses, of every prompt
    boundary            where segments end: "sentence", or "tokens": every `segment_tokens` of them
    max_depth           most segments in a response; what follows is one segment
    min_novelty         a node is not sampled from where a new child is less likely than this, at temperature 1
    patience            samples in a row without a new child, after which a node is not sampled from again
    c_puct              exploration constant, in units of the score
    fpu_reduction       how much less than its parent's value a new child is expected to be worth
    widening            k, and alpha (`widening_exponent`): a new child only while there are fewer than k * N ** alpha
    root_children       most children that are sampled for at the root; `children`: at other nodes
    """

    curation: Literal["mcts", "rs_branched"] = "mcts"
    budget: Count = 16
    boundary: Rule = "sentence"
    segment_tokens: Count = 16
    max_depth: Count = 16
    min_novelty: Weight = 0.05
    patience: Count = 4
    c_puct: Weight = 1.0
    fpu_reduction: Weight = 0.0
    widening: Weight = 1.5
    widening_exponent: Weight = 0.5
    root_children: Count = 8
    children: Count = 4

    def key_fields(self) -> dict[str, Any]:
        """What a tree depends on."""
        unread = SEARCHED if self.curation == "rs_branched" else ()
        return {name: value for name, value in vars(self).items() if name not in unread}

    @classmethod
    def from_params(cls, params: Params, curation: Literal["mcts", "rs_branched"]) -> SearchSettings:
        """The settings of a profile: every field is the key `mcts_` + its name, the budget is `n_responses`."""
        names = [field.name for field in fields(cls) if field.name not in ("curation", "budget")]
        chosen = {name: getattr(params, f"mcts_{name}") for name in names}
        return cls(curation=curation, budget=params.n_responses, **chosen)


@dataclass(frozen=True)
class Action:
    """What can be done at a node: go to `child`, or sample from the node itself (None)."""

    child: int | None
    value: float
    bonus: float

    @property
    def priority(self) -> float:
        return self.value + self.bonus


def actions(tree: Tree, node: int, settings: SearchSettings) -> list[Action]:
    """The actions at a visited node that is not closed, children in the order of their making, then sampling."""
    here, children = tree.nodes[node], tree.children(node)
    descents = [child for child in children if not tree.nodes[child].closed]
    narrow = len(children) < settings.widening * here.visits**settings.widening_exponent
    sample = _may_sample(tree, node, settings) and (narrow or not descents)
    share = len(children) / (len(children) + sample)  # a child yet to be sampled: the mean likelihood of its siblings
    prior = dict(zip(children, (share * p for p in priors(tree, children)), strict=True))
    scale = settings.c_puct * math.sqrt(here.visits)
    found = [
        Action(child, tree.nodes[child].value, scale * prior[child] / (1 + tree.nodes[child].visits))
        for child in descents
    ]
    if sample:
        found.append(Action(None, here.value - settings.fpu_reduction, scale * (1 - share)))
    return found


def select(tree: Tree, settings: SearchSettings, rng: random.Random | None = None) -> int:
    """The node that the search samples from next; of equal actions the first one. Nothing is drawn."""
    node = ROOT
    if not tree.leaves or tree.nodes[ROOT].closed:
        return ROOT
    while (best := max(actions(tree, node, settings), key=lambda action: action.priority)).child is not None:
        node = best.child
    return node


def branch(tree: Tree, settings: SearchSettings, rng: random.Random) -> int:
    """A node to sample from, drawn: an earlier response, then a boundary of it where samples do not just repeat."""
    paths = ([node for node in tree.path(leaf)[:-1] if not _spent(tree, node, settings)] for leaf in tree.leaves)
    open_paths = [path for path in paths if path]
    return rng.choice(rng.choice(open_paths)) if open_paths else ROOT


CHOICES: dict[str, Callable[[Tree, SearchSettings, random.Random], int]] = {"mcts": select, "rs_branched": branch}


def close(tree: Tree, leaf: int, settings: SearchSettings) -> None:
    """Close, from a response's leaf upwards, what has nothing left to search; a new child may open a node again."""
    for node in reversed(tree.path(leaf)):
        is_leaf = tree.nodes[node].verdicts is not None
        alive = not is_leaf and _may_sample(tree, node, settings)
        tree.nodes[node].closed = not alive and all(tree.nodes[child].closed for child in tree.children(node))


def _spent(tree: Tree, node: int, settings: SearchSettings) -> bool:
    """Whether a sample from this node would hardly be new, by the model's probabilities or by the last samples."""
    return tree.novelty(node) < settings.min_novelty or tree.nodes[node].misses >= settings.patience


def _may_sample(tree: Tree, node: int, settings: SearchSettings) -> bool:
    limit = settings.root_children if node == ROOT else settings.children
    if settings.curation == "rs_branched":  # limits are the search's: nothing of this tree may depend on them
        limit = math.inf
    return len(tree.nodes[node].children) < limit and not _spent(tree, node, settings)


def grow_trees(
    prompts: Iterable[Row], engine: Engine, sampling: Settings, settings: SearchSettings, scorer: str = "verifier"
) -> list[Tree]:
    """One tree a prompt, each of `settings.budget` responses, by as many calls of the engine."""
    judged = [(Tree(prompt["prompt_id"], engine.encode(prompt["text"])), Judge(prompt, scorer)) for prompt in prompts]
    boundaries = Boundaries(engine.decode, settings.boundary, settings.segment_tokens)
    with engine.keep_prefixes():  # opened by every forest, so that a shard made again is the same to the last bit
        for simulation in range(settings.budget if judged else 0):
            origins, requests = [], []
            for tree, _ in judged:
                rng = random.Random(f"{sampling.seed}/{tree.prompt_id}/{simulation}")
                origins.append(CHOICES[settings.curation](tree, settings, rng))
                prefix = tree.response_ids(origins[-1])
                ids, left = tree.prompt_ids + prefix, sampling.max_tokens - len(prefix)
                requests.append(Request(tree.prompt_id, ids, first_sample=simulation, max_tokens=left))
            completions = engine.sample(requests, sampling)
            for (tree, judge), origin, (completion,) in zip(judged, origins, completions, strict=True):
                leaf = insert(tree, origin, completion, boundaries, max_depth=settings.max_depth, judge=judge)
                close(tree, leaf, settings)
    return [tree for tree, _ in judged]


def grow(
    prompts: Iterable[Row], engine: Engine, sampling: Settings, settings: SearchSettings, scorer: str = "verifier"
) -> list[dict[str, Any]]:
    """`grow_trees`, as rows (tree.py)."""
    return [to_row(tree) for tree in grow_trees(prompts, engine, sampling, settings, scorer)]
