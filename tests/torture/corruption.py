"""A finished study's store, damaged in one place, and the study asked for again.

It must end with the bytes that were there, or refuse in a line that names what is damaged; with that out of the way it
must end with these bytes. Nothing beside the store may be touched: links lead to a folder that is watched.

A case is a function of a `Room` that damages something and returns its path. What read it is taken away first (`SEEN`),
so that the study has to open it.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ifpref.store import files
from tests.torture import SEED, Row, spread
from tests.torture.guard import guarded
from tests.torture.homes import LIMIT_S, computed, contents, copied, differences, left_behind, store, study

PART = "corruption"
BAIT = b"nothing may happen to this file\n"
SEEN: Mapping[str, tuple[str, ...]] = {
    "run": (),
    "base": ("run",),  # some are asked for by runs alone
    "pair_tables": (),
    "pairs": ("pair_tables",),
    "responses": ("pair_tables", "pairs"),
    "trees": ("pair_tables", "pairs"),
    "prompts": ("base", "run", "pair_tables", "pairs", "responses"),
    "entropies": ("run",),
    "evaluation": ("run", "base"),
    "policy": ("run",),
    "reference": ("run", "policy"),
}
"""Stage -> the stages whose artefacts must be gone for its own to be opened."""


@dataclass(frozen=True)
class Room:
    """A copy of a project folder that may be damaged, and a folder beside it that may not be touched."""

    home: Path
    outside: Path
    draw: random.Random

    @property
    def store(self) -> Path:
        return store(self.home)

    def stage(self, name: str) -> list[Path]:
        """Its finished artefacts. What reads them is taken away."""
        for reader in SEEN[name]:
            shutil.rmtree(self.store / reader, ignore_errors=True)
        return sorted(path for path in (self.store / name).iterdir() if len(path.name) == 16)

    def file(self, name: str) -> Path:
        """Of an artefact of that stage its largest file."""
        folder = self.stage(name)[0]
        own = (path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")
        return max(sorted(own), key=lambda path: path.stat().st_size)

    def manifest(self) -> Path:
        return self.stage("run")[0] / "manifest.json"

    def gone(self, stage: str, ending: str) -> Path:
        """`<key><ending>` of an artefact that is not there any more, so that it is made."""
        folder = self.stage(stage)[0]
        shutil.rmtree(folder)
        return folder.with_name(f"{folder.name}{ending}")


Damage = Callable[[Path, Room], None]


# ---- what can happen to any file


def cut(path: Path, room: Room) -> None:
    os.truncate(path, path.stat().st_size // 2)


def empty(path: Path, room: Room) -> None:
    os.truncate(path, 0)


def flip(path: Path, room: Room) -> None:
    data = bytearray(path.read_bytes())
    data[room.draw.randrange(len(data))] ^= 1 << room.draw.randrange(8)
    path.write_bytes(data)


def lengthen(path: Path, room: Room) -> None:
    with path.open("ab") as file:
        file.write(b"\n")


def delete(path: Path, room: Room) -> None:
    files.discard(path)


def blank(path: Path, room: Room) -> None:
    """What a power cut leaves of a file that was not synced."""
    path.write_bytes(bytes(path.stat().st_size))


def become_a_folder(path: Path, room: Room) -> None:
    files.discard(path)
    path.mkdir()
    (path / "junk").write_text("junk")


def become_a_file(path: Path, room: Room) -> None:
    files.discard(path)
    path.write_text("junk")


def become_a_pipe(path: Path, room: Room) -> None:
    """Who opens it to read waits for ever."""
    files.discard(path)
    os.mkfifo(path)


def become_a_socket(path: Path, room: Room) -> None:
    files.discard(path)
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as one:  # its path may not be long
        one.bind(f"{folder}/s")
        os.rename(f"{folder}/s", path)


def link_to_nothing(path: Path, room: Room) -> None:
    files.discard(path)
    path.symlink_to(room.outside / "nowhere")


def link_to_itself(path: Path, room: Room) -> None:
    files.discard(path)
    path.symlink_to(path.name)


def link_to_a_file(path: Path, room: Room) -> None:
    files.discard(path)
    path.symlink_to(room.outside / "bait.txt")


def link_to_a_folder(path: Path, room: Room) -> None:
    files.discard(path)
    path.symlink_to(room.outside / "folder")


def link_to_a_copy(path: Path, room: Room) -> None:
    """Of itself, outside: the same bytes, until somebody writes there."""
    path.rename(room.outside / "kept")
    path.symlink_to(room.outside / "kept")


# ---- what can happen to JSON


def says(text: str | bytes) -> Damage:
    def damage(path: Path, room: Room) -> None:
        path.write_bytes(text.encode() if isinstance(text, str) else text)

    return damage


def changed(change: Callable[[dict[str, Any]], Any]) -> Damage:
    """A JSON object, with a change."""

    def damage(path: Path, room: Room) -> None:
        value = json.loads(path.read_bytes())
        value = change(value) or value
        path.write_text(json.dumps(value))

    return damage


def with_checksum(change: Callable[[dict[str, Any]], Any]) -> Damage:
    """The same, with a checksum that fits: a manifest that somebody has edited with care, or of another layout."""
    from ifpref.params import fingerprint

    def sealed(value: dict[str, Any]) -> None:
        change(value)
        covered = {name: value.get(name) for name in ("key", "recipe", "files", "tables")}
        value["checksum"] = fingerprint(covered)

    return changed(sealed)


def renamed(old: str, new: str) -> Damage:
    return changed(lambda value: value.update({new: value.pop(old)}))


def set_to(value: Any, *names: str) -> Damage:
    def change(found: dict[str, Any]) -> None:
        for name in names[:-1]:
            found = found[name]
        found[names[-1]] = value

    return changed(change)


def set_sealed(value: Any, name: str) -> Damage:
    return with_checksum(lambda found: found.update({name: value}))


DEEP = "[" * 100_000
MANIFESTS: dict[str, Damage] = {
    "cut": cut,
    "empty": empty,
    "flipped": flip,
    "blank": blank,
    "gone": delete,
    "a folder": become_a_folder,
    "a pipe": become_a_pipe,
    "a link to nothing": link_to_nothing,
    "a link to itself": link_to_itself,
    "a link to a file": link_to_a_file,
    "{}": says("{}"),
    "null": says("null"),
    "a list": says("[]"),
    "a number": says("1e999"),
    "too deep": says(DEEP),
    "no UTF-8": says(b'{"key": "\xff"}'),
    "a digit too many": says("1" * 6000),
    "files renamed": renamed("files", "file"),
    "recipe renamed": renamed("recipe", "params"),
    "files null": set_to(None, "files"),
    "files null, sealed": set_sealed(None, "files"),
    "files without sums, sealed": set_sealed({"record.json.gz": {}}, "files"),
    "tables null, sealed": set_sealed(None, "tables"),
    "a file outside, sealed": with_checksum(lambda value: value["files"].update({"../../../../x": {"bytes": 1}})),
    "recipe a number": set_to(7, "recipe"),
    "checksum null": set_to(None, "checksum"),
    "made null": set_to(None, "made"),
    "no seconds": changed(lambda value: value["made"].pop("seconds") and None),
    "libraries null": set_to(None, "made", "libraries"),
    "libraries a list": set_to(["torch"], "made", "libraries"),
    "libraries numbers": set_to({"torch": None}, "made", "libraries"),
    "earlier sessions a number": set_to(7, "made", "earlier_sessions"),
    "of an older layout": changed(
        lambda value: {**value, "recipe": {"stage": "run", "params": {}, "inputs": {}, "code": "0" * 16, "model": None}}
    ),
    "another seed, sealed": with_checksum(lambda value: value["recipe"].update(seed=99)),
}


def in_manifest(damage: Damage, room: Room) -> Path:
    path = room.manifest()
    damage(path, room)
    return path


def in_file(stage: str, damage: Damage, room: Room) -> Path:
    path = room.file(stage)
    damage(path, room)
    return path


def in_folder(stage: str, damage: Damage, room: Room) -> Path:
    path = room.stage(stage)[0]
    damage(path, room)
    return path


def beside(stage: str, ending: str, damage: Damage, room: Room) -> Path:
    """Something under the name of what a run leaves while it makes an artefact."""
    path = room.gone(stage, ending)
    path.write_text("junk")
    damage(path, room)
    return path


def in_store(name: str, damage: Damage, room: Room) -> Path:
    """A file of the store itself; something is sampled anew, so that it is read."""
    room.stage("responses")
    shutil.rmtree(room.store / "responses")
    path = room.store / name
    path.write_text("junk")
    damage(path, room)
    return path


# ---- what can happen to two files, or to a folder


def swap_files(room: Room) -> Path:
    """Two of one artefact: each is whole, and in the place of the other."""
    folder = room.stage("responses")[0]
    one, other = sorted(folder.glob("responses-*"))[:2]
    return _swap(one, other)


def swap_files_of_two(room: Room) -> Path:
    one, other = (folder / "record.json.gz" for folder in room.stage("run")[:2])
    return _swap(one, other)


def swap_artefacts(room: Room) -> Path:
    one, other = room.stage("run")[:2]
    return _swap(one, other)


def swap_manifests(room: Room) -> Path:
    one, other = (folder / "manifest.json" for folder in room.stage("run")[:2])
    return _swap(one, other)


def swap_policies(room: Room) -> Path:
    one, other = (folder / "adapter" / "adapter_model.safetensors" for folder in room.stage("policy")[:2])
    for reader in SEEN["evaluation"] + ("evaluation",):
        shutil.rmtree(room.store / reader, ignore_errors=True)
    return _swap(one, other)


def _swap(one: Path, other: Path) -> Path:
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)
    return one


def link_to_another_artefact(room: Room) -> Path:
    one, other = room.stage("run")[:2]
    shutil.rmtree(one)
    one.symlink_to(other)
    return one


def copy_of_another_artefact(room: Room) -> Path:
    one, other = room.stage("run")[:2]
    shutil.rmtree(one)
    shutil.copytree(other, one)
    return one


def under_a_name_of_another_stage(room: Room) -> Path:
    path = room.stage("run")[0]
    shutil.rmtree(path)
    shutil.copytree(room.stage("base")[0], path)
    return path


def too_many_files(room: Room) -> Path:
    """Beside those of an adapter that is loaded again; libraries look for some of these names."""
    folder = room.stage("policy")[0] / "adapter"
    for name in ("adapter_model.bin", "config.json", "tokenizer_config.json", "modeling_x.py"):
        (folder / name).write_text("{junk")
    for reader in SEEN["evaluation"] + ("evaluation",):
        shutil.rmtree(room.store / reader, ignore_errors=True)
    return folder


def everything_damaged(room: Room) -> Path:
    for path in room.store.rglob("*"):
        if path.is_file():
            flip(path, room)
    return room.store


def every_manifest_gone(room: Room) -> Path:
    for path in room.store.rglob("manifest.json"):
        path.unlink()
    return room.store


def damaged_before(room: Room) -> Path:
    """The name that a damaged artefact would be moved to is taken."""
    path = room.stage("run")[0]
    path.with_name(f"{path.name}.damaged-1").write_text("junk")
    link_to_nothing(path.with_name(f"{path.name}.damaged-2"), room)
    flip(path / "record.json.gz", room)
    return path


def stage_is_a_file(room: Room) -> Path:
    path = room.store / "run"
    become_a_file(path, room)
    return path


def stage_is_a_link_to_nothing(room: Room) -> Path:
    path = room.store / "run"
    link_to_nothing(path, room)
    return path


def store_is_a_file(room: Room) -> Path:
    become_a_file(room.store, room)
    return room.store


def older_layout_beside(room: Room) -> Path:
    """An artefact of an older layout under a key of its own is never used."""
    path = room.store / "run" / ("0" * 16)
    shutil.copytree(room.stage("run")[0], path)
    MANIFESTS["of an older layout"](path / "manifest.json", room)
    shutil.rmtree(room.store / "pair_tables")  # where all is there, nothing is said
    return path


def partial_with(fill: Callable[[Path, Room], None], stage: str, room: Room) -> Path:
    """A folder of a run that was stopped, with something in it."""
    path = room.gone(stage, ".partial")
    path.mkdir()
    fill(path, room)
    return path


def a_link_to_a_folder_in_it(path: Path, room: Room) -> None:
    (path / "adapter").symlink_to(room.outside / "folder")


def links_in_it(path: Path, room: Room) -> None:
    (path / "record.json.gz").symlink_to(room.outside / "bait.txt")
    (path / "manifest.json").symlink_to(room.outside / "bait.txt")
    (path / "folder").symlink_to(room.outside / "folder")


def junk_in_it(path: Path, room: Room) -> None:
    (path / "deep" / "er").mkdir(parents=True)
    (path / "deep" / "er" / "junk.json").write_text("junk")
    (path / "manifest.json").write_text("null")
    os.mkfifo(path / "pipe")


def whole_but_wrong(path: Path, room: Room) -> None:
    """All of another artefact."""
    shutil.rmtree(path)
    shutil.copytree(room.stage("run")[1], path)


def shards_in_it(path: Path, room: Room) -> None:
    """Rows that nobody has noted; and notes of rows that are not there."""
    (path / "responses-00000.jsonl.gz").write_bytes(b"junk")
    note = {"file": "responses-00001.jsonl.gz", "bytes": 4, "sha256": "0" * 64, "rows": 6, "of": "0" * 64}
    lines = [note | {"seconds": 1.0}, note | {"file": "../../../../outside/bait.txt", "seconds": 1.0}]
    path.with_suffix(".journal").write_text("".join(json.dumps(line) + "\n" for line in lines))


NULL_LINES = 'null\n[]\n7\n{"file": null}\n{"session": 3}\n'
CASES: dict[str, Callable[[Room], Path]] = {
    **{f"manifest {name}": partial(in_manifest, damage) for name, damage in MANIFESTS.items()},
    **{f"{stage}: a file cut": partial(in_file, stage, cut) for stage in SEEN},
    **{f"{stage}: a bit flipped": partial(in_file, stage, flip) for stage in SEEN},
    **{f"{stage}: a file gone": partial(in_file, stage, delete) for stage in ("run", "policy", "trees", "prompts")},
    "evaluation: a file empty": partial(in_file, "evaluation", empty),
    "pairs: a file blank": partial(in_file, "pairs", blank),
    "base: a file longer": partial(in_file, "base", lengthen),
    "run: a folder for a file": partial(in_file, "run", become_a_folder),
    "run: a pipe for a file": partial(in_file, "run", become_a_pipe),
    "run: a socket for a file": partial(in_file, "run", become_a_socket),
    "run: a link to nothing for a file": partial(in_file, "run", link_to_nothing),
    "run: a link to itself for a file": partial(in_file, "run", link_to_itself),
    "policy: a link to a file for a file": partial(in_file, "policy", link_to_a_file),
    "responses: a link to its copy for a file": partial(in_file, "responses", link_to_a_copy),
    "run: a file for an artefact": partial(in_folder, "run", become_a_file),
    "run: a pipe for an artefact": partial(in_folder, "run", become_a_pipe),
    "run: a link to nothing for an artefact": partial(in_folder, "run", link_to_nothing),
    "base: a link to itself for an artefact": partial(in_folder, "base", link_to_itself),
    "run: a link to a folder for an artefact": partial(in_folder, "run", link_to_a_folder),
    "base: a link to its copy for an artefact": partial(in_folder, "base", link_to_a_copy),
    "two files of an artefact swapped": swap_files,
    "files of two artefacts swapped": swap_files_of_two,
    "two artefacts swapped": swap_artefacts,
    "two manifests swapped": swap_manifests,
    "two adapters swapped": swap_policies,
    "a link to another artefact": link_to_another_artefact,
    "a copy of another artefact": copy_of_another_artefact,
    "an artefact of another stage": under_a_name_of_another_stage,
    "files too many": too_many_files,
    "a bit of every file flipped": everything_damaged,
    "every manifest gone": every_manifest_gone,
    "damaged twice before": damaged_before,
    "an artefact of an older layout": older_layout_beside,
    "a file for a stage": stage_is_a_file,
    "a link to nothing for a stage": stage_is_a_link_to_nothing,
    "a file for the store": store_is_a_file,
    "partial: junk": partial(partial_with, junk_in_it, "run"),
    "partial: links": partial(partial_with, links_in_it, "run"),
    "partial: a link for a folder": partial(partial_with, a_link_to_a_folder_in_it, "policy"),
    "partial: another artefact": partial(partial_with, whole_but_wrong, "run"),
    "partial: shards of nobody": partial(partial_with, shards_in_it, "responses"),
    "partial: a file": partial(beside, "run", ".partial", become_a_file),
    "partial: a pipe": partial(beside, "run", ".partial", become_a_pipe),
    "partial: a link to a folder": partial(beside, "run", ".partial", link_to_a_folder),
    "partial: a link to nothing": partial(beside, "run", ".partial", link_to_nothing),
    "journal: junk": partial(beside, "responses", ".journal", says(b"\xff{junk\n\0\0")),
    "journal: nulls": partial(beside, "responses", ".journal", says(NULL_LINES)),
    "journal: too deep": partial(beside, "responses", ".journal", says(DEEP + "\n")),
    "journal: a folder": partial(beside, "responses", ".journal", become_a_folder),
    "journal: a pipe": partial(beside, "responses", ".journal", become_a_pipe),
    "journal: a link to a file": partial(beside, "responses", ".journal", link_to_a_file),
    "journal: a link to itself": partial(beside, "responses", ".journal", link_to_itself),
    "lock: left": partial(beside, "run", ".lock", says("process 1 on nowhere\n")),
    "lock: a folder": partial(beside, "run", ".lock", become_a_folder),
    "lock: a pipe": partial(beside, "run", ".lock", become_a_pipe),
    "lock: a link to a file": partial(beside, "run", ".lock", link_to_a_file),
    "lock: a link to nothing": partial(beside, "run", ".lock", link_to_nothing),
    "checkpoints: a file": partial(beside, "policy", ".checkpoints", become_a_file),
    "checkpoints: a folder with junk": partial(beside, "policy", ".checkpoints", become_a_folder),
    "checkpoints: a link to a folder": partial(beside, "policy", ".checkpoints", link_to_a_folder),
    "checkpoints: a link to nothing": partial(beside, "policy", ".checkpoints", link_to_nothing),
    "fitting: null": partial(in_store, "fitting.json", says("null")),
    "fitting: entries of nothing": partial(in_store, "fitting.json", says('[{"fits": 0}, null]')),
    "fitting: too deep": partial(in_store, "fitting.json", says(DEEP)),
    "fitting: a folder": partial(in_store, "fitting.json", become_a_folder),
    "fitting: a pipe": partial(in_store, "fitting.json", become_a_pipe),
    "fitting: a link to a file": partial(in_store, "fitting.json", link_to_a_file),
    "commits: junk": partial(in_store, "commits.json", says("junk")),
    "commits: a folder": partial(in_store, "commits.json", become_a_folder),
}
REFUSED = ("a file for a stage", "a link to nothing for a stage", "a file for the store")
"""Cases that cannot be healed: a person has put something there."""


def run(most: int | None = None, home: Path | None = None) -> Iterator[Row]:
    """`home`: a project folder in which the study has been computed."""
    home = home or computed()
    expected = contents(home)
    for name in spread(list(CASES), most):
        yield face(name, home, expected)


def face(name: str, home: Path, expected: dict[str, bytes]) -> Row:
    with tempfile.TemporaryDirectory(prefix="ifpref-torture-") as folder:
        outside = Path(folder, "outside")
        (outside / "folder").mkdir(parents=True)
        for bait in (outside / "bait.txt", outside / "folder" / "bait.txt"):
            bait.write_bytes(BAIT)
        room = Room(copied(home, Path(folder, "home")), outside, random.Random(f"{SEED} {name}"))
        damaged = CASES[name](room)
        before = dict(_seen(outside)) | dict(_seen(room.home / "params"))
        before |= {path: BAIT for path in before if path.endswith("bait.txt")}  # whatever has been done to it
        ended = guarded(study, room.home, limit_s=LIMIT_S)
        wrong, outcome, seconds = ended.wrong, "same bytes", ended.seconds
        if not wrong and ended.value != 0:
            outcome = "refused"
            if name not in REFUSED:
                wrong.append(f"not healed: {ended.said[-300:]}")
            if not any(part in ended.said for part in (damaged.name, damaged.parent.name)):
                wrong.append(f"an error that does not name {damaged.name}: {ended.said[-300:]}")
            files.discard(damaged)  # what the error asks for
            ended = guarded(study, room.home, limit_s=LIMIT_S)
            wrong += ended.wrong or ([] if ended.value == 0 else [f"still refused: {ended.said[-300:]}"])
        if not wrong:
            found = contents(room.home)
            if name == "an artefact of an older layout":
                found = {file: data for file, data in found.items() if damaged.name not in file}
                wrong += [] if "older layout" in ended.said else ["nothing is said of it"]
            wrong += differences(expected, found)
            wrong += left_behind(room.home)
        after = dict(_seen(outside)) | dict(_seen(room.home / "params"))
        wrong += [f"{path} was touched" for path in before.keys() | after.keys() if before.get(path) != after.get(path)]
    return Row(PART, name, outcome, wrong, seconds)


def _seen(folder: Path) -> Iterator[tuple[str, bytes]]:
    """What is in a folder."""
    for path in sorted(folder.rglob("*")):
        yield str(path), path.read_bytes() if path.is_file() else b"no file"
