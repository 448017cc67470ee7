"""Sentences, words, capital words and languages: equal to the plain calls of nltk and langdetect, and by which data."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import langdetect
import nltk
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ifpref.constraints.sentences import (
    ABBREVIATIONS,
    PUNKT_DATA,
    SENTENCE_OPENERS,
    WORKER_VARIABLE,
    sentence_counter,
)
from ifpref.constraints.text import backends, count_capital_words, count_words, detect_language


@pytest.fixture
def data(ifeval, tmp_path, monkeypatch) -> Path:
    """A copy of the Punkt data that only this test's nltk finds; to be tampered with."""
    shutil.copytree(ifeval / "nltk_data", tmp_path / "nltk_data", copy_function=shutil.copyfile)
    monkeypatch.setattr(nltk.data, "path", [str(tmp_path / "nltk_data")])
    sentence_counter.cache_clear()
    yield tmp_path / "nltk_data" / "tokenizers" / "punkt_tab" / "english"
    sentence_counter.cache_clear()


# ---------------------------------------------------------------------------------------- which data is used


def test_the_genuine_data_is_used_where_nltk_finds_it(data):
    assert sentence_counter().backend == "punkt"
    assert len(sentence_counter().tokenizer._params.ortho_context) == 20_366
    assert len(sentence_counter().data_sha256) == 64


def test_without_data_our_own_words_are_used_and_it_is_said_once(data, monkeypatch, caplog):
    shutil.rmtree(data)
    monkeypatch.setattr(nltk, "download", lambda *a, **k: pytest.fail("nothing may be downloaded"))
    monkeypatch.delenv(WORKER_VARIABLE, raising=False)
    assert sentence_counter().count("Dr. Ray came. He sat.") == 2
    (said,) = caplog.messages
    assert re.search(r"nltk finds no Punkt data.*nltk\.downloader punkt_tab", said)
    assert sentence_counter().backend == "punkt-lite"
    assert len(caplog.messages) == 1


@pytest.mark.parametrize("worker", [False, True])
def test_a_process_says_it_in_one_plain_line_and_a_worker_says_nothing(tmp_path, worker):
    code = "from ifpref.constraints.text import count_sentences as n; assert n('One. Two.') == n('Three. Four.') == 2"
    environment = {name: value for name, value in os.environ.items() if name != WORKER_VARIABLE}
    environment |= {"NLTK_DATA": str(tmp_path), "HOME": str(tmp_path)} | ({WORKER_VARIABLE: "1"} if worker else {})
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    if "abbreviations" not in done.stderr and not worker:
        pytest.skip("nltk finds its data in a folder of the system")
    said = "nltk finds no Punkt data (punkt_tab); sentences are counted with our own abbreviations instead"
    assert [line.split(", with")[0] for line in done.stderr.splitlines()] == ([] if worker else [said])


def test_what_merely_looks_like_the_data_is_not_used(data, caplog):
    name = data / "abbrev_types.txt"
    name.write_bytes(name.read_bytes().replace(b"dr", b"xx"))
    assert sentence_counter().backend == "punkt-lite"
    assert re.search(r"abbrev_types.txt in .* is not the genuine Punkt file", caplog.text)
    with pytest.raises(LookupError, match="not the genuine"):
        sentence_counter("punkt")


def test_a_file_too_few_is_said(data):
    (data / "sent_starters.txt").unlink()
    with pytest.raises(LookupError, match=r"cannot read sent_starters\.txt"):
        sentence_counter("punkt")


def test_an_unknown_backend_is_refused():
    with pytest.raises(ValueError, match=r"unknown sentence backend 'spacy'; known: 'punkt', 'punkt-lite'"):
        sentence_counter("spacy")


def test_backends_say_what_counted(data):
    found = backends()
    assert found["sentences"]["backend"] == "punkt" and found["sentences"]["nltk"] == nltk.__version__
    assert found["language"] == {"backend": "langdetect", "langdetect": "1.0.9", "seed": 0}
    shutil.rmtree(data)
    sentence_counter.cache_clear()
    other = backends()
    assert other["sentences"]["backend"] == "punkt-lite"
    assert other["sentences"]["data_sha256"] != found["sentences"]["data_sha256"]


def test_the_data_has_four_files():
    assert {name: size for name, (size, _) in PUNKT_DATA.items()} == {
        "abbrev_types.txt": 619,
        "collocations.tab": 594,
        "ortho_context.tab": 236303,
        "sent_starters.txt": 241,
    }


def test_nothing_heavy_is_imported_before_it_is_used():
    code = (
        "import sys; from ifpref.constraints import Constraint, verify;"
        "verify('One, two.', [Constraint('punctuation:no_comma')]);"
        "print([name for name in ('nltk', 'langdetect', 'numpy', 'torch') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


# ------------------------------------------------------------------------------------------------- sentences


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("It rained. We left.", 2),
        ("Mr. Ray met Dr. May at 5 p.m. in St. Ives.", 1),
        ("He came at 5 p.m. The train had left.", 2),
        ("He knew J. K. Ray.", 1),
        ("A. Introduction", 2),
        ("See the U.S. and the U.K. today.", 1),
        ("Dear Ann.\n\nP.S. Write soon.", 3),
        ("He waited ... and waited.", 1),
        ("It costs 3.50 dollars.", 1),
        ("Really?! Yes.", 2),
        ("(It rained.) We left.", 2),
        ("It rained.)", 1),
        ('"Stop!" he said.', 2),
        ("no end", 1),
        (" It rained. ", 1),
    ],
)
@pytest.mark.parametrize("backend", ["punkt", "punkt-lite"])
def test_sentences(text, count, backend, ifeval):
    assert sentence_counter(backend).count(text) == count


@pytest.mark.parametrize("backend", ["punkt", "punkt-lite"])
def test_curly_quotes_close_no_sentence_as_before_nltk_3_10_2(backend, ifeval):
    assert sentence_counter(backend).split("“It rained.” We left.") == ["“It rained.” We left."]
    assert sentence_counter(backend).count("«Il pleut.» Oui.") == 1


def test_split_keeps_closing_marks_with_their_sentence(ifeval):
    assert sentence_counter("punkt").split('(It rained.) "We left." He sat.') == [
        "(It rained.)",
        '"We left."',
        "He sat.",
    ]


def test_our_words_are_words():
    for word in ABBREVIATIONS | SENTENCE_OPENERS:
        assert word == word.lower() and not word.endswith(".") and word.replace(".", "").isalpha()
    assert len(ABBREVIATIONS) >= 90


TOKENS = (
    *("CAN'T", "cannot", "CANNOT", "'TIS", "tis", "WANNA", "wanna", "D'YE", "MORE'N", "N'T", "'S", "'RE", "I'm", "x's"),
    *("''", "' ", '" ', "``", ". ", ".\n", "...", ".. ", "A", "I", "ab", "Ab", "AB", "The", "the", "S. "),
    *("U.S.", "Mr.", "etc. ", "No. 5", "St. Louis", "p.m. ", "5", "5. ", "3.A", ":", "’", "”", "“", "—", "»"),
    *("É", "ÉA", "ß", "ẞ", "\u0130", "\u017f", "\u00a0", "\x1c", "\x85", "\t", " ", "   ", "\n", "\n\n", "?", "!"),
    *(",", "*", "-", "--", "_", "(", ")", "[", "]", "{", "}", "<", "@", "#", "&", "/", "'", '"', "."),
)
PROSE = st.one_of(
    st.text("AI.'sS\"` \n,:;!?()[]<*-5’”“»Tt", max_size=40),
    st.lists(st.sampled_from(TOKENS), max_size=14).map("".join),
    st.lists(st.sampled_from(TOKENS), max_size=14).map(" ".join),
    st.text(max_size=20),
)


def test_nothing_grows_with_the_words_seen(ifeval):
    context = sentence_counter("punkt").tokenizer._params.ortho_context
    before = len(context)
    sentence_counter("punkt").count("Mr. Xyzzyq met Dr. Quuxly in the U.S. Plughly left.")
    assert len(context) == before and context["xyzzyq"] == 0


# ------------------------------------------------------------------------------------------------------ words


@given(st.text("ab_1é. -’\n漢", max_size=20) | st.text())
def test_words_are_runs_of_word_characters(text):
    assert count_words(text) == len(nltk.tokenize.RegexpTokenizer(r"\w+").tokenize(text))


@pytest.mark.parametrize("letters", ["plain", "upper"])
def test_capital_words_are_nltks(letters, ifeval):
    if not nltk.__version__.startswith("3.9."):
        pytest.skip("nltk.word_tokenize has other sentence boundaries since 3.10.2")

    @settings(max_examples=1500, database=None)
    @given(PROSE)
    @example("\U0001d756 is a capital without a lower case")
    @example("I CAN'T. We know.")
    @example("We WANNA. Then we go.")
    @example("He CAN'T. \" Then.")
    def holds(text):
        text = text.upper() if letters == "upper" else text
        assert count_capital_words(text) == sum(token.isupper() for token in nltk.word_tokenize(text))

    holds()


# -------------------------------------------------------------------------------------------------- languages


def test_languages():
    assert detect_language("Der Fluss ist tief und kalt, und niemand weiß, woher sein Wasser kommt.") == "de"
    assert detect_language("这条河又深又冷。没有人知道它的水从哪里来。") == "zh-cn"
    assert detect_language("12345 !?") is None


def test_languages_do_not_depend_on_what_was_asked_before():
    texts = ["Go on", "no no no", "Das ist so", "HELLO THERE", "la casa"]
    detect_language.cache_clear()
    forwards = [detect_language(text) for text in texts]
    detect_language.cache_clear()
    assert [detect_language(text) for text in reversed(texts)] == forwards[::-1]


def test_languages_are_langdetects_with_seed_0(monkeypatch):
    monkeypatch.setattr(langdetect.DetectorFactory, "seed", 0)
    for text in ("Go on", "no no no", "HELLO THERE", "WE LEFT THE TOWN", "la casa è grande", "дом и сад"):
        assert detect_language(text) == langdetect.detect(text)


def test_langdetect_of_others_is_left_alone():
    before = langdetect.DetectorFactory.seed
    detect_language.cache_clear()
    detect_language("The river is deep.")
    assert langdetect.DetectorFactory.seed is before
