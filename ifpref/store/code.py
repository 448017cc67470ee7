"""What code an artefact depends on, as a hash: of modules, and of all of ours that they import.

    module_hashes("ifpref")                                # {"ifpref.paths": "31bc…", …}: for the stamp of a notebook
    definition_hash("ifpref.pipeline.samples", "Responses.make")     # of a stage: stages.lock

The hash of a module is taken from its syntax tree, without comments, docstrings and layout. The tree is written as text
by a function of our own, which leaves out what is empty, joins the pieces of f-strings and spells constants in ASCII.
Over 2,524 files (Python's own tests, transformers, trl, datasets, ...) it gave equal hashes on 3.11.7, 3.12.1 and
3.13.0, where `ast.dump`, `ast.unparse` and the tokens of f-strings differ.

Decisions
- *Found, not listed*: a definition depends on the names that it reads; these on other definitions of its module, or on
  modules that are imported, and those on all of ours that they import or name in a table, and on the files of
  ifpref/data that they name.
- *`APART`*: what a stage cannot depend on, though its modules import it, with the reason.
- No module is imported to be hashed: its file is read, when the process first asks. If its code is another one later
  on, asking again is an error: the process may still run the old code, and would file its results as the new one's.
"""

import ast
import functools
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parents[1]
DATA = PACKAGE / "data"
APART: Mapping[str, str] = {
    "ifpref.params": "what a stage reads of a profile stands in its key by value",
    "ifpref.profiles": "what a stage reads of a profile stands in its key by value",
    "ifpref.fingerprint": "names what is made, and changes nothing in it",
    "ifpref.design": "what a stage reads of a comparison stands in its key by value",
    "ifpref.paths": "says where, not what",
    "ifpref.progress": "shows, and changes nothing",
    "ifpref.store": "holds what is made, and checks that it is what was made",
    "ifpref.models.hub": "which commit a model is stands in its identity",
}
_first_seen: dict[Path, tuple[tuple[int, int], str]] = {}  # file -> (its time and size, its hash)


class CodeError(RuntimeError):
    """Code that cannot be named: no such module, or a file edited after this process first read it."""


def module_hashes(package: str = "ifpref") -> dict[str, str]:
    """sha256 (16 hex digits) of every module and data file of a package of ours, by name."""
    folder = PACKAGE.parent.joinpath(*package.split("."))
    files = sorted(path for path in folder.rglob("*") if path.suffix == ".py" or DATA in path.parents)
    files = [path for path in files if path.is_file() and "__pycache__" not in path.parts]
    if not files:
        raise CodeError(f"code {package!r}: there is no package of that name in {PACKAGE.parent}")
    return {path.relative_to(PACKAGE.parent).as_posix(): file_hash(path) for path in files}


def definition_hash(module: str, name: str) -> str:
    """sha256 (16 hex digits) of a function, class or method ("Class.method") and of all of our code that it runs."""
    parts: dict[str, str] = {}
    _add_definition(module, name, parts)
    return _sha("\n".join(f"{part} {digest}" for part, digest in sorted(parts.items())).encode())


def source_hash(source: str | bytes) -> str:
    """sha256 (16 hex digits) of Python source, but for comments, docstrings and layout."""
    return _sha(canonical(ast.parse(source)).encode("ascii"))


def file_hash(path: Path) -> str:
    """That of a file; CodeError where it is another one than this process has read before."""
    status = path.stat()
    stamp = (status.st_mtime_ns, status.st_size)
    if path in _first_seen and _first_seen[path][0] == stamp:
        return _first_seen[path][1]
    content = path.read_bytes()
    digest = source_hash(content) if path.suffix == ".py" else _sha(content)
    if path in _first_seen and _first_seen[path][1] != digest:
        raise CodeError(
            f"{path} was changed while this process runs, which may still hold the old code; start again "
            "(in Jupyter: restart the kernel)"
        )
    _first_seen[path] = (stamp, digest)
    return digest


# ---- what depends on what


def _add_definition(module: str, name: str, parts: dict[str, str]) -> None:
    """A definition of a module, and what it reads, into `parts`: name -> hash."""
    place = f"{module}:{name}"
    path = _file_of(module)
    if path is None:
        raise CodeError(f"code {place!r}: there is no module {module!r}")
    if place in parts:
        return
    file_hash(path)  # notices an edit
    tree = _parsed(path)
    outer, _, inner = name.partition(".")
    node = next((node for node in tree.body if _defines(node, outer)), None)
    if node is not None and inner:
        node = next((one for one in node.body if _defines(one, inner)), None)
    if node is None:
        raise CodeError(f"code {place!r}: {path} defines no {name!r}")
    parts[place] = _sha(canonical(node).encode("ascii"))
    local = {alias for source in ast.walk(node) for alias in _imports(source, module)}
    _follow(local, parts)
    read = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    for other in tree.body:
        for imported in _imports(other, module):
            if imported[2] in read:
                _follow({imported}, parts)
        for own in read - {outer}:
            if _defines(other, own):
                _add_definition(module, own, parts)


def _follow(imported: set[tuple[str, str | None, str]], parts: dict[str, str]) -> None:
    for module, name, _ in imported:
        if _is_apart(module):
            continue
        if name is not None and module.startswith("ifpref.pipeline"):  # declarations: one by one
            _add_definition(module, name, parts)
            continue
        for one in closure(module):
            parts[one] = file_hash(_file_of(one) or DATA / one)


@functools.cache
def closure(module: str) -> frozenset[str]:
    """A module of ours, all of ours that it imports, directly or not, and the data files that they name."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        one = waiting.pop()
        path = _file_of(one)
        if one in found or path is None or _is_apart(one):
            continue
        found.add(one)
        tree = _parsed(path)
        found.update(_data_files(tree))
        waiting += _named_modules(tree)
        waiting += [part for node in ast.walk(tree) for part, _, _ in _imports(node, one)]
        if path.name == "__init__.py" and any(_defines(node, "__getattr__") for node in tree.body):  # imports on demand
            waiting += [f"{one}.{path.stem}" for path in path.parent.glob("*.py") if path.stem != "__init__"]
        if "." in one:
            waiting.append(one.rpartition(".")[0])
    return frozenset(found)


def _imports(node: ast.AST, module: str) -> Iterator[tuple[str, str | None, str]]:
    """(module, name in it, name here) of what an import statement brings of ours; a submodule is a module."""
    if isinstance(node, ast.Import):
        yield from (
            (alias.name, None, (alias.asname or alias.name).partition(".")[0])
            for alias in node.names
            if alias.name.partition(".")[0] == "ifpref"
        )
    if isinstance(node, ast.ImportFrom) and node.level:
        raise CodeError(f"{module}: a relative import; allowed: absolute ones")
    if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "ifpref":
        for alias in node.names:
            inner = f"{node.module}.{alias.name}"
            is_module = _file_of(inner) is not None
            yield (inner if is_module else node.module, None if is_module else alias.name, alias.asname or alias.name)


def _defines(node: ast.AST, name: str) -> bool:
    """Whether a statement of a module binds this name, other than by an import."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return node.name == name
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return any(isinstance(one, ast.Name) and one.id == name for target in targets for one in ast.walk(target))
    return False


def _data_files(tree: ast.AST) -> set[str]:
    return {text for text in _texts(tree) if text in _data_names()}


def _named_modules(tree: ast.AST) -> list[str]:
    """Those that a table names: "ifpref.training.algorithms.dpo:DPO"."""
    names = (text.partition(":")[0] for text in _texts(tree) if text.startswith("ifpref."))
    return [name for name in names if name.replace(".", "").isidentifier() and _file_of(name)]


def _texts(tree: ast.AST) -> set[str]:
    """The short texts in it."""
    found = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {text for text in found if isinstance(text, str) and len(text) < 100}


@functools.cache
def _data_names() -> frozenset[str]:
    return frozenset(path.relative_to(DATA).as_posix() for path in DATA.rglob("*") if path.is_file())


def _is_apart(module: str) -> bool:
    return module == "ifpref" or any(module == name or module.startswith(f"{name}.") for name in APART)


def _file_of(module: str) -> Path | None:
    """The file of a module of ours by its full name."""
    parts = module.split(".")
    if parts[0] != PACKAGE.name:
        return None
    base = PACKAGE.joinpath(*parts[1:])
    return next((path for path in (base / "__init__.py", base.with_suffix(".py")) if path.is_file()), None)


@functools.cache
def _parsed(path: Path) -> ast.Module:
    """Its syntax tree, without what is imported for types alone."""
    tree = ast.parse(path.read_bytes())
    tree.body = [node for node in tree.body if not _is_for_types(node)]
    return tree


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


# ---- a syntax tree as text


def canonical(node: Any) -> str:
    """A syntax tree as text. Python versions differ in which empty fields there are: none is written."""
    if isinstance(node, ast.Constant):
        return f"{type(node.value).__name__}:{node.value!a}"
    if isinstance(node, ast.JoinedStr):
        return f"JoinedStr[{','.join(_pieces(node))}]"
    if isinstance(node, list):
        return f"[{','.join(canonical(item) for item in node)}]"
    if not isinstance(node, ast.AST):
        return ascii(node)
    fields = {name: getattr(node, name, None) for name in sorted(node._fields)}
    documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    if documented and ast.get_docstring(node, clean=False) is not None:
        fields["body"] = node.body[1:]
    texts = [f"{name}={canonical(value)}" for name, value in fields.items() if value is not None and value != []]
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
            pieces.append(canonical(value))
    return pieces


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
