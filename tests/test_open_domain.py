"""The `open` domain: tables keep their rules, sentences their contract, arguments their ranges."""

import json
import random
import re
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ifpref.constraints import CONSTRAINTS, Constraint
from ifpref.constraints import LANGUAGES as IFEVAL_LANGUAGES
from ifpref.prompts.domain import get_domain
from ifpref.prompts.open import HEADINGS, OPEN
from ifpref.prompts.open.sentences import LETTER_WORDS, PHRASES, WORDS, OpenSource
from ifpref.witness.foreign import FOREIGN

KINDS = {"product", "object", "activity", "place", "person", "event", "moment", "science", "history", "idea"}
END_PHRASES = PHRASES["end phrases"]
MARKS = set('*-[]<>"{}#\n')
BAKERY = next(topic for topic in OPEN.topics if topic.text == "a village bakery")


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


# --- tasks and topics


def test_there_is_enough_of_everything():
    assert get_domain("open") is OPEN
    assert len(OPEN.tasks) >= 70
    assert len(OPEN.topics) >= 400
    assert sum(len(OPEN.tasks_for(topic)) for topic in OPEN.topics) >= 20_000
    assert min(len(OPEN.tasks_for(topic)) for topic in OPEN.topics) >= 30
    for rows in (OPEN.tasks, OPEN.topics):
        assert max(Counter(row.id for row in rows).values()) == 1


def test_every_wording_is_one_of_its_kind_and_names_the_topic_once():
    requests = [request for task in OPEN.tasks for request in task.requests]
    assert len(set(requests)) == len(requests)
    for task in OPEN.tasks:
        assert 4 <= len(task.requests) <= 6, task.id
        assert set(task.kinds) <= set(KINDS), task.id
    for request in requests:
        assert request.count("{topic}") == 1
        assert request.replace("{topic}", "").isprintable()
        assert request.rstrip()[-1] in ".!?"
        # The topic is a noun phrase in lower case: it cannot begin a sentence.
        assert not re.search(r"(^|[.!?:] ){topic}", request) or ": {topic}" in request, request


def test_wordings_leave_to_the_constraints_what_is_theirs():
    taken = r"\d|[\"*<>\[\]]|\b(capital letters|lower ?case|commas?|bullet|paragraphs?|sentences?|postscript|json"
    taken += r"|English|short|brief|quotation marks|placeholders?|highlight)\b"
    for task in OPEN.tasks:
        for request in task.requests:
            assert not re.search(taken, request), request


def test_topics_are_noun_phrases_with_words_that_go_with_them():
    for topic in OPEN.topics:
        assert topic.kind in KINDS
        assert re.fullmatch(r"[a-z][A-Za-z ]+[a-z]", topic.text), topic.text
        assert 5 <= len(topic.words) <= 8, topic.text
        assert len(set(topic.words)) == len(topic.words), topic.text
        assert all(re.fullmatch(r"[a-z]{3,}", word) for word in topic.words), topic.text


def test_a_task_is_asked_only_of_topics_of_its_kinds():
    manual = next(task for task in OPEN.tasks if task.id == "user_manual")
    bicycle = next(topic for topic in OPEN.topics if topic.text == "a folding bicycle")
    assert manual in OPEN.tasks_for(bicycle)
    assert manual not in OPEN.tasks_for(BAKERY)


def test_no_request_shares_eight_words_with_a_prompt_of_ifeval(ifeval):
    def grams(text: str) -> set[tuple[str, ...]]:
        tokens = words(text.lower())
        return {tuple(tokens[i : i + 8]) for i in range(len(tokens) - 7)}

    lines = (ifeval / "input_data.jsonl").read_text(encoding="utf-8").splitlines()
    official = set().union(*(grams(json.loads(line)["prompt"]) for line in lines))
    assert len(official) > 10_000
    for task in OPEN.tasks:
        for topic in OPEN.topics[::10]:
            for request in task.requests:
                assert not grams(request.replace("{topic}", topic.text)) & official, request


# --- sentences


def check_sentence(text: str) -> None:
    first = next(char for char in text if char.isalpha())
    assert first == first.upper(), text
    assert text[-1] in ".!?" and not text[-2].isspace(), text
    assert not set(text) & MARKS and not re.search(r"\d", text), text
    assert len(re.findall(r"[.!?]", text)) == 1, text


ABOUT = st.sampled_from(
    [
        None,
        "queue",
        "garden",
        "golden",
        "carefully",
        "however",
        "because",
        "razzmatazz",
        "Gao",
        "might",
        "flour",
    ]
)


@settings(max_examples=400)
@given(
    st.integers(0, 2**32),
    st.sampled_from(OPEN.topics),
    st.sampled_from(["en", *FOREIGN]),
    ABOUT,
    st.booleans(),
)
def test_every_sentence_keeps_the_contract(seed, topic, language, about, short):
    source = OPEN.source(OPEN.tasks[0], topic)
    text = source.sentence(random.Random(seed), language=language, about=about, short=short)
    check_sentence(text)
    if about:
        assert re.search(rf"\b{about}\b", text, re.IGNORECASE), text
    if short:
        assert len(text.split()) <= (6 if about else 5), text
    if language == "en":
        assert 1 <= len(words(text)) <= 40
        assert not {"I", "A"} & set(words(text)), text


@settings(max_examples=100)
@given(
    st.integers(0, 2**32),
    st.from_regex(r"[a-zA-Z]{2,12}", fullmatch=True),
    st.sampled_from(["en", *FOREIGN]),
)
def test_any_word_can_be_put_into_a_sentence(seed, word, language):
    for short in (False, True):
        text = OpenSource(BAKERY).sentence(random.Random(seed), language=language, about=word, short=short)
        assert re.search(rf"\b{word}\b", text, re.IGNORECASE), text


def test_a_word_goes_where_its_part_of_speech_belongs():
    source, rng = OpenSource(BAKERY), random.Random(0)
    for opener in ("today", "however", "perhaps"):  # a first word begins its sentence
        assert all(re.match(rf"{opener}\b", source.sentence(rng, about=opener), re.IGNORECASE) for _ in range(50))
    assert all("the queue" in source.sentence(rng, about="queue").lower() for _ in range(50))
    # A word that is in no list is not taken for a noun.
    assert not any("the gao" in source.sentence(rng, about="Gao").lower() for _ in range(50))


@pytest.mark.parametrize("topic", OPEN.topics[::60], ids=lambda topic: topic.id)
def test_a_long_text_hardly_repeats_a_sentence_and_can_avoid_its_topic(topic):
    source, rng = OpenSource(topic).fresh(), random.Random(1)
    text = [source.sentence(rng) for _ in range(100)]
    assert sum(len(words(sentence)) for sentence in text) > 800
    assert len(set(text)) >= 90
    assert topic.text in text[0]  # it opens on its topic
    named = re.compile("|".join((topic.text, *topic.words)), re.IGNORECASE)
    assert 25 <= sum(not named.search(sentence) for sentence in text) <= 75
    assert 5 <= sum("," in sentence for sentence in text) <= 50
    assert any(sentence[-1] == "?" for sentence in text)
    assert any(sentence[-1] == "!" for sentence in text)


def test_the_same_generator_gives_the_same_text():
    def text(seed: int) -> list[str]:
        source, rng = OpenSource(BAKERY).fresh(), random.Random(seed)
        return [source.sentence(rng, language=code) for code in ("en", "de", "ko", "en") * 5]

    assert text(3) == text(3)
    assert text(3) != text(4)


@settings(max_examples=200)
@given(st.integers(0, 2**32), st.sampled_from(OPEN.topics), st.sampled_from(["en", *FOREIGN]))
def test_a_phrase_has_a_few_words_and_no_end(seed, topic, language):
    text = OpenSource(topic).phrase(random.Random(seed), language=language)
    assert 1 <= len(text.split()) <= (4 if language == "en" else 6), text
    assert not set(text) & (MARKS | set(".!?,")), text


def test_words_by_letter_are_rich_in_it():
    source, rng = OpenSource(BAKERY), random.Random(0)
    for letter in "abcdefghijklmnopqrstuvwxyz":
        found = [source.word(rng, letter) for _ in range(60)]
        assert all(letter in word and word.islower() for word in found), letter
        assert len(set(found)) >= 8, letter
    mean = {letter: sum(w.count(letter) for w in rich) / len(rich) for letter, rich in LETTER_WORDS.items()}
    assert all(mean[letter] >= 1.5 for letter in "abcdefglmnoprstz"), mean


def test_blanks_and_general_words_are_plain():
    assert len(set(PHRASES["blanks"])) == len(PHRASES["blanks"]) >= 40
    assert OpenSource(BAKERY).blank(random.Random(0)) in PHRASES["blanks"]
    assert all(1 <= len(blank.split()) <= 3 and blank.islower() for blank in PHRASES["blanks"])
    for pool in (WORDS["nouns"], WORDS["adjectives"], WORDS["adverbs"], WORDS["openers"]):
        assert len(set(pool)) == len(pool)
        assert all(re.fullmatch(r"[a-z]{3,}", word) for word in pool)


# --- other languages


@pytest.mark.parametrize("code", FOREIGN)
def test_a_language_has_what_it_takes(code):
    language = FOREIGN[code]
    assert code in IFEVAL_LANGUAGES
    assert len(set(language.sentences)) >= 25
    assert len(set(language.phrases)) >= 12
    assert sum(len(text.split()) <= 5 for text in language.sentences) >= 8
    assert sum(len(text.split()) <= 6 for text in language.about) >= 4
    assert all(about.count("{about}") == 1 for about in language.about)
    assert all("{second}" in link for link in language.links)
    for text in language.sentences + language.phrases:
        first = text.lstrip("¡¿").split()[0]
        assert not (len(first) == 1 and first.isupper()), text  # it would be a word in capitals
    assert len({language.sentence(random.Random(n)) for n in range(300)}) >= 100


def test_there_are_fourteen_languages_besides_english():
    assert len(FOREIGN) >= 14
    assert OpenSource(BAKERY).languages == ("en", *FOREIGN)
    with pytest.raises(KeyError, match="xx"):
        OpenSource(BAKERY).sentence(random.Random(0), language="xx")


@pytest.mark.parametrize("code", FOREIGN)
def test_langdetect_knows_the_language(code):
    """Three sentences, and three with a fourth about an English word: recognised at least 95 times in 100."""
    from langdetect import DetectorFactory, detect

    DetectorFactory.seed = 0
    rng, source = random.Random(0), OpenSource(BAKERY)
    plain = mixed = 0
    for _ in range(60):
        text = [source.sentence(rng, language=code) for _ in range(3)]
        plain += detect(" ".join(text)) == code
        text.insert(rng.randrange(4), source.sentence(rng, language=code, about=rng.choice(BAKERY.words)))
        mixed += detect(" ".join(text)) == code
    assert plain >= 57
    assert mixed >= 57


# --- arguments


@pytest.mark.parametrize("id", CONSTRAINTS)
def test_arguments_build_constraints(id):
    rng = random.Random(0)
    for _ in range(300):
        topic = rng.choice(OPEN.topics)
        task = rng.choice(OPEN.tasks_for(topic))
        kwargs = OPEN.arguments(id, rng, task, topic)
        assert Constraint(id, kwargs).to_dict()["kwargs"] == kwargs
        assert all(value > 0 for value in kwargs.values() if isinstance(value, int))


def drawn(id: str, n: int = 2000) -> list[dict]:
    rng = random.Random(7)
    topics = [rng.choice(OPEN.topics) for _ in range(n)]
    return [OPEN.arguments(id, rng, rng.choice(OPEN.tasks_for(topic)), topic) for topic in topics]


@pytest.mark.parametrize(
    ("id", "name", "low", "high"),
    [
        ("length_constraints:number_words", "num_words", 40, 600),
        ("length_constraints:number_sentences", "num_sentences", 3, 20),
        ("length_constraints:number_paragraphs", "num_paragraphs", 2, 6),
        ("length_constraints:nth_paragraph_first_word", "num_paragraphs", 2, 7),
        ("detectable_content:number_placeholders", "num_placeholders", 1, 12),
        ("detectable_format:number_bullet_lists", "num_bullets", 1, 10),
        ("detectable_format:number_highlighted_sections", "num_highlights", 1, 10),
        ("detectable_format:multiple_sections", "num_sections", 2, 7),
        ("keywords:letter_frequency", "let_frequency", 1, 60),
        ("change_case:capital_word_frequency", "capital_frequency", 1, 20),
        ("keywords:frequency", "frequency", 1, 10),
    ],
)
def test_numbers_fill_their_range(id, name, low, high):
    values = {kwargs[name] for kwargs in drawn(id)}
    assert (min(values), max(values)) == (low, high)


def test_both_relations_are_asked():
    for id, name in (
        ("length_constraints:number_words", "relation"),
        ("length_constraints:number_sentences", "relation"),
        ("keywords:frequency", "relation"),
        ("keywords:letter_frequency", "let_relation"),
        ("change_case:capital_word_frequency", "capital_relation"),
    ):
        share = Counter(kwargs[name] for kwargs in drawn(id))
        assert 0.4 < share["at least"] / 2000 < 0.75, id


def test_a_letter_is_rare_only_where_a_text_can_do_without_it():
    for kwargs in drawn("keywords:letter_frequency"):
        if kwargs["let_relation"] == "less than":
            least = 30 if kwargs["letter"] in "etaoinsr" else 10 if kwargs["letter"] in "cdhlmubfgpwy" else 1
            assert kwargs["let_frequency"] >= least


def test_keywords_are_distinct_and_mostly_of_the_topic():
    rng, hits, total = random.Random(0), 0, 0
    for topic in OPEN.topics:
        keywords = OPEN.arguments("keywords:existence", rng, OPEN.tasks[0], topic)["keywords"]
        assert not any(a != b and a in b for a in keywords for b in keywords)
        assert len(set(keywords)) == len(keywords) <= 5
        hits += sum(word in topic.words for word in keywords)
        total += len(keywords)
    assert 0.45 < hits / total < 0.75


def test_end_phrases_vary_and_end():
    assert len(set(END_PHRASES)) == len(END_PHRASES) >= 30
    assert sum("," in phrase for phrase in END_PHRASES) >= 5
    assert sum(phrase.endswith("?") for phrase in END_PHRASES) >= 5
    for phrase in END_PHRASES:
        assert phrase[0].isupper() and phrase[-1] in ".!?" and not set(phrase) & MARKS


def test_sections_are_called_as_the_task_would_call_them():
    itinerary = next(task for task in OPEN.tasks if task.id == "itinerary")
    poem = next(task for task in OPEN.tasks if task.id == "poem")
    rng = random.Random(0)
    names = {
        task.id: {
            OPEN.arguments("detectable_format:multiple_sections", rng, task, BAKERY)["section_spliter"]
            for _ in range(200)
        }
        for task in (itinerary, poem)
    }
    assert "Day" in names["itinerary"] and "Day" not in names["poem"]
    assert {"Section", "SECTION", "PARAGRAPH"} <= names["poem"]


def test_task_names_of_headings_exist():
    assert set(HEADINGS) <= {task.id for task in OPEN.tasks}


def test_the_repeated_prompt_is_a_request_on_the_topic():
    task = OPEN.tasks_for(BAKERY)[0]
    repeated = OPEN.arguments("combination:repeat_prompt", random.Random(0), task, BAKERY)["prompt_to_repeat"]
    assert repeated in [request.replace("{topic}", "a village bakery") for request in task.requests]


def test_an_unknown_id_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match="did you mean 'keywords:existence'"):
        OPEN.arguments("keywords:existance", random.Random(0), OPEN.tasks[0], BAKERY)


def test_no_words_follow_each_other_twice_in_a_table():
    """A slip of the pen, such as `the the`, in any wording, sentence or end phrase."""
    texts = [request for task in OPEN.tasks for request in task.requests]
    texts += [sentence for language in FOREIGN.values() for sentence in language.sentences]
    for text in (*texts, *END_PHRASES):
        assert not any(a == b for a, b in pairwise(text.lower().split()) if a != "साफ़"), text
