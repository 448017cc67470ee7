"""Policies taken out: peft loads them with the same logits, cards hold what was recorded, tokens are nowhere."""

import errno
import json
import re
import shutil
from pathlib import Path

import pytest

from ifpref import paths
from ifpref.analysis import ifeval
from ifpref.curation.pairs import Arm
from ifpref.design import Configuration
from ifpref.models import attach_adapter, detach_adapter, load_model
from ifpref.pipeline.policies import IFEVAL_KEY
from ifpref.pipeline.runs import IFEvalRun, Run
from ifpref.pipeline.samples import IFEvalPrompts, Prompts
from ifpref.publish import export
from ifpref.publish.export import ExportError
from ifpref.study import Study
from tests.conftest import TINY

torch = pytest.importorskip("torch")

OWN = TINY | {
    "max_tokens": 32,
    "comparisons": ["transfer", "transfer_seen"],
    "sampled_comparisons": [],
    "warmup_steps": 0.0,
    "num_train_epochs": 4.0,
}
RS = Arm("rs")
RUN = Run("transfer", RS, 0, Configuration(1e-2))
TOKEN = "hf_" + "x1Y2z3" * 6
ASKED = {"key": 7, "prompt": "Tell a story.", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}


@pytest.fixture(scope="module")
def made(root, tmp_path_factory):
    """A study with one run, made while a token is in the environment; and IFEval of one prompt."""
    home = tmp_path_factory.mktemp("home")
    shutil.copytree(root / "params", home / "params")
    (home / "ifeval.jsonl").write_text(json.dumps(ASKED) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(paths.HOME_VARIABLE, str(home))
        patch.setenv("HF_TOKEN", TOKEN)
        patch.setenv("IFEVAL_PROMPTS", str(home / "ifeval.jsonl"))
        patch.setattr("ifpref.pipeline.policies.IFEVAL_TOKENS", 32)
        study = Study("smoke", **OWN, ifeval=True)
        study.pipeline.get(RUN)
        study.pipeline.get(IFEvalRun(RUN))
        yield study


def run_record(study):
    return study.record("transfer", RS, 0)


def test_peft_loads_it_on_the_base_with_the_logits_of_the_study(made, tmp_path):
    from peft import PeftModel

    policy, card = export.of_study(made, "transfer", RS, 0)
    out = export.export(policy, tmp_path / "out", card)
    ids = torch.tensor([[1, 3, 50, 60, 4]])
    base = load_model("pocket")
    attached = attach_adapter(base, policy.path("adapter"))
    expected = attached.model(ids).logits
    plain = detach_adapter(attached).model(ids).logits
    assert torch.equal(PeftModel.from_pretrained(load_model("pocket").model, str(out)).eval()(ids).logits, expected)
    assert not torch.equal(plain, expected)
    assert torch.equal(attach_adapter(load_model("pocket"), out).model(ids).logits, expected)
    config = json.loads((out / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "pocket" and config["r"] == 16


def test_the_card_holds_what_was_recorded(made):
    _, card = export.of_study(made, "transfer", RS, 0)
    record = run_record(made)
    assert f"artefact `{record['policy']}`" in card and "comparison `transfer`" in card and "`rs/high/all`" in card
    assert f"{record['n_pairs']:,} preference pairs" in card and "| beta | 0.1 |" in card
    assert (
        "| held-out prompts | greedy | 6 |" in card
        and "| prompts with constraint types left out of training | greedy |" in card
    )
    assert re.search(r"Gain of the arm `rs/high/all` over the base, .*: [+-]\d+\.\d", card)
    assert "the base's licence holds for it" in card


def test_by_key_of_the_policy_or_of_its_run(made, tmp_path, capsys):
    record, run = run_record(made), made.pipeline.key(RUN)
    for place, key in (("a", record["policy"]), ("b", run)):
        assert export.main([key, "--out", str(tmp_path / place)]) == 0
    assert (tmp_path / "a" / "README.md").read_text() == (tmp_path / "b" / "README.md").read_text()
    [table] = made.tables("transfer", RS)
    assert (
        f"| held-out prompts | greedy | 6 | {100 * table.prompt_level().mean():.1f} % |"
        in (tmp_path / "a" / "README.md").read_text()
    )
    assert export.main([run, "--out", str(tmp_path / "a")]) == 2
    assert "is there and not empty" in capsys.readouterr().err
    prompts = made.pipeline.key(Prompts())
    assert export.main([prompts, "--out", str(tmp_path / "c")]) == 2
    assert "an artefact of the stage prompts; allowed: policy, run" in capsys.readouterr().err
    assert export.main(["0" * 16, "--out", str(tmp_path / "c")]) == 2 and not (tmp_path / "c").exists()


def test_a_folder_that_cannot_be_written_is_a_line_and_leaves_nothing(made, tmp_path, capsys, monkeypatch):
    key = run_record(made)["policy"]
    (tmp_path / "file").write_text("")
    assert export.main([key, "--out", str(tmp_path / "file" / "out")]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and "file/out: cannot be written" in error and error.count("\n") == 1

    def full(source, target):
        Path(target).write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr(export.shutil, "copyfile", full)
    (tmp_path / "empty").mkdir()
    for name in ("new", "empty"):
        assert export.main([key, "--out", str(tmp_path / name)]) == 2
        assert "No space left on device" in capsys.readouterr().err
    assert {path.name for path in tmp_path.rglob("*")} == {"file", "empty"}


def test_the_card_shows_what_it_is_given_as_text():
    text = export._use('a/b" `$c', None, 8)
    assert '"a/b\\" `$c"' in text and """vllm serve 'a/b" `$c' """ in text


def test_what_is_not_there_is_an_error(made):
    with pytest.raises(ValueError, match=r"arm of transfer 'mcts/high/all' is unknown.*allowed: rs/high/all"):
        export.of_study(made, "transfer", Arm("mcts"), 0)
    with pytest.raises(ExportError, match="replicate 3; allowed: 0 to 0"):
        export.of_study(made, "transfer", RS, 3)
    with pytest.raises(ExportError, match="no policy is there; `make reproduce` makes it"):
        export.of_study(made, "transfer_seen", RS, 0)


def test_a_hub_base_is_named_with_its_commit_and_a_command():
    text = export._use("owner/name", "c0ffee", 4)
    assert 'from_pretrained("owner/name", revision="c0ffee")' in text
    assert "vllm serve owner/name --revision c0ffee --enable-lora --max-lora-rank 8 " in text


@pytest.mark.parametrize(("rank", "allowed"), [(1, 8), (8, 8), (9, 16), (24, 32), (129, 256), (300, 320), (512, 512)])
def test_the_rank_that_vllm_is_told_is_one_it_allows(rank, allowed):
    assert f" --max-lora-rank {allowed} " in export._use("owner/name", None, rank)


def test_a_rank_that_vllm_does_not_allow_has_no_command():
    text = export._use("owner/name", None, 513)
    assert "vllm serve" not in text and "its rank is 513, and 512 is the largest" in text and "PeftModel" in text


# ---- IFEval beside our own prompts


def test_ifeval_has_its_tables_and_runs_keep_their_names(made):
    [table] = made.tables("transfer", RS, key=IFEVAL_KEY)
    assert table.prompt_ids == ("ifeval-7",)
    assert made.prompts("ifeval")[0]["text"] == "Tell a story."
    base, arm, *others = ifeval.accuracies(made, "transfer", "transfer_seen")  # no policy of which is there
    assert (base["arm"], arm["comparison"], arm["runs"], others) == ("base", "transfer", 1, [])
    [row] = ifeval.effects(made, {"transfer": [(RS, RS)]})[1:]
    assert (row["estimate"], row["prompts"]) == (0.0, 1)
    with_it, without = (set(Study("smoke", **OWN, ifeval=on).tasks()) for on in (True, False))
    assert {task.name for task in with_it - without} == {"ifeval", "base"} and without < with_it
    assert Study("smoke", **OWN).pipeline.key(RUN) == made.pipeline.key(RUN)


def test_ifeval_out_of_reach_is_left_out_with_a_word(made, monkeypatch, tmp_path):
    monkeypatch.delenv("IFEVAL_PROMPTS")
    monkeypatch.setattr("ifpref.evaluation.sets.fetch_prompts", lambda: out_of_reach())
    study, said = Study("smoke", **OWN, ifeval=True), []
    assert study.at_hand(study.tasks(), said.append) == Study("smoke", **OWN).tasks()
    assert len(said) == 1 and said[0].startswith("IFEval is left out of 3 evaluations")
    assert study.pipeline.find(IFEvalPrompts()) is None
    assert ifeval.accuracies(study, "transfer") == []
    assert "IFEval's prompts were out of reach" in ifeval.said(study, "transfer")


def out_of_reach():
    from ifpref.evaluation.sets import OutOfReach

    raise OutOfReach("no network")


# ---- tokens


def test_no_token_is_written_anywhere(made):
    home = paths.home()
    files = [path for path in home.rglob("*") if path.is_file()]
    assert len(files) > 20
    for path in files:
        data = path.read_bytes()
        if path.suffix == ".gz":
            import gzip

            data = gzip.decompress(data)
        assert TOKEN.encode() not in data and not re.search(rb"hf_[A-Za-z0-9]{20,}", data), path
