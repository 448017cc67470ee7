"""Synthetic prompts: tasks x topics x combinations of constraints, each known to be satisfiable.

    from ifpref.prompts import build_prompts
    build_prompts(600, seed=0, domain="pocket")          # datasets.Dataset, one row a prompt

build.py          the whole set: unique, balanced, split     write.py     one prompt, with its witness
combinations.py   which constraints go together              overlap.py   near-duplicates, decontamination
domain.py         what a domain offers; open/ and pocket/    card.py      the dataset card
ifeval_prompts.py IFEval's prompts, to compare with          __main__.py  what `make prompts` runs
"""

from ifpref.prompts.build import build_prompts, constraints_of, without_ids

__all__ = ["build_prompts", "constraints_of", "without_ids"]
