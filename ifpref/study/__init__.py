"""The study: arms to artefacts, in order, side by side, resumable; and the tables that notebooks read from them.

    python -m ifpref.study pocket                      # computes what is missing
    study = Study("pocket"); study.run("prefix"); study.tables("sharing", Arm("mcts"))

cells.py     what is compared with what: one table       stages.py     artefacts up to trees: needs, names, makers
runs.py      policies trained and evaluated              pair_stages.py  pairs of a comparison, and their tables
study.py     `Study`, which notebooks ask                schedule.py   what is missing, in worker processes
ifeval.py    the same effects on IFEval's prompts        results.py    gains, effects, claims: tables out of runs
notebooks.py executes notebooks by papermill             compare.py    a run held against the reference
"""

from ifpref.curation.pairs import Arm
from ifpref.study.study import Study, StudyError

__all__ = ["Arm", "Study", "StudyError"]
