"""A run held against a reference: toy results whose table is known."""

import csv
import json
import shutil
from types import SimpleNamespace

import pandas as pd
import pytest

from ifpref.publish.compare import CompareError, as_table, compare, main, read_results

NO_INTERVAL = {"low": None, "high": None}
REFERENCE = {"estimate": 2.0, "low": 1.0, "high": 3.0, "replicates": 10}


def rows_of(here, reference):
    """Rows of {notebook: its results} held against another; None for what is missing."""
    rows = compare(as_table(here), as_table(reference)).to_dict("records")
    return [SimpleNamespace(**{name: None if pd.isna(value) else value for name, value in row.items()}) for row in rows]


def one(here, reference=REFERENCE):
    [row] = rows_of({"prefix": {"c1": here}}, {"prefix": {"c1": reference}})
    return row


@pytest.mark.parametrize("value, inside", [(1.0, True), (2.5, True), (3.0, True), (0.99, False), (3.01, False)])
def test_a_value_is_inside_with_the_ends(value, inside):
    row = one({"estimate": value, "low": value - 0.1, "high": value + 0.1})
    assert row.inside is inside and row.note == ""


@pytest.mark.parametrize(
    "low, high, overlap", [(3.0, 4.0, True), (3.1, 4.0, False), (-1.0, 0.9, False), (-1.0, 1.0, True), (1.5, 1.6, True)]
)
def test_intervals_overlap_where_they_touch(low, high, overlap):
    assert one({"estimate": (low + high) / 2, "low": low, "high": high}).overlap is overlap


def test_without_an_interval_there_is_a_note():
    none = {"estimate": 1.0, "low": None, "high": None, "reason": "one replicate"}
    row = one(none)
    assert row.inside is True and row.overlap is None
    assert one(REFERENCE, none).note == "no interval in the reference"
    assert one({"estimate": None, "low": None, "high": None}).note == "no value here"


def test_what_a_side_lacks_is_a_row():
    here = {"prefix": {"mine": REFERENCE}}
    rows = rows_of(here, {"prefix": {"c1": REFERENCE}, "contrast": {"c3": REFERENCE}})
    assert [(row.notebook, row.result, row.note) for row in rows] == [
        ("prefix", "c1", "not here"),
        ("contrast", "c3", "not here"),
        ("prefix", "mine", "not in the reference"),
    ]
    assert all(row.inside is None for row in rows) and rows[0].reference == 2.0 and rows[0].here is None


def test_numbers_are_found_however_deep_and_named_by_the_way_to_them():
    value = {
        "cells": [{"label": "high", **REFERENCE}, {"label": "low", **REFERENCE}],
        "same": [{"label": "a", **REFERENCE}, {"label": "a", **REFERENCE}],
        "groups": [{"group": "k", "label": "3", **REFERENCE}],
        "failed": {"rs": {"count": 1, "n": 10, "share": 0.1, "low": 0.0, "high": 0.45}},
        "terciles": {"edges": [0.1, 0.2], "lower": REFERENCE},
        "pairs": 120,
    }
    found = as_table({"prefix": value}).loc["prefix"]
    assert list(found.index) == [
        *("cells[high]", "cells[low]", "same[0]", "same[1]", "groups[k/3]", "failed.rs", "terciles.lower")
    ]
    assert found.value["failed.rs"] == 0.1 and found.replicates["failed.rs"] is pd.NA
    assert found.replicates["cells[high]"] == 10


@pytest.fixture
def folders(tmp_path):
    def write(side, **notebooks):
        folder = tmp_path / side / "results"
        folder.mkdir(parents=True)
        for name, value in notebooks.items():
            (folder / f"{name}.json").write_text(json.dumps(value))
        return folder

    return write


def test_the_command_prints_a_table_and_writes_all_digits(folders, capsys):
    ours = folders("a", prefix={"c1": {"estimate": 0.123456789, "low": -1.5, "high": 1.75, "replicates": 3}})
    theirs = folders("b", prefix={"c1": REFERENCE, "c2": REFERENCE})
    assert main([str(ours), str(theirs)]) == 0
    shown = capsys.readouterr().out
    lines = shown.splitlines()
    assert lines[0].split() == "notebook result here reference interval replicates inside overlap".split()
    assert lines[1].split() == ["prefix", "c1", "+0.12", "+2.00", "+1.00", "to", "+3.00", "3", "/", "10", "no", "yes"]
    assert lines[2].split()[-3:] == ["not", "here", "–"]
    assert "0 of 1 inside the reference's interval; 1 of 1 intervals overlap; 1 not compared" in shown
    [first, second] = csv.DictReader((ours.parent / "comparison.csv").open())
    assert first["here"] == "0.123456789" and first["inside"] == "False" and first["overlap"] == "True"
    assert second["here"] == "" and second["note"] == "not here"


def test_a_run_is_named_as_make_names_it(tiny_params_home, capsys):
    """`make compare PROFILE=...`: a study by its name in outputs/, or a profile by a YAML file that lies elsewhere."""
    home, file = tiny_params_home
    for name in ("smoke-1a2b3c4d", "mine", "reference"):
        folder = home / "outputs" / name / "results"
        folder.mkdir(parents=True)
        (folder / "prefix.json").write_text(json.dumps({"c1": REFERENCE}))
    for profile in ("smoke-1a2b3c4d", str(file)):
        assert main([profile]) == 0
    said = capsys.readouterr().out
    assert "outputs/smoke-1a2b3c4d/comparison.csv" in said and "outputs/mine/comparison.csv" in said
    assert main(["pocket"]) == 1
    assert "error: outputs/pocket/results: no such folder" in capsys.readouterr().err


@pytest.fixture
def tiny_params_home(root, tmp_path, monkeypatch):
    """A project folder, and a profile of its own beside it."""
    shutil.copytree(root / "params", tmp_path / "home" / "params")
    monkeypatch.setenv("IFPREF_HOME", str(tmp_path / "home"))
    file = tmp_path / "mine.yaml"
    file.write_text("extends: smoke\nseed: 41\n")
    return tmp_path / "home", file


def test_a_notebook_that_was_not_run_is_an_error_that_names_its_file(folders, capsys):
    ours, theirs = folders("a", prefix={"c1": REFERENCE}), folders("b", prefix={"c1": REFERENCE}, contrast={})
    assert main([str(ours), str(theirs)]) == 1
    said = capsys.readouterr()
    assert "1 of 1 inside" in said.out  # what is there is compared all the same
    assert "contrast.json" in said.err


@pytest.mark.parametrize(
    "content, what",
    [
        ("{", "cannot be read"),
        ("[" * 100_000, "cannot be read"),
        ("[1]", "holds a list"),
        (None, "no results in it"),
        ('{"c1": {"estimate": "2", "low": 1, "high": 3}}', "c1.estimate is '2'; allowed: a finite number, or null"),
        ('{"c1": {"estimate": true, "low": 1, "high": 3}}', "c1.estimate is True"),
        ('{"a": [{"share": 1, "low": [], "high": 3}]}', "a[0].low is []"),
        ('{"c1": {"estimate": 2, "low": NaN, "high": 3}}', "c1.low is nan"),
        ('{"c1": {"estimate": 2, "low": 1, "high": 1e999}}', "c1.high is inf"),
        ('{"c1": {"estimate": 2, "low": 1, "high": 1' + "0" * 400 + "}}", "c1.high is 10000"),
        ('{"c1": {"estimate": 2, "low": 1, "high": 3, "replicates": 2.5}}', "c1.replicates is 2.5; allowed: a whole"),
    ],
    ids=range(11),
)
def test_files_that_cannot_be_read_are_named(folders, capsys, content, what):
    ours, theirs = folders("a"), folders("b", prefix={"c1": REFERENCE})
    if content is not None:
        (ours / "prefix.json").write_text(content)
    assert main([str(ours), str(theirs)]) == 1
    error = capsys.readouterr().err
    assert what in error and str(ours) in error and error.startswith("error: ") and "Traceback" not in error


def test_results_without_any_number_are_compared(folders, capsys):
    ours, theirs = folders("a", prefix={"n": 1}), folders("b", prefix={"c1": {"estimate": None} | NO_INTERVAL})
    assert main([str(ours), str(theirs)]) == main([str(theirs), str(ours)]) == main([str(ours), str(ours)]) == 0
    assert "0 of 0 inside" in capsys.readouterr().out


def test_a_table_that_cannot_be_written_is_shown_all_the_same(folders, capsys):
    ours, theirs = folders("a", prefix={"c1": REFERENCE}), folders("b", prefix={"c1": REFERENCE})
    (ours.parent / "comparison.csv.new").mkdir()
    assert main([str(ours), str(theirs)]) == 1
    said = capsys.readouterr()
    assert "1 of 1 inside" in said.out and "comparison.csv.new: Is a directory" in said.err


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CompareError, match=r"nowhere: no such folder"):
        read_results(tmp_path / "nowhere")
