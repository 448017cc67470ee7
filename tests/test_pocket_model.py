"""The embedded model: its writer, its training, and the weights in the package."""

import dataclasses
import json
import time

import pytest

from ifpref.constraints import CONSTRAINT_SETS
from ifpref.constraints.checks import verify
from ifpref.models import POCKET_FOLDER, ModelError, load_model
from ifpref.pocket.exam import exam_prompts, examine
from ifpref.pocket.habits import LEVELS, compliance
from ifpref.pocket.tokenizer import train_tokenizer
from ifpref.pocket.writer import Stage, encode, write_examples, write_stage
from ifpref.prompts.domain import get_domain


@pytest.fixture(scope="module")
def examples():
    return write_examples("test", "pocket", [1 + n % 6 for n in range(240)])


@pytest.fixture(scope="module")
def pocket():
    return load_model("pocket")


@pytest.fixture(scope="module")
def provenance():
    return json.loads((POCKET_FOLDER / "provenance.json").read_text(encoding="utf-8"))


# The writer and its habits.


def test_the_writer_meets_what_it_sets_out_to_obey(examples):
    for example in examples:
        verdicts = verify(example.response, example.constraints)
        assert all(met for met, obeyed in zip(verdicts, example.obeyed, strict=True) if obeyed)


def test_what_it_ignores_it_mostly_misses(examples):
    ignored = [
        met
        for example in examples
        for met, obeyed in zip(verify(example.response, example.constraints), example.obeyed, strict=True)
        if not obeyed
    ]
    assert len(ignored) > 150 and sum(ignored) < 0.25 * len(ignored)


def test_habits_are_systematic():
    habits = compliance("pocket")
    tasks = [task.id for task in get_domain("pocket").tasks]
    for id in CONSTRAINT_SETS["study"]:
        levels = [habits[id, task, 1] for task in tasks]
        assert min(levels) <= 0.35 and max(levels) == 1.0  # every kind is heeded in some tasks, not in others
    table = list(habits.values())
    assert set(habits) == {(id, task, w) for id in CONSTRAINT_SETS["study"] for task in tasks for w in range(3)}
    assert 0.6 < sum(table) / len(table) < 0.75
    assert sum(p * (1 - p) for p in table) / len(table) < 0.13  # a coin of the same mean would have 0.22
    assert all(0.1 <= p <= 1 for p in table)


def test_weak_habits_are_weaker_everywhere_and_diligent_ones_obey():
    strong, weak, diligent = compliance("pocket"), compliance("weak"), compliance("diligent")
    assert all(weak[case] <= strong[case] for case in strong)
    assert weak != strong and set(diligent.values()) == {1.0}
    with pytest.raises(ValueError, match="unknown habits 'wild'; allowed: diligent, pocket, weak"):
        compliance("wild")
    assert set(LEVELS) == {"diligent", "pocket", "weak"}


def test_examples_are_the_same_for_any_number_of_workers():
    stage = Stage(600, "pocket", (1, 6))
    assert write_stage(stage, "x", workers=1) == write_stage(stage, "x", workers=2)


# The tokenizer.


def test_any_text_round_trips_and_the_template_has_each_mark_once(examples):
    tokenizer = train_tokenizer([e.response for e in examples], 600)
    for text in ("The old fox.", "héllo 世界 🦊\t\n\n***", 'a "b" <<c>> [d]', ""):
        assert tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"]) == text
    (prompt, response) = encode(examples[:1], tokenizer)[0]
    assert prompt[0] == tokenizer.bos_token_id and (prompt == tokenizer.bos_token_id).sum() == 1
    assert response[-1] == tokenizer.eos_token_id and (response == tokenizer.eos_token_id).sum() == 1
    chat = [{"role": "user", "content": examples[0].prompt}, {"role": "assistant", "content": examples[0].response}]
    whole = tokenizer.apply_chat_template(chat, return_dict=True)["input_ids"]
    assert whole == [*prompt.tolist(), *response.tolist()]
    with pytest.raises(Exception, match="roles user and assistant, found system"):
        tokenizer.apply_chat_template([{"role": "system", "content": "x"}])


# Training.


def tiny_recipe():
    from ifpref.pocket.train import Recipe

    stages = (Stage(60, "diligent", (1, 2), epochs=1), Stage(40, "pocket", (1, 6), epochs=2))
    return dataclasses.replace(
        Recipe(), vocab_size=300, hidden_size=16, layers=1, heads=2, intermediate_size=16, stages=stages, batch_size=8
    )


def test_a_run_that_was_stopped_goes_on_to_the_same_weights(tmp_path, monkeypatch):
    import torch

    from ifpref.pocket import train
    from ifpref.training.checkpoints import last_checkpoint

    monkeypatch.setattr(train, "EXAM_EVERY", 3)
    monkeypatch.setattr(train, "SAVE_EVERY", 2)
    recipe = tiny_recipe()
    examples = [write_stage(stage, f"0/{n}", workers=1) for n, stage in enumerate(recipe.stages)]
    tokenizer = train_tokenizer([e.response for stage in examples for e in stage], recipe.vocab_size)
    data = [encode(stage, tokenizer) for stage in examples]

    def trainer(name):
        return train.ResponseTrainer(recipe, tokenizer, data, tmp_path / name)

    def stop_at_nine(model):
        if stopped.state.global_step >= 9:
            raise KeyboardInterrupt
        return {}

    whole = trainer("whole")
    whole.exam = lambda model: {"examined": 1}
    whole.go_on()
    assert whole.state.global_step == len(whole.train_dataset) == 8 + 5 + 5
    log = whole.state.log_history
    assert [row["step"] for row in log] == [3, 6, 9, 12, 15, 18] and all(row["examined"] for row in log)
    assert all(row["minutes"] >= 0 for row in log) and log[-1]["loss"] < log[0]["loss"]
    stopped = trainer("stopped")
    stopped.exam = stop_at_nine
    with pytest.raises(KeyboardInterrupt):
        stopped.go_on()
    assert last_checkpoint(tmp_path / "stopped", train.run_of(recipe)).name == "checkpoint-8"
    resumed = trainer("stopped")
    resumed.go_on()
    assert [row["step"] for row in resumed.state.log_history] == [3, 6, 9, 12, 15, 18]
    expected, found = whole.model.state_dict(), resumed.model.state_dict()
    assert all(torch.equal(expected[name], found[name]) for name in expected)


def test_training_learns_and_batches_hold_every_example_once():
    from ifpref.pocket.train import batches, collate, response_loss

    examples = write_examples("tiny", "diligent", [1] * 50)
    tokenizer = train_tokenizer([e.response for e in examples], 300)
    data = encode(examples, tokenizer)
    seen = list(map(collate, batches(data, 8, "s")))
    assert sum(len(batch["input_ids"]) for batch in seen) == 50
    responses = sum(int((batch["labels"] != -100).sum()) for batch in seen)
    assert responses == sum(len(response) for _, response in data)
    assert len(seen) == 7 and seen[0]["input_ids"].shape == seen[0]["labels"].shape
    # The loss equals what transformers computes from the same labels.
    from ifpref.pocket.train import build_model

    model = build_model(tiny_recipe(), tokenizer).eval()
    expected = model(**seen[0]).loss.detach()
    assert abs(float(response_loss(model, seen[0]).detach()) - float(expected)) < 1e-5


def test_habits_that_do_not_exist_are_refused_before_any_work(tmp_path, capsys):
    from ifpref.pocket.train import main

    with pytest.raises(SystemExit, match="2"):
        main(["--out", str(tmp_path / "model"), "--habits", "nope"])
    assert "invalid choice: 'nope' (choose from" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_folder_of_another_recipe_is_refused_before_any_work(tmp_path, monkeypatch, capsys):
    from ifpref.pocket import train

    monkeypatch.setattr(train, "write_stage", lambda *args: pytest.fail("examples were written"))
    train.claim(tmp_path, tiny_recipe())
    train.claim(tmp_path, tiny_recipe())
    assert train.main(["--out", str(tmp_path)]) == 2
    assert "recipe.json: another recipe; remove the folder" in capsys.readouterr().err


def test_a_model_is_trained_examined_and_saved_with_its_card(tmp_path, monkeypatch):
    from ifpref.pocket import train

    monkeypatch.setattr(train, "exam_prompts", lambda n, seed=0: exam_prompts(12, seed))
    monkeypatch.setattr(train, "EXAM_EVERY", 9)
    found = train.train(tmp_path, tiny_recipe())
    assert [row["step"] for row in found["log"]] == [9, 18] and set(found["greedy"]["by_k"]) == set(range(1, 7))
    assert found["log"][0].keys() >= {"loss", "held_out_loss", "minutes", "instruction"}
    assert "habits: pocket" in (tmp_path / "model" / "README.md").read_text()
    assert load_model(str(tmp_path / "model")).model.num_parameters() == found["parameters"]


# The weights in the package.


def test_the_weights_are_small_safe_and_load_fast(pocket):
    files = {path.name: path.stat().st_size for path in POCKET_FOLDER.iterdir()}
    assert sum(files.values()) < 6 * 2**20
    assert not [name for name in files if name.endswith((".bin", ".pt", ".py", ".pkl"))]
    start = time.perf_counter()
    load_model("pocket")
    assert time.perf_counter() - start < 5  # under a second on an idle machine; make bench measures it
    assert pocket.identity["id"] == "pocket" and len(pocket.identity["content"]) == 16


def test_the_provenance_is_that_of_this_world(provenance):
    from ifpref.pocket.train import world_version

    habits = provenance["recipe"]["stages"][-1]["habits"]
    assert world_version(habits) == provenance["world"], (
        "the pocket world, its wordings or its writer have changed since the weights were trained: "
        "run `make pocket-model`, or take the change back"
    )


def test_the_model_is_what_the_study_needs(provenance):
    greedy, sampled = provenance["greedy"], provenance["temperature_1"]
    assert 0.50 <= greedy["instruction"] <= 0.80
    assert greedy["by_k"]["1"] >= 0.60 and 0.02 <= greedy["by_k"]["6"] <= 0.25
    assert all(greedy["by_k"][str(k)] >= greedy["by_k"][str(k + 1)] for k in range(1, 6))
    assert sampled["instruction"] >= greedy["instruction"] - 0.15
    assert set(greedy["by_id"]) == set(CONSTRAINT_SETS["study"])
    assert all(0.15 <= rate <= 0.98 for rate in greedy["by_id"].values())


def test_the_weights_give_what_the_provenance_says(pocket, provenance):
    found = examine(pocket.model, pocket.tokenizer, exam_prompts(120, seed=1))
    assert abs(found["instruction"] - provenance["greedy"]["instruction"]) < 0.08


def test_a_folder_loads_as_the_embedded_model_does(pocket, tmp_path):
    pocket.model.save_pretrained(tmp_path)
    pocket.tokenizer.save_pretrained(tmp_path)
    copy = load_model(str(tmp_path))
    prompts = exam_prompts(12)
    assert examine(copy.model, copy.tokenizer, prompts) == examine(pocket.model, pocket.tokenizer, prompts)


def test_models_that_cannot_be_used_are_refused(pocket, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(ModelError, match="'nobody/nothing' cannot be loaded"):
        load_model("nobody/nothing")
    pocket.model.save_pretrained(tmp_path)
    tokenizer = train_tokenizer(["a few words"], 300)
    tokenizer.chat_template = None
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="no chat template"):
        load_model(str(tmp_path))
