"""Conflicts: pairs that no honest text can satisfy, and pairs that only look as if."""

import pytest

from ifpref.constraints import Constraint, ConstraintError
from ifpref.constraints.conflicts import conflict, conflicts
from ifpref.witness import Unsatisfiable, witness


def existence(*keywords):
    return Constraint("keywords:existence", {"keywords": list(keywords)})


def frequency(keyword, n, relation="at least"):
    return Constraint("keywords:frequency", {"keyword": keyword, "frequency": n, "relation": relation})


def forbidden(*words):
    return Constraint("keywords:forbidden_words", {"forbidden_words": list(words)})


def letters(letter, n, relation):
    return Constraint("keywords:letter_frequency", {"letter": letter, "let_frequency": n, "let_relation": relation})


def words(n, relation):
    return Constraint("length_constraints:number_words", {"num_words": n, "relation": relation})


def sentences(n, relation="at least"):
    return Constraint("length_constraints:number_sentences", {"num_sentences": n, "relation": relation})


def nth(count, n, word):
    return Constraint(
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": count, "nth_paragraph": n, "first_word": word},
    )


def capitals(n, relation):
    return Constraint("change_case:capital_word_frequency", {"capital_frequency": n, "capital_relation": relation})


def end(phrase):
    return Constraint("startend:end_checker", {"end_phrase": phrase})


def sections(word, n=2):
    return Constraint("detectable_format:multiple_sections", {"section_spliter": word, "num_sections": n})


def bullets(n):
    return Constraint("detectable_format:number_bullet_lists", {"num_bullets": n})


def language(code):
    return Constraint("language:response_language", {"language": code})


def postscript(marker):
    return Constraint("detectable_content:postscript", {"postscript_marker": marker})


def repeat(prompt):
    return Constraint("combination:repeat_prompt", {"prompt_to_repeat": prompt})


def paragraphs(n):
    return Constraint("length_constraints:number_paragraphs", {"num_paragraphs": n})


JSON = Constraint("detectable_format:json_format")
LOWER = Constraint("change_case:english_lowercase")
UPPER = Constraint("change_case:english_capital")
NO_COMMA = Constraint("punctuation:no_comma")
TITLE = Constraint("detectable_format:title")
QUOTATION = Constraint("startend:quotation")
TWO = Constraint("combination:two_responses")
ANSWER = Constraint("detectable_format:constrained_response")

UNSATISFIABLE = {
    "keyword forbidden": (existence("river", "stone"), forbidden("stone")),
    "keyword counted and forbidden": (frequency("river", 2), forbidden("River")),
    "end phrase forbidden": (end("That is all."), forbidden("all")),
    "first word forbidden": (nth(2, 1, "today"), forbidden("today")),
    "section word forbidden": (sections("Section"), forbidden("section")),
    "postscript forbidden": (postscript("P.S."), forbidden("p")),
    "keyword too often": (existence("river"), frequency("river", 1, "less than")),
    "keyword counted both ways": (frequency("river", 3), frequency("river", 3, "less than")),
    "keyword inside a required word": (existence("seafood"), frequency("sea", 1, "less than")),
    "ten sentences in twenty words": (sentences(10), words(20, "less than")),
    "ten sentences in at most twenty words": (words(21, "less than"), sentences(10)),
    "more bullets than words": (bullets(5), words(5, "less than")),
    "words counted both ways": (words(50, "at least"), words(50, "less than")),
    "long end in few words": (end("You cannot fail with the steps listed above."), words(8, "less than")),
    "many letters in few words": (letters("e", 60, "at least"), words(15, "less than")),
    "sentences counted both ways": (sentences(4), sentences(4, "less than")),
    "comma in the end phrase": (NO_COMMA, end("Good night, dear friend.")),
    "comma in a keyword": (existence("well, then"), NO_COMMA),
    "comma in the request": (repeat("Write, please."), NO_COMMA),
    "commas counted and forbidden": (letters(",", 2, "at least"), NO_COMMA),
    "lower case and SECTION": (LOWER, sections("SECTION")),
    "lower case and Section": (LOWER, sections("Section")),
    "capitals and Section": (UPPER, sections("Section")),
    "lower case and an answer in mixed case": (LOWER, ANSWER),
    "lower case and capital words": (LOWER, capitals(1, "at least")),
    "capitals and no word in capitals": (UPPER, capitals(1, "less than")),
    "both cases": (UPPER, LOWER),
    "capitals in Spanish": (UPPER, language("es")),
    "lower case in German": (language("de"), LOWER),
    "two languages": (language("de"), language("es")),
    "letters in the keyword": (existence("banana"), letters("a", 3, "less than")),
    "letter counted both ways": (letters("q", 2, "at least"), letters("Q", 2, "less than")),
    "letter in the end phrase": (end("Peace!"), letters("e", 2, "less than")),
    "capital words counted both ways": (capitals(3, "at least"), capitals(3, "less than")),
    "section words in capitals": (sections("SECTION", 3), capitals(3, "less than")),
    "JSON and bullets": (JSON, bullets(2)),
    "JSON after the request": (JSON, repeat("Write a poem.")),
    "JSON whose first word is given": (JSON, nth(2, 1, "today")),
    "JSON and a quoted keyword": (JSON, existence('say "hello"')),
    "dividers inside the divider": (paragraphs(3), TWO),
    "two numbers of paragraphs": (paragraphs(3), paragraphs(2)),
    "two numbers of bullets": (bullets(3), bullets(2)),
    "two first words": (nth(2, 1, "today"), nth(2, 1, "soon")),
    "two ends": (end("Peace!"), end("Goodbye.")),
    "quotation after the request": (repeat("Write a poem."), QUOTATION),
    "request with another first word": (repeat("Write a poem."), nth(2, 1, "today")),
}

SATISFIABLE = {
    "a required word beside a forbidden one": (existence("river"), forbidden("stone")),
    "a forbidden word inside a required one": (existence("catalogue"), forbidden("cat")),
    "a keyword below its cap": (existence("river"), frequency("river", 2, "less than")),
    "nineteen words for five sentences": (sentences(5), words(20, "less than")),
    "JSON with a title": (JSON, TITLE),
    "JSON with sections": (JSON, sections("Section", 3)),
    "JSON with paragraphs": (JSON, paragraphs(3)),
    "JSON without commas": (JSON, NO_COMMA),
    "JSON in capitals": (JSON, UPPER),
    "JSON in quotation marks": (JSON, QUOTATION),
    "JSON with an end": (JSON, end("Peace!")),
    "JSON with a postscript": (JSON, postscript("P.S.")),
    "JSON with a later first word": (JSON, nth(2, 2, "today")),
    "title in quotation marks": (TITLE, QUOTATION),
    "lower case with a postscript": (LOWER, postscript("P.S.")),
    "lower case with section": (LOWER, sections("section")),
    "capitals with SECTION": (UPPER, sections("SECTION")),
    "quotation and first word": (QUOTATION, nth(2, 1, "today")),
    "quotation and end": (QUOTATION, end("That is all.")),
    "two responses with a first word": (TWO, nth(2, 2, "soon")),
    "two responses in quotation marks": (TWO, QUOTATION),
    "highlights between dividers": (
        paragraphs(3),
        Constraint("detectable_format:number_highlighted_sections", {"num_highlights": 3}),
    ),
    "bullets between dividers": (paragraphs(2), bullets(3)),
    "an end within an end": (end("all."), end("That is all.")),
    "no bullets in JSON": (JSON, bullets(0)),
    "request and its first word": (repeat("Write a poem."), nth(1, 1, "write")),
    "paragraphs of both kinds": (paragraphs(2), nth(3, 2, "soon")),
}


@pytest.mark.parametrize("name", UNSATISFIABLE)
def test_unsatisfiable_pairs_are_named(name):
    first, second = UNSATISFIABLE[name]
    assert conflict(first, second), name
    assert conflict(first, second) == conflict(second, first) or conflict(second, first)
    (found,) = conflicts([TITLE, first, second])
    assert (found.first, found.second) == (1, 2)
    with pytest.raises(Unsatisfiable) as error:
        witness([first, second])
    assert error.value.missed == (first, second)


@pytest.mark.parametrize("name", SATISFIABLE)
def test_satisfiable_pairs_are_no_conflict_and_have_a_witness(name):
    pair = list(SATISFIABLE[name])
    assert conflicts(pair) == []
    assert witness(pair)


@pytest.mark.parametrize(
    "impossible",
    [
        sentences(1, "less than"),
        words(0, "less than"),
        letters("e", 0, "less than"),
        capitals(0, "less than"),
        frequency("river", 0, "less than"),
        end('He said "yes"'),
        nth(2, 1, "it's"),
    ],
    ids=lambda c: c.id,
)
def test_a_constraint_that_no_text_meets_is_in_conflict_with_itself(impossible):
    assert [(c.first, c.second) for c in conflicts([impossible])] == [(0, 0)]
    with pytest.raises(ConstraintError, match=impossible.id):
        witness([impossible])
