"""Artefacts: keys, whole or not there, killed and continued, damaged and noticed, explained.

Writers are killed for real: this file is also the script of the processes that the tests start and kill.
"""

import errno
import json
import os
import random
import re
import resource
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path
from types import SimpleNamespace

import pytest

from ifpref.params import ParamsError
from ifpref.store import (
    Artefact,
    CodeError,
    DamagedArtefact,
    MissingArtefact,
    Store,
    StoreError,
    Writer,
    code,
    files,
    module_hashes,
    provenance,
)
from ifpref.store import store as store_module

SHARDS = 12


# ---- what is made: twelve shards, a table, a file and a folder that "a library" writes


def spec(**params) -> Artefact:
    return Artefact("toy", {"shards": SHARDS, **params})


def shard_rows(shard: int) -> list[dict]:
    return [{"prompt_id": 10 * shard + row, "text": f"é\u2028 {shard}"} for row in range(3)]


def make(writer: Writer, n_shards: int = SHARDS, at_shard=lambda shard: None) -> None:
    """`at_shard` is called when a shard is made, not when it is there."""

    def rows(shard: int) -> list[dict]:
        at_shard(shard)
        return shard_rows(shard)

    writer.write_jsonl("prompts.jsonl", [{"prompt_id": 1}, {"prompt_id": 2}])
    for shard in range(n_shards):
        writer.shard("answers/rows.jsonl", shard, lambda shard=shard: rows(shard))
    writer.write_json("summary.json", {"rows": len(writer.read_jsonl("answers/rows.jsonl"))})
    (writer.path("adapter") / "inner").mkdir(parents=True)
    writer.path("adapter/inner/weights.bin").write_bytes(bytes(range(256)))


def stop_at(last: int):
    def stop(shard: int) -> None:
        if shard == last:
            raise KeyboardInterrupt

    return stop


def contents(folder: Path) -> dict[str, bytes | dict]:
    """All bytes of an artefact; of the manifest all but "made", where runs may differ."""
    found: dict[str, bytes | dict] = {}
    for path in sorted(path for path in folder.rglob("*")):
        found[path.relative_to(folder).as_posix()] = path.read_bytes() if path.is_file() else b"a folder"
    manifest = json.loads(found["manifest.json"])
    assert manifest.pop("made")["seconds"] >= 0
    return {**found, "manifest.json": manifest}


@pytest.fixture(scope="session")
def unkilled(tmp_path_factory) -> dict:
    return contents(Store(tmp_path_factory.mktemp("unkilled")).get(spec(), make).folder)


# ---- keys


def test_key_is_of_all_that_made_it():
    base = {
        "settings": {"a": 1, "b": [1, 2]},
        "inputs": {"x": "0" * 16},
        "model": {"id": "m"},
        "seed": 0,
        "code": {"version": 1},
    }
    same = {**base, "settings": {"b": (1, 2), "a": 1}}
    assert Artefact("toy", **base).key == Artefact("toy", **same).key
    changed = [
        {"settings": {"a": 2, "b": [1, 2]}},
        {"settings": {"a": 1}},
        {"inputs": {"x": "1" * 16}},
        {"inputs": {"y": "0" * 16}},
        {"model": {"id": "n"}},
        {"model": None},
        {"seed": 1},
        {"seed": None},
        {"code": {"version": 2}},
        {"code": {"version": 1, "code": "0" * 16}},
    ]
    keys = {Artefact("toy", **{**base, **change}).key for change in changed}
    assert len(keys | {Artefact("toy", **base).key, Artefact("tox", **base).key}) == len(changed) + 2


def test_key_is_that_of_every_machine_and_python():
    artefact = Artefact("toy", {"beta": 0.1, "ids": ("a:b",)}, inputs={"x": "0123456789abcdef"}, model={"id": "m"})
    assert artefact.key == "3a0974a3f4b06dc2"


def test_inputs_are_artefacts_or_keys(tmp_path):
    first = spec()
    handle = Store(tmp_path).get(first, lambda writer: writer.write_text("a.txt", "a"))
    assert len({Artefact("next", inputs={"toy": given}).key for given in (first, handle, first.key)}) == 1


def test_what_cannot_have_a_key():
    with pytest.raises(ParamsError, match="beta = nan"):
        Artefact("toy", {"beta": float("nan")})
    with pytest.raises(StoreError, match="stage 'Toy/x'"):
        Artefact("Toy/x")


def test_a_key_does_not_follow_later_changes_of_a_list():
    rates = [1, 2]
    artefact = Artefact("toy", {"rates": rates})
    key = artefact.key
    rates.append(3)
    assert artefact.key == key


# ---- made once, read back


def test_made_once_and_read_back(tmp_path, unkilled):
    store, made = Store(tmp_path), []
    for _ in range(2):
        handle = store.get(spec(), lambda writer: (made.append(1), make(writer)))
    assert made == [1]
    assert contents(handle.folder) == unkilled
    assert handle.read_jsonl("answers/rows.jsonl") == [row for shard in range(SHARDS) for row in shard_rows(shard)]
    assert handle.read_json("summary.json") == {"rows": 36}
    assert handle.path("adapter").is_dir() and handle.path("adapter/inner/weights.bin").stat().st_size == 256
    assert handle.manifest["tables"]["answers/rows.jsonl"]["rows"] == 36
    assert handle.manifest["files"]["prompts.jsonl"]["bytes"] == len(b'{"prompt_id": 1}\n') * 2
    assert store.find(handle.key).folder == handle.folder
    assert [path.name for path in handle.folder.parent.iterdir()] == [handle.key]
    with pytest.raises(StoreError, match=r"no file 'summery.json'; there are .*summary.json"):
        handle.path("summery.json")
    with pytest.raises(StoreError, match="no table 'rows'"):
        handle.read_jsonl("rows")


def test_manifest_says_how_it_was_made(tmp_path):
    made = Store(tmp_path).get(spec(), make).manifest["made"]
    assert made["python"].startswith(f"{sys.version_info.major}.{sys.version_info.minor}.")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", made["started"])
    assert made["cpus"] == os.cpu_count() and "threads" in made
    assert {"host", "git", "libraries", "seconds", "resumed_shards"} < set(made)


def test_odd_rows_come_back(tmp_path):
    rows = [{"text": "half a pair \ud800, U+2028 \u2028, NUL \0, CR \r"}, {"text": "日本語"}, {}]

    def write(writer):
        writer.write_jsonl("plain.jsonl", rows)
        writer.write_jsonl("packed.jsonl.gz", rows)
        writer.shard("cut.jsonl.gz", 0, lambda: rows[:2])
        writer.shard("cut.jsonl.gz", 1, lambda: rows[2:])
        writer.write_jsonl("none.jsonl", [])

    handle = Store(tmp_path).get(spec(), write)
    for table in ("plain.jsonl", "packed.jsonl.gz", "cut.jsonl.gz"):
        assert handle.read_jsonl(table) == rows
    assert handle.read_jsonl("none.jsonl") == []
    assert "cut-00001.jsonl.gz" in handle.manifest["files"]
    assert handle.path("packed.jsonl.gz").read_bytes()[:2] == b"\x1f\x8b"


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda writer: writer.write_json("log.json", {"loss": float("nan")}), r"log\.json: .*null for what"),
        (lambda writer: writer.write_jsonl("rows.jsonl", [{"x": {1}}]), r"rows\.jsonl: .*set"),
    ],
)
def test_what_cannot_be_written(tmp_path, write, message):
    with pytest.raises(StoreError, match=message):
        Store(tmp_path).get(spec(), write)
    with pytest.raises(MissingArtefact):
        Store(tmp_path).get(spec())


def test_what_make_raises_comes_through_and_shards_stay(tmp_path, unkilled):
    store, made = Store(tmp_path), []
    with pytest.raises(KeyboardInterrupt):
        store.get(spec(), lambda writer: make(writer, at_shard=stop_at(7)))
    assert not (tmp_path / "toy" / spec().key).exists()
    handle = store.get(spec(), lambda writer: make(writer, at_shard=made.append))
    assert made == [7, 8, 9, 10, 11]
    assert contents(handle.folder) == unkilled
    assert handle.manifest["made"]["resumed_shards"] == 7
    assert len(handle.manifest["made"]["earlier_sessions"]) == 1


# ---- killed


def run_script(*arguments: object, **options) -> subprocess.Popen:
    command = [sys.executable, __file__, *map(str, arguments)]
    root = Path(__file__).resolve().parents[1]
    path = os.pathsep.join([str(root), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, **options
    )


def finish(process: subprocess.Popen) -> str:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out


def test_killed_at_lines_all_over_the_store(tmp_path, unkilled):
    """A child is killed at its n-th line inside ifpref/store, the next one finishes; n from end to end."""
    report = json.loads(finish(run_script("kill-at-lines", tmp_path)))
    expected = contents(Store(tmp_path / "small").get(spec(shards=2), lambda writer: make(writer, 2)).folder)
    for name in report:
        assert contents(Store(tmp_path / name).get(spec(shards=2)).folder) == expected, name
    # what was noted when the child was killed was not made a second time; the points reach from end to end
    assert all(run["made"] == list(range(run["noted"], 2)) for run in report.values())
    assert {run["noted"] for run in report.values()} == {0, 1, 2} and len(report) >= 80


def test_killed_at_random_times(tmp_path, unkilled):
    delays, kills = random.Random(5), 0
    while True:
        writer = run_script("slow-writer", tmp_path)
        assert writer.stdout.readline() == "started\n"
        time.sleep(delays.uniform(0, 0.2))  # a run never killed takes 0.25 s or more
        writer.kill()
        err = writer.communicate(timeout=30)[1]
        if writer.returncode != -signal.SIGKILL:  # it had ended
            assert writer.returncode == 0, err
            break
        kills += 1
    assert kills >= 2
    assert contents(tmp_path / "toy" / spec().key) == unkilled


@pytest.mark.parametrize("tear", ["cut", "flip", "longer", "gone", "unnoted", "nulls"])
def test_a_torn_shard_is_remade(tmp_path, unkilled, tear):
    store, key, made = Store(tmp_path), spec().key, []
    with pytest.raises(KeyboardInterrupt):
        store.get(spec(), lambda writer: make(writer, at_shard=stop_at(5)))
    shard = tmp_path / "toy" / f"{key}.partial" / "answers" / "rows-00003.jsonl"
    data = shard.read_bytes()
    if tear in ("unnoted", "nulls"):  # killed between the shard and its note's end; or a power cut blanked it
        journal = tmp_path / "toy" / f"{key}.journal"
        lines = journal.read_bytes().splitlines(keepends=True)
        assert b"rows-00004" in lines[-1] and b"rows-00003" in lines[-2]
        end = lines[-2][:40] if tear == "unnoted" else b"\0" * 40 + b"\n" + lines[-1]
        journal.write_bytes(b"".join(lines[:-2]) + end)
    elif tear == "gone":
        shard.unlink()
    else:
        shard.write_bytes({"cut": data[:-5], "flip": b"[" + data[1:], "longer": data + b"\n"}[tear])
    (shard.parent / "stray.tmp").write_bytes(b"left behind")
    handle = store.get(spec(), lambda writer: make(writer, at_shard=made.append))
    assert contents(handle.folder) == unkilled
    assert made == ([3, 4] if tear in ("unnoted", "nulls") else [3]) + [5, 6, 7, 8, 9, 10, 11]


def test_shards_of_work_cut_differently_are_remade(tmp_path):
    store = Store(tmp_path)

    def cut(size: int, stop: int | None = None):
        def write(writer):
            for index in range(6 // size):
                if index == stop:
                    raise KeyboardInterrupt
                ids = list(range(size * index, size * (index + 1)))
                writer.shard("rows.jsonl", index, lambda ids=ids: [{"id": i} for i in ids], of=ids)

        return write

    with pytest.raises(KeyboardInterrupt):
        store.get(spec(), cut(1, stop=5))
    handle = store.get(spec(), cut(2))
    assert handle.read_jsonl("rows.jsonl") == [{"id": i} for i in range(6)]
    assert sorted(handle.manifest["files"]) == ["rows-00000.jsonl", "rows-00001.jsonl", "rows-00002.jsonl"]
    assert not (handle.folder / "rows-00004.jsonl").exists()


# ---- several processes


def test_four_processes_make_it_once(tmp_path, unkilled):
    processes = [run_script("slow-writer", tmp_path) for _ in range(4)]
    for process in processes:
        finish(process)
    assert (tmp_path / "made.log").read_text().splitlines() == [str(shard) for shard in range(SHARDS)]
    assert contents(tmp_path / "toy" / spec().key) == unkilled


def test_threads_make_it_once(tmp_path):
    made = []

    def slow(writer):
        made.append(1)
        time.sleep(0.1)
        writer.write_text("a.txt", "a")

    threads = [threading.Thread(target=lambda: Store(tmp_path).get(spec(), slow)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert made == [1]


def test_a_lock_that_was_waited_for_is_the_one_that_others_see(tmp_path):
    """Its last owner removes the file: whoever then holds the removed one holds nothing."""
    path, seen = tmp_path / "x.lock", []

    def wait():
        with files.lock(path):
            seen.append(path.exists())

    waiter = threading.Thread(target=wait)
    with files.lock(path):
        waiter.start()
        time.sleep(0.1)
        assert seen == []
    waiter.join()
    assert seen == [True] and not path.exists()


def test_a_killed_owner_lets_go_even_if_its_child_lives(tmp_path):
    owner = run_script("forking-owner", tmp_path)
    child = int(owner.stdout.readline())
    waiter = run_script("slow-writer", tmp_path)
    try:
        while f"waiting for process {owner.pid} on " not in (line := waiter.stderr.readline()):
            assert line, "it ended without waiting for the owner"
        owner.kill()
        owner.wait(timeout=10)
        os.kill(child, 0)  # alive
        err = waiter.communicate(timeout=20)[1]
        assert waiter.returncode == 0, err
    finally:
        os.kill(child, signal.SIGKILL)
        owner.stdout.close()
        owner.stderr.close()


# ---- damaged


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def edit(path: Path) -> None:
    """One byte, same size, same time: what a careless eye and a look at the size would miss."""
    status, data = path.stat(), path.read_bytes()
    position = data.index(b"1")
    path.write_bytes(data[:position] + b"7" + data[position + 1 :])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def recount(path: Path) -> None:
    path.write_text(path.read_text().replace('"rows": 36', '"rows": 35'))


DAMAGE = [
    ("answers/rows-00004.jsonl", cut, "expected 111 bytes, found 110"),
    ("answers/rows-00004.jsonl", edit, "expected sha256 .*, found"),
    ("adapter/inner/weights.bin", Path.unlink, "expected 256 bytes, found no file"),
    ("manifest.json", Path.unlink, "expected a manifest, found no file"),
    ("manifest.json", cut, None),
    ("manifest.json", edit, "manifest.json: expected"),
    ("manifest.json", recount, "manifest.json: expected contents with checksum"),
]


@pytest.mark.parametrize(("name", "damage", "message"), DAMAGE)
def test_damage_is_refused_or_remade(tmp_path, unkilled, name, damage, message):
    store = Store(tmp_path)
    folder = store.get(spec(), make).folder
    damage(folder / name)
    if message is None:  # only the last line break is gone
        assert contents(store.get(spec()).folder) == unkilled
        return
    with pytest.raises(DamagedArtefact, match=message) as error:
        store.get(spec())
    assert str(folder / name) in str(error.value)
    with pytest.warns(UserWarning, match=rf"{message}.*; moved to {folder.name}.damaged-1 and remade"):
        handle = store.get(spec(), make)
    assert contents(handle.folder) == unkilled
    assert folder.with_name(f"{folder.name}.damaged-1").is_dir()


@pytest.mark.parametrize("found", ["[" * 100_000, "null", '{"made": null}', "a pipe", "a folder", "a link to itself"])
def test_a_manifest_that_is_none_is_remade(tmp_path, unkilled, found):
    store = Store(tmp_path)
    manifest = store.get(spec(), make).folder / "manifest.json"
    manifest.unlink()
    odd = {"a pipe": os.mkfifo, "a folder": os.mkdir, "a link to itself": lambda path: os.symlink(path, path)}
    odd.get(found, lambda path: path.write_text(found))(manifest)
    assert store.look(spec()) is None and store.outdated() == {}
    with pytest.warns(UserWarning, match=r"manifest\.json: expected a manifest"):
        assert contents(store.get(spec(), make).folder) == unkilled


@pytest.mark.parametrize("part", ["libraries", "seconds", "earlier_sessions"])
def test_a_manifest_whose_unsealed_part_is_damaged_is_remade(tmp_path, unkilled, part):
    """No checksum covers how it was made."""
    manifest = Store(tmp_path).get(spec(), make).folder / "manifest.json"
    value = json.loads(manifest.read_text())
    manifest.write_text(json.dumps(value | {"made": value["made"] | {part: None}}))
    with pytest.warns(UserWarning, match=r"manifest\.json: expected a manifest"):
        assert contents(Store(tmp_path).get(spec(), make).folder) == unkilled


@pytest.mark.parametrize("ending", [".lock", ".journal", ".partial"])
def test_a_pipe_is_not_waited_for(tmp_path, unkilled, ending):
    (tmp_path / "toy").mkdir()
    os.mkfifo(tmp_path / "toy" / f"{spec().key}{ending}")
    assert contents(Store(tmp_path).get(spec(), make).folder) == unkilled


def test_an_artefact_under_another_name_is_refused(tmp_path):
    store = Store(tmp_path)
    folder = store.get(spec(), make).folder
    folder.rename(folder.with_name(spec(seed=1).key))
    with pytest.raises(DamagedArtefact, match=rf"the manifest of {spec(seed=1).key}, found that of {spec().key}"):
        store.get(spec(seed=1))


def test_checksums_are_taken_once_per_state_of_a_file(tmp_path, monkeypatch):
    store = Store(tmp_path)
    folder = store.get(spec(), make).folder
    now = time.time()
    monkeypatch.setattr(files.time, "time", lambda: now + 60)  # no file is of just now
    read = []
    digest = files.hashlib.file_digest
    monkeypatch.setattr(
        files.hashlib, "file_digest", lambda file, name: (read.append(file.name), digest(file, name))[1]
    )
    store.get(spec())
    assert len(read) == SHARDS + 3
    store.get(spec())
    assert len(read) == SHARDS + 3
    edit(folder / "answers/rows-00004.jsonl")  # its time is set back, but not the time of its change
    with pytest.raises(DamagedArtefact, match="rows-00004"):
        store.get(spec())


# ---- full disks


def test_a_full_disk_keeps_whole_shards(tmp_path, unkilled):
    """A limit on the size of files stands for the disk: the write breaks off in the middle."""
    out = finish(run_script("full-disk", tmp_path))
    assert re.match(
        r"StoreError: .*rows-00006\.jsonl: File too large, while toy .* was made; whole shards are kept", out
    )
    assert not (tmp_path / "toy" / spec().key).exists()
    assert not list(tmp_path.rglob("rows-00006.jsonl"))
    handle = Store(tmp_path).get(spec(), make)
    assert contents(handle.folder) == unkilled
    assert handle.manifest["made"]["resumed_shards"] == 6


@pytest.mark.parametrize("call", ["fdopen", "fsync"])
def test_no_space_left(tmp_path, monkeypatch, unkilled, call):
    """The n-th write or sync of a run fails, for every n."""
    genuine = getattr(os, call)
    for n in range(1, 60):
        count = iter(range(1, 1000))

        def full(*arguments, n=n, count=count):
            if next(count) == n:
                raise OSError(errno.ENOSPC, "No space left on device")
            return genuine(*arguments)

        store = Store(tmp_path / str(n))
        with monkeypatch.context() as patch:
            patch.setattr(os, call, full)
            try:
                store.get(spec(shards=2), lambda writer: make(writer, 2))
            except StoreError as error:
                assert re.match(rf"{tmp_path}/{n}/toy\S*: No space left on device", str(error))
            else:
                break
        if n < 60 and not (store.root / "toy" / spec(shards=2).key).exists():
            store.get(spec(shards=2), lambda writer: make(writer, 2))
        assert contents(store.get(spec(shards=2)).folder) == contents(
            Store(tmp_path / "whole").get(spec(shards=2), lambda writer: make(writer, 2)).folder
        )
    assert 5 <= n < 59


def test_a_disk_full_at_a_restart_keeps_whole_shards(tmp_path, monkeypatch):
    store, made = Store(tmp_path), []
    with pytest.raises(KeyboardInterrupt):
        store.get(spec(), lambda writer: make(writer, at_shard=stop_at(5)))
    with monkeypatch.context() as patch, pytest.raises(StoreError, match="No space left"):

        def full(*arguments):
            raise OSError(errno.ENOSPC, "No space left on device")

        patch.setattr(os, "fdopen", full)
        store.get(spec(), make)
    store.get(spec(), lambda writer: make(writer, at_shard=made.append))
    assert made[0] == 5


# ---- reading elsewhere


def test_fallbacks_are_read_and_never_written(tmp_path):
    reference = Store(tmp_path / "reference")
    reference.get(spec(), make)
    before = contents(reference.root / "toy" / spec().key)
    store = Store(tmp_path / "own", fallbacks=[reference.root])
    assert store.get(spec(), pytest.fail).folder.is_relative_to(reference.root)
    assert not store.root.exists()
    assert store.find(spec().key).read_json("summary.json") == {"rows": 36}
    cut(reference.root / "toy" / spec().key / "summary.json")
    with pytest.raises(DamagedArtefact):
        store.get(spec())
    with pytest.warns(UserWarning, match=r"summary\.json: .*; passed over"):
        handle = store.get(spec(), make)
    assert handle.folder.is_relative_to(store.root)
    assert contents(handle.folder) == before
    assert [path.name for path in (reference.root / "toy").iterdir()] == [spec().key]


def test_other_library_versions_are_warned_about_once(tmp_path, monkeypatch):
    monkeypatch.setattr(provenance, "loaded_libraries", lambda: {"pytest": "1.0", "not-installed-anywhere": "2"})
    monkeypatch.setattr(store_module, "_warned", set())
    store = Store(tmp_path)
    with pytest.warns(UserWarning, match=rf"made with pytest 1\.0, here is {re.escape(pytest.__version__)}"):
        store.get(spec(), make)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        store.get(spec())


# ---- explain


def test_explain_names_each_change(tmp_path):
    store = Store(tmp_path)

    def pairs(beta: float, seed: int, model: str = "m") -> Artefact:
        prompts = Artefact("prompts", {"seed": seed})
        store.get(prompts, lambda writer: writer.write_text("a.txt", "a"))
        return Artefact("pairs", {"beta": beta, "domain": "open"}, {"prompts": prompts}, {"id": model}, seed=seed)

    old = pairs(0.1, seed=1)
    assert (
        store.explain(old)
        == f"pairs {old.key}: not in the store\nno other artefact of the stage pairs to compare it with"
    )
    store.get(old, lambda writer: writer.write_text("a.txt", "a"))
    far = pairs(9.0, seed=9, model="n")
    store.get(far, lambda writer: writer.write_text("a.txt", "a"))
    new = pairs(0.05, seed=2)
    a, b = old.inputs["prompts"], new.inputs["prompts"]
    expected = [
        f"against {old.key}, the nearest of 2:",
        "  setting beta: 0.1 -> 0.05",
        f"  input prompts: {a} -> {b}",
        "    setting seed: 1 -> 2",
        "  seed of all that is drawn: 1 -> 2",
    ]
    assert store.explain(new).splitlines() == [f"pairs {new.key}: not in the store", *expected]
    with pytest.raises(MissingArtefact, match=r"setting beta: 0\.1 -> 0\.05"):
        store.get(new)
    store.get(new, lambda writer: writer.write_text("a.txt", "a"))
    here = tmp_path / "pairs" / new.key
    assert store.explain(new.key).splitlines() == [f"pairs {new.key}: {here}", *expected]
    with pytest.raises(MissingArtefact, match="0000000000000000: no artefact of that key"):
        store.explain("0" * 16)


def test_explain_tells_types_and_absence_apart(tmp_path):
    store = Store(tmp_path)
    old = Artefact("toy", {"x": "1", "gone": None}, code={"version": 1}, model={"id": "m"})
    store.get(old, lambda writer: writer.write_text("a.txt", "a"))
    lines = store.explain(Artefact("toy", {"x": 1, "new": [1]}, code={"version": 1, "code": "ab"})).splitlines()[2:]
    assert [line.strip() for line in lines] == [
        "setting gone: null -> (absent)",
        "setting new: (absent) -> [1]",
        'setting x: "1" -> 1',
        'model id: "m" -> (absent)',
        'code code: (absent) -> "ab"',
    ]


# ---- code


SOURCE = '''"""Doc."""
import os
def f(x, *, y=1):
    """Doc."""
    return f"{x!r:>{y}} and {os.sep}" + 'text'
'''
SAME = """# a comment
import os
def f(
    x,
    *,
    y=1,
):
    return f'{x!r:>{y}} and {os.sep}' + "text"  # another
"""


def test_code_hash_sees_code_and_nothing_else():
    assert code.source_hash(SOURCE) == code.source_hash(SAME) == "8c020fae178696ec"
    for old, new in [
        ("y=1", "y=2"),
        ("'text'", "b'text'"),
        ("!r", "!s"),
        (">", "<"),
        ("f(x", "g(x"),
        ("x,", "x, z,"),
    ]:
        assert code.source_hash(SOURCE.replace(old, new)) != code.source_hash(SOURCE), (old, new)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = 1.0"),
        ("x = 1", "x = True"),
        ("x = 'a'", "x = b'a'"),
        ("x = f'{a}b'", "x = f'{a}' 'c'"),
        ("x = f'{a}'", "x = f'{a}{b}'"),
        ("x = [None, 1]", "x = [1]"),
        ("def f(*, a, b=1): pass", "def f(*, a=1, b): pass"),
        ("from . import a", "from .. import a"),
        ("x = {**a}", "x = {a: b}"),
        ("async def f(): pass", "def f(): pass"),
        ("x = 'not a docstring'", "x = ''"),
    ],
)
def test_codes_that_differ(one, other):
    assert code.source_hash(one) != code.source_hash(other)


@pytest.fixture
def toys(tmp_path, monkeypatch):
    """A package of ours: `stage` runs `tool`, which reads words.txt and names `late` in a table; `other` is apart."""
    package = tmp_path / "ifpref"
    (package / "data").mkdir(parents=True)
    sources = {
        "__init__.py": "",
        "stage.py": "from ifpref.tool import use\nfrom ifpref.paths import home\nHERE = 1\n\n"
        "class Stage:\n    def make(job):\n        return use(HERE), home\n\n    def label(self):\n        return 1\n",
        "tool.py": "from ifpref import base\nWORDS = 'words.txt'\nTABLE = {'a': 'ifpref.late:f'}\n"
        "def use(x):\n    return base.f(x)\n",
        "base.py": "def f(x):\n    return x\n",
        "late.py": "def f():\n    return 1\n",
        "paths.py": "def home():\n    return 1\n",
        "other.py": "x = 1\n",
    }
    for name, source in sources.items():
        (package / name).write_text(source)
    (package / "data" / "words.txt").write_text("river")
    monkeypatch.setattr(code, "PACKAGE", package)
    monkeypatch.setattr(code, "DATA", package / "data")

    def fresh():
        """As in another process."""
        for cached in (code._files, code._module, code._parsed):
            cached.cache_clear()
        code._first_seen.clear()

    fresh()
    yield SimpleNamespace(folder=package, fresh=fresh)
    monkeypatch.undo()
    fresh()


def test_what_a_stage_runs_is_found_and_nothing_else(toys):
    def digest():
        toys.fresh()
        return code.definition_hash("ifpref.stage", "Stage.make")

    def edited(name, old, new):
        path = toys.folder / name
        before = path.read_text()
        path.write_text(before.replace(old, new))
        found = digest()
        path.write_text(before)
        return found

    first = digest()
    for name, old, new in (
        ("stage.py", "HERE = 1", "HERE = 2"),
        ("stage.py", "use(HERE)", "use(HERE + 1)"),
        ("tool.py", "base.f(x)", "base.f(x) + 1"),
        ("base.py", "return x", "return -x"),
        ("late.py", "return 1", "return 2"),
        ("data/words.txt", "river", "stone"),
    ):
        assert edited(name, old, new) != first, name
    for name, old, new in (
        ("stage.py", "label(self)", "label(self, more=1)"),
        ("base.py", "return x", "return x  # as it was"),
        ("paths.py", "return 1", "return 2"),
        ("other.py", "x = 1", "x = 2"),
    ):
        assert edited(name, old, new) == first, name
    with pytest.raises(CodeError, match=r"defines no 'Stage\.gone'"):
        code.definition_hash("ifpref.stage", "Stage.gone")


def test_a_package_is_all_its_modules_and_data(toys):
    names = ("__init__", "base", "late", "other", "paths", "stage", "tool")
    assert sorted(module_hashes()) == sorted([*(f"ifpref/{one}.py" for one in names), "ifpref/data/words.txt"])


def test_code_edited_under_a_running_process_is_refused(toys):
    path = toys.folder / "base.py"
    before = module_hashes()
    path.write_text("def f(x):\n    return x  # the same code\n")
    assert module_hashes() == before
    path.write_text("def f(x):\n    return 22\n")
    with pytest.raises(CodeError, match=r"base.py was changed while this process runs"):
        code.definition_hash("ifpref.stage", "Stage.make")


# ---- what somebody has planted, and what an older version has left


@pytest.mark.parametrize("suffix", [".partial", ".journal", ".lock", ""])
def test_a_planted_link_is_not_followed(tmp_path, unkilled, suffix):
    """What it points to stays as it is; the artefact is made, whole."""
    store, mine = Store(tmp_path / "store"), tmp_path / "mine"
    (mine / "inner").mkdir(parents=True)
    (mine / "inner" / "thesis.txt").write_text("years of work")
    (mine / "notes.txt").write_text("notes")
    folder = store.root / "toy"
    folder.mkdir(parents=True)
    target = mine / "notes.txt" if suffix in (".journal", ".lock") else mine
    (folder / f"{spec().key}{suffix}").symlink_to(target)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a link in the artefact's own place, which is moved aside
        handle = store.get(spec(), make)
    assert contents(handle.folder) == unkilled and not handle.folder.is_symlink()
    assert (mine / "inner" / "thesis.txt").read_text() == "years of work"
    assert (mine / "notes.txt").read_text() == "notes"


def test_what_no_run_of_ours_has_left_is_healed(tmp_path, unkilled):
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / spec().key).symlink_to(tmp_path / "nowhere")  # a link that leads nowhere
    (folder / f"{spec().key}.lock").mkdir()  # a folder in place of a lock
    lines = b'null\n{"file": 3}\n[1]\n{"session": 1}\n{"file": "a", "bytes": "b"}\n'
    (folder / f"{spec().key}.journal").write_bytes(lines)
    with pytest.warns(UserWarning, match="expected a folder, found a symbolic link; moved to"):
        handle = Store(tmp_path).get(spec(), make)
    assert contents(handle.folder) == unkilled


def test_artefacts_of_an_older_layout_are_counted_and_never_used(tmp_path):
    store = Store(tmp_path)
    made = store.get(spec(), make)
    old = tmp_path / "toy" / ("0" * 16)
    old.mkdir()
    (old / "manifest.json").write_text(json.dumps({"recipe": {"stage": "toy", "params": {}, "code": {}}}))
    assert store.outdated() == {tmp_path: 1}
    assert store.get(spec(), pytest.fail).folder == made.folder
    assert "no other artefact of the stage toy" in store.explain(spec())


# ---- the scripts of the processes above


def slow_writer(root: Path) -> None:
    def at_shard(shard: int) -> None:
        time.sleep(0.02)
        with (root / "made.log").open("a") as log:
            log.write(f"{shard}\n")

    print("started", flush=True)
    Store(root).get(spec(), lambda writer: make(writer, at_shard=at_shard))


def forking_owner(root: Path) -> None:
    def fork(writer: Writer) -> None:
        child = os.fork()
        if child:
            print(child, flush=True)
        time.sleep(60)

    Store(root).get(spec(), fork)


def full_disk(root: Path) -> None:
    def at_shard(shard: int) -> None:
        if shard == 6:
            resource.setrlimit(resource.RLIMIT_FSIZE, (50, resource.RLIM_INFINITY))

    try:
        Store(root).get(spec(), lambda writer: make(writer, at_shard=at_shard))
    except StoreError as error:
        print(f"StoreError: {error}")


def kill_at_lines(root: Path) -> None:
    """Prints, of each killed child: the shards noted at its death, and those that its successor made."""
    provenance.git_state()  # once, and not in each child
    room, report = str(Path(store_module.__file__).parent), {}

    def run(name: str, last_line: int) -> int:
        """A child that makes the artefact and is killed at its n-th line in the store; its exit status."""
        lines = 0

        def trace(frame, event, argument):
            nonlocal lines
            if not frame.f_code.co_filename.startswith(room):
                return None
            if event == "line":
                lines += 1
                if lines == last_line:
                    os.kill(os.getpid(), signal.SIGKILL)
            return trace

        def at_shard(shard: int) -> None:
            with (root / name / "made.log").open("a") as log:
                log.write(f"{shard}\n")

        (root / name).mkdir(exist_ok=True)
        child = os.fork()
        if not child:
            sys.settrace(trace)
            Store(root / name).get(spec(shards=2), lambda writer: make(writer, 2, at_shard))
            os._exit(0)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    last_line = 1
    step = int(os.environ.get("KILL_STEP", "8"))  # 1: at each line, a minute
    while run(f"{last_line}", last_line) == -signal.SIGKILL:
        folder = root / f"{last_line}"
        journal, log = folder / "toy" / f"{spec(shards=2).key}.journal", folder / "made.log"
        finished = (folder / "toy" / spec(shards=2).key).exists()
        noted = 2 if finished else journal.read_text().count('"file"') if journal.exists() else 0
        log.unlink(missing_ok=True)
        assert run(f"{last_line}", 0) == 0
        made = [int(line) for line in log.read_text().split()] if log.exists() else []
        report[f"{last_line}"] = {"noted": noted, "made": made}
        last_line += step
    print(json.dumps(report))


if __name__ == "__main__":
    scripts = {"slow-writer": slow_writer, "forking-owner": forking_owner, "full-disk": full_disk}
    ({**scripts, "kill-at-lines": kill_at_lines})[sys.argv[1]](Path(sys.argv[2]))
