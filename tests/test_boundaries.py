"""Boundaries: where responses are cut, from the tokens before the cut alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted import WordCodec

from ifpref.curation import boundaries as module
from ifpref.curation.boundaries import Boundaries


def cut(text, rule="sentence", tokens=16, most=99):
    """The segments of a text; a token is a word with the blank before it, a mark, or a blank."""
    codec = WordCodec([text])
    ids = codec.encode(text)
    ends = Boundaries(codec.decode, rule, tokens).ends(ids, 0, most)
    return [codec.decode(ids[start:end]) for start, end in zip([0, *ends], ends, strict=False)]


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("The sun is out. It is warm! Is it?", ["The sun is out.", " It is warm!", " Is it?"]),
        ("No end", ["No end"]),
        ('"It is warm." So she said.', ['"It is warm.', '" So she said.']),  # the mark comes a token too late
        ("A title\n\n* one\n* two", ["A title\n", "\n* one\n", "* two"]),
        ("P.S. See you, e.g. at 3.14 today. Bye.", ["P.S. See you, e.g. at 3.14 today.", " Bye."]),
        ("Wait... what?! No.", ["Wait.", ".. what?", "! No."]),
        ("...\n\nOnly then.", ["...\n\nOnly then."]),
        ("Es war **kalt**. Ende.", ["Es war **kalt**.", " Ende."]),
        ("今日は暖かい。明日も。", ["今日は暖かい。", "明日も。"]),
        ("आज गर्मी है। कल भी।", ["आज गर्मी है।", " कल भी।"]),
    ],
)
def test_sentences_and_lines(text, segments):
    assert cut(text) == segments


def test_marks_of_the_same_token_belong_to_the_sentence():
    pieces = ["It is warm", '." ', "So", ".\n\n", "And", " so", ". T", "his"]
    decode = lambda ids: "".join(pieces[id] for id in ids)  # noqa: E731
    ends = Boundaries(decode).ends(range(8), 0, 99)
    assert ends == [2, 4, 8]  # '. T' is passed over: a cut is between tokens


def test_the_end_token_after_a_sentence_is_a_segment_of_its_own():
    codec = WordCodec(["The sun is out. It is warm."])
    ids = (*codec.encode("The sun is out. It is warm."), codec.EOS)
    assert Boundaries(codec.decode).ends(ids, 0, 99) == [5, 9, 10]
    assert Boundaries(codec.decode).ends(ids[:9], 0, 99) == [5, 9]  # ended by max_tokens: no empty segment


def test_tokens_and_depth():
    assert cut("a b c d e f g", "tokens", 3) == ["a b c", " d e f", " g"]
    assert cut("a b c d e f", "tokens", 3) == ["a b c", " d e f"]
    assert cut("a b c d e f g", "tokens", 3, most=2) == ["a b c", " d e f g"]
    assert cut("One two. Three four. Five six.", most=2) == ["One two.", " Three four. Five six."]
    assert cut("One two. Three four.", most=1) == ["One two. Three four."]


def test_no_cut_inside_a_character():
    ids = WordCodec([]).encode("日本")  # three bytes each, a token a byte
    codec = WordCodec([])
    assert Boundaries(codec.decode, "tokens", 2).ends(ids, 0, 99) == [3, 6]
    assert Boundaries(codec.decode).ends(codec.encode("日本。日"), 0, 99) == [9, 12]


@pytest.mark.parametrize(("rule", "tokens", "message"), [("line", 1, "'line': allowed are"), ("tokens", 0, "1 token")])
def test_unknown_rules_are_refused(rule, tokens, message):
    with pytest.raises(ValueError, match=message):
        Boundaries(str, rule, tokens)


TEXTS = st.text(st.sampled_from("ab.!\n\"'*)  日。3"), max_size=30)


@given(TEXTS, st.sampled_from(["sentence", "tokens"]), st.integers(1, 4), st.integers(1, 6))
def test_a_cut_follows_from_what_is_before_it(text, rule, tokens, most):
    codec = WordCodec(["ab. a b"])  # other words are spelled in bytes
    ids = codec.encode(text)
    ends = Boundaries(codec.decode, rule, tokens).ends(ids, 0, most)
    for stop in range(1, len(ids)):  # a response that agrees up to here is cut alike up to here
        shorter = Boundaries(codec.decode, rule, tokens).ends(ids[:stop], 0, most)
        assert shorter[:-1] == [end for end in ends if end < stop]
    for number, end in enumerate(ends[:-1]):  # and one that is sampled from there on goes on alike
        assert Boundaries(codec.decode, rule, tokens).ends(ids, end, most - number - 1) == ends[number + 1 :]


@given(TEXTS)
def test_looking_only_at_tokens_that_may_end_a_sentence_misses_none(text):
    codec = WordCodec(["ab. a b"])
    ids = codec.encode(text)
    begin, ends = 0, []
    for end in range(1, len(ids)):
        segment = codec.decode(ids[begin:end])
        line = module._LINE_END.search(segment)
        if module._WORD.search(segment) if line else module._SENTENCE_END.search(segment):
            ends.append(end)
            begin = end
    assert Boundaries(codec.decode).ends(ids, 0, 99) == [*ends, len(ids)]
