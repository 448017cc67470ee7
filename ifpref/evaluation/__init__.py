"""Evaluation: how well a model follows the constraints of prompts that it was not trained on.

    score_file("responses.jsonl", "input_data.jsonl").table()        # IFEval's four accuracies, groups and ids
    table = Table.from_rows(evaluate(prompts, TransformersEngine(loaded), Settings(temperature=0.0), n=1))
    table.prompt_level().mean()                                      # the primary metric: strict, greedy

files.py         scores of a file of responses in IFEval's format    policy.py        sampled and judged, in shards
table.py         verdicts without their texts: what analyses read    distribution.py  log-probabilities and entropy
sets.py          IFEval's format, and its prompts as rows like ours  temperature.py   the base at a policy's entropy
side_effects.py  what nobody asked for: features, repeated sentences

Nothing that is imported here imports torch.
"""

from ifpref.evaluation.files import Accuracy, Scores, score_file
from ifpref.evaluation.sets import ScoreError
from ifpref.evaluation.table import Table

__all__ = ["Accuracy", "ScoreError", "Scores", "Table", "score_file"]
