"""Folders: found from the package or from IFPREF_HOME, and never made by asking for them."""

import pytest

from ifpref import paths


def test_home_is_the_folder_of_the_package(root, monkeypatch):
    monkeypatch.delenv(paths.HOME_VARIABLE, raising=False)
    assert paths.home() == root
    assert paths.outputs_folder("pocket") == root / "outputs" / "pocket"
    assert paths.store_folder() == root / "outputs" / "store"
    assert paths.reference_store_folder() == root / "outputs" / "reference" / "store"


def test_home_can_be_named_and_nothing_is_made(tmp_path, monkeypatch):
    (tmp_path / "params").mkdir()
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path))
    for folder in (paths.params_folder, paths.notebooks_folder, paths.outputs_folder, paths.store_folder):
        assert folder().is_relative_to(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["params"]


def test_a_wrong_home_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"IFPREF_HOME=.*no folder params/"):
        paths.home()


@pytest.mark.parametrize("name", ["store", "reference", "../x", "a/b", "", ".hidden"])
def test_names_that_are_no_profiles(name):
    with pytest.raises(ValueError, match="allowed are letters"):
        paths.outputs_folder(name)


def test_shown(tmp_path, root):
    assert paths.shown(root / "params" / "smoke.yaml") == "params/smoke.yaml"
    assert paths.shown(tmp_path / "x") == str(tmp_path / "x")
