"""One artefact: what is asked for (`Artefact`), where its maker writes (`Writer`), what is read (`Handle`).

A manifest, shortened:

    {"key": "8a1f0c5e27d94b36",
     "recipe": {"stage": "pairs", "settings": {"min_high_gap": 0.5}, "inputs": {"responses": "51c0..."},
                "model": null, "seed": 0, "code": {"version": 1}},
     "files": {"pairs-00000.jsonl": {"bytes": 48213, "sha256": "77f2..."}},
     "tables": {"pairs.jsonl": {"files": ["pairs-00000.jsonl"], "rows": 120}},
     "checksum": "c9d1...",
     "made": {"started": "2026-01-31T09:30:00+00:00", "seconds": 3.2, "host": ..., "git": ...}}
"""

import dataclasses
import gzip
import json
import re
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from ifpref.params import canonical_json, fingerprint
from ifpref.store import files, provenance

MANIFEST = "manifest.json"


class StoreError(RuntimeError):
    """The store cannot do what was asked; the message names the file or artefact."""


class DiskFull(StoreError):
    """There is no room for what is being made; whole shards are kept."""


class MissingArtefact(StoreError):
    """Nothing of that key is there; the message says what differs from the nearest artefact."""


class DamagedArtefact(StoreError):
    """A finished artefact whose bytes are not those it was made with."""

    def __init__(self, file: Path, expected: str, found: str):
        super().__init__(f"{file}: expected {expected}, found {found}")


@dataclasses.dataclass(frozen=True)
class Artefact:
    """What is asked for: everything that its key is the hash of.

    settings  of the stage, JSON values
    inputs    name -> key of an artefact that it reads, or an Artefact or Handle, which have one
    model     what tells the model apart (ifpref/models)
    seed      of all that is drawn
    code      what stands for the code: a stage's version, or the hash of its code where that is not the locked one
    """

    stage: str
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    inputs: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    model: Mapping[str, Any] | None = None
    seed: int | None = None
    code: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if not re.fullmatch("[a-z][a-z0-9_]*", self.stage):
            raise StoreError(f"stage {self.stage!r}: allowed are lower-case letters, digits and '_'")
        inputs = {name: given if isinstance(given, str) else given.key for name, given in self.inputs.items()}
        object.__setattr__(self, "inputs", inputs)
        for name in ("settings", "model", "code"):  # a copy, so that nobody's later change of a list reaches the key
            object.__setattr__(self, name, json.loads(canonical_json(getattr(self, name))))

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """Everything that the key is the hash of."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    @cached_property
    def key(self) -> str:
        """16 hex digits, the name of its folder."""
        return key_of(self.recipe)


class _Reader:
    """Reading, alike in a finished artefact and in one that is being made."""

    folder: Path
    # "pairs.jsonl" -> {"files": its shards in order, "rows": their sum}
    tables: Mapping[str, Mapping[str, Any]]

    def path(self, name: str) -> Path:
        raise NotImplementedError

    def read_json(self, name: str) -> Any:
        return json.loads(files.read(self.path(name)))

    def iter_jsonl(self, name: str) -> Iterator[dict[str, Any]]:
        """Rows in order, over all shards; one shard in memory at a time."""
        if name not in self.tables:
            raise StoreError(f"{self.folder}: no table {name!r}; there are {list(self.tables)}")
        for file in self.tables[name]["files"]:
            for line in files.read(self.folder / file).splitlines():  # of bytes: not at U+2028, as str would
                yield json.loads(line)

    def read_jsonl(self, name: str) -> list[dict[str, Any]]:
        return list(self.iter_jsonl(name))


class Handle(_Reader):
    """A finished, verified artefact: `stage`, `key`, `folder`, `manifest` (a dict), and its files."""

    def __init__(self, folder: Path, manifest: Mapping[str, Any]):
        self.folder, self.manifest, self.tables = folder, manifest, manifest["tables"]
        self.stage, self.key = manifest["recipe"]["stage"], manifest["key"]

    def path(self, name: str) -> Path:
        """A file of the artefact, or a folder that holds some, for libraries that read for themselves."""
        if not any(file == name or file.startswith(f"{name}/") for file in self.manifest["files"]):
            raise StoreError(f"{self.folder}: no file {name!r}; there are {list(self.manifest['files'])}")
        return self.folder / name

    def __repr__(self) -> str:
        return f"Handle({self.stage} {self.key}: {', '.join(self.manifest['files'])})"


class Writer(_Reader):
    """Where `make` puts its files. A name may hold folders ("adapter/config.json"); .gz is compressed."""

    def __init__(self, folder: Path, journal: Path):
        """Takes up what a killed run has left: shards equal to their note stay, all else goes."""
        self.folder, self._journal = folder, journal
        files.keep_only(folder, stat.S_ISDIR)  # anything else is nothing that a run of ours has left
        files.keep_only(journal, stat.S_ISREG)
        self._asked: dict[str, dict[int, dict[str, Any]]] = {}  # table -> shard's index -> its note
        self._rows: dict[str, int] = {}  # table in one file -> rows
        noted = {note["file"]: note for note in _notes(journal)}  # the last one of each
        self.whole = {file: note for file, note in noted.items() if files.damage(folder / file, note) is None}
        self.resumed = list(self.whole.values())
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(folder.rglob("*"), reverse=True):  # what is in a folder before the folder
            if path.is_dir() and not path.is_symlink():
                if not any(path.iterdir()):
                    path.rmdir()
            elif path.relative_to(folder).as_posix() not in self.whole:
                path.unlink()
        files.replace(journal, b"".join(map(files.json_line, self.resumed)))

    @cached_property
    def _session(self) -> dict[str, Any]:
        """The surroundings when the first shard was made, since `make` may have loaded libraries."""
        return provenance.environment()

    @property
    def shards(self) -> dict[str, dict[str, Any]]:
        """file -> note of the shards that this run asked for."""
        return {note["file"]: note for notes in self._asked.values() for note in notes.values()}

    @property
    def tables(self) -> dict[str, dict[str, Any]]:
        tables = {name: {"files": [name], "rows": rows} for name, rows in self._rows.items()}
        for name, notes in self._asked.items():
            ordered = [notes[index] for index in range(len(notes))]
            rows = sum(note["rows"] for note in ordered)
            tables[name] = {"files": [note["file"] for note in ordered], "rows": rows}
        return dict(sorted(tables.items()))

    def path(self, name: str) -> Path:
        """Where a library may write a file, or a folder of files, by itself. Folders above it are made."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write_bytes(self, name: str, data: bytes) -> None:
        files.write(self.path(name), gzip.compress(data, mtime=0) if name.endswith(".gz") else data)

    def write_text(self, name: str, text: str) -> None:
        self.write_bytes(name, text.encode())

    def write_json(self, name: str, value: Any) -> None:
        self.write_bytes(name, _json(name, value, indent=1))

    def write_jsonl(self, name: str, rows: Iterable[Mapping[str, Any]]) -> None:
        lines = [_json(name, row) for row in rows]
        self.write_bytes(name, b"".join(lines))
        self._rows[name] = len(lines)

    def shard(self, name: str, index: int, make: Callable[[], Iterable[Mapping]], *, of: Any = None) -> None:
        """Shard `index` of the table `name`: the rows of `make()`, unless a killed run has left them.

        `make` is not called for a shard that is there, so no other shard may depend on its having been
        called. `of` (a JSON value, such as prompt ids) says what the shard is about: one that is left by a
        run which cut its work differently is remade. Not needed where the cut is a parameter of the stage.
        """
        folder, _, base = name.rpartition("/")
        stem, dot, suffix = base.partition(".")
        file = str(PurePosixPath(folder, f"{stem}-{index:05d}{dot}{suffix}"))
        about = fingerprint(of)
        note = self.whole.get(file)
        if note is None or note["of"] != about:
            start = time.monotonic()
            lines = [_json(file, row) for row in make()]
            self.write_bytes(file, b"".join(lines))
            files.sync(self.folder / file)
            note = {"file": file, **files.state(self.folder / file), "rows": len(lines), "of": about}
            note |= {"seconds": round(time.monotonic() - start, 3), "session": self._session}
            files.append(self._journal, files.json_line(note))
            self.whole[file] = note
        self._asked.setdefault(name, {})[index] = note


def _notes(journal: Path) -> list[dict[str, Any]]:
    """The journal's lines up to one that a kill or a power cut has torn."""
    notes: list[dict[str, Any]] = []
    for line in journal.read_bytes().split(b"\n")[:-1] if journal.exists() else []:
        try:
            notes.append(json.loads(line))
        except (ValueError, RecursionError):
            break
    return [note for note in notes if _is_note(note)]


def _is_note(note: Any) -> bool:
    """Whether a line of the journal has the shape that `shard` writes."""
    shape = {"file": str, "bytes": int, "sha256": str, "rows": int, "of": str, "seconds": float, "session": dict}
    return isinstance(note, dict) and all(isinstance(note.get(name), kind) for name, kind in shape.items())


def _json(name: str, value: Any, indent: int | None = None) -> bytes:
    try:
        return files.json_line(value, indent)
    except (TypeError, ValueError) as error:
        raise StoreError(f"{name}: {error}; allowed: JSON values, null for what is not a number") from error


def key_of(recipe: Mapping[str, Any]) -> str:
    return fingerprint(recipe)[:16]
