"""The one place that knows folders.

Everything lies under one project folder: the folder that holds the package (a clone, `pip install -e .`), or,
when the package is installed apart from it, the folder named by the environment variable `IFPREF_HOME`:

    <home>/params/<profile>.yaml     chosen by hand
    <home>/outputs/<profile>/        tables, figures and executed notebooks of one profile
    <home>/outputs/store/            artefacts; one store for all profiles, since keys tell them apart
    <home>/outputs/reference/        the committed run, with its own small read-only store/

The variable is read at each call. Asking for a folder makes nothing.

    python -c "from ifpref import paths; print(paths.outputs_folder('pocket'))"
"""

import os
import re
from pathlib import Path

HOME_VARIABLE = "IFPREF_HOME"
RESERVED = ("benchmarks", "ifeval", "models", "reference", "store")  # folders of outputs/ that are not a profile's
PROFILE_NAMES = f"allowed are letters, digits, '_' and '-', other than {', '.join(RESERVED)}"


def home() -> Path:
    """The project folder, absolute. FileNotFoundError if it has no params/, with what to do."""
    named = os.environ.get(HOME_VARIABLE)
    folder = Path(named).expanduser().resolve() if named else Path(__file__).resolve().parents[1]
    if (folder / "params").is_dir():
        return folder
    if named:
        raise FileNotFoundError(f"{HOME_VARIABLE}={named}: no folder params/ in it; name a clone of ifpref")
    raise FileNotFoundError(f"{folder}: no folder params/ beside the package; set {HOME_VARIABLE} to a clone of ifpref")


def params_folder() -> Path:
    return home() / "params"


def notebooks_folder() -> Path:
    return home() / "notebooks"


def outputs_folder(profile: str | None = None) -> Path:
    """outputs/, or outputs/<profile>/. ValueError for a name that cannot be a profile's folder."""
    if profile is None:
        return home() / "outputs"
    if not is_profile_name(profile):
        raise ValueError(f"profile {profile!r}: {PROFILE_NAMES}")
    return home() / "outputs" / profile


def store_folder() -> Path:
    return outputs_folder() / "store"


def reference_folder() -> Path:
    return outputs_folder() / "reference"


def reference_store_folder() -> Path:
    """The committed read-only store: `Store(store_folder(), fallbacks=[reference_store_folder()])`."""
    return reference_folder() / "store"


def is_profile_name(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name) is not None and name not in RESERVED


def shown(path: Path) -> str:
    """A path as messages show it: relative to the project folder when it lies in it."""
    try:
        return path.resolve().relative_to(home()).as_posix()
    except (FileNotFoundError, ValueError):  # no project folder, or a path elsewhere
        return str(path)
