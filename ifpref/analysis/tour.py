"""What the tour shows of one prompt and no other room computes: single tokens, single pairs, samples drawn as a tree.

    token_log_probs(base, pairs)["chosen"][0]                              # (T,): one number a token
    trl_loss(base, adapter, pair, reference=(-21.0, -24.0), settings=settings)    # (0.598, 0.2)
    figures.tree(as_tree(responses, ids, boundaries, max_depth=16))
    check(answer, 4)                                                       # "Right." "Not yet: ..."

The study needs sums of log-probabilities over whole batches (ifpref/training/forward.py); a reader wants the terms of
one sum. The study searches trees; a reader wants to see samples that were not searched for in the same drawing. These
are for looking at: nothing that is stored depends on them.

    python -m pytest tests/test_tour.py
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from numbers import Number
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from ifpref.curation.boundaries import Boundaries
from ifpref.curation.pairs import SIDES
from ifpref.curation.scoring import Judgement
from ifpref.curation.tree import ROOT, Tree, insert, to_row
from ifpref.models import LoadedModel
from ifpref.sampling.protocol import Completion
from ifpref.training.settings import TrainingSettings

Row = Mapping[str, Any]


def check(answer: Any, expected: float | str, tolerance: float = 0.0) -> str:
    """What an exercise says to an answer. `None` is no answer yet, which is no error: a notebook runs without a reader.

    expected   a number, or a word in lower case
    tolerance  how far a number may be from the expected one
    """
    if answer is None:
        return "No answer yet. Write one where it says `answer = None`, and run both cells."
    is_near = isinstance(answer, Number) and isinstance(expected, Number) and abs(answer - expected) <= tolerance
    right = is_near or str(answer).strip().lower() == expected
    return "Right." if right else f"Not yet: {answer!r} is not it. Try once more, or read on."


# ---- one pair


def token_log_probs(loaded: LoadedModel, pairs: Sequence[Row]) -> dict[str, list[np.ndarray]]:
    """{"chosen": one array (T,) a pair, "rejected": ...}: the log-probability of each token of a completion, given all
    tokens before it (natural logarithm, temperature 1). Their sum is what the DPO loss reads.
    """
    import torch

    def of(prompt_ids: Sequence[int], completion_ids: Sequence[int]) -> np.ndarray:
        ids = torch.tensor([[*prompt_ids, *completion_ids]], device=loaded.model.device)  # (1, P + T)
        with torch.inference_mode():
            log_p = loaded.model(input_ids=ids).logits[0, :-1].float().log_softmax(dim=-1)  # (P + T - 1, V)
        found = log_p.gather(1, ids[0, 1:, None])[len(prompt_ids) - 1 :, 0]  # (T,)
        return found.double().cpu().numpy()

    return {side: [of(pair["prompt_ids"], pair[f"{side}_ids"]) for pair in pairs] for side in SIDES}


def trl_loss(
    loaded: LoadedModel, adapter: str | Path, pair: Row, *, reference: tuple[float, float], settings: TrainingSettings
) -> tuple[float, float]:
    """(loss, margin) of one pair, as trl's trainer computes them with the adapter in that folder.

    loaded     the base, without adapter; given back as it was
    reference  summed log-probabilities of chosen and rejected under the base
    """
    import torch
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    from ifpref.training.trainer import build_trainer

    row = {name: list(pair[name]) for name in ("prompt_ids", "chosen_ids", "rejected_ids")}
    row |= {"ref_chosen_logps": float(reference[0]), "ref_rejected_logps": float(reference[1])}
    with TemporaryDirectory() as folder:
        trainer = build_trainer(loaded, [row], settings, seed=0, folder=Path(folder))
        set_peft_model_state_dict(trainer.model, load_file(Path(adapter) / "adapter_model.safetensors"))
        batch = trainer._prepare_inputs(trainer.data_collator([row]))
        with torch.no_grad():
            loss = trainer.compute_loss(trainer.model.eval(), batch).item()
        return loss, trainer._metrics["eval"]["rewards/margins"][-1]


# ---- samples beside a search


def as_tree(responses: Sequence[Row], prompt_ids: Sequence[int], boundaries: Boundaries, max_depth: int) -> dict:
    """Whole responses to one prompt (rows of a responses artefact) as a row of trees, as if all were drawn at its root.

    Log-probabilities are known of whole responses only and are spread evenly over their tokens, so priors mean nothing.
    """
    tree = Tree(responses[0]["prompt_id"], tuple(prompt_ids))
    for row in responses:
        ids = tuple(row["token_ids"])
        completion = Completion(ids, row["text"], (row["logprob"] / len(ids),) * len(ids), row["finish"])
        judgement = Judgement(tuple(row["verdicts"]), row["score"])
        insert(tree, ROOT, completion, boundaries, max_depth=max_depth, judge=lambda text, known=judgement: known)
    return to_row(tree)


def shape(row: Row) -> dict[str, int]:
    """Where the responses of a tree part: at its root, or at forks below it; and the tokens that were sampled."""
    children = Counter(node["parent"] for node in row["nodes"])
    forks = sum(n > 1 for parent, n in children.items() if parent not in (None, ROOT))
    return {"children of the root": children[ROOT], "forks below it": forks, "tokens sampled": row["sampled_tokens"]}


def search_progress(responses: Iterable[Row], trees: Mapping[str, Iterable[Row]]) -> list[dict[str, Any]]:
    """What the first s responses to a prompt hold, meaned over prompts, for s = 1, 2, ...; of `rs` and of each tree.

    responses  rows of a responses artefact
    trees      curation -> rows of a trees artefact

    A row: {"curation": "mcts", "simulation": 3, "mean_score": 0.5, "best_score": 0.75, "distinct": 2.5}. `distinct`
    counts different responses, by token ids. ValueError where prompts have not all the same number of responses.
    """
    sampled = defaultdict(list)
    for row in sorted(responses, key=lambda row: row["sample"]):
        sampled[row["prompt_id"]].append((tuple(row["token_ids"]), row["score"]))
    series = {"rs": list(sampled.values())}
    for curation, rows in trees.items():  # one leaf is one response
        series[curation] = [[(leaf, fmean(row["nodes"][leaf]["verdicts"])) for leaf in row["leaves"]] for row in rows]
    return [row for curation, prompts in series.items() for row in _progress(curation, prompts)]


def _progress(curation: str, prompts: Sequence[Sequence[tuple[Any, float]]]) -> Iterator[dict[str, Any]]:
    """The rows of one curation: of each prompt (response, score) in the order in which they were drawn."""
    counts = {len(found) for found in prompts}
    if len(counts) != 1:
        raise ValueError(f"{curation}: prompts have {sorted(counts)} responses; allowed: all the same number")
    scores = np.array([[score for _, score in found] for found in prompts])  # (N, S)
    distinct = np.array([[len(dict(found[: s + 1])) for s in range(len(found))] for found in prompts])  # (N, S)
    columns = {
        "mean_score": scores.cumsum(axis=1) / np.arange(1, scores.shape[1] + 1),
        "best_score": np.maximum.accumulate(scores, axis=1),
        "distinct": distinct,
    }
    means = {name: values.mean(axis=0).tolist() for name, values in columns.items()}
    for s in range(scores.shape[1]):
        yield {"curation": curation, "simulation": s + 1} | {name: of[s] for name, of in means.items()}
