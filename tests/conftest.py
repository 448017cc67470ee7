"""What the tests share: where the reference data lies, and the Punkt data of nltk beside it."""

import os
from pathlib import Path

import pytest

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
