"""The repository itself: its commands, its lock, its help, and what must not be in it."""

import ast
import os
import re
import subprocess
import sys
import tomllib

import pytest


def read(root, name):
    return (root / name).read_text(encoding="utf-8")


def readme_commands(root):
    """Every make command in a code block of the README."""
    blocks = re.findall(r"```bash\n(.*?)```", read(root, "README.md"), re.DOTALL)
    return [line.split("  #")[0].strip() for block in blocks for line in block.splitlines() if "make" in line]


def targets(root):
    return re.findall(r"^([a-z][a-z0-9-]*):", read(root, "Makefile"), re.MULTILINE)


def make(root, *arguments):
    """make, with .venv taken as it is: a test must not remake what it runs in."""
    command = ["make", "-o", ".venv/.ready", *arguments]
    # Under `make test` the outer make would be heard in what the inner one prints.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(command, cwd=root, capture_output=True, text=True, env=environment)


def test_every_command_in_the_readme_is_one_that_make_would_run(root):
    commands = readme_commands(root)
    assert len(commands) >= 5
    for command in commands:
        words = re.findall(r'(?:[^\s"]|"[^"]*")+', command)
        assert words[0] == "make", command
        done = make(root, "-n", *[word.replace('"', "") for word in words[1:]])
        assert done.returncode == 0, f"{command}: {done.stderr}"


def test_help_names_every_target_with_its_cost(root):
    lines = make(root, "help").stdout.splitlines()
    shown = {line.split()[1]: line for line in lines}
    assert set(shown) == set(targets(root))
    for name, line in shown.items():
        assert name == "help" or re.search(r"second|minute|hour", line), line
    assert make(root).stdout.splitlines() == lines  # `make` alone is help


def test_make_says_what_is_missing(root):
    done = make(root, "score")
    assert done.returncode != 0 and "RESPONSES=" in done.stdout


def test_the_lock_holds_every_dependency_within_its_range(root):
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    lock = {}
    for line in read(root, "requirements.lock").splitlines():
        if line and not line.startswith("#"):
            name, version = line.split("==")
            lock[canonicalize_name(name)] = version
    project = tomllib.loads(read(root, "pyproject.toml"))["project"]
    for text in project["dependencies"] + project["optional-dependencies"]["dev"]:
        requirement = Requirement(text)
        assert requirement.specifier.contains(lock[canonicalize_name(requirement.name)]), text
    assert lock["torch"] == "2.13.0"


def test_conda_installs_the_same_lock(root):
    import yaml

    environment = yaml.safe_load(read(root, "environment.yml"))
    python, *_ = [item for item in environment["dependencies"] if str(item).startswith("python=")]
    assert python.removeprefix("python=") in ("3.11", "3.12", "3.13")
    pip = next(item["pip"] for item in environment["dependencies"] if isinstance(item, dict))
    assert pip == ["-r requirements.lock", "-e ."]


def test_importing_the_package_is_light(root):
    code = (
        "import sys, time; start = time.perf_counter(); import ifpref; spent = time.perf_counter() - start;"
        "import ifpref.params, ifpref.store, ifpref.constraints, ifpref.paths;"
        "heavy = {'torch', 'transformers', 'pandas', 'numpy', 'nltk', 'datasets', 'langdetect'} & set(sys.modules);"
        "print(spent < 0.2, sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.stdout.strip() == "True []", done.stdout + done.stderr
    assert done.stderr == ""


LAYERS = {  # room -> what of ours it may import; a room may always import itself
    "paths": set(),
    "params": {"paths"},
    "store": {"paths", "params", "progress", "files", "provenance"},
    "data": set(),
    "constraints": set(),
    "progress": set(),
    "statistics": set(),
    "prompts": {"constraints", "data", "params", "progress", "store"},
    "sampling": {"models", "params", "progress"},
    "curation": {"constraints", "params", "store", "progress", "prompts", "sampling"},
    "hub": set(),
    "models": {"hub", "progress"},
    "pocket": {"constraints", "prompts", "progress", "store"},
    "training": {"params", "store", "progress", "models", "sampling"},
    "evaluation": {"constraints", "paths", "params", "store", "progress", "prompts", "models", "sampling"},
    "figures": set(),
    "report": {"paths", "figures"},
    "tour": {"curation", "sampling", "models", "training"},
}


def imported_rooms(file):
    """The rooms of ours that a module imports, at its head or in a function."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"ifpref.{alias.name}" for alias in node.names] if node.module == "ifpref" else [node.module]
        else:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        yield from (name.split(".")[1] for name in names if name.startswith("ifpref."))


@pytest.mark.parametrize("room", LAYERS)
def test_imports_go_down_only(root, room):
    folder = root / "ifpref" / room
    files = sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]
    for file in files:
        for name in imported_rooms(file):
            assert name == room or name in LAYERS[room], f"{file.relative_to(root)} imports ifpref.{name}"


def test_no_file_names_a_machine_or_a_registry(root):
    names = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True).stdout.split()
    if not names:
        pytest.skip("not a git checkout")
    marks = re.compile(r"/(work|root|home)/[a-z]|pypi\.|npmjs|/opt/wheels|hf_[A-Za-z]{20}")
    for name in names:
        path = root / name
        if path.suffix in (".py", ".md", ".toml", ".yml", ".yaml", ".cff", ".lock", ".json", ".ipynb", ""):
            found = marks.search(path.read_text(encoding="utf-8", errors="ignore"))
            assert not found or path.name == "test_repository.py", f"{name}: {found.group()}"
