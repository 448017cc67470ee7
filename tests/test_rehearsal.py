"""The dress rehearsal: what a study would fail at, it fails at, with stage and reason; once for each set of keys."""

import json
import shutil

import pytest

from ifpref import paths
from ifpref.models import POCKET_FOLDER
from ifpref.params import load_params
from ifpref.pipeline import rehearsal
from ifpref.pipeline.pipeline import Pipeline
from ifpref.pipeline.rehearsal import RehearsalError
from ifpref.publish import rehearse
from ifpref.store import Store
from ifpref.study import Study
from tests.conftest import TINY

pytest.importorskip("torch")


@pytest.fixture
def home(root, tmp_path, monkeypatch):
    """A project folder with the embedded model as a folder of files, which is rehearsed as any other is."""
    shutil.copytree(root / "params", tmp_path / "params")
    shutil.copytree(POCKET_FOLDER, tmp_path / "model")
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path))
    return tmp_path


def own(home, **changed):
    return {**TINY, "n_test_prompts": 4, "model": str(home / "model"), "sampled_comparisons": [], **changed}


def write_bos_twice(home):
    file = home / "model" / "chat_template.jinja"
    file.write_text("{{ bos_token }}" + file.read_text())


def test_the_whole_road_and_nothing_is_left(home):
    said = []
    rehearsal.rehearse(load_params("smoke", **own(home)), "cpu", say=said.append)
    text = "\n".join(said)
    for part in ("model", "responses", "trees mcts", "pairs as_they_come", "a pair", "training, 2 steps"):
        assert f"rehearsal: {part}" in text
    assert "evaluation at temperature 0" in text and "evaluation at temperature 1" in text
    assert not list(home.glob("outputs/store/*/*"))


def test_without_a_pair_by_the_rules_two_responses_are_one(home, monkeypatch):
    seen = []
    genuine = rehearsal._policy
    monkeypatch.setattr(rehearsal, "_policy", lambda pipeline, pairs: (seen.append(pairs), genuine(pipeline, pairs))[1])
    monkeypatch.setattr(rehearsal, "rows_by_arm", lambda handle, arms: {arm: [] for arm in arms})
    rehearsal.rehearse(load_params("smoke", **own(home)), "cpu", say=lambda line: None)
    [[pair]] = seen
    assert pair["chosen_ids"] != pair["rejected_ids"] and pair["prompt_ids"]


def test_that_a_handful_of_prompts_has_nothing_alike_says_nothing_of_the_study(home, monkeypatch):
    """As smollm2 did: a pair in each arm, and none of the same scores."""
    from ifpref.curation import arms

    def nothing(states, match):
        raise arms.NothingAlikeError("no prompt has common scores")

    monkeypatch.setattr(arms, "_check_alike", nothing)
    said = []
    rehearsal.rehearse(load_params("smoke", **own(home, comparisons=["sharing"])), "cpu", say=said.append)
    assert "evaluation at temperature 1" in "\n".join(said)


def test_a_study_ends_at_once_with_stage_and_reason(home):
    write_bos_twice(home)
    study = Study("smoke", **own(home))
    with pytest.raises(
        RehearsalError, match=r"rehearsal with .*training, 2 steps: TrainingError: .*BOS twice in a row"
    ):
        study.run(workers=0, say=lambda line: None)
    assert (
        not list(home.glob("outputs/store/responses/*")) and not (home / "outputs" / "store" / rehearsal.FILE).exists()
    )


def test_in_a_worker_the_reason_comes_back(home):
    write_bos_twice(home)
    with pytest.raises(RehearsalError, match="BOS twice in a row"):
        Study("smoke", **own(home)).run(workers=2, say=lambda line: None)


def test_once_for_each_set_of_keys_and_never_for_pocket(home, monkeypatch):
    count = []
    monkeypatch.setattr(rehearsal, "rehearse", lambda *args, say: count.append(args))

    def begun(**changed):
        pipeline = Study("smoke", **own(home, **changed)).pipeline
        before = len(count)
        tasks = Study("smoke", **own(home, **changed)).tasks()
        rehearsal.begin(pipeline, pipeline.needs(tasks), rehearsal_executor(), "cpu", lambda line: None)
        return len(count) - before

    assert begun() == 1 and begun() == 0
    assert begun(n_replicates=2, n_train_prompts=9, confidence=0.9) == 0  # the same road
    assert begun(beta=0.05) == 1 and begun(dtype="bfloat16") == 1 and begun(beta=0.05) == 0
    assert begun(model="pocket", beta=0.2) == 0
    assert set(json.loads((home / "outputs" / "store" / rehearsal.FILE).read_bytes()).values()) == {str(home / "model")}


def rehearsal_executor():
    from ifpref.pipeline.workers import InProcess

    return InProcess()


def test_what_cannot_be_learned_from_is_said(home, monkeypatch):
    pipeline = Pipeline(load_params("smoke", **own(home, temperature=0.0)), Store(home / "store"))
    monkeypatch.setattr(rehearsal, "rows_by_arm", lambda handle, arms: {arm: [] for arm in arms})
    one, cut = rehearsal._cut(pipeline.params, pipeline.store, "cpu")
    with pytest.raises(ValueError, match="no two to one prompt differ: no pair"):
        rehearsal._pairs(cut, one)


def test_the_command(home, capsys):
    words = " ".join(f"{name}={json.dumps(value)}" for name, value in own(home).items())
    assert rehearse.main(["smoke", "--set", words]) == 0
    assert "all went well" in capsys.readouterr().out
    study = Study("smoke", **own(home))
    assert rehearsal.is_known(study.pipeline, "cpu")
    write_bos_twice(home)
    assert rehearse.main(["smoke", "--set", words]) == 2
    assert "training, 2 steps" in capsys.readouterr().err
