"""Witnesses: texts that satisfy several constraints at once, built by rule and checked by `verify`.

    from ifpref.witness import witness
    witness([Constraint("punctuation:no_comma"), Constraint("detectable_format:title")])
    # '<<The quiet morning>>\\nThe day is clear and calm. ...'

search.py   draws texts until one meets all constraints    compose.py  lays one text out, for what they need
source.py   what gives the sentences: a domain of prompts, or plain.py; foreign.py has seventeen other languages
"""

from ifpref.witness.search import Draft, Unsatisfiable, search_witness, witness

__all__ = ["Draft", "Unsatisfiable", "search_witness", "witness"]
