"""What it takes to add a constraint: one class in its family's file, and a test. Here the class stands in the test.

Nothing else knows of the new kind. It is verified, worded, in conflict with what cannot stand beside it, witnessed, and
drawn for prompts, by what its class says; then it is taken away again.
"""

import pytest

from ifpref.constraints import CONSTRAINT_SETS, CONSTRAINTS, Constraint, ConstraintError, verify
from ifpref.constraints.conflicts import conflict
from ifpref.constraints.registry import _KINDS, _SETS, Arg, Kind
from ifpref.constraints.wording import describe, variants
from ifpref.prompts.build import build
from ifpref.witness import Unsatisfiable, witness

ID = "startend:signature"


@pytest.fixture
def signature():
    """The new kind, for one test."""
    kinds, sets = dict(_KINDS), dict(_SETS)

    class Signature(Kind, id=ID):
        """ends with "Yours, " and a name"""

        sets = ("toys",)
        name = Arg("text", "who signs")
        wordings = """
        Sign your response with the words "Yours, " and the name {name}.
        End with "Yours, " and then {name}, with nothing after the name.
        > Sign it "Yours, " and {name}.
        """

        def check(self, text, name):
            return text.strip().endswith(f"Yours, {name}")

        def need(self, needs, name):
            needs.end = f"Yours, {name}"
            needs.texts.append(needs.end)

        def arguments(self, rng, words):
            return {"name": rng.choice(["Ada", "Emmy", "Grace"])}

    yield lambda name: Constraint(ID, {"name": name})
    for table, before in ((_KINDS, kinds), (_SETS, sets)):
        table.clear()
        table.update(before)


def test_it_is_verified(signature):
    assert verify("The day is clear. Yours, Ada", [signature("Ada")]) == [True]
    assert verify("The day is clear. Yours, Emmy", [signature("Ada")]) == [False]
    assert verify("The day is clear. yours, Ada", [signature("Ada")]) == [False]
    with pytest.raises(ConstraintError, match="startend:signature: argument 'name' is missing; it takes name"):
        Constraint(ID)


def test_it_is_worded(signature):
    assert (variants(ID), variants(ID, short=True)) == (2, 1)
    assert describe(signature("Ada")) == 'Sign your response with the words "Yours, " and the name "Ada".'
    assert describe(signature("Ada"), short=True) == 'Sign it "Yours, " and "Ada".'


def test_the_kinds_that_are_there_heed_it(signature):
    """Their rules look at what it needs; it has no rule of its own."""
    no_comma = Constraint("punctuation:no_comma")
    assert conflict(signature("Ada"), no_comma) == "the end phrase 'Yours, Ada' holds a comma"
    forbidden = Constraint("keywords:forbidden_words", {"forbidden_words": ["ada"]})
    assert conflict(forbidden, signature("Ada")) and not conflict(forbidden, signature("Emmy"))
    assert (
        conflict(signature("Ada"), Constraint("startend:end_checker", {"end_phrase": "Bye."})) == "a text has one end"
    )
    with pytest.raises(Unsatisfiable):
        witness([signature("Ada"), no_comma])


def test_it_is_witnessed(signature):
    title = Constraint("detectable_format:title")
    bullets = Constraint("detectable_format:number_bullet_lists", {"num_bullets": 2})
    for constraints in ([signature("Ada")], [title, signature("Emmy"), bullets]):
        assert all(verify(witness(constraints), constraints))


@pytest.mark.parametrize("domain", ["open", "pocket"])
def test_it_stands_in_prompts(signature, domain):
    ids = (ID, "detectable_format:title", "length_constraints:number_sentences")
    prompts = build({"train": 12}, domain=domain, ids=ids, k=(1, 2), workers=1).prompts
    signed = [prompt for prompt in prompts if ID in {c.id for c in prompt.constraints}]
    assert len(signed) >= 4
    for prompt in signed:
        (asked,) = [c for c in prompt.constraints if c.id == ID]
        assert f'"{asked.kwargs["name"]}"' in prompt.text and "Yours, " in prompt.text
        assert all(verify(prompt.witness, prompt.constraints))


def test_it_is_in_its_sets_and_gone_afterwards(signature):
    assert CONSTRAINT_SETS["toys"] == (ID,) and ID in CONSTRAINTS
    assert ID not in CONSTRAINT_SETS["study"] + CONSTRAINT_SETS["ifeval"]


def test_without_it_nothing_is_left():
    assert ID not in CONSTRAINTS and set(CONSTRAINT_SETS) == {"ifeval", "study"}
    assert (len(CONSTRAINT_SETS["ifeval"]), len(CONSTRAINT_SETS["study"])) == (25, 23)
    with pytest.raises(ConstraintError, match="unknown constraint id 'startend:signature'"):
        Constraint(ID, {"name": "Ada"})
