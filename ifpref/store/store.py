"""`Store.get`: an artefact that is there, checked, or made by one process, published whole."""

import errno
import json
import logging
import os
import re
import shutil
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ifpref.params import canonical_json, fingerprint
from ifpref.store import files, provenance
from ifpref.store.artefact import (
    MANIFEST,
    Artefact,
    DamagedArtefact,
    DiskFull,
    Handle,
    MissingArtefact,
    Writer,
    key_of,
)

KEY_PATTERN = "[0-9a-f]" * 16
SEALED = ("key", "recipe", "files", "tables")
"""What the checksum of a manifest is of; how the artefact was made may differ from one making to the next."""
log = logging.getLogger(__name__)
_warned: set[tuple[str, str, str]] = set()


class Store:
    """The artefacts under `root`; those under `fallbacks` are looked at next, and never written."""

    def __init__(self, root: str | Path, fallbacks: Iterable[str | Path] = ()):
        self.root = Path(root)
        self.roots = (self.root, *map(Path, fallbacks))

    def get(
        self,
        artefact: Artefact,
        make: Callable[[Writer], object] | None = None,
    ) -> Handle:
        """The artefact, verified; what is not there is made by `make(writer)`, by one process at a time.

        Without `make`: MissingArtefact. A damaged one is moved aside and remade with a warning; without
        `make`: DamagedArtefact. What `make` raises comes through; its whole shards stay. A full disk is
        `DiskFull`, which names the file.
        """
        stage, key = artefact.stage, artefact.key
        for root in self.roots:
            try:
                if os.path.lexists(root / stage / key):
                    return _open(root / stage / key)
            except DamagedArtefact as error:
                if make is None:
                    raise
                if root != self.root:
                    warnings.warn(f"{error}; passed over", stacklevel=2)
        if make is None:
            raise MissingArtefact(self.explain(artefact))
        final = self.root / stage / key
        try:
            with files.lock(final.with_name(f"{key}.lock")):
                if os.path.lexists(final):
                    try:
                        return _open(final)  # another process made it meanwhile
                    except DamagedArtefact as error:
                        warnings.warn(f"{error}; moved to {_move_aside(final).name} and remade", stacklevel=2)
                return _make(artefact.recipe, final, make)
        except OSError as error:
            if error.errno not in files.FULL:
                raise
            raise DiskFull(
                f"{error.filename or final}: {error.strerror}, while {stage} {key} was made; "
                "whole shards are kept: free some space and ask again"
            ) from error

    def look(self, artefact: Artefact) -> Handle | None:
        """The artefact if it is there whole, else None: what `get` would make, or make anew."""
        for root in self.roots:
            with suppress(DamagedArtefact):
                if os.path.lexists(folder := root / artefact.stage / artefact.key):
                    return _open(folder)
        return None

    def outdated(self) -> dict[Path, int]:
        """Root -> how many artefacts of an older layout it holds. No key asks for them: they are never used."""
        counts = {}
        for root in self.roots:
            recipes = map(_recipe, root.glob(f"*/{KEY_PATTERN}"))
            counts[root] = sum(recipe is not None and "settings" not in recipe for recipe in recipes)
        return {root: count for root, count in counts.items() if count}

    def find(self, key: str) -> Handle:
        """The verified artefact of that key, whatever its stage. MissingArtefact, DamagedArtefact."""
        folder = self._folder(key)
        if folder is None:
            raise MissingArtefact(f"{key}: no artefact of that key in {', '.join(map(str, self.roots))}")
        return _open(folder)

    def explain(self, asked: Artefact | str) -> str:
        """How an artefact, or one of the store by its key, differs from the nearest other one of its stage.

        One line for each setting, input, model field, seed and code that differs, `old -> new`; under an input
        the same for the two inputs, as far as the store has them.
        """
        recipe = asked.recipe if isinstance(asked, Artefact) else _recipe(self._folder(asked))
        if recipe is None:
            raise MissingArtefact(f"{asked}: no artefact of that key in {', '.join(map(str, self.roots))}")
        key, stage = key_of(recipe), recipe["stage"]
        lines = [f"{stage} {key}: {self._folder(key) or 'not in the store'}"]
        folders = [path for root in self.roots for path in sorted(root.glob(f"{stage}/{KEY_PATTERN}"))]
        latest_first = sorted(folders, key=lambda path: path.stat().st_mtime, reverse=True)
        recipes = {path.name: _recipe(path) for path in latest_first if path.name != key}
        others = {name: old for name, old in recipes.items() if old and "settings" in old}
        if not others:
            return lines[0] + f"\nno other artefact of the stage {stage} to compare it with"
        nearest = min(others, key=lambda name: len(_changes(others[name], recipe)))  # of equals, the latest
        lines.append(f"against {nearest}, the nearest of {len(others)}:")
        lines += self._explained(others[nearest], recipe, "  ")
        return "\n".join(lines)

    def _explained(self, old: Mapping[str, Any], new: Mapping[str, Any], indent: str) -> Iterator[str]:
        for section, name, before, after in _changes(old, new):
            yield f"{indent}{section} {name}: {before} -> {after}"
            if section == "input":
                older, newer = _recipe(self._folder(before)), _recipe(self._folder(after))
                if older and newer:
                    yield from self._explained(older, newer, indent + "  ")

    def _folder(self, key: str) -> Path | None:
        if not re.fullmatch("[0-9a-f]{16}", key):
            return None
        return next((path for root in self.roots for path in sorted(root.glob(f"*/{key}"))), None)


def _make(recipe: dict[str, Any], final: Path, make: Callable[[Writer], object]) -> Handle:
    started, clock = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
    partial, journal = final.with_name(f"{final.name}.partial"), final.with_name(f"{final.name}.journal")
    writer = Writer(partial, journal)
    log.info("%s %s: %d shards are there, making the rest", recipe["stage"], final.name, len(writer.resumed))
    make(writer)
    states = {}
    for path in sorted(path for path in partial.rglob("*") if path.is_file()):
        name = path.relative_to(partial).as_posix()
        if name in writer.shards:
            states[name] = {part: writer.shards[name][part] for part in ("bytes", "sha256")}
        elif name in writer.whole:  # left by a run that cut its work differently
            path.unlink()
        else:
            files.sync(path)
            states[name] = files.state(path)
    sessions = [json.loads(one) for one in dict.fromkeys(canonical_json(note["session"]) for note in writer.resumed)]
    manifest = {"key": final.name, "recipe": recipe, "files": states, "tables": writer.tables}
    manifest["checksum"] = fingerprint(manifest)  # of what is SEALED
    manifest["made"] = {
        "started": started,
        "seconds": round(time.monotonic() - clock + sum(note["seconds"] for note in writer.resumed), 3),
        "resumed_shards": len(writer.resumed),
        "earlier_sessions": sessions,
        **provenance.environment(),
    }
    files.write(partial / MANIFEST, files.json_line(manifest, indent=1))
    files.sync(partial / MANIFEST)
    for folder in [partial, *(path for path in partial.rglob("*") if path.is_dir())]:
        files.sync(folder)
    try:
        partial.rename(final)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        shutil.rmtree(partial)  # another host made it, where locks do not reach
    files.sync(final.parent)
    journal.unlink(missing_ok=True)
    return _open(final)


def _open(folder: Path) -> Handle:
    """Verified: manifest, sizes, checksums."""
    path = folder / MANIFEST
    if folder.is_symlink():
        raise DamagedArtefact(folder, "a folder", "a symbolic link")
    if not path.is_file():
        raise DamagedArtefact(path, "a manifest", "no file")
    try:
        manifest = json.loads(path.read_bytes())
        found, key = fingerprint({part: manifest[part] for part in SEALED}), key_of(manifest["recipe"])
        _check_shape(manifest)
        expected = manifest["checksum"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DamagedArtefact(path, "a manifest", f"{type(error).__name__}: {error}") from None
    if found != expected:
        raise DamagedArtefact(path, f"contents with checksum {expected}", found)
    if not folder.name == manifest["key"] == key:
        raise DamagedArtefact(path, f"the manifest of {folder.name}", f"that of {key}")
    for name, state in manifest["files"].items():
        if difference := files.damage(folder / name, state):
            raise DamagedArtefact(folder / name, *difference)
    made = manifest["made"]
    for made_with in (session["libraries"] for session in (made, *made["earlier_sessions"])):
        for library, (then, now) in provenance.differing_libraries(made_with).items():
            if (library, then, now) not in _warned:
                _warned.add((library, then, now))
                warnings.warn(f"{folder}: made with {library} {then}, here is {now}", stacklevel=3)
    return Handle(folder, manifest)


def _check_shape(manifest: Mapping[str, Any]) -> None:
    """KeyError, TypeError or AttributeError where it is not as `_make` writes it: of another layout, or by hand."""
    made, states, tables = manifest["made"], manifest["files"].values(), manifest["tables"].values()
    sessions = (made, *made["earlier_sessions"])
    numbers = [made["seconds"], *(state["bytes"] for state in states), *(table["rows"] for table in tables)]
    texts = [state["sha256"] for state in states] + [file for table in tables for file in table["files"]]
    texts += [version for session in sessions for version in session["libraries"].values()]
    for kind, values in ((int | float, numbers), (str, texts)):
        if wrong := [value for value in values if not isinstance(value, kind)]:
            raise TypeError(f"{wrong[0]!r} where {kind} is written")


def _move_aside(folder: Path) -> Path:
    number = 1
    while os.path.lexists(aside := folder.with_name(f"{folder.name}.damaged-{number}")):
        number += 1
    return folder.rename(aside)


def _recipe(folder: Path | None) -> dict[str, Any] | None:
    """What the manifest says, files unseen; None for a folder without one that can be read."""
    try:
        recipe = None if folder is None else json.loads(files.read(folder / MANIFEST))["recipe"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return recipe if isinstance(recipe, dict) else None


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """(section, name, old value, new value) of all that differs between two recipes."""
    changes = []
    for part, section in (("settings", "setting"), ("inputs", "input"), ("model", "model"), ("code", "code")):
        shown = str if part == "inputs" else canonical_json
        a, b = old[part] or {}, new[part] or {}
        for name in sorted({*a, *b}):
            before, after = (shown(side[name]) if name in side else "(absent)" for side in (a, b))
            if before != after:
                changes.append((section, name, before, after))
    if old["seed"] != new["seed"]:
        changes.append(("seed", "of all that is drawn", str(old["seed"]), str(new["seed"])))
    return changes
