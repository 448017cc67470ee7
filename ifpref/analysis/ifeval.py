"""IFEval beside our own prompts: what the same policies do on prompts that nobody made for this study.

    asked = {"sharing": [(Arm("mcts"), Arm("rs"))]}
    said(study, *asked)                # what was asked; or why there is nothing to show
    accuracies(study, *asked)          # {"comparison": "sharing", "arm": "base", "prompt_level_strict": 41.2, ...}
    effects(study, asked, "C1")        # {"label": "mcts − rs", "group": "sharing", "estimate": 0.9, "low": ...}

Decisions
- No verdict rests on IFEval: the claims are tested on our own test prompts, as was fixed before the data came.
- The policies of the middle learning rate answer, so that C2, which is about many configurations, is not asked.
- Nothing is computed here. What is not there (the profile does not ask, the prompts were out of reach, a comparison is
  not run) has no rows, and `said` has the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ifpref.analysis import results
from ifpref.analysis.claims import CLAIMS
from ifpref.analysis.results import Pairs, Row, in_profile
from ifpref.study import Study

KEY = "ifeval/greedy"
"""Of the verdict tables that are read here: see `Study.tables`."""
ASKED = ("C1", "C3", "C4", "C5")
"""Claims whose comparisons have a middle rate."""
COLUMNS = ("arm", "runs", "prompt_level_strict", "prompt_level_loose")
COLUMNS += ("instruction_level_strict", "instruction_level_loose")


def effects(study: Study, asked: Mapping[str, Pairs], *claims: str) -> list[Row]:
    """In points of the study's primary metric, strict: of each comparison the gains of the arms in its pairs, then one
    arm over the other; last the claims, as they are tested."""
    rows = []
    for name in _there(study, asked):
        arms = {str(arm) for pair in asked[name] for arm in pair}
        group = {"group": f"{name}, over the base"}
        rows += [row | group for row in results.gains(study, name, key=KEY) if row["arm"] in arms]
        rows += results.contrasts(study, name, asked[name], key=KEY)
    return rows + of_claims(study, *claims)


def of_claims(study: Study, *names: str) -> list[Row]:
    """The effect that each claim is tested by, on IFEval's prompts; of those that have one."""
    found = {name: CLAIMS[name].effect(study, key=KEY) for name in names if study.params.ifeval}
    rows = [{"label": name, "group": "as the claim is tested", **effect.to_dict()} for name, effect in found.items()]
    return [row for row in rows if row["estimate"] is not None]


def accuracies(study: Study, *names: str) -> list[Row]:
    """The base, then the arms of each comparison, in percent, means over replicates."""
    rows = [
        {"comparison": None if row["arm"] == "base" else name} | {column: row[column] for column in COLUMNS}
        for name in _there(study, names)
        for row in results.accuracies(study, name, key=KEY)
    ]
    return [row for n, row in enumerate(rows) if n == 0 or row["comparison"]]


def said(study: Study, *names: str) -> str:
    """What the numbers of these comparisons rest on; where there are none, why."""
    if not study.params.ifeval:
        return (
            f"*Nothing to show: the profile `{study.profile}` does not ask IFEval's prompts, which are open English. "
            "For a model that reads it, set `ifeval: true`, as the profiles `gpu` and `paper` do.*"
        )
    if _there(study, names):
        return (
            f"IFEval's prompts (**{len(study.base('ifeval')):,}**), one greedy response to each by the base and by "
            "every policy. Intervals are over replicates and these prompts; no verdict rests on them."
        )
    if not study.has_ifeval_prompts():
        return (
            "*Nothing to show: IFEval's prompts were out of reach, neither on this machine nor on a hub that answered. "
            "`IFEVAL_PROMPTS` may name a copy; the next run then asks them, and trains nothing again.*"
        )
    return f"*Nothing to show: no policy of {', '.join(f'`{name}`' for name in names)} has answered IFEval's prompts.*"


def _there(study: Study, names: Iterable[str]) -> list[str]:
    """The comparisons of which a policy has answered IFEval's prompts."""
    asked = in_profile(study, names) if study.params.ifeval else []
    return [name for name in asked if any(any(study.tables(name, arm, key=KEY)) for arm in study.comparison(name).arms)]
