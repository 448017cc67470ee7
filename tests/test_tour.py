"""The tour's own tools: answers to exercises, single tokens, trl's loss of one pair, samples as a tree, progress."""

import json
import math

import numpy as np
import pytest

from ifpref.analysis.tour import as_tree, check, search_progress, shape, token_log_probs, trl_loss
from ifpref.curation.boundaries import Boundaries
from ifpref.models import BASE_FILE, attach_adapter, detach_adapter, load_model
from ifpref.params import load_params
from ifpref.sampling import Request, Settings, TransformersEngine
from ifpref.training import TrainingSettings
from ifpref.training.algorithms.dpo import dpo_loss

pytestmark = pytest.mark.filterwarnings("ignore:.*gradient_checkpointing.*:FutureWarning")  # trl's, see trainer.train

SIDES = ("chosen", "rejected")


# ---- exercises


@pytest.mark.parametrize(
    ("answer", "expected", "tolerance", "begins"),
    [
        (None, 3, 0.0, "No answer yet"),
        (3, 3, 0.0, "Right"),
        (2, 3, 0.0, "Not yet: 2"),
        (0.69, math.log(2), 0.005, "Right"),
        (0.70, math.log(2), 0.005, "Not yet"),
        (np.int64(1), 1, 0.0, "Right"),
        ("down", "down", 0.0, "Right"),
        (" Down ", "down", 0.0, "Right"),
        ("up", "down", 0.0, "Not yet: 'up'"),
        ("3", 3, 0.0, "Not yet: '3'"),
    ],
)
def test_an_answer_is_right_or_not_yet(answer, expected, tolerance, begins):
    assert check(answer, expected, tolerance).startswith(begins)


# ---- one pair


@pytest.fixture(scope="module")
def base():
    return load_model("pocket")


@pytest.fixture(scope="module")
def pair(base):
    """Two samples of one prompt, and what the engine says of each of their tokens."""
    engine = TransformersEngine(base, batch_size=2)
    ids = engine.encode("Tell a story about a fox. Do not use commas.")
    [(first, second)] = engine.sample([Request("p", ids, n=2)], Settings(temperature=1.0, max_tokens=24, seed=3))
    assert first.token_ids != second.token_ids
    return {
        "prompt_ids": ids,
        "chosen_ids": first.token_ids,
        "rejected_ids": second.token_ids,
        "engine": {"chosen": first.logprobs, "rejected": second.logprobs},
    }


@pytest.fixture(scope="module")
def adapter(tmp_path_factory):
    """A folder as a policy's: an adapter that is not zero, drawn and not trained."""
    import torch
    from peft import LoraConfig, get_peft_model

    own, folder = load_model("pocket"), tmp_path_factory.mktemp("adapter")
    torch.manual_seed(0)
    lora = LoraConfig(
        r=SETTINGS.lora_r, lora_alpha=SETTINGS.lora_alpha, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    model = get_peft_model(own.model, lora)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.05)
    model.save_pretrained(str(folder), save_embedding_layers=False)
    (folder / BASE_FILE).write_text(json.dumps(own.identity), encoding="utf-8")
    return folder


SETTINGS = TrainingSettings.from_params(load_params("smoke"), loss_type="sigmoid", label_smoothing=0.0, beta=0.3)


def test_log_probabilities_of_tokens_are_those_of_sampling(base, pair):
    found = token_log_probs(base, [pair, pair])
    for side in SIDES:
        assert len(found[side]) == 2
        assert found[side][0] == pytest.approx(pair["engine"][side], abs=1e-4)
        assert np.array_equal(*found[side])


def test_the_loss_of_a_pair_in_trl_and_in_numpy(base, pair, adapter):
    sums = {side: values[0].sum() for side, values in token_log_probs(base, [pair]).items()}
    policy = attach_adapter(base, adapter)
    trained = {side: values[0].sum() for side, values in token_log_probs(policy, [pair]).items()}
    detach_adapter(policy)
    reference = (sums["chosen"], sums["rejected"])
    loss, margin = dpo_loss(trained["chosen"], trained["rejected"], *reference, SETTINGS.beta)
    assert abs(margin) > 0.05  # the adapter does something
    assert trl_loss(base, adapter, pair, reference=reference, settings=SETTINGS) == pytest.approx(
        (loss, margin), abs=1e-5
    )
    assert not hasattr(base.model, "peft_config") and base.model.training is False
    again = token_log_probs(base, [pair])
    assert again["chosen"][0].sum() == sums["chosen"]  # given back as it was


def test_trl_s_loss_of_the_swapped_pair_has_the_margin_turned_round(base, pair, adapter):
    swapped = pair | {"chosen_ids": pair["rejected_ids"], "rejected_ids": pair["chosen_ids"]}
    _, margin = trl_loss(base, adapter, pair, reference=(-20.0, -30.0), settings=SETTINGS)
    _, turned = trl_loss(base, adapter, swapped, reference=(-30.0, -20.0), settings=SETTINGS)
    assert turned == pytest.approx(-margin, abs=1e-5)


# ---- samples beside a search


def response(sample, ids, verdicts, prompt_id="p"):
    row = {"prompt_id": prompt_id, "sample": sample, "token_ids": ids, "text": "".join(map(str, ids))}
    return row | {
        "logprob": -1.0 * len(ids),
        "finish": "stop",
        "verdicts": verdicts,
        "score": sum(verdicts) / len(verdicts),
    }


RESPONSES = [
    response(0, [1, 2, 0], [True, True]),
    response(1, [1, 3, 0], [True, False]),
    response(2, [4, 0], [False, False]),
    response(3, [4, 0], [False, False]),
]


def test_samples_as_a_tree_worked_by_hand():
    """Each token a segment: the root has 1 and 4, 1 has 2 and 3, and 4 goes one way only, twice."""
    boundaries = Boundaries(lambda ids: "".join(str(id) for id in ids), "tokens", 1)
    row = as_tree(RESPONSES, [9, 9], boundaries, max_depth=8)
    assert shape(row) == {"children of the root": 2, "forks below it": 1, "tokens sampled": 10}
    root, one = row["nodes"][0], row["nodes"][1]
    assert (root["visits"], root["value"]) == (4, 1.5 / 4)
    assert (one["token_ids"], one["visits"], one["value"]) == ([1], 2, 0.75)
    assert [row["nodes"][leaf]["verdicts"] for leaf in row["leaves"]] == [one["verdicts"] for one in RESPONSES]
    assert row["origins"] == [0, 0, 0, 0]


def toy_tree(leaves, verdicts):
    return {"leaves": leaves, "nodes": [{"verdicts": None}, *({"verdicts": one} for one in verdicts)]}


def test_progress_worked_by_hand():
    """`rs`: prompts p (scores 1, 0.5) and q (0, 0, one text); `mcts`: leaf 1 twice in one, 2 and 1 in another."""
    other = [response(sample, [4, 0], [False, False], "q") for sample in (1, 0)]
    trees = [toy_tree([1, 1], [[True, False]]), toy_tree([2, 1], [[True, True], [False, False]])]
    found = search_progress([*RESPONSES[:2], *other], {"mcts": trees})
    assert found == [
        {"curation": "rs", "simulation": 1, "mean_score": 0.5, "best_score": 0.5, "distinct": 1.0},
        {"curation": "rs", "simulation": 2, "mean_score": 0.375, "best_score": 0.5, "distinct": 1.5},
        {"curation": "mcts", "simulation": 1, "mean_score": 0.25, "best_score": 0.25, "distinct": 1.0},
        {"curation": "mcts", "simulation": 2, "mean_score": 0.5, "best_score": 0.75, "distinct": 1.5},
    ]


def test_progress_needs_as_many_responses_of_every_prompt():
    with pytest.raises(ValueError, match=r"rs: prompts have \[1, 2\] responses; allowed: all the same number"):
        search_progress([*RESPONSES[:2], response(0, [4, 0], [False, False], "q")], {})
