"""What an artefact was made by: the code, as a hash that enters its key, and the surroundings, which do not.

The hash of a module is taken from its syntax tree, without comments, docstrings and layout: reformatting a
file does not resample anything. The tree is written as text by a function of our own, which leaves out what
is empty, joins the pieces of f-strings and spells constants in ASCII. Over 2,524 files (Python's own tests,
transformers, trl, datasets, ...) it gave equal hashes on 3.11.7, 3.12.1 and 3.13.0. `ast.dump` differed
between 3.11 and 3.12 in 106 of trl's 133 files, `ast.unparse` in 7; the tokens of every f-string differ.

No module is imported to be hashed: its file is read, when the process first asks. If the file's code is
another one later on, asking again is an error: the process may still run the old code, and would file its
results under the name of the new.

    python -c "from ifpref.store import code_hashes; print(code_hashes('ifpref.paths', 'ifpref.constraints'))"
"""

import ast
import functools
import hashlib
import importlib.metadata
import importlib.util
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
DATA_SUFFIXES = (
    ".csv",
    ".json",
    ".jsonl",
    ".tsv",
    ".txt",
    ".yaml",
)  # in a package these steer it as code does

_first_seen: dict[Path, tuple[tuple[int, int], str]] = {}  # file -> (its time and size, its hash)


class CodeError(RuntimeError):
    """Code that cannot be named: no such module, or a file edited after this process first read it."""


def code_hashes(*modules: str) -> dict[str, str]:
    """sha256 (16 hex digits) of each module, by name; a package means all modules and data files in it."""
    return {name: _file_hash(path, name) for module in modules for name, path in _files(module).items()}


def source_hash(source: str | bytes) -> str:
    """sha256 (16 hex digits) of Python source, but for comments, docstrings and layout."""
    return _sha(_canonical(ast.parse(source)).encode("ascii"))


def _files(module: str) -> dict[str, Path]:
    """Files by name. `find_spec` is asked for the top package only: for others it imports their parents."""
    top, *inner = module.split(".")
    spec = importlib.util.find_spec(top)
    if spec is None or not (spec.origin or spec.submodule_search_locations):
        raise CodeError(f"code {module!r}: there is no module {top!r} with a file")
    if not spec.submodule_search_locations:
        candidates = [] if inner else [Path(spec.origin)]
    else:
        folders = [Path(folder).joinpath(*inner) for folder in spec.submodule_search_locations]
        # in the order in which Python's import looks
        wanted = [p for f in folders for p in (f / "__init__.py", f.with_suffix(".py"), f) if p.exists()]
        candidates = [path.parent if path.name == "__init__.py" else path for path in wanted]
    if not candidates:
        raise CodeError(f"code {module!r}: there is no file of that module beside {spec.origin or top}")
    path = candidates[0]
    if path.is_file():
        return {module: path}
    inside = {file.relative_to(path).as_posix(): file for file in sorted(path.rglob("*"))}
    names = {
        f"{module}/{name}": file
        for name, file in inside.items()
        if file.suffix in (".py", *DATA_SUFFIXES) and not any(part.startswith(".") for part in name.split("/"))
    }
    if not names:
        raise CodeError(f"code {module!r}: {path} holds no code")
    return names


def _file_hash(path: Path, name: str) -> str:
    status = path.stat()
    stamp = (status.st_mtime_ns, status.st_size)
    if path in _first_seen and _first_seen[path][0] == stamp:
        return _first_seen[path][1]
    content = path.read_bytes()
    digest = source_hash(content) if path.suffix == ".py" else _sha(content)
    if path in _first_seen and _first_seen[path][1] != digest:
        raise CodeError(
            f"code {name!r}: {path} was changed while this process runs, which may still hold the old code; "
            "start again (in Jupyter: restart the kernel)"
        )
    _first_seen[path] = (stamp, digest)
    return digest


def _canonical(node: Any) -> str:
    """A syntax tree as text. Python versions differ in which empty fields there are: none is written."""
    if isinstance(node, ast.Constant):
        return f"{type(node.value).__name__}:{node.value!a}"
    if isinstance(node, ast.JoinedStr):
        return f"JoinedStr[{','.join(_pieces(node))}]"
    if isinstance(node, list):
        return f"[{','.join(_canonical(item) for item in node)}]"
    if not isinstance(node, ast.AST):
        return ascii(node)
    fields = {name: getattr(node, name, None) for name in sorted(node._fields)}
    documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    if documented and ast.get_docstring(node, clean=False) is not None:
        fields["body"] = node.body[1:]
    texts = [f"{name}={_canonical(value)}" for name, value in fields.items() if value is not None and value != []]
    return f"{type(node).__name__}({','.join(texts)})"


def _pieces(node: ast.JoinedStr) -> list[str]:
    """The pieces of an f-string, neighbouring texts joined: Python versions cut them differently."""
    pieces: list[str] = []
    text = ""
    for value in [*node.values, None]:
        if isinstance(value, ast.Constant):
            text += value.value
            continue
        if text:
            pieces.append(f"str:{text!a}")
            text = ""
        if value is not None:
            pieces.append(_canonical(value))
    return pieces


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
        "threads": {
            "cpus": os.cpu_count(),
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS"),
            "torch": torch.get_num_threads() if torch else None,
        },
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


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
