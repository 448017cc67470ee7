"""What can be wrong with a model in a folder: damaged, foreign, or with another mind than it had.

    face("a deleted q_proj", tmp_path)      # Found(outcome="refused", message="model '…': its weights do not fit …")

Of each case: what damages a small model (its folder is the argument; what it returns is loaded in its place), and what
must happen: a pattern that the message of the `ModelError` holds, or SAME or OTHER: it is accepted, with the identity
that it had or with another. tests/test_models.py faces some of them, tests/torture all.
"""

import json
import os
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from damages import change, cut, remove
from tiny_models import save_base

SAME, OTHER = "the same identity", "another identity"
LIMIT_S = 30.0
"""Until each must be answered, on a busy machine."""


@dataclass(frozen=True)
class Case:
    damage: Callable[[Path], object]
    expected: str


@dataclass(frozen=True)
class Found:
    """`outcome`: "refused", SAME, OTHER, or "raw: <type>" for an error that is no ModelError."""

    outcome: str
    message: str
    seconds: float

    def is_right(self, case: Case) -> bool:
        if self.seconds > LIMIT_S:
            return False
        if case.expected in (SAME, OTHER):
            return self.outcome == case.expected
        return self.outcome == "refused" and bool(re.search(case.expected, self.message))


def face(name: str, tmp_path: Path) -> Found:
    """Load the model of a case, as a study would: identified, then loaded."""
    from ifpref.models import ModelError, identify, load_model

    folder = save_base(tmp_path / "model")
    before = identify(str(folder))
    model = str(HOSTILE_MODELS[name].damage(folder) or folder)
    start = time.monotonic()
    try:
        identity = identify(model)
        loaded = load_model(model)
    except ModelError as error:
        return Found("refused", str(error), time.monotonic() - start)
    except Exception as error:
        return Found(f"raw: {type(error).__name__}", str(error), time.monotonic() - start)
    seconds = time.monotonic() - start
    if loaded.identity != identity:
        return Found("raw: two identities", f"{identity} and {loaded.identity}", seconds)
    same = {**identity, "id": None} == {**before, "id": None}
    return Found(SAME if same else OTHER, "", seconds)


# ---- damages


def write(name: str, content: str | bytes) -> Callable[[Path], None]:
    data = content.encode() if isinstance(content, str) else content
    return lambda folder: (folder / name).write_bytes(data) and None


def drop(name: str, key: str) -> Callable[[Path], None]:
    """A key of a JSON file."""

    def damage(folder: Path) -> None:
        found = json.loads((folder / name).read_text())
        del found[key]
        (folder / name).write_text(json.dumps(found))

    return damage


def weights(edit: Callable[[dict], object]) -> Callable[[Path], None]:
    """Tensors, by name, edited in place."""

    def damage(folder: Path) -> None:
        from safetensors.torch import load_file, save_file

        tensors = load_file(folder / "model.safetensors")
        edit(tensors)
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})

    return damage


def tensor(end: str, edit: Callable) -> Callable[[Path], None]:
    """The first tensor of such a name, replaced; None deletes it."""

    def change_it(tensors: dict) -> None:
        name = next(name for name in sorted(tensors) if name.endswith(end))
        new = edit(tensors[name])
        tensors.pop(name)
        if new is not None:
            tensors[name] = new.contiguous()

    return weights(change_it)


def first(value: float) -> Callable:
    def edit(tensor):
        tensor.view(-1)[0] = value
        return tensor

    return edit


def template(text: str) -> Callable[[Path], None]:
    return write("chat_template.jinja", text)


def no_template(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()


def only_bin(folder: Path) -> None:
    import torch
    from safetensors.torch import load_file

    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def own_code(folder: Path) -> None:
    names = {"AutoConfig": "mine.Config", "AutoModelForCausalLM": "mine.Model"}
    change("config.json", model_type="mine", auto_map=names)(folder)
    (folder / "mine.py").write_text(f"open({str(folder / 'ran')!r}, 'w')\n")


def shards(edit: Callable[[Path, dict], object]) -> Callable[[Path], None]:
    """The same weights in two files with an index, which is then edited."""

    def damage(folder: Path) -> None:
        from safetensors.torch import load_file, save_file

        tensors = load_file(folder / "model.safetensors")
        names, places = sorted(tensors), {}
        for number, part in enumerate((names[::2], names[1::2]), 1):
            file = f"model-{number:05}-of-00002.safetensors"
            save_file({name: tensors[name] for name in part}, folder / file, metadata={"format": "pt"})
            places |= dict.fromkeys(part, file)
        (folder / "model.safetensors").unlink()
        edit(folder, places)
        index = {"metadata": {"total_size": 1}, "weight_map": places}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))

    return damage


def second_shard(folder: Path) -> Path:
    return folder / "model-00002-of-00002.safetensors"


def swapped(places: dict) -> None:
    a, b = sorted(places)[:2]
    places[a], places[b] = places[b], places[a]


def permuted(folder: Path) -> None:
    """Two tokens change places."""
    found = json.loads((folder / "tokenizer.json").read_text())
    vocab = found["model"]["vocab"]
    a, b = (name for name, id in vocab.items() if id in (40, 41))
    vocab[a], vocab[b] = vocab[b], vocab[a]
    (folder / "tokenizer.json").write_text(json.dumps(found))


def more_tokens(folder: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens([f"<extra {number}>" for number in range(20)])
    tokenizer.save_pretrained(folder)


def no_end(folder: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.eos_token = None
    tokenizer.save_pretrained(folder)


def linked(folder: Path) -> None:
    """As the hub's cache has it: every file a link."""
    elsewhere = folder.with_name("blobs")
    folder.rename(elsewhere)
    folder.mkdir()
    for file in elsewhere.iterdir():
        (folder / file.name).symlink_to(file)


def dangling(folder: Path) -> None:
    linked(folder)
    (folder.with_name("blobs") / "model.safetensors").unlink()


def gguf(folder: Path) -> Path:
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "model.gguf").write_bytes(b"GGUF\3\0\0\0")
    return folder


def unreadable(folder: Path) -> None:
    (folder / "config.json").chmod(0)


def renamed(name: str) -> Callable[[Path], Path]:
    return lambda folder: folder.rename(folder.with_name(name))


def float16(tensors: dict) -> None:
    tensors.update({name: tensor.half() for name, tensor in tensors.items()})


def adapter(folder: Path) -> None:
    found = {"peft_type": "LORA", "base_model_name_or_path": "owner/other", "r": 4, "target_modules": ["q_proj"]}
    (folder / "adapter_config.json").write_text(json.dumps(found))


TURNS = "{% for message in messages %}{{ message['content'] }}{% endfor %}"
LOOP = "{% set r = range(99999) %}{% for a in r %}{% for b in r %}{% for c in r %}{% endfor %}{% endfor %}{% endfor %}"
HUGE = "{% set ns = namespace(t='word') %}{% for i in range(60) %}{% set ns.t = ns.t ~ ns.t %}{% endfor %}{{ ns.t }}"
NOT_FIT = "its weights do not fit its config: "

HOSTILE_MODELS: dict[str, Case] = {
    "nothing": Case(lambda folder: None, SAME),
    # weights
    "a deleted q_proj": Case(tensor("q_proj.weight", lambda t: None), NOT_FIT + "missing keys: .*q_proj"),
    "a deleted norm": Case(tensor("model.norm.weight", lambda t: None), NOT_FIT + "missing keys: model.norm.weight"),
    "an extra tensor": Case(
        weights(lambda t: t.update(extra=t["model.norm.weight"].clone())), "unexpected keys: extra"
    ),
    "a tensor of another name": Case(
        weights(lambda t: t.update({"model.norm.w": t.pop("model.norm.weight")})), NOT_FIT + ".*model.norm"
    ),
    "a transposed matrix": Case(tensor("up_proj.weight", lambda t: t.T), NOT_FIT + "mismatched keys: .*up_proj"),
    "int8 weights": Case(tensor("k_proj.weight", lambda t: t.char()), r"k_proj.weight \(I8\)"),
    "one NaN": Case(tensor("v_proj.weight", first(float("nan"))), "v_proj.weight holds numbers that are not finite"),
    "one infinity": Case(tensor("o_proj.weight", first(float("-inf"))), "o_proj.weight holds numbers that are not fin"),
    "another number": Case(tensor("o_proj.weight", first(0.25)), OTHER),
    "half precision on disk": Case(weights(float16), OTHER),
    "torn weights": Case(cut("model.safetensors"), r"model\.safetensors: cannot be read as safetensors"),
    "weights of no bytes": Case(write("model.safetensors", b""), r"model\.safetensors: cannot be read as safetensors"),
    "weights with an endless header": Case(
        write("model.safetensors", b"\xff" * 7 + b"\x0f" + b"{}" * 99), r"model\.safetensors: cannot be read as safe"
    ),
    "a picture for weights": Case(write("model.safetensors", b"\x89PNG\r\n" * 99), r"model\.safetensors: cannot be re"),
    "no weights": Case(remove("model.safetensors"), r"holds no \.safetensors file"),
    "only pytorch_model.bin": Case(only_bin, r"holds no \.safetensors file"),
    "two whole shards": Case(shards(lambda folder, places: None), OTHER),
    "a missing shard": Case(shards(lambda folder, places: second_shard(folder).unlink()), r"is not in 'model-00002-of"),
    "a torn shard": Case(
        shards(lambda folder, places: os.truncate(second_shard(folder), 900)), r"00002\.safetensors: cannot be read"
    ),
    "a shard that the index forgets": Case(
        shards(lambda folder, places: places.pop("model.norm.weight") and None), OTHER
    ),
    "an index of other places": Case(shards(lambda folder, places: swapped(places)), r"index\.json: .* is not in"),
    "an index that leads outside": Case(
        shards(lambda folder, places: places.update({"model.norm.weight": "../../x.safetensors"})), r"index\.json: .*n"
    ),
    "shards and no index": Case(
        shards(lambda folder, places: places.clear()), r"index|no file named model\.safetensors|missing keys"
    ),
    "an adapter beside it": Case(adapter, r"holds an adapter"),
    # GGUF
    "a folder with a GGUF": Case(gguf, "of GGUFs only that of smollm2"),
    "a GGUF file": Case(lambda folder: gguf(folder) / "model.gguf", "is a file; of GGUFs only that of smollm2"),
    "a file": Case(lambda folder: folder / "config.json", r"config\.json' is a file; allowed"),
    # config
    "no config": Case(remove("config.json"), r"holds no config\.json"),
    "a config that is a list": Case(write("config.json", "[1]"), r"config\.json: holds list; allowed: a JSON object"),
    "an empty config": Case(write("config.json", b""), r"config\.json: cannot be read as JSON"),
    "a config of nothing": Case(write("config.json", "{}"), "cannot be loaded"),
    "a config that is no JSON": Case(write("config.json", "vocab: 1"), r"config\.json: cannot be read as JSON"),
    "a config that is no text": Case(write("config.json", b"\xff\xfe\x00"), r"config\.json: cannot be read as JSON"),
    "a config nested too deep": Case(write("config.json", '{"a":' * 99999), r"config\.json: cannot be read as JSON"),
    "a folder for a config": Case(
        lambda folder: (folder / "config.json").unlink() or (folder / "config.json").mkdir(), r"config\.json: cannot b"
    ),
    "model type bert": Case(change("config.json", model_type="bert"), NOT_FIT + "missing keys"),
    "model type t5": Case(change("config.json", model_type="t5"), "cannot be loaded"),
    "a model type that nobody knows": Case(change("config.json", model_type="nope"), "cannot be loaded"),
    "a vocabulary smaller than the embedding": Case(
        change("config.json", vocab_size=100), NOT_FIT + "mismatched keys: .*embed"
    ),
    "a vocabulary of text": Case(change("config.json", vocab_size="many"), "cannot be loaded"),
    "one layer less": Case(change("config.json", num_hidden_layers=1), NOT_FIT + "unexpected keys"),
    "one layer more": Case(change("config.json", num_hidden_layers=3), NOT_FIT + "missing keys"),
    "a billion layers": Case(change("config.json", num_hidden_layers=10**9), "num_hidden_layers = 1000000000, and its"),
    "no heads": Case(change("config.json", num_attention_heads=0), "cannot be loaded"),
    "an activation that nobody knows": Case(change("config.json", hidden_act="nope"), "cannot be loaded"),
    "a norm that divides by nothing": Case(change("config.json", rms_norm_eps=-1e9), "predicts is not finite"),
    "another rope_theta": Case(
        change("config.json", rope_parameters={"rope_type": "default", "rope_theta": 500.0}), OTHER
    ),
    "a rope that nobody knows": Case(
        change("config.json", rope_parameters={"rope_type": "nope", "rope_theta": 1.0}), "cannot be loaded|rope"
    ),
    "quantised": Case(
        change("config.json", quantization_config={"quant_method": "bitsandbytes", "load_in_8bit": True}),
        r"config\.json: quantization_config: its weights are quantised",
    ),
    "attention from a hub": Case(
        change("config.json", attn_implementation="kernels-community/flash-attn"),
        "attn_implementation = .*; allowed: eager, sdpa",
    ),
    "code of its own": Case(own_code, "code of its own, and code from a hub or a folder is not run here"),
    # end tokens
    "no end token": Case(no_end, "no end-of-sequence token, so no response would end"),
    "another end token": Case(change("generation_config.json", eos_token_id=[2, 40]), OTHER),
    "an end token outside": Case(change("generation_config.json", eos_token_id=99999), "end token 99999; allowed"),
    "an end token below": Case(change("generation_config.json", eos_token_id=[2, -7]), "end token -7; allowed"),
    "an end token of text": Case(
        change("generation_config.json", eos_token_id="</s>"), "end token '</s>'|cannot be lo"
    ),
    "a generation config that is no JSON": Case(write("generation_config.json", "{"), "cannot be read as JSON"),
    "no generation config": Case(remove("generation_config.json"), OTHER),
    # tokenizer
    "no tokenizer": Case(remove("tokenizer.json"), "cannot be loaded|chat template|tokenizer"),
    "a torn tokenizer": Case(cut("tokenizer.json"), "cannot be loaded"),
    "a tokenizer of no bytes": Case(write("tokenizer.json", b""), "cannot be loaded"),
    "a tokenizer that is a list": Case(write("tokenizer.json", "[1, 2]"), "cannot be loaded"),
    "a tokenizer config that is a list": Case(write("tokenizer_config.json", "[]"), r"tokenizer_config\.json: holds l"),
    "more tokens than the embedding": Case(more_tokens, r"has token \d+, and its embedding \d+ rows"),
    "a permuted vocabulary": Case(permuted, OTHER),
    # chat template
    "no chat template": Case(no_template, "no chat template: it is a base model; take an instruct model"),
    "another chat template": Case(template(TURNS + "."), OTHER),
    "a broken template": Case(template("{% for"), "its chat template fails on a user's message: TemplateSyntaxError"),
    "a template that raises": Case(template("{{ raise_exception('no users') }}"), "chat template fails .*no users"),
    "a template that reads what is not there": Case(template("{{ a.b.c }}"), "its chat template fails .*undefined"),
    "a template that ignores the prompt": Case(template("Hello!"), "its chat template leaves out what the user says"),
    "a template that keeps one letter": Case(template("{{ messages[0].content[0] }}"), "leaves out what the user says"),
    "a template that never ends": Case(template(LOOP + TURNS), "its chat template takes more than 3 s"),
    "a template that fills memory": Case(template(HUGE + TURNS), "its chat template fails .*MemoryError|more than 3 s"),
    "a template that writes a book": Case(
        template("{% for i in range(90000) %}again {% endfor %}" + TURNS), "its chat template writes 540,0"
    ),
    "a template that looks at Python": Case(
        template("{{ ''.__class__.__mro__[1].__subclasses__() }}" + TURNS), "its chat template fails .*SecurityError"
    ),
    # folders
    "a folder with a blank": Case(renamed("my model"), SAME),
    "a folder of another alphabet": Case(renamed("модель"), SAME),
    "a folder of links": Case(linked, SAME),
    "a link to nothing": Case(dangling, r"model\.safetensors: cannot be read|no \.safetensors"),
    "a link for a folder": Case(
        lambda folder: folder.with_name("link").symlink_to(folder) or folder.with_name("link"), SAME
    ),
    "a README more": Case(write("README.md", "hello"), SAME),
    "an empty folder": Case(lambda folder: shutil.rmtree(folder) or folder.mkdir(), r"holds no \.safetensors"),
    "no folder": Case(lambda folder: folder.with_name("gone"), "is not found: neither a folder here nor a model on"),
    "a name that is too long": Case(lambda folder: "m" * 5000, "is not found"),
}
if os.geteuid():  # to root nothing is unreadable
    HOSTILE_MODELS["a config that may not be read"] = Case(unreadable, r"config\.json: cannot be read")
