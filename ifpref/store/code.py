"""What code an artefact depends on, as a hash: of modules, and of all of ours that they import.

    module_hashes()                                      # {"ifpref/paths.py": "31bc…", …}: for the stamp of a notebook
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
import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ifpref.store.artefact import StoreError

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
Place = tuple[str, str | None]
"""A module, and a definition in it; None: all of it."""
_first_seen: dict[Path, tuple[tuple[int, int], str]] = {}  # file -> (its time and size, its hash)


class CodeError(StoreError):
    """Code that cannot be named: no such module, or a file edited after this process first read it."""


def module_hashes() -> dict[str, str]:
    """sha256 (16 hex digits) of every module and data file of ours, by its path."""
    return {path.relative_to(PACKAGE.parent).as_posix(): file_hash(path) for path in _files().values()}


def definition_hash(module: str, name: str) -> str:
    """sha256 (16 hex digits) of a function, class or method ("Class.method") and of all of our code that it runs."""
    parts: dict[str, str] = {}
    _add(module, name, parts)
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


def _add(module: str, name: str | None, parts: dict[str, str]) -> None:
    """A module, or a definition of one, and all of ours that it runs, into `parts`: name -> hash."""
    place = f"{module}:{name}" if name else module
    if place in parts:
        return
    if module not in _files():
        raise CodeError(f"code {place!r}: there is no module {module!r}")
    parts[place] = file_hash(_files()[module])  # which notices an edit
    if name:
        node, depends = _definition(module, name)
        parts[place] = _sha(canonical(node).encode("ascii"))
    else:
        depends = _module(module)
    for other, definition in depends:
        if not _is_apart(other):
            _add(other, definition, parts)


def _definition(module: str, name: str) -> tuple[ast.AST, set[Place]]:
    """The node of a definition, and what it imports or reads of its module and of what that imports."""
    node, body = None, _parsed(module).body
    for part in name.split("."):
        node = next((one for one in body if part in _bound(one)), None)
        if node is None:
            raise CodeError(f"code '{module}:{name}': {_files()[module]} defines no {name!r}")
        body = getattr(node, "body", [])
    read = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)} - {name.partition(".")[0]}
    depends = {place for one in ast.walk(node) for _, place in _imports(one)}
    for statement in _parsed(module).body:
        depends |= {place for alias, place in _imports(statement) if alias in read}
        depends |= {(module, own) for own in read & _bound(statement)}
    return node, depends


@functools.cache
def _module(module: str) -> set[Place]:
    """What a module imports, and the modules and data files that a short text in it names."""
    path, tree = _files()[module], _parsed(module)
    nodes = list(ast.walk(tree))
    names = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    found = {name.partition(":")[0] for name in names} | {module.rpartition(".")[0]}
    if path.name == "__init__.py" and any("__getattr__" in _bound(node) for node in tree.body):  # imports on demand
        found |= {f"{module}.{one.stem}" for one in path.parent.glob("*.py")}
    return {place for node in nodes for _, place in _imports(node)} | {(one, None) for one in found & _files().keys()}


def _imports(node: ast.AST) -> Iterator[tuple[str, Place]]:
    """(name here, place) of what an import brings of ours; only of a declaration of ifpref.pipeline a definition."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name in _files():
                yield (alias.asname or alias.name).partition(".")[0], (alias.name, None)
    if isinstance(node, ast.ImportFrom) and node.level:
        raise CodeError(f"line {node.lineno}: a relative import; allowed: absolute ones")
    if isinstance(node, ast.ImportFrom) and node.module in _files():
        for alias in node.names:
            inner = f"{node.module}.{alias.name}"
            definition = alias.name if node.module.startswith("ifpref.pipeline") else None
            yield alias.asname or alias.name, (inner, None) if inner in _files() else (node.module, definition)


def _bound(node: ast.AST) -> set[str]:
    """The names that a statement binds, other than by an import."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}


def _is_apart(module: str) -> bool:
    return module == "ifpref" or any(module == name or module.startswith(f"{name}.") for name in APART)


@functools.cache
def _files() -> Mapping[str, Path]:
    """The file of each module of ours by its full name, and of each file of ifpref/data by its path there."""
    modules = {path.relative_to(PACKAGE.parent).with_suffix(""): path for path in sorted(PACKAGE.rglob("*.py"))}
    files = {".".join(name.parts).removesuffix(".__init__"): path for name, path in modules.items()}
    return files | {path.relative_to(DATA).as_posix(): path for path in sorted(DATA.rglob("*")) if path.is_file()}


@functools.cache
def _parsed(module: str) -> ast.Module:
    """The syntax tree of a module, without what is imported for types alone; of a data file, nothing."""
    path = _files()[module]
    tree = ast.parse(path.read_bytes() if path.suffix == ".py" else b"")
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


def _pieces(node: ast.JoinedStr) -> Iterator[str]:
    """The pieces of an f-string, neighbouring texts joined: Python versions cut them differently."""
    for is_text, values in itertools.groupby(node.values, lambda value: isinstance(value, ast.Constant)):
        if not is_text:
            yield from map(canonical, values)
        elif text := "".join(value.value for value in values):
            yield f"str:{text!a}"


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
