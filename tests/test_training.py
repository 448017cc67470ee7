"""LoRA-DPO: the loss, the shared prefix, the reference, the checks, and whole runs on a tiny Llama."""

import copy
import ipaddress
import json
import math
import os
import random
import shutil
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import ASSISTANT, BOS, EOS, USER, save_base

from ifpref.analysis.tour import token_log_probs
from ifpref.models import ModelError, attach_adapter, detach_adapter, load_model
from ifpref.params import load_params
from ifpref.pipeline.model import Machine
from ifpref.pipeline.policies import Policy, policy_settings
from ifpref.pipeline.stage import ModelJob
from ifpref.sampling import Request, Settings
from ifpref.store import Store
from ifpref.training import ProcessDied, TrainingError, TrainingSettings
from ifpref.training.algorithms import ALGORITHMS
from ifpref.training.algorithms.dpo import DPO, dpo_loss
from ifpref.training.checkpoints import SEAL, last_checkpoint
from ifpref.training.checks import check_pairs, expected_trainable
from tests.damages import DAMAGES
from tests.policies import policy_artefact, reference_of, train_policy

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.filterwarnings("ignore:.*gradient_checkpointing.*:FutureWarning")  # trl's, see trainer.train

SETTINGS = TrainingSettings.from_params(
    load_params("smoke"),
    max_length=64,
    num_train_epochs=2.0,
    learning_rate=1e-2,
    per_device_train_batch_size=2,
    gradient_accumulation_steps=2,
    warmup_steps=0.0,
)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return load_model(str(save_base(tmp_path_factory.mktemp("base"))))


def make_pair(id, prompt, chosen, rejected):
    return {
        "pair_id": id,
        "prompt_ids": [BOS, USER, *prompt, ASSISTANT],
        "chosen_ids": [*chosen, EOS],
        "rejected_ids": [*rejected, EOS],
        "chosen_finish": "stop",
        "rejected_finish": "stop",
    }


def make_pairs(n, seed=0):
    """Some share a prefix of their completions, as pairs of MCTS do."""
    rng = random.Random(seed)

    def ids(low, high):
        return [rng.randrange(10, 280) for _ in range(rng.randrange(low, high))]

    pairs = []
    for index in range(n):
        shared = ids(0, 6) if index % 2 else []
        pairs.append(make_pair(f"p{index}", ids(2, 9), shared + ids(1, 14), shared + ids(1, 14)))
    return pairs


PAIRS = make_pairs(6)


def log_probs_alone(model, pair, side):
    """Summed log-probability of a completion, by nothing but the model's own logits."""
    ids = torch.tensor([pair["prompt_ids"] + pair[f"{side}_ids"]])
    with torch.no_grad():
        log_p = model(ids).logits[0].double().log_softmax(-1)
    start = len(pair["prompt_ids"])
    return sum(log_p[place - 1, ids[0, place]].item() for place in range(start, ids.shape[1]))


# ---- the loss


def test_the_loss_worked_by_hand():
    loss, margin = dpo_loss([-20.0, -5.0], [-25.0, -5.0], [-21.0, -5.0], [-24.0, -5.0], beta=0.1)
    assert margin == pytest.approx([0.2, 0.0])
    assert loss == pytest.approx([math.log(1 + math.exp(-0.2)), math.log(2)])


def trl_loss(trainer, rows):
    """(loss, margin, chosen log-ratio) of a batch as trl computes them."""
    batch = trainer._prepare_inputs(trainer.data_collator(rows))
    with torch.no_grad():
        loss = trainer.compute_loss(trainer.model.eval(), batch).item()
    metrics = trainer._metrics["eval"]
    margin, chosen = metrics["rewards/margins"][-1], metrics["rewards/chosen"][-1] / trainer.beta
    return loss, margin, chosen


def moved(row, n):
    """The first n tokens of the completions, moved to the prompt."""
    return {
        "prompt_ids": row["prompt_ids"] + row["chosen_ids"][:n],
        "chosen_ids": row["chosen_ids"][n:],
        "rejected_ids": row["rejected_ids"][n:],
    }


@pytest.fixture(scope="module")
def trained(base, tmp_path_factory):
    """A trainer whose adapter is somewhere else than at zero, on a base of its own."""
    from ifpref.training.trainer import build_trainer

    own = replace(base, model=copy.deepcopy(base.model))
    rows = [pair | {"ref_chosen_logps": 0.0, "ref_rejected_logps": 0.0} for pair in PAIRS]
    trainer = build_trainer(own, rows, SETTINGS, 0, tmp_path_factory.mktemp("trained"))
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in trainer.model.parameters():
            if parameter.requires_grad:
                parameter.add_(0.1 * torch.randn_like(parameter))
    return trainer


def with_reference(pair, base):
    found = {side: log_probs_alone(base.model, pair, side) for side in ("chosen", "rejected")}
    return pair | {f"ref_{side}_logps": value for side, value in found.items()}


def test_numpy_and_trl_agree(base, trained):
    rows = [with_reference(pair, base) for pair in PAIRS]
    policy = {s: [log_probs_alone(trained.model, pair, s) for pair in PAIRS] for s in ("chosen", "rejected")}
    reference = {s: [row[f"ref_{s}_logps"] for row in rows] for s in ("chosen", "rejected")}
    losses, margins = dpo_loss(
        policy["chosen"], policy["rejected"], reference["chosen"], reference["rejected"], SETTINGS.beta
    )
    assert np.abs(margins).max() > 0.05  # the adapter does something
    loss, margin, _ = trl_loss(trained, rows)
    assert loss == pytest.approx(losses.mean(), abs=1e-5)
    assert margin == pytest.approx(margins.mean(), abs=1e-5)


def test_a_prefix_moved_to_the_prompt_leaves_loss_and_margin_as_they_were(base, trained):
    pair = make_pair("x", [20, 21], [30, 31, 32, 40, 41], [30, 31, 32, 50])
    whole = with_reference(pair, base)
    parts = with_reference(moved(pair, 3), base)
    loss, margin, chosen = trl_loss(trained, [whole])
    moved_loss, moved_margin, moved_chosen = trl_loss(trained, [parts])
    assert (moved_loss, moved_margin) == pytest.approx((loss, margin), abs=1e-5)
    assert abs(moved_chosen - chosen) > 1e-3  # while this, which no arm may be compared on, does change


# ---- the shared prefix


def test_a_pair_in_one_row_worked_by_hand():
    from ifpref.training.forward import fold

    ids = torch.tensor([[1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 7, 0]])  # prompt 1 2 3, chosen 4 5 6, rejected 4 7
    real = torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 0]])
    labels = torch.tensor([[-100, -100, -100, 4, 5, 6], [-100, -100, -100, 4, 7, -100]])
    rows = fold(ids, real, labels)
    assert rows.input_ids.tolist() == [[1, 2, 3, 4, 5, 6, 4, 7]]
    assert rows.position_ids.tolist() == [[0, 1, 2, 3, 4, 5, 3, 4]]
    assert rows.targets.tolist() == [[-100, -100, 4, 5, 6, -100, 7, -100]]
    seen = [[place for place in range(8) if rows.allowed[0, 0, query, place]] for query in (3, 5, 6, 7)]
    assert seen == [[0, 1, 2, 3], [0, 1, 2, 3, 4, 5], [0, 1, 2, 6], [0, 1, 2, 6, 7]]
    unfolded = rows.unfold(torch.tensor([14.0, 15.0, 16.0, 17.0]))
    assert unfolded.tolist() == [[0, 0, 14, 15, 16], [0, 0, 14, 17, 0]]


def forward_both_ways(model, pairs):
    """(trl's own outputs and gradient, ours) of a batch."""
    from trl.trainer.dpo_trainer import DataCollatorForPreference
    from trl.trainer.utils import add_fused_lm_head

    from ifpref.training.forward import share_prefixes

    batch = DataCollatorForPreference(pad_token_id=0)(pairs)
    labels = batch["input_ids"].masked_fill(batch.pop("completion_mask") == 0, -100)
    found = []
    for share in (False, True):
        own = copy.deepcopy(model)
        add_fused_lm_head(own, outputs=("log_probs", "entropy", "mean_logits", "is_top1"))
        assert not share or share_prefixes(own)
        outputs = own(**batch, labels=labels, fused_lm_head=True)
        weights = torch.linspace(-1, 1, len(labels))  # every sequence with a weight of its own
        (outputs.log_probs.sum(dim=1) * weights).sum().backward()
        found.append((outputs, own.get_input_embeddings().weight.grad))
    return found


@pytest.mark.parametrize("kind", ["llama", "mistral", "qwen2", "qwen3"])
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_the_shared_prefix_changes_no_number(kind, attention, tmp_path):
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(save_base(tmp_path, 3, kind)).eval()
    model.set_attn_implementation(attention)
    lone = [make_pair("a", [9], [20], [20, 21, 22]), make_pair("b", [], [20, 21, 22], [20])]
    unfinished = make_pair("c", [8, 9], [30, 31, 32], [40]) | {"chosen_ids": [30, 31], "rejected_ids": [30, 31, 32]}
    (own, own_grad), (ours, our_grad) = forward_both_ways(model, [*PAIRS, *lone, unfinished])
    assert torch.allclose(ours.log_probs, own.log_probs, atol=1e-4)
    assert torch.allclose(our_grad, own_grad, atol=1e-3 * own_grad.abs().max().item())


ids = st.lists(st.integers(5, 279), max_size=5)


@settings(max_examples=25)
@given(st.lists(st.tuples(ids, ids, ids, ids), min_size=1, max_size=4))
def test_the_shared_prefix_changes_no_number_whatever_is_shared(base, drawn):
    pairs = [make_pair("x", prompt, shared + a, shared + b) for prompt, shared, a, b in drawn]
    (own, _), (ours, _) = forward_both_ways(base.model, pairs)
    assert torch.allclose(ours.log_probs, own.log_probs, atol=1e-4)


def test_a_model_whose_attention_is_not_plain_keeps_its_own_forward(base):
    from ifpref.training.forward import on_same_weights, scoring, share_prefixes

    assert share_prefixes(on_same_weights(base.model))
    own = copy.deepcopy(base.model)
    own.config.logits_scaling = 2.0
    assert not share_prefixes(own)
    labels = torch.tensor([[-100, -100, 20, 21]])
    found = scoring(own)(input_ids=torch.tensor([[1, 3, 20, 21]]), labels=labels, fused_lm_head=True)
    assert found.log_probs.shape == (1, 3) and "forward" not in own.__dict__


def test_a_copy_on_the_same_weights_takes_no_memory_and_leaves_no_trace(base):
    from ifpref.training.forward import on_same_weights

    own = on_same_weights(base.model)
    pairs = list(zip(own.parameters(), base.model.parameters(), strict=True))
    assert all(one.data_ptr() == other.data_ptr() and one is not other for one, other in pairs)
    assert own.get_output_embeddings().weight.data_ptr() == base.model.get_output_embeddings().weight.data_ptr()
    own.requires_grad_(False)
    own.config.use_cache = not base.model.config.use_cache
    own.train()
    assert all(p.requires_grad for p in base.model.parameters()) and not base.model.training
    assert base.model.config.use_cache != own.config.use_cache


# ---- the reference


def test_the_reference_is_the_base_s_log_probability(base, tmp_path):
    table = reference_of(Store(tmp_path), base, PAIRS)
    for pair in PAIRS:
        expected = [log_probs_alone(base.model, pair, side) for side in ("chosen", "rejected")]
        assert table.of(pair) == pytest.approx(expected, abs=1e-4)


def test_the_reference_of_a_pair_is_computed_once(base, tmp_path, monkeypatch):
    import ifpref.training.reference_model as reference

    scored = []
    real = reference._scorer

    def counting(*arguments):
        score = real(*arguments)
        return lambda pair: scored.append(pair["pair_id"]) or score(pair)

    monkeypatch.setattr(reference, "_scorer", counting)
    first = reference_of(Store(tmp_path / "first"), base, [*PAIRS[:4], PAIRS[0]])
    assert sorted(scored) == ["p0", "p1", "p2", "p3"]
    swapped = [p | {"chosen_ids": p["rejected_ids"], "rejected_ids": p["chosen_ids"]} for p in PAIRS[:2]]
    second = reference_of(Store(tmp_path / "second"), base, [*PAIRS[2:], *swapped])
    assert second.of(swapped[0]) == first.of(PAIRS[0])[::-1]
    assert [second.of(pair) for pair in PAIRS[2:4]] == [first.of(pair) for pair in PAIRS[2:4]]


# ---- checks


def test_whole_pairs_pass(base):
    check_pairs(PAIRS, base, max_length=64)
    unfinished = PAIRS[0] | {"rejected_ids": [7, 8, 9], "rejected_finish": "length"}
    check_pairs([unfinished], base, max_length=64)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"chosen_ids": []}, "is empty"),
        ({"rejected_ids": PAIRS[0]["chosen_ids"]}, "are equal"),
        ({"chosen_ids": [9, 999, EOS]}, r"a token id is not in the vocabulary .*\(0 to 279\)"),
        ({"prompt_ids": [BOS, BOS, USER, 9, ASSISTANT]}, "BOS 1 is 2 times in prompt and chosen; allowed: 1 times"),
        ({"prompt_ids": [USER, 9, ASSISTANT]}, "BOS 1 is 0 times"),
        ({"prompt_ids": [USER, BOS, 9, ASSISTANT]}, "BOS 1 is 1 times .* first of all"),
        ({"chosen_ids": [9, EOS, EOS]}, r"EOS \(2,\) is 2 times in chosen_ids, finish 'stop'; allowed: 1, last"),
        ({"rejected_ids": [9, 10]}, r"EOS \(2,\) is 0 times in rejected_ids"),
        ({"rejected_ids": [9, EOS, 10]}, "EOS .* last of all"),
        ({"rejected_ids": [9, EOS], "rejected_finish": "length"}, "is 1 times in rejected_ids, finish 'length'"),
    ],
)
def test_a_pair_that_cannot_be_right_stops_the_run(base, change, message):
    with pytest.raises(TrainingError, match=f"pair 'p0': .*{message}"):
        check_pairs([PAIRS[0] | change, *PAIRS[1:]], base, max_length=64)


def test_nothing_is_cut_off_or_dropped(base):
    longest = max(len(p["prompt_ids"]) + max(len(p["chosen_ids"]), len(p["rejected_ids"])) for p in PAIRS)
    check_pairs(PAIRS, base, max_length=longest)
    with pytest.raises(TrainingError, match=f"would cut 1 of 6 pairs.*allowed: at least {longest}"):
        check_pairs(PAIRS, base, max_length=longest - 1)
    with pytest.raises(TrainingError, match=r"max_length = 129; allowed: at most the 128 positions"):
        check_pairs(PAIRS, base, max_length=129)
    with pytest.raises(TrainingError, match="pair 'p0' is there 2 times"):
        check_pairs([*PAIRS, PAIRS[0]], base, max_length=64)
    with pytest.raises(TrainingError, match="no pairs"):
        check_pairs([], base, max_length=64)


def test_pairs_are_checked_before_anything_is_computed_of_them(base, tmp_path):
    broken, computed = [PAIRS[0] | {"chosen_ids": []}], []
    machine = Machine(device="cpu", sampling_batch_size=1, engine_url=None, training_processes=1)
    model = SimpleNamespace(loaded=base, fitting=None)
    nested = lambda stage, *args, **options: computed.append(stage)  # noqa: E731
    asked = policy_settings(broken, SETTINGS)
    job = ModelJob(asked, {}, 0, machine, broken, str(tmp_path / "policy"), nested, model=model)
    with pytest.raises(TrainingError, match=r"pair 'p0': .*is empty"):
        Policy.make(job, None)
    assert not computed


def test_the_numbers_at_step_0():
    DPO().check_reference([1e-5, -2e-5], [9, 16], is_half=False)
    DPO().check_reference([2.9, -0.3], [256, 16], is_half=True)  # as SmolLM2 in bfloat16
    with pytest.raises(TrainingError, match=r"a log-ratio is 0\.5 over 9 tokens.*another base"):
        DPO().check_reference([0.5, 0.0], [9, 16], is_half=False)
    with pytest.raises(TrainingError, match=r"a log-ratio is 9 over 256 tokens.*another base"):
        DPO().check_reference([9.0, 0.0], [256, 16], is_half=True)
    with pytest.raises(TrainingError, match="a log-ratio is nan"):
        DPO().check_reference([math.nan], [9], is_half=False)
    DPO().check_loss(math.log(2), SETTINGS)
    with pytest.raises(TrainingError, match=r"the loss \(sigmoid\) is 0.7; allowed: 0.693147"):
        DPO().check_loss(0.7, SETTINGS)


def test_trainable_parameters_worked_by_hand(base):
    # q and o are 32 x 32, k and v 32 x 16, gate and up 32 x 48, down 48 x 32; two layers, rank 16
    attention, mlp = 2 * (32 + 32) + 2 * (32 + 16), 3 * (32 + 48)
    assert expected_trainable(base.model, SETTINGS) == 2 * 16 * (attention + mlp)
    only = replace(SETTINGS, lora_target_modules=("q_proj", "v_proj"))
    assert expected_trainable(base.model, only) == 2 * 16 * (64 + 48)
    for wrong, named in ((("q_proj", "q_prj"), r"\['q_prj'\]"), ((), r"\[\]"), (("lm_head",), r"\['lm_head'\]")):
        with pytest.raises(TrainingError, match=rf"of which no layers: {named}; allowed: all-linear, or of .*'q_proj'"):
            expected_trainable(base.model, replace(SETTINGS, lora_target_modules=wrong))


# ---- settings and batches


def test_settings_that_trl_would_misread():
    with pytest.raises(TrainingError, match=r"0\.1, loss_type 'sigmoid'; allowed: 0, or loss_type robust or"):
        replace(SETTINGS, label_smoothing=0.1)
    with pytest.raises(TrainingError, match=r"label_smoothing = 0\.0, loss_type 'robust'; allowed: above 0"):
        replace(SETTINGS, loss_type="robust")


@pytest.mark.parametrize("loss_type", ["sigmoid", "sigmoid_norm", "hinge", "ipo", "robust", "exo_pair"])
def test_the_loss_before_training_is_trl_s(loss_type, base, tmp_path):
    from ifpref.training.trainer import build_trainer

    smoothing = 0.1 if loss_type in ("robust", "exo_pair") else 0.0
    chosen = replace(SETTINGS, loss_type=loss_type, label_smoothing=smoothing)
    rows = [with_reference(pair, base) for pair in PAIRS[:2]]
    trainer = build_trainer(base, rows, chosen, 0, tmp_path)
    assert trl_loss(trainer, rows)[0] == pytest.approx(DPO().initial_loss(chosen), abs=1e-5)


@given(st.integers(1, 12), st.integers(1, 6), st.integers(1, 8))
def test_the_effective_batch_is_kept_whatever_the_number_of_processes(size, accumulation, processes):
    chosen = replace(SETTINGS, per_device_train_batch_size=size, gradient_accumulation_steps=accumulation)
    if (size * accumulation) % processes:
        with pytest.raises(TrainingError, match=f"{size * accumulation} pairs cannot be shared by {processes} proc"):
            chosen.micro_batches(processes)
    else:
        micro, steps = chosen.micro_batches(processes)
        assert micro * steps * processes == chosen.effective_batch_size and micro <= size


@given(st.lists(st.integers(1, 99), min_size=1, max_size=40), st.integers(1, 9), st.integers(1, 30), st.integers(0, 5))
def test_batches_show_every_pair_equally_often_and_the_longest_first(lengths, size, steps, seed):
    from ifpref.training.trainer import order_of

    order = order_of(lengths, size, steps, seed)
    assert len(order) == size * steps
    counts = [order.count(index) for index in range(len(lengths))]
    assert max(counts) - min(counts) <= 1
    for start in range(0, len(order), size):
        batch = [lengths[index] for index in order[start : start + size]]
        assert batch == sorted(batch, reverse=True)
    assert order == order_of(lengths, size, steps, seed)


# ---- another algorithm


def test_an_algorithm_is_a_file_and_a_line(base, tmp_path, monkeypatch):
    from tests.toy_sft import sft_loss

    monkeypatch.setitem(ALGORITHMS, "sft", "tests.toy_sft:SFT")
    chosen = replace(SETTINGS, algorithm="sft", per_device_train_batch_size=6, gradient_accumulation_steps=1)
    handle = train_policy(Store(tmp_path), base, PAIRS, chosen, seed=0)
    assert handle.key != policy_artefact(base, PAIRS, replace(chosen, algorithm="dpo"), seed=0).key
    record, log = handle.read_json("training.json"), handle.read_jsonl("log.jsonl")
    assert (record["state"], record["steps"], record["settings"]["algorithm"]) == ("finished", 2, "sft")
    assert not list(tmp_path.glob("reference/*"))  # which it does not need
    assert list(log[0]) == ["step", "epoch", "loss", "token_accuracy", "grad_norm", "learning_rate"]
    assert log[0]["loss"] == pytest.approx(sft_loss(token_log_probs(base, PAIRS)["chosen"]), abs=1e-5)
    assert log[1]["loss"] < log[0]["loss"] == pytest.approx(record["start"]["loss"], abs=1e-5)
    policy = attach_adapter(base, handle.path("adapter"))
    assert sft_loss(token_log_probs(policy, PAIRS)["chosen"]) < log[1]["loss"]
    detach_adapter(policy)
    again = train_policy(Store(tmp_path / "again"), base, PAIRS, chosen, seed=0)
    assert files(again) == files(handle)


def test_an_unknown_algorithm_is_named():
    with pytest.raises(TrainingError, match="algorithm = 'ppo'; allowed: dpo"):
        replace(SETTINGS, algorithm="ppo")


# ---- whole runs


@pytest.fixture(scope="module")
def policy(base, tmp_path_factory):
    return train_policy(Store(tmp_path_factory.mktemp("store")), base, PAIRS, SETTINGS, seed=0)


def files(handle):
    names = [name for name in handle.manifest["files"] if name != "training.json"]
    return {name: (handle.folder / name).read_bytes() for name in names}


def test_a_run_and_its_record(base, policy):
    record = policy.read_json("training.json")
    assert (record["state"], record["reason"]) == ("finished", None)
    assert record["steps"] == record["adapter_step"] == SETTINGS.steps(6) == 3  # 12 pairs, 4 at a time
    assert (record["n_pairs"], record["pairs_seen"], record["shares_prefixes"]) == (6, 12, True)
    assert record["base"] == base.identity and record["trainable_parameters"] == expected_trainable(
        base.model, SETTINGS
    )
    assert record["start"]["loss"] == pytest.approx(math.log(2), abs=1e-6)
    log = policy.read_jsonl("log.jsonl")
    assert [row["step"] for row in log] == [1, 2, 3]
    assert [row["epoch"] for row in log] == pytest.approx([4 / 6, 8 / 6, 2])
    assert log[0]["loss"] == pytest.approx(math.log(2), abs=1e-6) and log[0]["margin"] == pytest.approx(0, abs=1e-5)
    assert log[-1]["loss"] < 0.6 and log[-1]["margin"] > 0 and log[-1]["accuracy"] > 0.5
    assert all(row["grad_norm"] > 0 for row in log)
    assert set(files(policy)) == {
        "adapter/adapter_config.json",
        "adapter/adapter_model.safetensors",
        "adapter/base.json",
        "log.jsonl",
    }
    assert not list(policy.folder.parent.glob("*.checkpoints"))


def test_the_stored_margins_are_those_of_the_stored_adapter(base, tmp_path):
    """With one batch an epoch, row 2 of a run is measured on the adapter that a run of one step stores."""
    whole = replace(
        SETTINGS, per_device_train_batch_size=6, gradient_accumulation_steps=1, lr_scheduler_type="constant"
    )
    store = Store(tmp_path)
    log = train_policy(store, base, PAIRS, whole, seed=0).read_jsonl("log.jsonl")
    one = train_policy(store, base, PAIRS, replace(whole, num_train_epochs=1.0), seed=0)
    policy = attach_adapter(base, one.path("adapter"))
    found = {s: [log_probs_alone(policy.model, pair, s) for pair in PAIRS] for s in ("chosen", "rejected")}
    detach_adapter(policy)
    reference = {s: [log_probs_alone(base.model, pair, s) for pair in PAIRS] for s in ("chosen", "rejected")}
    losses, margins = dpo_loss(
        found["chosen"], found["rejected"], reference["chosen"], reference["rejected"], whole.beta
    )
    assert log[1]["loss"] == pytest.approx(losses.mean(), abs=1e-5)
    assert log[1]["margin"] == pytest.approx(margins.mean(), abs=1e-5)
    log_ratio = np.mean(np.subtract(found["chosen"], reference["chosen"]))
    assert log[1]["chosen_log_ratio"] == pytest.approx(log_ratio, abs=1e-4)
    assert abs(margins.mean()) > 0.01


def test_a_run_repeats_byte_for_byte_and_a_seed_changes_it(base, policy, tmp_path):
    assert files(train_policy(Store(tmp_path / "again"), base, PAIRS, SETTINGS, seed=0)) == files(policy)
    other = train_policy(Store(tmp_path / "other"), base, PAIRS, SETTINGS, seed=1)
    assert files(other)["adapter/adapter_model.safetensors"] != files(policy)["adapter/adapter_model.safetensors"]


def test_any_seed_of_a_study_is_a_seed_of_training(base, tmp_path):
    """NumPy takes none from 2**32 on."""
    from ifpref.training.trainer import config

    at = lambda seed: config(SETTINGS, seed, tmp_path, 1, True).seed  # noqa: E731
    assert (at(0), at(429_497), at(2**32 - 1), at(2**32), at(20241231 * 10_000)) == (
        *(0, 429_497, 2**32 - 1, 0),
        202412310000 % 2**32,
    )
    large = train_policy(Store(tmp_path), base, PAIRS, SETTINGS, seed=202412310000)
    assert large.read_json("training.json")["seed"] == 202412310000


def test_the_key_holds_what_changes_the_result(base):
    def key(pairs=PAIRS, chosen=SETTINGS, seed=0):
        return policy_artefact(base, pairs, chosen, seed=seed).key

    renamed = [pair | {"pair_id": f"q{index}", "contrast": "low"} for index, pair in enumerate(PAIRS)]
    cut = replace(SETTINGS, per_device_train_batch_size=1, gradient_accumulation_steps=4, gradient_checkpointing=True)
    assert key() == key(renamed) == key(chosen=cut) == key(chosen=replace(SETTINGS, save_steps=7))
    swapped = PAIRS[0] | {"chosen_ids": PAIRS[0]["rejected_ids"], "rejected_ids": PAIRS[0]["chosen_ids"]}
    others = [key(PAIRS[:5]), key([swapped, *PAIRS[1:]]), key(chosen=replace(SETTINGS, beta=0.2)), key(seed=1)]
    others.append(key(chosen=replace(SETTINGS, per_device_train_batch_size=4)))
    assert len({key(), *others}) == 6


class Kill(Exception):
    pass


LONG = replace(SETTINGS, num_train_epochs=5.0, lora_dropout=0.2, save_steps=3)  # 8 steps; dropout draws numbers


def train_and_kill(store, base, step, **options):
    """A run that ends for no reason after a step, without an artefact; its checkpoints' folder."""
    from transformers import TrainerCallback

    import ifpref.training.trainer as trainer

    class KillAt(TrainerCallback):
        def on_step_end(self, args, state, control, **kwargs):
            if state.global_step == step:
                raise Kill

    real = trainer.train
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "train", lambda *a, **k: real(*a, **k, callbacks=[KillAt()]))
        with pytest.raises(Kill):
            train_policy(store, base, PAIRS, LONG, **options)
    (checkpoints,) = store.root.glob("policy/*.checkpoints")
    return checkpoints


@pytest.fixture(scope="module")
def long(base, tmp_path_factory):
    """A run never killed."""
    return train_policy(Store(tmp_path_factory.mktemp("long")), base, PAIRS, LONG, seed=0)


def test_a_killed_run_goes_on_to_the_same_policy(base, long, tmp_path):
    store = Store(tmp_path)
    checkpoints = train_and_kill(store, base, 4, seed=0)
    assert [path.name for path in checkpoints.glob("checkpoint-*")] == ["checkpoint-3"]
    (checkpoints / "checkpoint-5").mkdir()  # torn by the kill: no state in it
    resumed = train_policy(store, base, PAIRS, LONG, seed=0)
    assert files(resumed) == files(long)
    assert resumed.read_json("training.json") == long.read_json("training.json")


# ---- damaged checkpoints


@pytest.fixture(scope="module")
def killed(base, tmp_path_factory):
    """The store of a run that was killed after its second checkpoint."""
    store = Store(tmp_path_factory.mktemp("killed"))
    checkpoints = train_and_kill(store, base, 7, seed=0)
    assert sorted(path.name for path in checkpoints.glob("checkpoint-*")) == ["checkpoint-3", "checkpoint-6"]
    return store


@pytest.fixture
def own_killed(killed, tmp_path):
    """(store, its checkpoints' folder, the run), to be damaged."""
    shutil.copytree(killed.root, tmp_path / "own")
    (checkpoints,) = (tmp_path / "own" / "policy").glob("*.checkpoints")
    return Store(tmp_path / "own"), checkpoints, json.loads((checkpoints / "checkpoint-3" / SEAL).read_text())["run"]


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_checkpoint_is_dropped_for_the_one_before(name, own_killed, caplog):
    _, checkpoints, run = own_killed
    assert last_checkpoint(checkpoints, run) == checkpoints / "checkpoint-6"
    DAMAGES[name](checkpoints / "checkpoint-6")
    assert last_checkpoint(checkpoints, run) == checkpoints / "checkpoint-3"
    assert [path.name for path in checkpoints.glob("checkpoint-*")] == ["checkpoint-3"]
    assert "checkpoint-6: torn, damaged or of another run; removed" in caplog.text


@pytest.mark.parametrize(
    ("last", "before"),
    [
        ("a flipped bit in the optimizer", None),
        ("no scheduler", "a flipped bit in the adapter"),  # none is left
        ("the checkpoint before under its name", None),
    ],
)
def test_with_damaged_checkpoints_the_policy_is_that_of_a_run_never_killed(last, before, base, own_killed, long):
    store, checkpoints, _ = own_killed
    DAMAGES[last](checkpoints / "checkpoint-6")
    if before:
        DAMAGES[before](checkpoints / "checkpoint-3")
    assert files(train_policy(store, base, PAIRS, LONG, seed=0)) == files(long)


def test_a_checkpoint_of_another_run_is_not_used(base, own_killed):
    from ifpref.training.checkpoints import run_of

    store, checkpoints, run = own_killed
    reference = reference_of(store, base, PAIRS)
    rows = DPO().rows(PAIRS, reference)
    assert run_of(base, rows, LONG, 0, 1) == run
    cut = replace(LONG, per_device_train_batch_size=1, gradient_accumulation_steps=4, save_steps=9)
    assert run_of(base, rows, cut, 0, 1) == run  # what does not fit into memory goes on in smaller pieces
    others = [(rows[:5], LONG, 0, 1), (rows, replace(LONG, beta=0.2), 0, 1), (rows, LONG, 1, 1), (rows, LONG, 0, 2)]
    assert run not in {run_of(base, *other) for other in others}
    assert last_checkpoint(checkpoints, run_of(base, *others[0])) is None
    assert not list(checkpoints.glob("checkpoint-*"))


def test_a_run_that_ends_leaves_no_checkpoint_of_its_end(base, tmp_path, monkeypatch):
    """The end is decided in memory: a run that went on from there would not know of it."""
    from ifpref.training import checkpoints

    sealed = []
    monkeypatch.setattr(checkpoints, "seal", lambda checkpoint, run: sealed.append(checkpoint.name))
    wild = replace(LONG, learning_rate=1e30, lr_scheduler_type="constant", save_steps=1)
    record = train_policy(Store(tmp_path / "wild"), base, PAIRS, wild, seed=0).read_json("training.json")
    assert (record["state"], record["steps"], sealed) == ("diverged", 2, ["checkpoint-1"])
    sealed.clear()
    short = replace(SETTINGS, save_steps=1)
    assert train_policy(Store(tmp_path / "short"), base, PAIRS, short, seed=0).read_json("training.json")["steps"] == 3
    assert sealed == ["checkpoint-1", "checkpoint-2"]


# ---- what can go wrong


def test_lora_dropout_is_not_silenced(base, policy, tmp_path):
    dropped = train_policy(Store(tmp_path), base, PAIRS, replace(SETTINGS, lora_dropout=0.3), seed=0)
    assert dropped.read_jsonl("log.jsonl")[-1]["loss"] != policy.read_jsonl("log.jsonl")[-1]["loss"]


def adapter_of(handle):
    from safetensors.torch import load_file

    return load_file(handle.path("adapter/adapter_model.safetensors"))


def test_a_run_whose_numbers_end_keeps_its_last_finite_adapter(base, tmp_path):
    wild = replace(SETTINGS, learning_rate=1e30, lr_scheduler_type="constant", num_train_epochs=4.0)
    handle = train_policy(Store(tmp_path), base, PAIRS, wild, seed=0)
    record, log = handle.read_json("training.json"), handle.read_jsonl("log.jsonl")
    assert record["state"] == "diverged" and record["reason"] == "the gradient of step 2 is not finite"
    assert (record["steps"], record["adapter_step"]) == (2, 1)
    assert log[1]["loss"] is None and log[1]["grad_norm"] is None
    assert all(torch.isfinite(tensor).all() for tensor in adapter_of(handle).values())
    assert max(tensor.abs().max() for tensor in adapter_of(handle).values()) > 1e29  # the adapter after step 1


def test_an_update_that_overflows_is_taken_back(base, tmp_path):
    wild = replace(SETTINGS, learning_rate=3e38, lr_scheduler_type="constant", num_train_epochs=4.0)
    handle = train_policy(Store(tmp_path), base, PAIRS, wild, seed=0)
    record = handle.read_json("training.json")
    assert record["state"] == "diverged" and record["adapter_step"] < record["steps"]
    assert all(torch.isfinite(tensor).all() for tensor in adapter_of(handle).values())


def test_a_loss_that_grows_beyond_the_ratio_is_divergence(base, tmp_path):
    flipped = [PAIRS[0] | {"pair_id": "a"}, PAIRS[0] | {"pair_id": "b"}]
    flipped[1] |= {"chosen_ids": PAIRS[0]["rejected_ids"], "rejected_ids": PAIRS[0]["chosen_ids"]}
    one = dict(per_device_train_batch_size=1, gradient_accumulation_steps=1, lr_scheduler_type="constant")
    wild = replace(SETTINGS, **one, learning_rate=0.3, num_train_epochs=8.0, divergence_ratio=1.5)
    handle = train_policy(Store(tmp_path), base, flipped, wild, seed=0)
    record, log = handle.read_json("training.json"), handle.read_jsonl("log.jsonl")
    assert record["state"] == "diverged" and "above 1.04" in record["reason"]
    assert record["adapter_step"] == record["steps"] == len(log) < 16
    assert log[-1]["loss"] > 1.5 * math.log(2) >= log[-2]["loss"]


def test_a_reference_of_another_base_stops_the_run(base, tmp_path, monkeypatch):
    import ifpref.training.reference_model as reference

    monkeypatch.setattr(reference, "_scorer", lambda *a: lambda pair: (-12.0, -20.0))
    with pytest.raises(TrainingError, match=r"a log-ratio is .* The stored reference is of another base"):
        train_policy(Store(tmp_path), base, PAIRS, SETTINGS, seed=0)


def test_gradient_checkpointing_changes_nothing(base, policy, tmp_path):
    same = train_policy(Store(tmp_path), base, PAIRS, replace(SETTINGS, gradient_checkpointing=True), seed=0)
    for name, tensor in adapter_of(same).items():
        assert torch.allclose(tensor, adapter_of(policy)[name], atol=1e-6), name
    assert not any(getattr(module, "gradient_checkpointing", False) for module in base.model.modules())


def test_bf16_runs_and_leaves_no_trace(base, policy, tmp_path):
    half = train_policy(Store(tmp_path / "half"), base, PAIRS, replace(SETTINGS, bf16=True), seed=0)
    assert half.read_json("training.json")["state"] == "finished"
    found, expected = half.read_jsonl("log.jsonl"), policy.read_jsonl("log.jsonl")
    assert found[-1]["loss"] != expected[-1]["loss"]
    assert found[-1]["loss"] == pytest.approx(expected[-1]["loss"], abs=0.05)
    assert files(train_policy(Store(tmp_path / "full"), base, PAIRS, SETTINGS, seed=0)) == files(policy)


def test_two_processes_train_the_same_policy_and_listen_to_nobody_else(base, policy, tmp_path, monkeypatch):
    from safetensors.torch import load_file

    from ifpref.pipeline.fitting import Fitting, fit_training
    from ifpref.training.processes import launch

    monkeypatch.setenv("OMP_NUM_THREADS", "2")  # of this process; those that train have one
    fitting = Fitting(tmp_path / "fitting.json", base.identity)
    rows = DPO().rows(PAIRS, reference_of(Store(tmp_path), base, PAIRS))
    train = lambda fits: launch(base, rows, fits, seed=0, folder=tmp_path, processes=2)  # noqa: E731
    chosen = replace(SETTINGS, save_steps=2)
    with listening() as addresses:
        both = fit_training(train, base, chosen, 2, fitting)  # which starts anew where gloo aborts
    assert addresses and all(ipaddress.ip_address(address).is_loopback for address in addresses)
    assert (both["state"], both["pairs_seen"], both["steps"]) == ("finished", 12, 3)
    for one, two in zip(policy.read_jsonl("log.jsonl"), both["log"], strict=True):
        assert two == pytest.approx(one, abs=1e-5)
    # AdamW divides by the size of the gradient: where that is nearly zero, rounding shows in single weights.
    adapter = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    one, two = (torch.cat([tensor.flatten() for tensor in run.values()]) for run in (adapter_of(policy), adapter))
    assert torch.linalg.vector_norm(one - two) < 1e-3 * torch.linalg.vector_norm(one)

    sealed = json.loads((tmp_path / "checkpoint-2" / SEAL).read_text())
    assert {"rng_state_0.pth", "rng_state_1.pth", "optimizer.pt"} < set(sealed["files"])
    assert last_checkpoint(tmp_path, sealed["run"]) == tmp_path / "checkpoint-2"
    assert fit_training(train, base, chosen, 2, fitting) == both  # from there


@contextmanager
def listening():
    """The addresses at which processes that this one starts listen, or are spoken to."""
    addresses, done = set(), threading.Event()

    def look():
        while not done.wait(0.2):
            for process in psutil.Process().children(recursive=True):
                with suppress(psutil.Error):
                    addresses.update(connection.laddr.ip for connection in process.net_connections("inet"))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield addresses
    finally:
        done.set()
        watcher.join()


def test_the_base_is_given_back_where_memory_runs_out_while_peft_puts_its_layers_in(base, tmp_path, monkeypatch):
    from peft.tuners.lora import LoraModel
    from peft.tuners.tuners_utils import BaseTunerLayer

    put, layers = LoraModel._create_and_replace, []

    def put_three(self, *args, **kwargs):
        layers.append(1)
        if len(layers) > 3:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        put(self, *args, **kwargs)

    monkeypatch.setattr(LoraModel, "_create_and_replace", put_three)
    with pytest.raises(torch.cuda.OutOfMemoryError):
        train_policy(Store(tmp_path), base, PAIRS, SETTINGS, seed=0)
    assert len(layers) == 4 and not any(isinstance(layer, BaseTunerLayer) for layer in base.model.modules())


class OneOfThem:
    """The second process of a launch, run here; what happens to the first one is seen in the exit status."""

    def __init__(self, job, arguments, processes, **options):
        self.processes, self.seen = [], {}
        try:
            job(1, *arguments)
        finally:
            self.seen = {name: os.environ[name] for name in ("RANK", "WORLD_SIZE", "OMP_NUM_THREADS")}
            self.seen["threads"] = torch.get_num_threads()

    def join(self):
        raise torch.multiprocessing.ProcessExitedException("process 1 terminated with signal SIGABRT", 1, 0, 1)


@pytest.fixture
def launched(monkeypatch):
    """The processes that `launch` starts, in this one."""
    found, threads = [], torch.get_num_threads()

    def start(*arguments, **options):
        one = OneOfThem.__new__(OneOfThem)
        with suppress(TrainingError, torch.cuda.OutOfMemoryError):
            one.__init__(*arguments, **options)
        found.append(one)
        return one

    monkeypatch.setattr(os, "environ", dict(os.environ) | {"OMP_NUM_THREADS": "2"})
    monkeypatch.setattr(torch.multiprocessing, "start_processes", start)
    monkeypatch.setattr(torch.distributed, "init_process_group", lambda *a, **k: None)
    monkeypatch.setattr(torch.distributed, "destroy_process_group", lambda: None)
    yield found
    torch.set_num_threads(threads)


def test_a_process_that_runs_out_of_gpu_memory_says_so_to_the_one_that_started_it(
    base, tmp_path, launched, monkeypatch
):
    from ifpref.training import trainer

    def no_room(*args, **kwargs):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 1.00 GiB.")

    monkeypatch.setattr(trainer, "train", no_room)
    with pytest.raises(torch.cuda.OutOfMemoryError, match=r"Tried to allocate 1.00 GiB"):
        train_policy(Store(tmp_path), base, PAIRS, SETTINGS, seed=0, processes=2)
    monkeypatch.setattr(trainer, "train", lambda *a, **k: {})  # memory is there again: the earlier note counts no more
    with pytest.raises(ProcessDied, match=r"of 2 processes of training one died: .*SIGABRT"):
        train_policy(Store(tmp_path), base, PAIRS, SETTINGS, seed=0, processes=2)
    assert [one.seen for one in launched] == 2 * [
        {"RANK": "1", "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1", "threads": 1}
    ]


def test_what_a_process_refuses_is_told(base, tmp_path, launched, monkeypatch):
    from ifpref.training import trainer

    def refuse(*args, **kwargs):
        raise TrainingError("before training the loss is 0.7")

    monkeypatch.setattr(trainer, "train", refuse)
    with pytest.raises(TrainingError, match=r"^before training the loss is 0\.7$") as found:
        train_policy(Store(tmp_path), base, PAIRS, SETTINGS, seed=0, processes=2)
    assert not isinstance(found.value, ProcessDied)


def test_a_model_that_has_changed_meanwhile_is_not_trained(base, tmp_path, launched):
    own = load_model(str(save_base(tmp_path / "own")))
    assert own.identity["content"] == base.identity["content"]  # which is known now
    save_base(tmp_path / "own", 1)
    with pytest.raises(TrainingError, match=r"own: found .*; allowed: as this run was started, ") as found:
        train_policy(Store(tmp_path), own, PAIRS, SETTINGS, processes=2)
    assert not isinstance(found.value, ProcessDied)


# ---- the base, and adapters


def test_the_base_is_given_back_as_it_was(base, policy, tmp_path):
    from ifpref.sampling import TransformersEngine

    ids = torch.tensor([[1, 3, 50, 60, 4]])
    before, logits = {n: t.clone() for n, t in base.model.state_dict().items()}, base.model(ids).logits
    flags = [p.requires_grad for p in base.model.parameters()]
    train_policy(Store(tmp_path), base, PAIRS, replace(SETTINGS, lora_dropout=0.1), seed=3)
    after = base.model.state_dict()
    assert list(after) == list(before) and all(torch.equal(after[name], before[name]) for name in before)
    assert torch.equal(base.model(ids).logits, logits) and not base.model.training
    assert [p.requires_grad for p in base.model.parameters()] == flags
    assert "forward" not in base.model.__dict__ and not hasattr(base.model, "peft_config")

    attached = attach_adapter(base, policy.path("adapter"))
    assert not torch.allclose(attached.model(ids).logits, logits)
    [[completion]] = TransformersEngine(attached, 2).sample([Request("x", (1, 3, 50, 4))], Settings(0.0, max_tokens=3))
    assert completion.token_ids[0] == attached.model(torch.tensor([[1, 3, 50, 4]])).logits[0, -1].argmax()
    assert attached.identity == base.identity | {"adapter": attached.identity["adapter"]}
    with pytest.raises(ModelError, match="has an adapter already"):
        attach_adapter(attached, policy.path("adapter"))
    with pytest.raises(TrainingError, match="has an adapter attached"):
        check_pairs(PAIRS, attached, max_length=64)
    detached = detach_adapter(attached)
    assert torch.equal(detached.model(ids).logits, logits) and detached.identity == base.identity


def test_an_adapter_is_refused_on_another_base(policy, tmp_path):
    other = load_model(str(save_base(tmp_path / "other", 1)))
    with pytest.raises(ModelError, match=r"trained on .*, content .*; found: .*, content .*; allowed: its own base"):
        attach_adapter(other, policy.path("adapter"))
    assert not hasattr(other.model, "peft_config")
    (tmp_path / "adapter").mkdir()
    for name in ("adapter_config.json", "adapter_model.safetensors"):
        (tmp_path / "adapter" / name).write_bytes((policy.path("adapter") / name).read_bytes())
    with pytest.raises(ModelError, match=r"base\.json.*allowed: the identity of a base"):
        attach_adapter(other, tmp_path / "adapter")


def test_an_adapter_fits_the_same_weights_in_another_folder(policy, tmp_path):
    twin = load_model(str(save_base(tmp_path / "twin")))
    assert attach_adapter(twin, policy.path("adapter")).adapter == policy.path("adapter")


def test_the_adapter_names_no_path_of_its_base(policy, base):
    config = json.loads(policy.path("adapter/adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == base.id
    assert config["target_modules"] == sorted(config["target_modules"])
