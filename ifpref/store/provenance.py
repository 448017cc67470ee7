"""The surroundings in which an artefact was made, for its manifest. They are in no key.

environment()      # {"python": "3.11.7", "host": ..., "libraries": {"torch": "2.13.0"}, "threads": 1, "git": {...}}
"""

import functools
import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# Libraries whose version can change a number. Those that a process has loaded are named in what it makes.
LIBRARIES = ("accelerate", "datasets", "langdetect", "nltk", "numpy", "peft", "safetensors", "tokenizers")
LIBRARIES += ("torch", "transformers", "trl")


def environment() -> dict[str, Any]:
    """The surroundings, for a manifest: Python, loaded libraries, threads, host, git commit.

    No variable but the count of threads is written down: manifests are shared, and variables hold tokens.
    """
    torch = sys.modules.get("torch")
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "host": platform.node(),
        "libraries": loaded_libraries(),
        "cpus": os.cpu_count(),
        "threads": torch.get_num_threads() if torch else None,
        "git": git_state(),
    }


def loaded_libraries() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in LIBRARIES if name in sys.modules}


def differing_libraries(made_with: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """library -> (version it was made with, version here), where they differ. Imports none of them."""
    differing = {}
    for name, version in made_with.items():
        here = _installed(name)
        if here not in (None, version):  # what is not here cannot compute anything else here
            differing[name] = (version, here)
    return differing


@functools.cache
def _installed(library: str) -> str | None:
    """Its version, looked up once: metadata takes a millisecond, and a study opens thousands of artefacts."""
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return None


@functools.cache
def git_state() -> dict[str, Any] | None:
    """Commit of this package's repository, and whether files differ from it; None without one."""
    root = Path(__file__).resolve().parents[2]

    def git(*arguments: str) -> list[str]:
        command = ["git", "-C", str(root), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout.splitlines()

    try:
        top, commit = git("rev-parse", "--show-toplevel", "HEAD")
        if Path(top).resolve() != root:  # installed into the environment of somebody else's repository
            return None
        return {"commit": commit, "dirty": bool(git("status", "--porcelain"))}
    except (OSError, subprocess.SubprocessError):  # no git, no repository, no commit yet
        return None
