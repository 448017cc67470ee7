"""The repository itself: its commands, its lock, its help, and what must not be in it."""

import ast
import importlib.metadata
import json
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
    for line in lines:
        assert re.search(r"second|minute|hour|at once", line), line
    assert make(root).stdout.splitlines() == lines  # `make` alone is help


def test_make_says_what_is_missing(root):
    done = make(root, "score")
    assert done.returncode != 0 and "RESPONSES=" in done.stdout


def locked(root):
    """requirements.lock: distribution -> (version, sha256 of each file that pip may take)."""
    from packaging.utils import canonicalize_name

    text = re.sub(r"^#.*\n", "", read(root, "requirements.lock"), flags=re.MULTILINE).replace("\\\n", "")
    found = {}
    for line in text.splitlines():
        requirement, *hashes = line.split()
        name, version = requirement.split("==")
        found[canonicalize_name(name)] = version, hashes
    return found


def test_the_lock_holds_every_dependency_within_its_range(root):
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    lock = {name: version for name, (version, _) in locked(root).items()}
    project = tomllib.loads(read(root, "pyproject.toml"))["project"]
    for text in project["dependencies"] + project["optional-dependencies"]["dev"]:
        requirement = Requirement(text)
        assert requirement.specifier.contains(lock[canonicalize_name(requirement.name)]), text
    assert lock["torch"] == "2.13.0"


def test_the_lock_holds_the_hashes_of_all_it_names(root):
    lock = locked(root)
    assert len(lock) > 100
    for name, (_, hashes) in lock.items():
        assert hashes and all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", one) for one in hashes), name
    # CPython 3.11 to 3.13 on two kinds of Linux and on macOS, and the CPU build
    assert len(lock["torch"][1]) >= 10


def test_the_lock_is_closed_under_what_is_installed(root):
    """What a distribution of the lock needs here is in the lock, so that its hash is checked too."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    lock, missing = locked(root), set()
    for name in lock:
        for text in importlib.metadata.requires(name) or ():
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                missing |= {(name, requirement.name)} if canonicalize_name(requirement.name) not in lock else set()
    # torch's CUDA libraries, and setuptools on Python 3.12 and later, are by the versions that torch names
    assert {what for name, what in missing if name != "torch"} <= {"appnope"}, missing  # of ipykernel, on macOS


def test_conda_brings_python_and_make_and_setup_the_lock(root):
    import yaml

    text = read(root, "environment.yml")
    assert "make setup" in text
    python, make = yaml.safe_load(text)["dependencies"]
    assert python.removeprefix("python=") in ("3.11", "3.12", "3.13") and make == "make"


FAKE_PYTHON = """#!/bin/sh
# Stands for python3: makes a venv whose python is this file too, and a pip that fails where FAIL says so.
case "$1 $2" in
  "-m venv") mkdir -p "$3/bin" && printf '#!%s/bin/python\\n' "$PWD/$3" > "$3/bin/tool" && cp "$0" "$3/bin/python" ;;
  "-m pip")
    case "$*" in
      *"$FAIL"*) echo "no such index" >&2; exit 1 ;;
      *--report*torch==2.13.0) cp report.json .venv.new/torch.json ;;
    esac ;;
  *) exec REAL "$@" ;;
esac
"""


@pytest.fixture
def set_up(root, tmp_path):
    """Runs `make setup` in a folder of its own, with stand-ins for python and pip; FAIL is in the step that fails."""
    (tmp_path / "Makefile").write_text(read(root, "Makefile"))
    (tmp_path / "requirements.lock").write_text("torch==2.13.0 \\\n    --hash=sha256:abc\n")
    fake = tmp_path / "fake"
    fake.write_text(FAKE_PYTHON.replace("REAL", sys.executable))
    fake.chmod(0o755)

    def run(fail, sha256="abc"):
        archive = {"url": "https://x/torch-2.13.0.whl", "archive_info": {"hashes": {"sha256": sha256}}}
        (tmp_path / "report.json").write_text(json.dumps({"install": [{"download_info": archive}]}))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
        command = ["make", "setup", "PYTHON=./fake"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment | {"FAIL": fail})

    return run


def test_setup_replaces_what_is_there_only_when_pip_has_succeeded(set_up, tmp_path):
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    (tmp_path / ".venv" / "bin" / "old").write_text("works")
    for step in ("--report", "--require-hashes", "--editable"):
        done = set_up(step)
        assert done.returncode != 0 and ".venv is as it was" in done.stdout, done.stdout + done.stderr
        assert (tmp_path / ".venv" / "bin" / "old").read_text() == "works"
        assert sorted(path.name for path in tmp_path.glob(".venv*")) == [".venv"]
    done = set_up("nothing")
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(path.name for path in tmp_path.glob(".venv*")) == [".venv"]
    assert {path.name for path in (tmp_path / ".venv" / "bin").iterdir()} == {"python", "tool"}
    assert (tmp_path / ".venv" / "bin" / "tool").read_text() == f"#!{tmp_path}/.venv/bin/python\n"
    assert set_up("--require-hashes").returncode == 0  # nothing to do


def test_setup_says_when_torch_is_not_a_build_of_the_lock(set_up):
    done = set_up("nothing", sha256="abd")
    assert done.returncode == 0 and "the hash of torch-2.13.0.whl is not in requirements.lock" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        (["prompts", "OUT=a b.jsonl", 'SET=system_prompt="Be brief"'], ["a b.jsonl", 'system_prompt="Be brief"']),
        (["export", "KEY=k", "OUT=a 'b $HOME `x` $(y)"], ["k", "a 'b $HOME `x` $(y)"]),
        (["score", "RESPONSES=a b", "PROMPTS=c d", "OUT=e f"], ["a b", "c d", "e f"]),
        (["pocket-model", "OUT=a b", "HABITS=no pe"], ["a b", "no pe"]),
        (["tour", "PROFILE=my profile.yaml", "SET=seed=1 beta=0.1"], ["my profile.yaml", "seed=1 beta=0.1", "tour"]),
        (["estimate", "PROFILE=a b", "ACTUAL=1"], ["a b", "--actual"]),
        (["params", "SET=stop_strings=[\"a, b\", 'c']"], ["pocket", "stop_strings=[\"a, b\", 'c']"]),
        (["compare", "PROFILE=a b"], ["a b"]),
        (["bench", "ONLY=constraints prompts"], ["tests.bench", "constraints", "prompts"]),
        (["torture", "ONLY=store"], ["tests.torture", "store"]),
        (["lock"], ["ifpref.pipeline.lock"]),
        (["rehearse", "PROFILE=a b", "SET=seed=1 beta=0.1"], ["a b", "seed=1 beta=0.1"]),
        (["ifeval", "MODEL=a b"], ["ifpref.publish.ifeval", "a b"]),
    ],
)
def test_make_hands_on_what_is_given_as_it_was_written(root, tmp_path, arguments, given):
    """The words that the program gets, one a line, from a stand-in for .venv/bin/python."""
    (tmp_path / "Makefile").write_text(read(root, "Makefile"))
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    python = tmp_path / ".venv" / "bin" / "python"
    python.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    python.chmod(0o755)
    done = make(tmp_path, *arguments)
    assert done.returncode == 0, done.stderr
    words = done.stdout.splitlines()
    assert [word for word in words if word in given] == given, words


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


def top_levels(source):
    """The packages that a module imports, at its head or in a function, by the first part of their names."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0]


def sources(root, *folders):
    """The text of every module in the folders, and of every code cell of a notebook."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            yield path.read_text(encoding="utf-8")
        for path in sorted((root / folder).glob("*.ipynb")):
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            yield from ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


RUN_NOT_IMPORTED = {  # distribution -> why it is declared although nothing imports it
    "gguf": "what transformers reads smollm2's file with",
    "ipykernel": "the kernel that notebooks run in",
    "ipywidgets": "the progress bars of libraries in JupyterLab",
    "jupyterlab": "make lab",
    "nbstripout": "make lint",
    "pytest-xdist": "make test",
    "ruff": "make lint",
}


def test_what_is_imported_is_declared_and_what_is_declared_is_imported(root):
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    project = tomllib.loads(read(root, "pyproject.toml"))["project"]
    own = {path.stem for path in (root / "tests").glob("*.py")} | {"ifpref", "tests", "bench"}
    where = importlib.metadata.packages_distributions()

    def imported(*folders):
        names = {name for source in sources(root, *folders) for name in top_levels(source)}
        unknown = names - own - set(sys.stdlib_module_names)
        return {canonicalize_name(one) for name in unknown for one in where.get(name, [name])}

    def declared(texts):
        return {canonicalize_name(Requirement(text).name) for text in texts}

    users, tests = imported("ifpref", "notebooks"), imported("tests")
    needed, dev = declared(project["dependencies"]), declared(project["optional-dependencies"]["dev"])
    assert {"torch", "pyyaml", "pyzmq"} <= users and "pytest" in tests  # the walk sees imports within functions too
    assert users - needed == set(), "imported by ifpref or a notebook, not among the dependencies of pyproject.toml"
    assert tests - needed - dev == set(), "imported by tests, not among the dependencies or dev of pyproject.toml"
    assert needed - users - set(RUN_NOT_IMPORTED) == set(), "declared, imported by nobody"
    assert dev - tests - set(RUN_NOT_IMPORTED) == set(), "declared for dev, imported by no test"
    assert set(RUN_NOT_IMPORTED) <= (needed | dev) - users - tests, "an exception that is none"
    assert not needed & dev


LEVELS = [  # from the ground up; a room imports from lower levels, and from itself
    {"paths", "data", "command"},
    {"profiles"},
    {"fingerprint", "fields"},
    {"params", "progress", "constraints", "statistics"},
    {"models", "store", "witness"},
    {"prompts", "sampling"},
    {"training", "evaluation"},
    {"curation"},
    {"pocket", "figures"},
    {"design"},
    {"pipeline"},
    {"study"},
    {"analysis"},
    {"publish"},
]
ALONE = {"paths": set(), "progress": set(), "constraints": {"data"}, "statistics": set(), "figures": {"statistics"}}


def rooms(root):
    """Each package or module of ours -> its files."""
    found = {}
    for file in sorted((root / "ifpref").rglob("*.py")):
        name = file.relative_to(root / "ifpref").parts[0].removesuffix(".py")
        found.setdefault(name, []).append(file)
    return {name: files for name, files in found.items() if name != "__init__"}


def imported_rooms(file):
    """The rooms of ours that a module imports, at its head or in a function."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"ifpref.{alias.name}" for alias in node.names] if node.module == "ifpref" else [node.module]
        else:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        yield from (name.split(".")[1] for name in names if name.startswith("ifpref."))


def test_imports_go_down_only(root):
    level = {room: height for height, rooms_there in enumerate(LEVELS) for room in rooms_there}
    wrong = []
    for room, files in rooms(root).items():
        assert room in level, f"ifpref/{room}: no level; name one in LEVELS"
        allowed = ALONE.get(room, {other for other in level if level[other] < level[room]}) | {room, "__version__"}
        wrong += [
            f"{file.relative_to(root)} imports ifpref.{name}"
            for file in files
            for name in imported_rooms(file)
            if name not in allowed
        ]
    assert wrong == []


MAX_LINES = 350


def test_no_module_is_long(root):
    lengths = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in (root / "ifpref").rglob("*.py")}
    long = {str(file.relative_to(root)): n for file, n in lengths.items() if n > MAX_LINES}
    assert long == {}


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
