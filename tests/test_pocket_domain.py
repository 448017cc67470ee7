"""The pocket world: correct sentences, shared words, and arguments that a careless text misses."""

import os
import random
import re
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ifpref.constraints import CONSTRAINT_SETS, Constraint
from ifpref.constraints.checks import verify
from ifpref.constraints.text import detect_language
from ifpref.prompts.domain import get_domain
from ifpref.prompts.pocket import POCKET
from ifpref.prompts.pocket.grammar import POOLS, conjugate
from ifpref.prompts.pocket.world import ADJECTIVES, KINDS, NOUNS, VOICES, WORDS, article

END_PHRASES = POCKET.tables["startend:end_checker"]["end_phrase"]
FIRST_WORDS = WORDS["first words"]
WORD = re.compile(r"\w+")
TASKS = {task.id: task for task in POCKET.tasks}
TOPICS = {topic.id: topic for topic in POCKET.topics}
SENTENCE = re.compile(r"[A-Z][a-zA-Zàèéìòù ,]*[.!?]")


def words(text: str) -> list[str]:
    return WORD.findall(text.lower())


def careless(task, topic, rng, sentences: int, language: str = "en") -> str:
    """A text that no constraint was asked of: the first sentence on the topic, as the composer has it."""
    source = POCKET.source(task, topic)
    about = source.subject if language == "en" else None
    first = source.sentence(rng, language=language, about=about)
    return " ".join([first, *(source.sentence(rng, language=language) for _ in range(sentences - 1))])


@pytest.fixture(scope="module")
def texts() -> list[str]:
    """1,500 careless texts of two to four sentences, of all tasks and topics."""
    rng = random.Random(0)
    return [
        careless(rng.choice(POCKET.tasks), rng.choice(POCKET.topics), rng, rng.randint(*POCKET.length))
        for _ in range(1500)
    ]


# The world


def test_every_noun_has_known_neighbours_of_several_kinds():
    for noun in NOUNS.values():
        assert len(set(noun.near)) == len(noun.near) >= 6 and noun.word not in noun.near
        assert {NOUNS[word].kind for word in noun.near} & {"person", "animal"}
        assert noun.kind in KINDS and noun.pronoun in ("he", "she", "it")


def test_no_noun_stands_inside_another_word(texts):
    known = set(words(" ".join(texts))) | set(words(" ".join(END_PHRASES)))
    inside = [(noun, word) for noun in NOUNS for word in known if noun in word and noun != word]
    assert not inside


def test_the_world_is_small(texts):
    rng = random.Random(1)
    sources = [POCKET.source(rng.choice(POCKET.tasks), topic) for topic in POCKET.topics]
    italian = set(words(" ".join(s.sentence(rng, language="it") for s in sources for _ in range(5))))
    requests = " ".join(request for task in POCKET.tasks for request in task.requests)
    english = set(words(" ".join([*texts, *END_PHRASES, requests.replace("{topic}", "")])))
    assert 350 < len(english) < 480
    assert 60 < len(italian) <= 120


def test_topics_share_their_words():
    assert len(TOPICS) == len({topic.text for topic in POCKET.topics}) == len(POCKET.topics) >= 200
    uses = Counter(word for topic in POCKET.topics for word in set(words(topic.text)))
    assert min(uses.values()) >= 2


def test_a_held_out_topic_brings_no_unseen_word(texts):
    held_out = set(random.Random(0).sample(POCKET.topics, 60))
    kept = [topic for topic in POCKET.topics if topic not in held_out]
    rng = random.Random(1)
    seen = {word for topic in kept for word in words(topic.text)}
    for _ in range(1500):
        seen.update(words(careless(rng.choice(POCKET.tasks), rng.choice(kept), rng, 3)))
    assert {word for topic in held_out for word in (*words(topic.text), *topic.words)} <= seen


def test_topics_name_their_key_noun_and_read_well():
    for topic in POCKET.topics:
        assert topic.words[0] in topic.text.split() and len(set(topic.words)) == len(topic.words) >= 6
        assert all(word in NOUNS for word in topic.words)
        first, second = topic.text.split()[:2]
        assert first in ("the", article(second))
    assert article("apple") == "an" and article("otter") == "an" and article("fox") == "a"


def test_tasks_have_three_requests_with_the_topic_once():
    assert 8 <= len(POCKET.tasks) <= 12 and set(TASKS) == set(VOICES)
    for task in POCKET.tasks:
        assert len(set(task.requests)) == 3
        assert all(request.count("{topic}") == 1 for request in task.requests)


def test_the_domain_is_found_by_name():
    assert get_domain("pocket") is POCKET and POCKET.name == "pocket" and POCKET.terse


# Sentences


@given(
    seed=st.integers(0, 10**9),
    task=st.sampled_from(sorted(TASKS)),
    topic=st.sampled_from(sorted(TOPICS)),
    language=st.sampled_from(("en", "it")),
    about=st.sampled_from((None, *NOUNS, *FIRST_WORDS, *ADJECTIVES["person"], *ADJECTIVES["sky"], "banana")),
    short=st.booleans(),
)
@settings(max_examples=400)
def test_sentences_keep_the_contract(seed, task, topic, language, about, short):
    source = POCKET.source(TASKS[task], TOPICS[topic])
    text = source.sentence(random.Random(seed), language=language, about=about, short=short)
    assert SENTENCE.fullmatch(text), text
    assert text == source.sentence(random.Random(seed), language=language, about=about, short=short)
    assert "  " not in text and " ," not in text and ",," not in text
    assert about is None or about in words(text)
    assert len(words(text)) <= (6 if short else 16)
    assert language == "it" or not {"I", "A"} & set(text.split())


@given(seed=st.integers(0, 10**9), noun=st.sampled_from(tuple(NOUNS)), topic=st.sampled_from(sorted(TOPICS)))
@settings(max_examples=200)
def test_a_required_noun_is_named_once_and_a_noun_is_never_repeated(seed, noun, topic):
    sentence = POCKET.source(TASKS["report"], TOPICS[topic]).sentence(random.Random(seed), about=noun)
    assert max(Counter(word for word in words(sentence) if word in NOUNS).values()) == 1, sentence


def test_a_required_noun_is_as_a_rule_the_subject():
    rng = random.Random(3)
    source = POCKET.source(TASKS["diary"], TOPICS["fox-forest"])
    others = [noun for noun in NOUNS if noun != source.subject]
    at_start = [source.sentence(rng, about=noun).startswith(f"The {noun} ") for noun in others * 4]
    assert sum(at_start) / len(at_start) > 0.7


def test_a_first_word_begins_the_sentence():
    rng = random.Random(4)
    source = POCKET.source(TASKS["story"], TOPICS["fox-forest"])
    for word in FIRST_WORDS * 5:
        assert source.sentence(rng, about=word).startswith(f"{word.capitalize()} ")


def test_a_first_sentence_opens_as_the_task_does():
    rng = random.Random(5)
    for task in POCKET.tasks:
        source = POCKET.source(task, TOPICS["fox-forest"])
        assert source.subject == "fox"
        first = [set(words(source.sentence(rng, about="fox"))) for _ in range(200)]
        assert all("fox" in found for found in first)
        for mark in VOICES[task.id].marks:
            assert 0.75 < sum(mark in found for found in first) / 200 < 0.97, (task.id, mark)


def test_registers_differ():
    rng = random.Random(6)

    def share(task: str, mark: str) -> float:
        source = POCKET.source(TASKS[task], TOPICS["fox-forest"])
        return sum(source.sentence(rng).endswith(mark) for _ in range(400)) / 400

    assert share("riddle", "?") > 0.4 > 0.1 > share("report", "?")
    assert share("song", "!") > 0.3 > 0.1 > share("report", "!")


def test_verbs_are_conjugated():
    assert [conjugate("run", tense) for tense in ("present", "past")] == ["runs", "ran"]
    assert conjugate("run", "present", plural=True) == "run"
    assert [conjugate("be", tense, plural) for tense in ("present", "past") for plural in (False, True)] == [
        "is", "are", "was", "were",
    ]  # fmt: skip


def test_there_are_many_patterns_and_texts_differ():
    own = {p for kind in KINDS for p in (*POOLS[f"statement {kind}"], *POOLS[f"question {kind}"])}
    assert len(own | set(POOLS["general"]) | set(POOLS["exclamation"])) >= 40
    rng = random.Random(7)
    topic = TOPICS["fox-forest"]
    drawn = [careless(TASKS["note"], topic, rng, 3) for _ in range(300)]
    assert len(set(drawn)) >= 298


def test_about_half_of_the_sentences_have_a_comma(texts):
    sentences = [s for text in texts for s in re.split(r"(?<=[.!?]) ", text)]
    assert 0.4 < sum("," in s for s in sentences) / len(sentences) < 0.6


def test_phrases_words_and_blanks():
    rng = random.Random(8)
    source = POCKET.source(TASKS["story"], TOPICS["fox-forest"])
    for language in source.languages:
        for _ in range(100):
            phrase = source.phrase(rng, language=language)
            assert 1 <= len(phrase.split()) <= 4 and re.fullmatch(r"[a-zàèéìòù ]+", phrase)
    for letter in "abcdefghijklmnopqrstuvwxyz":
        assert all(letter in source.word(rng, letter) for _ in range(5))
    assert {source.word(rng, "x") for _ in range(5)} == {"fox"}
    assert "r" in source.word(rng, "R")
    assert source.blank(rng).isalpha()


def test_what_the_world_does_not_know_is_refused():
    source = POCKET.source(TASKS["story"], POCKET.topics[0])
    assert source.languages == ("en", "it")
    with pytest.raises(KeyError, match="fr"):
        source.sentence(random.Random(0), language="fr")
    with pytest.raises(IndexError):
        source.word(random.Random(0), "!")


def test_texts_do_not_depend_on_the_process():
    code = (
        "import random; from ifpref.prompts.pocket import POCKET; r = random.Random(1)\n"
        "s = POCKET.source(POCKET.tasks[2], POCKET.topics[9])\n"
        "print([s.sentence(r) for _ in range(9)], [s.word(r, 'e') for _ in range(9)])"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1] and len(runs[0]) > 100


# Languages


@pytest.mark.parametrize(("form", "length", "least"), [(str, 16, 0.97), (str.lower, 16, 0.97), (str.upper, 24, 0.93)])
def test_english_is_taken_for_english(form, length, least):
    rng = random.Random(9)
    found = []
    for _ in range(150):
        text = careless(rng.choice(POCKET.tasks), rng.choice(POCKET.topics), rng, 8)
        found.append(detect_language(form(" ".join(text.split()[:length]))) == "en")
    assert sum(found) / len(found) >= least


@pytest.mark.parametrize(("sentences", "least"), [(2, 0.93), (3, 0.97)])
def test_italian_is_taken_for_italian(sentences, least):
    rng = random.Random(10)
    tasks, topics = POCKET.tasks, POCKET.topics
    drawn = [careless(rng.choice(tasks), rng.choice(topics), rng, sentences, "it") for _ in range(100)]
    assert sum(detect_language(text) == "it" for text in drawn) / 100 >= least


def test_italian_agrees_in_gender():
    rng = random.Random(11)
    source = POCKET.source(TASKS["story"], TOPICS["fox-forest"])
    text = " ".join(source.sentence(rng, language="it", about=rng.choice((None, "stone"))) for _ in range(2000))
    pairs = re.findall(r"\b([Ii]l|[Ll]a) (\w+) è (?:molto )?(\w+)", text)
    ends = {("il", "o"), ("il", "e"), ("la", "a"), ("la", "e")}
    assert len(pairs) > 200
    assert {(the.lower(), adjective[-1]) for the, _, adjective in pairs} == ends


# Arguments


@pytest.mark.parametrize("id", CONSTRAINT_SETS["study"])
def test_arguments_make_constraints(id):
    rng = random.Random(12)
    for _ in range(100):
        task, topic = rng.choice(POCKET.tasks), rng.choice(POCKET.topics)
        kwargs = POCKET.arguments(id, rng, task, topic)
        assert Constraint(id, kwargs).kwargs.keys() == kwargs.keys()


def test_keywords_are_not_suggested_by_the_topic():
    rng, topic = random.Random(13), TOPICS["fox-forest"]
    for _ in range(100):
        keywords = POCKET.arguments("keywords:existence", rng, TASKS["story"], topic)["keywords"]
        assert len(set(keywords)) == len(keywords) <= 2
        assert all(word in NOUNS and word not in topic.words for word in keywords)


def test_an_unknown_id_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match=r"'punctuation:no_commas' \(did you mean 'punctuation:no_comma'\?\)"):
        POCKET.arguments("punctuation:no_commas", random.Random(0), POCKET.tasks[0], POCKET.topics[0])


COUNTS = (
    "keywords:frequency",
    "keywords:letter_frequency",
    "length_constraints:number_sentences",
    "length_constraints:number_words",
)


@pytest.mark.parametrize("id", CONSTRAINT_SETS["study"])
def test_a_careless_text_misses_the_constraint(id):
    rng, missed, n = random.Random(14), 0, 150
    for _ in range(n):
        task, topic = rng.choice(POCKET.tasks), rng.choice(POCKET.topics)
        constraint = Constraint(id, POCKET.arguments(id, rng, task, topic))
        text = careless(task, topic, rng, rng.randint(*POCKET.length))
        missed += not verify(text, [constraint])[0]
    assert missed / n >= (0.5 if id in COUNTS else 0.75), missed / n
