"""Models that cannot be used: each said clearly, within seconds, without running their code or telling a token."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import fake_hub
import pytest
from hostile_models import HOSTILE_MODELS, face
from tiny_models import save_base

from ifpref import models
from ifpref.models import ModelError, hub, identify, load_config, load_model, load_tokenizer, look_on_hub
from ifpref.pocket.tokenizer import train_tokenizer

torch = pytest.importorskip("torch")
TOKEN = "hf_" + "x1Y2z3" * 6


def save(folder, *, template=True, eos=True, safe=True):
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = train_tokenizer(["The river ran past the old mill."], 280)
    sizes = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 1, "num_attention_heads": 2}
    model = LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), max_position_embeddings=64, **sizes))
    model.save_pretrained(folder)
    if not safe:
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
        (folder / "model.safetensors").unlink()
    if not template:
        tokenizer.chat_template = None
    if not eos:
        tokenizer.eos_token = None
    tokenizer.save_pretrained(folder)
    return folder


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ({"template": False}, "no chat template: it is a base model; take an instruct model"),
        ({"eos": False}, "no end-of-sequence token, so no response would end"),
        ({"safe": False}, "cannot be loaded: .*safetensors"),
    ],
)
def test_a_folder_that_cannot_be_used(tmp_path, what, message):
    with pytest.raises(ModelError, match=message):
        load_model(str(save(tmp_path, **what)))


def test_code_of_a_model_is_never_run(tmp_path):
    save(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config |= {"model_type": "mine", "auto_map": {"AutoConfig": "mine.Config", "AutoModelForCausalLM": "mine.Model"}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "mine.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    for load in (load_model, load_config):
        with pytest.raises(ModelError, match="code of its own, and code from a hub or a folder is not run here"):
            load(str(tmp_path))
    assert not (tmp_path / "ran").exists()


# ---- a folder of somebody else's (hostile_models.py; all of them: make torture)

SAMPLE = (
    "nothing",
    "a deleted q_proj",
    "int8 weights",
    "one NaN",
    "a missing shard",
    "a folder with a GGUF",
    "model type bert",
    "another rope_theta",
    "an end token outside",
    "more tokens than the embedding",
    "a permuted vocabulary",
    "a template that ignores the prompt",
    "a template that never ends",
    "a folder of links",
)


@pytest.mark.parametrize("name", SAMPLE)
def test_a_hostile_model(name, tmp_path):
    found = face(name, tmp_path)
    assert found.is_right(HOSTILE_MODELS[name]), found


def test_a_model_is_its_dtype_too(tmp_path):
    folder = str(save_base(tmp_path))
    kinds = [identify(folder, None, dtype) for dtype in ("float32", "bfloat16")]
    assert kinds[0] != kinds[1]
    assert [load_model(folder, dtype=dtype).identity for dtype in ("float32", "bfloat16")] == kinds


@pytest.mark.parametrize(
    "name", ["a deleted q_proj", "model type bert", "torn weights", "more tokens than the embedding"]
)
def test_a_study_of_a_model_that_is_not_whole_leaves_nothing(name, tmp_path, monkeypatch):
    from ifpref import paths
    from ifpref.study import Study

    model = save_base(tmp_path / "model")
    HOSTILE_MODELS[name].damage(model)
    shutil.copytree(Path(__file__).parents[1] / "params", tmp_path / "params")
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path))
    with pytest.raises(ModelError):
        Study("smoke", model=str(model)).run(workers=0, say=lambda line: None)
    made = [path for path in paths.store_folder().rglob("*") if path.is_file()]
    assert not made


# ---- the hub, played


class Info:
    def __init__(self, gated=False, files=("model.safetensors", "config.json")):
        self.sha, self.gated = "c0ffee", gated
        self.siblings = [type("File", (), {"rfilename": name}) for name in files]


@pytest.fixture
def answer(monkeypatch):
    """Sets what the hub answers: an error to raise, or an `Info`."""
    import huggingface_hub

    monkeypatch.delenv(hub.TOKEN, raising=False)
    monkeypatch.setattr(hub, "cached_commit", lambda id, revision: None)
    monkeypatch.setattr(models.load, "cached_commit", lambda id, revision: None)

    def play(info, access=None):
        def say(what):
            if isinstance(what, Exception):
                raise what
            return what

        monkeypatch.setattr(huggingface_hub.HfApi, "model_info", lambda self, id, **how: say(info))
        monkeypatch.setattr(huggingface_hub.HfApi, "auth_check", lambda self, id: say(access))

    return play


def refused(name, status):
    import httpx2
    from huggingface_hub import errors

    response = httpx2.Response(status, request=httpx2.Request("GET", "https://hub/api"))
    return getattr(errors, name)("no", response=response)


def test_a_gated_model_names_the_steps_and_tells_no_token(answer, monkeypatch):
    answer(Info(gated="manual"), refused("GatedRepoError", 403))
    with pytest.raises(ModelError) as unset:
        look_on_hub("owner/name")
    steps = ["is gated", "1. Accept its licence at", "/owner/name, signed in", "2. Make a token", "HF_TOKEN is not set"]
    assert all(step in str(unset.value) for step in steps)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    with pytest.raises(ModelError, match="HF_TOKEN is set, so the licence is not accepted") as found:
        load_model("owner/name")
    assert TOKEN not in str(found.value)
    answer(Info(gated="manual"))  # accepted
    assert look_on_hub("owner/name").sha == "c0ffee"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            ("RepositoryNotFoundError", 404),
            "'owner/name' is not found: neither a folder here nor a model on the hub; a",
        ),
        (("RevisionNotFoundError", 404), "'owner/name' has no revision 'v9'; allowed: a commit, branch or tag of it"),
        (("HfHubHTTPError", 401), r"the hub refuses the token in HF_TOKEN \(401\); make a new one"),
        (("HfHubHTTPError", 503), r"the hub cannot be asked \(it answers 503\)"),
    ],
)
def test_what_the_hub_refuses(answer, error, message):
    answer(refused(*error))
    for ask in (identify, load_tokenizer):
        with pytest.raises(ModelError, match=message):
            ask("owner/name", revision="v9")


def test_a_hub_model_without_safetensors_is_refused_before_it_is_fetched(answer):
    answer(Info(files=("pytorch_model.bin", "config.json")))
    with pytest.raises(ModelError, match=r"no \.safetensors on the hub"):
        load_model("owner/name")


def test_no_network_is_said_at_once_and_what_was_fetched_will_do(answer, monkeypatch):
    import httpx2

    answer(httpx2.ConnectError("Name or service not known"))
    start = time.monotonic()
    with pytest.raises(hub.Unreachable, match=r"hub cannot be asked \(Name or .*`hf download owner/name` fetches it"):
        identify("owner/name")
    assert time.monotonic() - start < 5
    monkeypatch.setattr(models.load, "cached_commit", lambda id, revision: "abc123")
    assert identify("owner/name") == {"id": "owner/name", "revision": "abc123", "content": None, "dtype": "float32"}
    assert models.load._source("owner/name", None)[1]["local_files_only"] is True


@pytest.fixture(scope="module")
def of_the_hub(tmp_path_factory):
    """What fake_hub.py saw: huggingface_hub's own client, in a process that knows no other hub."""
    folder, script = tmp_path_factory.mktemp("hub"), Path(__file__).with_name("fake_hub.py")
    command = [sys.executable, str(script), str(folder), str(folder / "cache")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    environment["PYTHONPATH"] = str(script.parents[1])
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_a_hub_model_is_its_commit(of_the_hub):
    identity = {"id": "owner/name", "revision": "a" * 40, "content": None, "dtype": "float32"}
    assert all(of_the_hub[what] == identity for what in ("loaded", "study", "base of the adapter"))


def test_a_study_keeps_the_commit_when_the_branch_moves_on_and_when_the_hub_is_away(of_the_hub):
    assert of_the_hub["moved on: asked anew"] == "b" * 40
    assert of_the_hub["moved on: the study"] == of_the_hub["away: the study"] == "a" * 40
    assert of_the_hub["away: by commit"] == "b" * 40


def test_an_adapter_of_another_commit_is_refused(of_the_hub):
    assert f"trained on 'owner/name', revision {'a' * 40}; found: " in of_the_hub["moved on: the adapter"]


@pytest.fixture
def hub_at(monkeypatch, tmp_path):
    """Lets the hub's own client ask a server of fake_hub.py, with an empty cache."""
    import huggingface_hub.constants as constants

    def ask(address):
        monkeypatch.setattr(constants, "ENDPOINT", address)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.setenv(name, "127.0.0.1")

    return ask


@pytest.mark.parametrize(
    "body", [fake_hub.Portal.body, b"", b"[1]", b'"hub"', b"null", b"{}", b'{"id": "owner/name", "siblings": [1]}']
)
def test_a_sign_in_page_in_place_of_the_hub(hub_at, body):
    with fake_hub.serving(type("Page", (fake_hub.Portal,), {"body": body})) as address:
        hub_at(address)
        with pytest.raises(hub.Unreachable, match=r"what answers at http://127\.0\.0\.1:\d+ is not a hub"):
            identify("owner/name")


def test_a_hub_that_drips_is_given_up(hub_at, monkeypatch):
    monkeypatch.setattr(hub, "LOOK_S", 1.0)
    with fake_hub.serving(fake_hub.Dripping) as address:
        hub_at(address)
        start = time.monotonic()
        with pytest.raises(hub.Unreachable, match=r"the hub cannot be asked \(it has not answered within 1 s\)"):
            identify("owner/name")
        assert time.monotonic() - start < 5


def test_the_only_commit_in_the_cache_will_do_without_a_hub(monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    for commit, found in (("a" * 40, "a" * 40), ("b" * 40, None)):
        snapshot = tmp_path / "models--owner--name" / "snapshots" / commit
        snapshot.mkdir(parents=True)
        (snapshot / "config.json").write_text("{}")
        assert hub.cached_commit("owner/name", None) == found


@pytest.mark.parametrize("text", ["[1]", '{"owner/name@default branch": 3}', "{"])
def test_a_damaged_file_of_commits_is_said(tmp_path, text):
    from ifpref.pipeline.kept import KeptError
    from ifpref.pipeline.model import kept_identity

    (tmp_path / "commits.json").write_text(text)
    with pytest.raises(KeptError, match=r"commits\.json: .*; allowed: an object, of each model@revision its commit"):
        kept_identity(tmp_path / "commits.json", "owner/name", None, "float32")


def test_what_is_no_id_is_refused():
    with pytest.raises(ModelError, match=r"'a b' is not found.* hub id such as owner/name"):
        identify("a b")
