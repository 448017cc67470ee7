"""A sample of what `make torture` tries, case by case; and that the torture itself can fail."""

import json

from tests.torture import PARTS, Row, __main__, checkpoints, corruption, disk, kills, parameters, spread
from tests.torture.guard import guarded


def test_a_sample_of_corruptions(tiny_home):
    rows = list(corruption.run(3, tiny_home))
    assert [row.case for row in rows if row.wrong] == [] and len(rows) == 3


def test_a_study_whose_worker_is_killed_goes_on(tiny_home):
    row = kills.worker(tiny_home, 0)
    assert row.wrong == []


def test_a_full_disk_is_said_and_nothing_is_lost(tiny_home):
    assert disk.limited(tiny_home, "run").wrong == []


def hidden_by_a_library(folder):
    """An error that does not say why, with room and where no file can be large."""
    import resource

    from ifpref.pipeline.workers import _is_of_a_full_disk

    found = [_is_of_a_full_disk(RuntimeError("I/O error"), folder)]
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
    return [*found, _is_of_a_full_disk(RuntimeError("I/O error"), folder)]


def test_a_full_disk_is_seen_where_a_library_hides_it(tmp_path):
    assert guarded(hidden_by_a_library, tmp_path, limit_s=120).value == [False, True]


def test_a_sample_of_bad_parameters():
    rows = list(parameters.run(8))
    assert [(row.case, row.wrong) for row in rows if row.wrong] == [] and len(rows) == 8


def test_a_sample_of_damaged_checkpoints():
    rows = list(checkpoints.run(1))
    assert [(row.case, row.wrong) for row in rows if row.wrong] == [] and len(rows) == 1


# ---- what the torture itself must notice


def ends():
    print("a word")
    return 7


def waits():
    import time

    time.sleep(60)


def raises():
    raise KeyError("x")


def dies():
    import os

    os._exit(3)


def test_a_hang_a_crash_and_a_death_are_noticed():
    assert (ended := guarded(ends, limit_s=60)).wrong == [] and (ended.value, ended.said) == (7, "a word\n")
    [hung], [crashed], [died] = (
        guarded(one, limit_s=limit).wrong for one, limit in ((waits, 1), (raises, 60), (dies, 60))
    )
    assert hung.startswith("hung for ") and crashed == "crashed: KeyError: 'x'" and died == "crashed: ended with 3"


def test_what_is_lost_touched_or_accepted_is_noticed(tiny_home, monkeypatch):
    from tests.torture import homes

    expected = homes.contents(tiny_home)
    name = next(iter(expected))
    assert homes.differences(expected, dict(expected)) == []
    assert homes.differences(expected, expected | {name: b""}) == [f"{name} has other bytes"]
    assert homes.differences(expected | {"x": b""}, expected) == ["x is lost"]
    assert homes.differences(expected | {"x": b""}, expected, whole=False) == []
    assert homes.differences(expected, expected | {"x": b""}) == ["x was never there"]

    def touch(room):
        (room.outside / "bait.txt").write_text("touched")
        return room.manifest()

    def plant(room):
        (path := room.store / "run" / "x.partial").mkdir()
        return path

    for damage, word in ((touch, "bait.txt was touched"), (plant, "left behind: outputs/store/run/x.partial")):
        monkeypatch.setitem(corruption.CASES, "toy", damage)
        [wrong] = corruption.face("toy", tiny_home, expected).wrong
        assert wrong.endswith(word)


def test_the_command_prints_what_went_wrong_and_fails(monkeypatch, tmp_path, capsys):
    rows = [Row("disk", "one", "same bytes"), Row("disk", "two", "", ["a traceback"], tried=2)]
    monkeypatch.setattr(disk, "run", lambda: iter(rows))
    monkeypatch.setattr(__main__, "OUT", tmp_path / "torture")
    assert __main__.main(["disk"]) == 1
    assert len(json.loads((tmp_path / "torture" / "disk.json").read_text())) == 3  # and that there were too few
    out = capsys.readouterr().out
    assert "disk, two: a traceback" in out and "disk, all: 3 were tried; needed: 5" in out
    assert ["disk", "3", "1", "2"] in [line.split()[:4] for line in out.splitlines()]
    rows[1:] = [Row("disk", f"{n}", "same bytes") for n in range(4)]
    assert __main__.main(["disk"]) == 0
    assert __main__.main(["nothing"]) == 2


def test_as_many_cases_as_the_issue_asks_for():
    from damages import DAMAGES
    from hostile_models import HOSTILE_MODELS
    from hostile_server import BEHAVIOURS

    tables = {"corruption": corruption.CASES, "checkpoints": DAMAGES, "models": HOSTILE_MODELS, "servers": BEHAVIOURS}
    there = {part: len(table) for part, table in tables.items()}
    there["parameters"] = parameters.VALUES + len(parameters.SETS) + len(parameters.FILES)
    assert [part for part, n in there.items() if n < PARTS[part]] == []
    assert PARTS["kills"] <= 3 * kills.PARENTS + 2 * kills.WORKERS + kills.TRAININGS
    assert spread(range(100), 3) == [0, 33, 66] and spread(range(2), None) == [0, 1]
