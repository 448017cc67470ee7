"""The search tree of one prompt: its nodes, what an added response changes, and the row that is stored.

A node is a segment of a response; the path from the root, which is the prompt, spells a prefix in token ids. Inner
nodes end at a boundary (boundaries.py); leaves are complete, verified responses.

    tree = Tree("0c7d…", prompt_ids)
    leaf = insert(tree, 0, completion, boundaries, max_depth=16, judge=Judge(prompt))

One node of a row (`to_row`):

    {"node": 5, "parent": 2, "depth": 2, "simulation": 3, "token_ids": [41, 7, 9], "text": " It is warm.",
     "logprob": -2.1, "prior": 0.4, "visits": 2, "value": 0.75, "finish": null, "verdicts": null}

Decisions
- Every simulation adds one complete response, so every node has been visited when it appears, and the visits of an
  inner node are the sum of its children's; those of the root are the simulations.
- Values are means of the scores of the responses through a node. Partial text is never judged.
- Segments equal to a child's, by token ids, are that child. A response that is all there already counts again: its
  leaf is visited once more, as rejection sampling counts a response that comes twice.
- `text` of the nodes on a path, joined, is the text of the response, and `token_ids` its ids, with the EOS.
- A tree is changed in place: it grows by one response at a time and has one owner, the search.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ifpref.curation.boundaries import Boundaries
from ifpref.curation.scoring import Judgement
from ifpref.sampling.protocol import Completion

ROOT = 0
Judging = Callable[[str], Judgement]


class TreeError(ValueError):
    """A completion that cannot belong to the tree; the message says why."""


@dataclass(slots=True)
class Node:
    """One segment and its statistics.

    logprob  sum over the segment's tokens, natural logarithm, at temperature 1
    score    of a leaf, as verdicts
    total    sum of the scores of the responses through this node; `value` is their mean
    misses   samples in a row, drawn from this node, that made no new child of it
    closed   nothing is left to search at or below this node (mcts.close)
    """

    parent: int | None
    depth: int
    simulation: int
    token_ids: tuple[int, ...] = ()
    text: str = ""
    logprob: float = 0.0
    finish: str | None = None
    verdicts: tuple[bool, ...] | None = None
    score: float | None = None
    children: dict[tuple[int, ...], int] = field(default_factory=dict)
    visits: int = 0
    total: float = 0.0
    misses: int = 0
    closed: bool = False

    @property
    def value(self) -> float:
        """Mean score in [0, 1]."""
        return self.total / self.visits

    @property
    def likelihood(self) -> float:
        """Length-normalised: the geometric mean of the probabilities of its tokens."""
        return math.exp(self.logprob / len(self.token_ids))


@dataclass
class Tree:
    """The nodes by number, parents before children; `origins[s]` and `leaves[s]` of simulation s."""

    prompt_id: str
    prompt_ids: tuple[int, ...]
    nodes: list[Node] = field(default_factory=lambda: [Node(parent=None, depth=0, simulation=0)])
    origins: list[int] = field(default_factory=list)
    leaves: list[int] = field(default_factory=list)
    sampled_tokens: int = 0
    merged: int = 0

    def path(self, node: int) -> list[int]:
        """From the root to the node, both included."""
        path = [node]
        while (parent := self.nodes[path[-1]].parent) is not None:
            path.append(parent)
        return path[::-1]

    def response_ids(self, node: int) -> tuple[int, ...]:
        """Token ids after the prompt, up to the end of the node."""
        return tuple(token for step in self.path(node) for token in self.nodes[step].token_ids)

    def children(self, node: int) -> list[int]:
        """In the order of their making."""
        return list(self.nodes[node].children.values())

    def novelty(self, node: int) -> float:
        """The probability that the model, at temperature 1, continues the node with none of its children."""
        return 1.0 - sum(math.exp(self.nodes[child].logprob) for child in self.children(node))


def insert(
    tree: Tree, origin: int, completion: Completion, boundaries: Boundaries, *, max_depth: int, judge: Judging
) -> int:
    """Add the response that `completion` makes of the prefix at `origin`, and back its score up; returns its leaf.

    judge  verdicts and score of a complete response's text; asked for new responses only
    """
    if not completion.token_ids:
        raise TreeError(f"{tree.prompt_id}: the completion has no tokens")
    simulation = len(tree.leaves)
    before = tree.response_ids(origin)
    ids = before + completion.token_ids
    node, start, text = origin, len(before), None
    for end in boundaries.ends(ids, start, max_depth - tree.nodes[origin].depth):
        child = tree.nodes[node].children.get(ids[start:end])
        if child is not None:
            tree.merged += 1
            tree.nodes[origin].misses += node == origin
        else:
            text = boundaries.decode(ids[:start]) if text is None else text
            whole = boundaries.decode(ids[:end])
            if not whole.startswith(text):
                raise TreeError(
                    f"{tree.prompt_id}: the text of {start} tokens, ending in {text[-20:]!r}, does not begin that of "
                    f"{end} tokens, ending in {whole[-20:]!r}; allowed: engines that decode without cleaning up spaces"
                )
            logprob = sum(completion.logprobs[start - len(before) : end - len(before)])
            child = _grow(tree, node, Node(node, 0, simulation, ids[start:end], whole[len(text) :], logprob))
            text = whole
        node, start = child, end
    leaf = tree.nodes[node]
    if leaf.children:
        raise TreeError(f"{tree.prompt_id}: a response ends after {len(ids)} tokens, where an earlier one goes on")
    if leaf.verdicts is None:
        leaf.finish, (leaf.verdicts, leaf.score) = completion.finish, judge(text)
    tree.origins.append(origin)
    tree.leaves.append(node)
    tree.sampled_tokens += len(completion.token_ids)
    backup(tree, node, leaf.score)
    return node


def _grow(tree: Tree, parent: int, node: Node) -> int:
    """Attach a new child; its number."""
    above = tree.nodes[parent]
    if above.verdicts is not None:
        raise TreeError(f"{tree.prompt_id}: a response goes on at node {parent}, where an earlier one ends")
    node.depth, above.misses = above.depth + 1, 0
    tree.nodes.append(node)
    above.children[node.token_ids] = len(tree.nodes) - 1
    return len(tree.nodes) - 1


def backup(tree: Tree, leaf: int, response_score: float) -> None:
    """Count one response of that score once at every node of its path, the root included."""
    for node in tree.path(leaf):
        tree.nodes[node].visits += 1
        tree.nodes[node].total += response_score


def priors(tree: Tree, children: Sequence[int]) -> list[float]:
    """Length-normalised likelihoods of siblings, scaled to sum 1: the softmax of their mean log-probabilities."""
    likelihoods = [tree.nodes[child].likelihood for child in children]
    whole = sum(likelihoods)
    return [likelihood / whole for likelihood in likelihoods]


def to_row(tree: Tree) -> dict[str, Any]:
    """The whole tree as it is stored, with the place (`origins`) and the leaf of every simulation, in order."""
    prior = {ROOT: 1.0}
    for node in range(len(tree.nodes)):
        prior.update(zip(tree.children(node), priors(tree, tree.children(node)), strict=True))
    return {
        "prompt_id": tree.prompt_id,
        "nodes": [
            {
                "node": number,
                "parent": node.parent,
                "depth": node.depth,
                "simulation": node.simulation,
                "token_ids": list(node.token_ids),
                "text": node.text,
                "logprob": node.logprob,
                "prior": prior[number],
                "visits": node.visits,
                "value": node.value,
                "finish": node.finish,
                "verdicts": None if node.verdicts is None else list(node.verdicts),
            }
            for number, node in enumerate(tree.nodes)
        ],
        "origins": tree.origins,
        "leaves": tree.leaves,
        "sampled_tokens": tree.sampled_tokens,
        "merged": tree.merged,
        "closed": sum(node.closed for node in tree.nodes if node.children),
    }
