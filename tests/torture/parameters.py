"""Values that no parameter may have, profiles that are none, and command lines with both: each refused, in words."""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from ifpref import paths
from tests.torture import ROOT, SEED, Row, spread
from tests.torture.guard import guarded

LIMIT_S = 30.0
PART = "parameters"
VALUES = 180
"""How many of the more than 1,000 values of tests/test_params.py are drawn."""
SETS = {
    "sede=1": "unknown key 'sede'",
    "seed": "'seed' has no '='",
    "seed=1 seed=2": "given twice",
    "beta=nan": "beta",
    "beta=-1": "beta",
    "learning_rates=[1e-3": "learning_rates",
    "learning_rates=[1e-2]": "two or more different rates",
    "harsh_changes=[seed=1]": "each entry empty, or one or more of beta",
    "pair_sizes=[4, 4]": "pair_sizes that grow",
    "comparisons=[sharin]": "did you mean 'sharing'?",
    "comparisons=[]": "comparisons",
    "min_constraints=4 max_constraints=3": "min_constraints <= max_constraints",
    "model=/no/such/folder": "/no/such/folder",
    "device=cuda:9": "device",
    "dtype=float8": "dtype",
    "max_tokens=5000": "max_tokens",
    "training_processes=3": "training_processes",
    "transfer_ids=[a:b]": "transfer_ids",
    "engine=http": "engine_url",
    "engine_url=ftp://host": "engine_url",
    "n_replicates=0": "n_replicates",
    "seed=99999999999999999999": "seed",
    "system_prompt=\ud800": "system_prompt",
}
"""What is set on the command line of a study, and what of it the refusal names."""
FILES = {
    "an alias bomb": "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
    "brackets": "seed: " + "[" * 40_000,
    "an object": "seed: !!python/object/apply:os.getcwd []\n",
    "nothing": "",
    "a list": "- 1\n",
    "two documents": "extends: pocket\n---\nseed: 1\n",
    "a circle": "extends: wrong.yaml\n",
    "no such parent": "extends: nobody\n",
    "a key twice": "extends: pocket\nseed: 1\nseed: 2\n",
    "no UTF-8": "extends: pocket\nmodel: \udcff\n",
    "a zero byte": "extends: pocket\nmodel: a\0b\n",
    "half of pocket": (ROOT / "params" / "pocket.yaml").read_text(encoding="utf-8")[:2000],
    "too large": "seed: 1\n" * 20_000,
}
"""Profiles as files."""


def run(most: int | None = None) -> Iterator[Row]:
    from tests.test_params import bad_parameters

    n = len(list(bad_parameters()))
    drawn = sorted(random.Random(SEED).sample(range(n), VALUES))
    cases = [("value", i) for i in drawn] + [("set", text) for text in SETS] + [("file", name) for name in FILES]
    for kind, what in spread(cases, most):
        ended = guarded(face, kind, what, limit_s=LIMIT_S)
        outcome, wrong = ended.value or ("", [])
        shown = f"{kind} {outcome if kind == 'value' else what!r}"
        yield Row(PART, shown, "refused", ended.wrong + wrong, ended.seconds)


def face(kind: str, what: int | str) -> tuple[str, list[str]]:
    """What was tried, and what is wrong with the answer."""
    return {"value": _value, "set": _set, "file": _file}[kind](what)


def _value(number: int) -> tuple[str, list[str]]:
    from ifpref.params import ParamsError, load_params
    from tests.test_params import bad_parameters

    name, value = list(bad_parameters())[number]
    shown = f"{name} = {type(value).__name__}"
    try:
        taken = load_params("smoke").replace(**{name: value})
    except ParamsError as error:
        return shown, list(_unclear(str(error), name))
    return shown, [f"{name}: taken as {getattr(taken, name)!r:.80}"]


def _set(text: str) -> tuple[str, list[str]]:
    return text, _command("smoke", text, SETS[text])


def _file(name: str) -> tuple[str, list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder, "wrong.yaml")
        profile.write_bytes(FILES[name].encode(errors="surrogateescape"))
        return name, _command(str(profile), "", "wrong.yaml")


def _command(profile: str, text: str, named: str) -> list[str]:
    """`make reproduce PROFILE=... SET=...`, up to its refusal: one line, with an exit code, and nothing computed."""
    import contextlib
    import io
    import os

    from ifpref.study import main

    with tempfile.TemporaryDirectory() as home, contextlib.redirect_stderr(io.StringIO()) as said:
        shutil.copytree(ROOT / "params", Path(home, "params"))
        os.environ[paths.HOME_VARIABLE] = home
        code = main([profile, "--set", text, "--workers", "0"])
        made = [path for path in Path(home).glob("outputs/store/*/*") if len(path.name) == 16]
    wrong = [] if code in (1, 2) else [f"exit code {code}"]
    wrong += [f"{len(made)} artefacts were made first"] if made else []
    return wrong + list(_unclear(said.getvalue(), named))


def _unclear(message: str, name: str) -> Iterator[str]:
    if name not in message:
        yield f"an error without {name!r}: {message!r:.200}"
    if max(map(len, message.splitlines()), default=0) > 1500:
        yield "a line of more than 1,500 characters"
