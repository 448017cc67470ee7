"""Parameters: what is refused, and what each refusal says; fingerprints; the profiles in params/."""

import dataclasses
import os
import re
import subprocess
import sys
from typing import get_type_hints

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ifpref import params, paths
from ifpref.params import (
    FIELDS,
    Params,
    ParamsError,
    canonical_json,
    fingerprint,
    load_params,
    parse_overrides,
)

SMOKE = (paths.params_folder() / "smoke.yaml").read_text(encoding="utf-8")


@pytest.fixture
def toy_keys(monkeypatch):
    """Keys of the types that today's schema has none of."""

    @dataclasses.dataclass(frozen=True)
    class Toy:
        beta: float = params.key("a float", above=0)
        flag: bool = params.key("a switch")
        revision: str | None = params.key("text, or nothing")
        rates: tuple[float, ...] = params.key("floats", at_least=0, at_most=1)

    for field in dataclasses.fields(Toy):
        monkeypatch.setitem(params.FIELDS, field.name, field)
        monkeypatch.setitem(params._TYPES, field.name, get_type_hints(Toy)[field.name])


def write(tmp_path, old: str = "", new: str = "", text: str = SMOKE):
    """smoke.yaml with one piece replaced."""
    assert old in text
    path = tmp_path / "toy.yaml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return path


# ---- the profiles


@pytest.mark.parametrize("profile", params.profiles())
def test_profile_holds_every_key_with_a_comment_in_place(profile):
    load_params(profile)
    text = (paths.params_folder() / f"{profile}.yaml").read_text(encoding="utf-8")
    assert set(yaml.safe_load(text)) == set(FIELDS)
    for line in text.splitlines():
        if re.match(r"\w+:", line):
            assert re.search(r"  # \w", line), f"params/{profile}.yaml: no comment: {line}"


def test_every_key_has_a_doc():
    for field in dataclasses.fields(Params):
        assert len(field.metadata["doc"].split()) >= 4, field.name


def test_profiles_are_the_files_of_params(monkeypatch, tmp_path):
    (tmp_path / "params").mkdir()
    for name in ("b.yaml", "a.yaml", "notes.txt"):
        (tmp_path / "params" / name).write_text(SMOKE)
    monkeypatch.setenv("IFPREF_HOME", str(tmp_path))
    assert params.profiles() == ["a", "b"]
    assert load_params("b", seed=4).seed == 4


def test_values_arrive_typed():
    smoke = load_params("smoke")
    assert smoke.seed == 0 and smoke.domain == "pocket"
    assert smoke.transfer_ids == (
        "startend:quotation",
        "keywords:forbidden_words",
        "detectable_format:number_bullet_lists",
    )


def test_a_key_with_a_default_may_be_absent(tmp_path):
    text = re.sub(r"transfer_ids:.*\n(  - .*\n)+", "", SMOKE)
    assert load_params(write(tmp_path, text=text)).transfer_ids == FIELDS["transfer_ids"].default


# ---- what is refused

REFUSED = [  # old text, new text, what the message holds
    ("seed: 0", "sede: 0", "toy.yaml: unknown key 'sede' (did you mean 'seed'?)"),
    ("seed: 0", "qqqq: 0", "toy.yaml: unknown key 'qqqq' (allowed: seed, model"),
    ("seed: 0", "", "toy.yaml: key 'seed' is missing (every random draw"),
    ("seed: 0", "7: 0", "toy.yaml: unknown key 7"),
    ("seed: 0", "seed:", "seed = None is not allowed (nothing is written there); allowed: a whole number"),
    ("seed: 0", "seed: yes", "seed = True is not allowed; allowed: a whole number, at least 0"),
    ("seed: 0", "seed: 1.0", "seed = 1.0 is not allowed; allowed: a whole number"),
    ("seed: 0", "seed: -1", "seed = -1 is not allowed; allowed: a whole number, at least 0"),
    ("seed: 0", "seed: '3'", "(YAML reads it as text: write 3)"),
    ("seed: 0", "seed: 1e3", "(YAML reads it as text: write 1000)"),
    ("seed: 0", "seed: [1]", "seed = [1] is not allowed"),
    ("seed: 0", "seed: 0\nseed: 1", "key 'seed' is given twice"),
    (
        "domain: pocket",
        "domain: pokcet",
        "domain = 'pokcet' is not allowed (did you mean 'pocket'?); allowed: one of open",
    ),
    ("domain: pocket", "domain: on", "domain = True is not allowed (YAML reads yes, no, on and off"),
    ("min_constraints: 1", "min_constraints: 0", "a whole number, at least 1 and at most 6"),
    ("max_constraints: 6", "max_constraints: 7", "max_constraints = 7 is not allowed"),
    ("  - startend:quotation", "  - quotation", "transfer_ids = ['quotation', "),
    ("  - startend:quotation", "  - 3", "allowed: a list, each text, matching"),
    ("  - startend:quotation", "  - keywords:forbidden_words", "names an id twice"),
    ("max_constraints: 6", "max_constraints: 1\nx: [", "toy.yaml: not YAML"),
    ("easy_max_constraints: 2", "easy_max_constraints: 4", "allowed: easy_max_constraints < moderate_max"),
    ("training_processes: 1", "training_processes: 3", "training_processes = 3; allowed: what divides the 2 pairs"),
    ("max_constraints: 6  ", "max_constraints: 2  ", None),
]


@pytest.mark.parametrize(("old", "new", "message"), REFUSED)
def test_refused(tmp_path, old, new, message):
    path = write(tmp_path, old, new)
    if message is None:  # min 1, max 2: allowed
        assert load_params(path).max_constraints == 2
        return
    with pytest.raises(ParamsError) as error:
        load_params(path)
    assert str(path) in str(error.value) and message in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("# only this\n", "is empty"),
        ("- 1\n- 2\n", "holds a list"),
        ("seed", "holds a str"),
    ],
)
def test_a_file_without_keys(tmp_path, text, message):
    with pytest.raises(ParamsError, match=message):
        load_params(write(tmp_path, text=text))


def test_a_missing_profile_names_those_there_are():
    with pytest.raises(ParamsError, match=r"params/pokcet.yaml: no such file \(did you mean 'pocket'\?\).*smoke"):
        load_params("pokcet")
    with pytest.raises(ParamsError, match=r"elsewhere/x.yaml: no such file.*pocket, "):
        load_params("elsewhere/x.yaml")


def test_not_utf8_is_refused(tmp_path):
    path = tmp_path / "toy.yaml"
    path.write_bytes(b"seed: \xff")
    with pytest.raises(ParamsError, match=r"toy\.yaml: not YAML"):
        load_params(path)


def test_contradictions_name_both_keys_and_the_override():
    with pytest.raises(ParamsError) as error:
        load_params("smoke", min_constraints=4, max_constraints=3)
    assert str(error.value) == (
        "params/smoke.yaml with min_constraints, max_constraints replaced: "
        "min_constraints = 4, max_constraints = 3; allowed: min_constraints <= max_constraints"
    )
    load_params("smoke", min_constraints=3, max_constraints=3)


def test_params_are_checked_by_whatever_road():
    smoke = load_params("smoke")
    with pytest.raises(ParamsError, match="override: unknown key 'sead'"):
        load_params("smoke", sead=1)
    with pytest.raises(ParamsError, match="Params: seed = -1"):
        dataclasses.replace(smoke, seed=-1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        smoke.seed = 1
    assert dataclasses.replace(smoke, transfer_ids=["a:b"]).transfer_ids == ("a:b",)


# ---- overrides, and types that today's keys do not have


def test_overrides():
    assert parse_overrides("") == {}
    parsed = parse_overrides("seed=3  domain=open transfer_ids=[a:b,c:d] ")
    assert parsed == {"seed": 3, "domain": "open", "transfer_ids": ("a:b", "c:d")}
    assert parse_overrides('transfer_ids="[a:b, c:d]"') == {"transfer_ids": ("a:b", "c:d")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("seed", "SET: 'seed' has no '='"),
        ("seed=1 seed=2", "SET: key 'seed' is given twice"),
        ("sede=1", "SET: unknown key 'sede' (did you mean 'seed'?)"),
        ("seed=", "SET: seed = None"),
        ("seed='1", "No closing quotation"),
        ("transfer_ids=[a:b", "SET: transfer_ids: not YAML"),
        ("transfer_ids=a:b", "SET: transfer_ids = 'a:b' is not allowed; allowed: a list"),
    ],
)
def test_overrides_refused(text, message):
    with pytest.raises(ParamsError) as error:
        parse_overrides(text)
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("beta=0.5", 0.5),
        ("beta=1", 1.0),
        ("beta=5.0e-6", 5e-6),
        ("flag=true", True),
        ("revision=null", None),
        ("revision=main", "main"),
        ("rates=[0,0.5,1]", (0.0, 0.5, 1.0)),
    ],
)
def test_types(toy_keys, text, value):
    parsed = next(iter(parse_overrides(text).values()))
    assert parsed == value and type(parsed) is type(value)
    if isinstance(value, tuple):
        assert {type(element) for element in parsed} == {float}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "beta=5e-6",
            "beta = '5e-6' is not allowed (YAML reads it as text: write 5.0e-6); allowed: a finite number",
        ),
        ("beta=1.5e3", "write 1.5e+3"),
        ("beta=0", "beta = 0 is not allowed; allowed: a finite number, above 0"),
        ("beta=.nan", "beta = nan is not allowed"),
        ("beta=.inf", "beta = inf is not allowed"),
        ("beta=true", "beta = True is not allowed"),
        ("beta=many", "beta = 'many' is not allowed; allowed"),
        ("flag=1", "flag = 1 is not allowed; allowed: true or false"),
        ("revision=7", "revision = 7 is not allowed; allowed: text, or null"),
        (
            "rates=[0.5,1.5]",
            "rates = [0.5, 1.5] is not allowed; allowed: a list, each a finite number, at least 0 and",
        ),
        ("rates=[0.5,1e-1]", "write 1.0e-1"),
        ("rates=0.5", "rates = 0.5 is not allowed"),
        ("beta=" + "9" * 400, "is not allowed"),
    ],
)
def test_types_refused(toy_keys, text, message):
    with pytest.raises(ParamsError) as error:
        parse_overrides(text)
    assert message in str(error.value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_hint_is_a_number_that_yaml_reads(number):
    text = f"{number!r}"
    hint = re.search(r"write (\S+)\)", params._number_hint(text, float)).group(1)
    assert yaml.safe_load(hint) == number and isinstance(yaml.safe_load(hint), float)


# ---- subset and fingerprint


def test_subset_holds_what_was_asked_for():
    smoke = load_params("smoke", seed=5)
    assert smoke.subset("seed", "domain") == {"seed": 5, "domain": "pocket"}
    with pytest.raises(ParamsError, match=r"Params\.subset: unknown key 'sed'"):
        smoke.subset("sed")


def test_fingerprint_is_that_of_every_machine_and_python():
    value = {
        "b": [1, 2.5, 1e-07, -0.0, 1e22, True, None],
        "a": {"text": 'ä "\u2028" \U0001fae8', "tuple": (1,)},
    }
    assert canonical_json(value) == (
        '{"a":{"text":"\\u00e4 \\"\\u2028\\" \\ud83e\\udee8","tuple":[1]},"b":[1,2.5,1e-07,-0.0,1e+22,true,null]}'
    )
    assert fingerprint(value) == "3627f416efd66e8d5212fb34db820473c5a1b3b77f50f795db97fe4ad2d0c6c6"


def test_fingerprint_sees_values_not_order():
    smoke = load_params("smoke")
    assert fingerprint(smoke) == fingerprint(dict(reversed(dataclasses.asdict(smoke).items())))
    seen = {fingerprint({"x": value}) for value in (0, 1, 1.5, True, False, None, "1", [1], {"1": 1}, [], {})}
    assert len(seen) == 11
    assert fingerprint(dataclasses.replace(smoke, seed=1)) != fingerprint(smoke)


@given(
    st.dictionaries(st.text(), st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()))
)
def test_fingerprint_over_key_order(values):
    assert fingerprint(values) == fingerprint(dict(reversed(values.items())))


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"a": {"b": [0, float("nan")]}}, "a.b[1] = nan"),
        ({"a": float("inf")}, "a = inf"),
        ({"a": {1: 2}}, "a: key 1"),
        ({"a": {2}}, "a = {2}"),
    ],
)
def test_fingerprint_refuses_what_json_cannot_hold(value, place):
    with pytest.raises(ParamsError, match=re.escape(place)):
        fingerprint(value)


def test_import_is_light():
    code = "import sys, ifpref.params, ifpref.store, ifpref.paths; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=paths.home())
    heavy = {"torch", "numpy", "pandas", "transformers", "datasets", "nltk", "yaml"}
    assert not heavy & set(loaded.stdout.split())


def test_order_of_hash_seeds_does_not_matter():
    code = "from ifpref.params import *; print(fingerprint(load_params('smoke')))"
    seen = set()
    for seed in ("0", "1"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        run = [sys.executable, "-c", code]
        seen.add(
            subprocess.run(run, capture_output=True, text=True, check=True, env=environment, cwd=paths.home()).stdout
        )
    assert len(seen) == 1
