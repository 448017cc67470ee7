"""A study without pairs says so, and does not end as if all were well."""

import shutil

import pytest
from conftest import TINY

from ifpref import paths
from ifpref.study import Study, StudyError, main

IMPOSSIBLE = {"min_constraints": 6, "min_high_gap": 1.0}
"""Of six constraints the base meets none or all in no two of four responses."""


@pytest.fixture
def home(root, tmp_path, monkeypatch):
    shutil.copytree(root / "params", tmp_path / "params")
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path))


def test_a_study_without_pairs_fails_each_time(home, capsys):
    study = Study("smoke", **TINY, **IMPOSSIBLE)
    for _ in range(2):  # made, and read again
        with pytest.raises(StudyError, match=r"no pairs in any arm of as_they_come, .* What helps: more "):
            study.run(workers=0, say=lambda line: None)
    changes = " ".join(f"{name}={value}" for name, value in (TINY | IMPOSSIBLE).items() if name != "comparisons")
    assert main(["smoke", "--workers", "0", "--set", f"{changes} comparisons=[as_they_come]"]) == 1
    said = capsys.readouterr().err
    assert "error: no pairs in any arm of as_they_come" in said and "everything is there" not in said


def test_a_comparison_without_pairs_is_said_and_the_others_stand(home, monkeypatch):
    study = Study("smoke", **TINY | {"comparisons": ["as_they_come", "triples"]})
    found = {"as_they_come": [{"pairs": {"rs": 0, "mcts": 0}}], "triples": [{"pairs": {"high": 0, "low": 3}}]}
    monkeypatch.setattr(study, "pair_tables", lambda name: found[name])
    said = []
    study._check_pairs(None, said.append)
    study._check_pairs("contrast", said.append)
    assert len(said) == 1 and said[0].startswith("no pairs in any arm of as_they_come, ")
    found["triples"] = []  # which failed
    with pytest.raises(StudyError, match="no pairs in any arm of as_they_come"):
        study._check_pairs(None, said.append)
