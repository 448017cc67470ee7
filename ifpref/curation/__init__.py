"""Curation: responses to each prompt by rejection sampling or by tree search, and preference pairs out of them.

    from ifpref.curation import SearchSettings, grow, respond
    responses = respond(prompts, engine, sampling, n=16)
    trees = grow(prompts, engine, sampling, SearchSettings(budget=16))

rejection.py    n whole responses a prompt            tree.py         a prompt's tree: nodes, statistics, rows
mcts.py         the search, and its random control    boundaries.py   where responses are cut into nodes

    from ifpref.curation import Arm, PairSettings, compare
    made = compare([Arm("rs"), Arm("mcts")], prompts, {"rs": responses, "mcts": trees}, engine.encode, settings, seed=0)

arms.py         pairs for the arms of a comparison    pairs.py        which two responses may be paired; rows
equal.py        equal numbers, exact halves           contrast.py     high, low, triples, quality
balance.py      yields, balance table                 matching.py     mcts_unshared, matched arms
"""

from ifpref.curation.arms import ComparedPairs, by_pass_rate, compare
from ifpref.curation.mcts import SearchSettings, grow
from ifpref.curation.pairs import Arm, PairSettings
from ifpref.curation.rejection import respond

__all__ = ["Arm", "ComparedPairs", "PairSettings", "SearchSettings", "by_pass_rate", "compare", "grow", "respond"]
