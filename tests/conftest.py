"""What the tests share: where the reference data lies, and the Punkt data of nltk beside it."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None)  # how fast it is says `make bench`, not a busy machine
settings.load_profile("untimed")

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"

# nltk reads NLTK_DATA once, when it is imported: it must be set before any test imports nltk.
if (SHARED / "ifeval" / "nltk_data").is_dir():
    os.environ.setdefault("NLTK_DATA", str(SHARED / "ifeval" / "nltk_data"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository's root."""
    return ROOT


@pytest.fixture(scope="session")
def ifeval() -> Path:
    """The folder of IFEval reference data; a test that needs it is skipped where it is absent."""
    folder = SHARED / "ifeval"
    if not folder.is_dir():
        pytest.skip("the IFEval reference data (../shared/ifeval) is not there")
    return folder


@pytest.fixture(scope="session")
def tiny_home(root, tmp_path_factory) -> Path:
    """A project folder in which a tiny study has been computed: Study("smoke", **TINY)."""
    from ifpref import paths
    from ifpref.study import Study

    home = tmp_path_factory.mktemp("home")
    shutil.copytree(root / "params", home / "params")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(paths.HOME_VARIABLE, str(home))
        assert Study("smoke", **TINY).run(workers=0, say=lambda line: None) == {}
    return home


TINY = {
    "n_train_prompts": 18,
    "n_dev_prompts": 6,
    "n_test_prompts": 6,
    "n_transfer_prompts": 6,
    "n_responses": 4,
    "shard_prompts": 6,
    "max_tokens": 60,
    "n_cell_prompts": 6,
    "n_size_prompts": 12,
    "comparisons": ["as_they_come"],
    "n_replicates": 1,
}
