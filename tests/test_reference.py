"""The committed run: what is kept of a study, that a reader's study finds it, and that README says what it says."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from ifpref import paths
from ifpref.pipeline.samples import Prompts
from ifpref.pipeline.schedule import Schedule
from ifpref.publish import reference
from ifpref.study import Study
from tests.conftest import TINY

CLAIM = {"text": "more is more", "verdict": "supported", "estimate": 2.04, "low": 0.46, "high": 3.6}
FINDINGS = {
    "claims": [{**CLAIM, "claim": "C1"}, {**CLAIM, "claim": "C3", "verdict": "not resolved", "low": None}],
    "size": {"replicates": 1, "prompts": 1002},
    "is_demonstration": True,
}


@pytest.fixture
def kept(tiny_home, tmp_path, monkeypatch):
    """A project folder with nothing but params and outputs/reference, kept of the tiny study."""
    home = tmp_path / "reader"
    shutil.copytree(tiny_home / "params", home / "params")
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tiny_home))
    study = Study("smoke", **TINY)
    for name in reference.FOLDERS:
        folder = paths.outputs_folder(study.name) / name
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "findings.json").write_text(json.dumps(FINDINGS))
    (paths.outputs_folder(study.name) / "notebooks" / "tour.failed.ipynb").write_text("torn")
    about = reference.keep(study, home / "outputs" / "reference", partial=True)
    monkeypatch.setenv(paths.HOME_VARIABLE, str(home))
    return home, about


def test_a_reader_computes_nothing_and_loads_no_torch(kept, root):
    home, _ = kept
    study = Study("smoke", **TINY)
    assert not Schedule(study.pipeline, study.tasks()).needs
    assert study.pairs("as_they_come").rows and study.responses(0) and study.trees("mcts", 0)
    code = (
        "import sys; from ifpref.study import Study; from ifpref.analysis import readings;"
        f"study = Study('smoke', **{TINY!r}); study.run(); print(len(readings.decoding(study, 'as_they_come')));"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(root)}
    )
    assert done.stdout.split() == ["12", "False"], done.stderr
    assert not (home / "outputs" / "store").exists()


def test_what_is_kept_names_no_host_and_no_failed_notebook(kept):
    home, about = kept
    manifests = list((home / "outputs" / "reference" / "store").rglob("manifest.json"))
    assert manifests and all(json.loads(path.read_bytes())["made"]["host"] == "" for path in manifests)
    assert not list(home.rglob("*.failed.ipynb"))
    assert about["replicates"] == 1 and about["missing"] != 4


def test_a_reference_can_be_made_of_the_one_that_is_there(kept):
    home, _ = kept  # whose only artefacts are those of its reference
    before = sorted(path.name for path in (home / "outputs" / "reference" / "store").glob("*/*"))
    folder = paths.outputs_folder(Study("smoke", **TINY).name)
    for name in reference.FOLDERS:
        shutil.copytree(home / "outputs" / "reference" / name, folder / name)
    reference.keep(Study("smoke", **TINY), home / "outputs" / "reference", partial=True)
    store = home / "outputs" / "reference" / "store"
    assert sorted(path.name for path in store.glob("*/*")) == before
    assert not Schedule(Study("smoke", **TINY).pipeline, Study("smoke", **TINY).tasks()).needs


def test_more_than_the_limit_is_left_out_and_named(kept, tiny_home, tmp_path, monkeypatch):
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tiny_home))
    monkeypatch.setattr(reference, "LIMIT", 50_000)
    reference.keep(Study("smoke", **TINY), tmp_path / "small", partial=True)
    about = json.loads((tmp_path / "small" / "about.json").read_text())
    assert about["left_out"] and about["artefacts"] > 3
    size = sum(path.stat().st_size for path in (tmp_path / "small" / "store").rglob("*") if path.is_file())
    assert size <= 50_000


def test_a_reference_is_made_of_a_whole_run_from_a_clean_commit(tiny_home, tmp_path, monkeypatch):
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tiny_home))
    monkeypatch.setattr(reference, "git_state", lambda: {"commit": "abc", "dirty": True})
    with pytest.raises(reference.KeepError, match="differs from its commit"):
        reference.keep(Study("smoke", **TINY), tmp_path / "out")
    monkeypatch.setattr(reference, "git_state", lambda: {"commit": "abc", "dirty": False})
    with pytest.raises(reference.KeepError, match="artefacts are missing, the first"):
        reference.keep(Study("smoke", **TINY | {"n_replicates": 2}), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_readme_says_what_the_results_say(kept, tmp_path):
    home, _ = kept
    block = reference.readme_block(home / "outputs" / "reference")
    assert "| shared prefix | C1: more is more | `make prefix` |" in block
    assert "+2.0 [+0.5, +3.6], **supported** |" in block and "| **not resolved** |" in block
    assert "a demonstration" in block and "1,002 held-out prompts" in block
    readme = tmp_path / "README.md"
    readme.write_text(f"before\n{reference.BEGIN}old\n{reference.END}after\n")
    reference.write_readme(readme, block)
    assert readme.read_text() == f"before\n{reference.BEGIN}{block}{reference.END}after\n"
    readme.write_text("no marks")
    with pytest.raises(reference.KeepError, match="no lines"):
        reference.write_readme(readme, block)


# ---- the run that is committed


def test_the_committed_run_is_whole_small_and_what_readme_shows(root):
    folder = root / "outputs" / "reference"
    if not (folder / "about.json").is_file():
        pytest.skip("no reference run is committed yet")
    from ifpref.store import Store

    store = Store(folder / "store")
    keys = [path.parent.name for path in (folder / "store").rglob("manifest.json")]
    for key in keys:
        store.find(key)
    assert keys and sum(path.stat().st_size for path in (folder / "store").rglob("*") if path.is_file()) <= 10 * 2**20
    assert reference.readme_block(folder) in (root / "README.md").read_text(encoding="utf-8")


def test_the_committed_run_is_found_by_this_code(root):
    if not (root / "outputs" / "reference" / "about.json").is_file():
        pytest.skip("no reference run is committed yet")
    study = Study(json.loads((root / "outputs" / "reference" / "about.json").read_text())["profile"])
    if study.pipeline.find(Prompts()) is None:
        pytest.skip(
            "the reference was made before stages were declared: an older layout of the store; it is made again in 8/8"
        )
    for notebook in ("prefix", "contrast", "difficulty", "findings"):
        assert not Schedule(study.pipeline, study.tasks(notebook)).needs, notebook
