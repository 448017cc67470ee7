"""Evaluation: how well a model follows the constraints of prompts that it was not trained on.

    from ifpref.evaluation.policy import evaluate
    table = Table.from_rows(evaluate(prompts, TransformersEngine(loaded), Settings(temperature=0.0), n=1))
    table.prompt_level().mean()                         # the primary metric: strict, greedy
    summary(table, prompts)                             # every metric, by k, difficulty and constraint id

files.py         scores of a file of responses in IFEval's format    policy.py        sampled and judged, in shards
table.py         verdicts without their texts: what analyses read    distribution.py  log-probabilities and entropy
summary.py       a table's metrics as tidy rows                      temperature.py   the base at a policy's entropy
sets.py          IFEval's prompts as rows like ours

Nothing that is imported here imports torch.
"""

from ifpref.evaluation.files import (
    IFEVAL_ON_HUB,
    Accuracy,
    ScoreError,
    Scores,
    Verdicts,
    judge,
    main,
    score,
    score_file,
)
from ifpref.evaluation.summary import summary
from ifpref.evaluation.table import Table

__all__ = [
    "IFEVAL_ON_HUB",
    "Accuracy",
    "ScoreError",
    "Scores",
    "Table",
    "Verdicts",
    "judge",
    "main",
    "score",
    "score_file",
    "summary",
]
