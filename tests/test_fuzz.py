"""No check raises, whatever the response, and none takes long: any Unicode, and 100 kB of what is hard to read."""

import json
import time

import pytest
from hard_texts import ALL, HARD, UNDETECTED, hard
from hypothesis import given, settings
from hypothesis import strategies as st

from ifpref.constraints import Constraint, verify


@settings(max_examples=300, database=None)
@given(st.text(max_size=300), st.booleans())
def test_any_unicode(text, loose):
    assert len(verify(text, ALL, loose=loose)) == len(ALL)


@settings(max_examples=200, database=None)
@given(st.text(st.characters(categories=["Cs", "Cc", "Zs", "Mn", "Po", "Lu", "Lo"]), max_size=60), st.booleans())
def test_lone_surrogates_controls_and_marks(text, loose):
    verify(text, ALL, loose=loose)


@settings(max_examples=200, database=None)
@given(
    st.recursive(st.none() | st.booleans() | st.floats() | st.text("ab*\n", max_size=4), st.lists, max_leaves=9),
    st.sampled_from(("", "```json\n", "```")),
)
def test_whatever_json_writes_is_json(value, fence):
    constraint = Constraint("detectable_format:json_format")
    assert verify(f"{fence}{json.dumps(value)}\n{fence[:3]}", [constraint]) == [True]


@pytest.mark.parametrize("name", HARD)
def test_100_kb_of_what_is_hard(name):
    """A quadratic step would take minutes here; `make bench` holds each check to 50 ms on 10 kB."""
    text = hard(name, 100_000)
    started = time.process_time()
    verify(text, UNDETECTED)
    assert time.process_time() - started < 5
    verify(text[:20_000], ALL, loose=True)


@pytest.mark.parametrize("opening", ["[", '{"a":', "[{", '[[1],{"a":'])
@pytest.mark.parametrize("fence", ["", "```json\n"])
def test_json_nested_200_000_deep_is_refused_and_does_not_crash(opening, fence):
    for loose in (False, True):
        assert verify(fence + opening * 200_000, [Constraint("detectable_format:json_format")], loose) == [False]
    closed = "[" * 200_000 + "]" * 200_000
    assert verify(closed, [Constraint("detectable_format:json_format")]) == [False]
