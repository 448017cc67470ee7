"""The wordings: what they say at the edges, worked out by hand, and what must hold for every one of them."""

import hashlib
import re

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from ifpref.constraints import CONSTRAINTS, LANGUAGES, RELATIONS, Constraint, ConstraintError
from ifpref.constraints.wording import describe, variants

FORMS = [
    (id, variant, short) for id in CONSTRAINTS for short in (False, True) for variant in range(variants(id, short))
]
every_wording = pytest.mark.parametrize(("id", "variant", "short"), FORMS)

NUMBERS = st.one_of(st.integers(0, 15), st.integers(0, 1200))
TEXTS = st.one_of(
    st.sampled_from(
        ["river", "stone", "old mill", 'a" and "b', "a' and 'b", "“a”", '"', "'", "{n}", "[a|b]", "P.S.", "*"]
    ),
    st.text(min_size=1, max_size=12).filter(str.strip),
)


def constraints(id: str) -> st.SearchStrategy[Constraint]:
    """Any constraint of that id."""
    draws = {
        "int": lambda arg: NUMBERS.filter(lambda n: n >= arg.low),
        "letter": lambda arg: st.one_of(st.sampled_from("aqZ#'\""), st.characters().filter(str.strip)),
        "texts": lambda arg: st.lists(TEXTS, min_size=1, max_size=4),
        "text": lambda arg: st.sampled_from(arg.choices) if arg.choices else TEXTS,
    }
    kwargs = st.fixed_dictionaries({name: draws[arg.type](arg) for name, arg in CONSTRAINTS[id].args.items()})
    in_order = kwargs.filter(lambda k: k.get("nth_paragraph", 1) <= k.get("num_paragraphs", 1))
    return in_order.map(lambda k: Constraint(id, k))


def plain(id: str, n: int = 3, relation: str = "at least") -> Constraint:
    """A constraint of that id with everyday arguments and the number n."""
    values = {
        "keywords": ["river", "stone"],
        "keyword": "river",
        "forbidden_words": ["moss", "fern"],
        "letter": "q",
        "language": "sw",
        "first_word": "meanwhile",
        "nth_paragraph": 1,
        "postscript_marker": "P.P.S",
        "section_spliter": "Chapter",
        "prompt_to_repeat": "Sing.",
        "end_phrase": "That is all.",
    }
    return Constraint(
        id,
        {
            name: values.get(name, relation if arg.choices == RELATIONS else n)
            for name, arg in CONSTRAINTS[id].args.items()
        },
    )


def times(n: int, relation: str, variant: int, short: bool = False) -> str:
    return describe(plain("keywords:frequency", n, relation), variant, short=short)


def sentences(n: int, relation: str, variant: int, short: bool = False) -> str:
    return describe(plain("length_constraints:number_sentences", n, relation), variant, short=short)


def test_every_id_has_six_to_eight_wordings_and_three_short_ones():
    assert all(6 <= variants(id) <= 8 for id in CONSTRAINTS)
    assert all(variants(id, short=True) == 3 for id in CONSTRAINTS)


@pytest.mark.parametrize(
    ("n", "relation", "phrases"),
    [
        (3, "at least",
         "at least 3 times | three or more times | at least 3 times | no less than three times | "
         "a minimum of 3 times | at least three times | 3 times or more"),
        (1, "at least",
         "at least once | one or more times | at least once | no less than once | a minimum of 1 time | "
         "at least once | once or more"),
        (0, "at least",
         "at least 0 times | zero or more times | at least 0 times | no less than zero times | "
         "a minimum of 0 times | at least zero times | 0 times or more"),
        (5, "less than",
         "less than 5 times | fewer than five times | at most 4 times | no more than four times | "
         "a maximum of 4 times | fewer than five times | 4 times at most"),
        (3, "less than",
         "less than 3 times | fewer than three times | at most twice | no more than twice | "
         "a maximum of 2 times | fewer than three times | twice at most"),
        (2, "less than",
         "less than 2 times | fewer than two times | at most once | no more than once | "
         "a maximum of 1 time | fewer than two times | once at most"),
        (0, "less than",
         "fewer than 0 times | fewer than zero times | fewer than 0 times | fewer than zero times | "
         "fewer than 0 times | fewer than zero times | fewer than 0 times"),
    ],
)  # fmt: skip
def test_times(n, relation, phrases):
    ends = ["in your response", "in your response", "", "", "in your answer", "", ""]
    for variant, (phrase, end) in enumerate(zip(phrases.split(" | "), ends, strict=True)):
        assert times(n, relation, variant).endswith(f"{phrase} {end}".strip() + ".")


def test_less_than_once_is_not_at_all():
    assert [times(1, "less than", variant) for variant in range(variants("keywords:frequency"))] == [
        'Do not use the word "river" at all in your response.',
        'The word "river" should not appear at all in your response.',
        'Make sure that the word "river" does not appear at all.',
        'Do not mention the word "river" at all.',
        'The keyword "river" must not be used at all in your answer.',
        'In your response, do not use the keyword "river" at all.',
        'Your text should not contain the word "river" at all.',
    ]


@pytest.mark.parametrize(
    ("n", "relation", "phrases"),
    [
        (5, "at least",
         "at least 5 sentences | five or more sentences | at least 5 sentences | "
         "no fewer than five sentences | a minimum of 5 sentences | at least five sentences | "
         "5 or more sentences"),
        (1, "at least",
         "at least 1 sentence | one or more sentences | at least 1 sentence | "
         "no fewer than one sentence | a minimum of 1 sentence | at least one sentence | "
         "1 or more sentences"),
        (5, "less than",
         "less than 5 sentences | fewer than five sentences | at most 4 sentences | "
         "no more than four sentences | a maximum of 4 sentences | fewer than five sentences | "
         "no more than 4 sentences"),
        (2, "less than",
         "less than 2 sentences | fewer than two sentences | at most 1 sentence | "
         "no more than one sentence | a maximum of 1 sentence | fewer than two sentences | "
         "no more than 1 sentence"),
        (1, "less than",
         "not contain any sentences | Do not write any sentences | does not have any sentences | "
         "without any sentences | not be made up of any sentences | not use any sentences | "
         "not have any sentences"),
        (0, "less than",
         "fewer than 0 sentences | fewer than zero sentences | fewer than 0 sentences | "
         "fewer than zero sentences | fewer than 0 sentences | fewer than zero sentences | "
         "fewer than 0 sentences"),
    ],
)  # fmt: skip
def test_amounts(n, relation, phrases):
    ends = ["", "", "", "", "", "in your response", ""]
    for variant, (phrase, end) in enumerate(zip(phrases.split(" | "), ends, strict=True)):
        assert sentences(n, relation, variant).endswith(f"{phrase} {end}".strip() + ".")


def test_short_wordings_of_relations_keep_digits():
    assert [times(4, "at least", v, short=True) for v in range(3)] == [
        'Use the word "river" at least 4 times.',
        'Say "river" 4 or more times.',
        'The word "river" must come up at least 4 times.',
    ]
    assert [times(1, "less than", v, short=True) for v in range(3)] == [
        'Do not use the word "river" at all.',
        'Do not say "river" at all.',
        'The word "river" must not come up at all.',
    ]
    assert [sentences(4, "less than", v, short=True) for v in range(3)] == [
        "Write less than 4 sentences.",
        "Use fewer than 4 sentences.",
        "It must have at most 3 sentences.",
    ]


def test_capitals_and_letters():
    assert describe(plain("change_case:capital_word_frequency", 1, "less than")) == (
        "Do not use any words written in capital letters only."
    )
    assert describe(plain("change_case:capital_word_frequency", 1), 3) == (
        "Write no fewer than one word of your answer in all caps."
    )
    assert describe(plain("keywords:letter_frequency", 2, "less than"), 2) == (
        'Make sure that the letter "q" appears at most once.'
    )
    sharp = Constraint("keywords:letter_frequency", {"letter": "#", "let_frequency": 4, "let_relation": "at least"})
    assert describe(sharp, 5) == 'Include the character "#" at least four times in what you write.'
    assert "the letter q, in upper or lower case, at least" in describe(plain("keywords:letter_frequency"), 5)


@pytest.mark.parametrize(
    ("words", "joined_and", "joined_or"),
    [
        (["a b"], 'keyword "a b" in', 'word "a b" in'),
        (["x", "y"], 'keywords "x" and "y" in', 'words "x" or "y" in'),
        (["x", "y", "z"], 'keywords "x", "y" and "z" in', 'words "x", "y" or "z" in'),
    ],
)
def test_lists_of_words(words, joined_and, joined_or):
    assert describe(Constraint("keywords:existence", {"keywords": words})) == f"Include the {joined_and} your response."
    forbidden = Constraint("keywords:forbidden_words", {"forbidden_words": words})
    assert describe(forbidden) == f"Do not use the {joined_or} your response."


@pytest.mark.parametrize(
    ("phrase", "quoted"),
    [
        ("Bye.", '"Bye."'),
        ("I'm off", '"I\'m off"'),
        ('Say "bye"', "'Say \"bye\"'"),
        ('I\'m "off"', '“I\'m "off"”'),
        ("\"'“", '"""\'“"'),
    ],
)
def test_quotation_marks_that_the_text_does_not_hold(phrase, quoted):
    end = Constraint("startend:end_checker", {"end_phrase": phrase})
    assert describe(end, 5) == f"Make {quoted} the exact ending of your response."


@pytest.mark.parametrize(
    ("id", "n", "variant", "short", "expected"),
    [
        ("detectable_format:number_bullet_lists", 1, 1, False,
         'Your response must contain exactly one bullet point in markdown format, such as "* This is a '
         'point".'),
        ("detectable_format:number_bullet_lists", 2, 4, False,
         'Write exactly 2 markdown bullet points, starting each line with "- " or "* ".'),
        ("detectable_format:number_bullet_lists", 1, 2, True,
         "Have exactly 1 bullet point that starts with * or -."),
        ("detectable_content:number_placeholders", 1, 3, False,
         "Make sure that there is at least one placeholder written in square brackets, like [city]."),
        ("detectable_content:number_placeholders", 13, 3, False,
         "Make sure that there are at least 13 placeholders written in square brackets, like [city]."),
        ("detectable_format:number_highlighted_sections", 1, 4, False,
         "Wrap at least 1 part of your answer in asterisks, like *so*, to highlight it."),
        ("length_constraints:number_paragraphs", 2, 0, False,
         "Write exactly 2 paragraphs and put the markdown divider *** between them."),
        ("length_constraints:number_paragraphs", 1, 0, False,
         "Write exactly 1 paragraph and leave out the markdown divider ***."),
        ("detectable_format:multiple_sections", 1, 0, False,
         'Your response must have at least 1 section, headed "Chapter 1".'),
        ("detectable_format:multiple_sections", 4, 0, False,
         'Your response must have at least 4 sections, headed "Chapter 1", "Chapter 2" and so on.'),
        ("length_constraints:number_words", 300, 3, False,
         "Make sure that the whole response has no fewer than 300 words."),
    ],
)  # fmt: skip
def test_singular_plural_and_numbers(id, n, variant, short, expected):
    assert describe(plain(id, n), variant, short=short) == expected


@pytest.mark.parametrize(
    ("nth", "digits", "word"),
    [
        (1, "1st", "first"),
        (2, "2nd", "second"),
        (3, "3rd", "third"),
        (12, "12th", "twelfth"),
        (13, "13th", "13th"),
        (21, "21st", "21st"),
        (111, "111th", "111th"),
    ],
)
def test_ordinals(nth, digits, word):
    kwargs = {"num_paragraphs": 120, "nth_paragraph": nth, "first_word": "so"}
    paragraphs = Constraint("length_constraints:nth_paragraph_first_word", kwargs)
    assert describe(paragraphs) == (
        "Write exactly 120 paragraphs, separated by two line breaks, "
        f'and start the {digits} paragraph with the word "so".'
    )
    assert describe(paragraphs, 3) == (
        f'Answer in exactly 120 paragraphs, split by blank lines; the {word} must begin with the word "so".'
    )


def test_what_is_to_be_repeated_is_quoted_unless_it_is_the_request_itself():
    song = Constraint("combination:repeat_prompt", {"prompt_to_repeat": "Sing."})
    assert describe(song) == 'First repeat the request "Sing." word for word, changing nothing, and then answer it.'


def test_arguments_are_never_taken_for_templates():
    for keyword in ("{keyword}", "[a|b]", "{n}", r"\1"):
        assert describe(Constraint("keywords:existence", {"keywords": [keyword]}), 1) == (
            f'Make sure that the word "{keyword}" appears in your response.'
        )


@every_wording
def test_complete_sentences_without_leftovers(id, variant, short):
    for n in (1, 2, 5, 40):
        for relation in RELATIONS:
            text = describe(plain(id, n, relation), variant, short=short)
            assert text[0].isupper() and text[-1] in ".!?" and text[-2] not in " .,"
            assert not re.search(r"[{}|\n]|  | [,.;]", text)


@every_wording
def test_every_argument_is_said(id, variant, short):
    """The number as digits or word, one fewer for "at most"; lists in full; a language by its name."""
    constraint = plain(id, 7)
    text = describe(constraint, variant, short=short)
    for name, value in constraint.kwargs.items():
        if name == "nth_paragraph":
            assert re.search(r"\b(1st|first|paragraph 1)\b", text)
        elif name == "language":
            assert LANGUAGES[value] in text
        elif name == "section_spliter":
            assert re.search(r'"Chapter (1|X)"', text)
        elif isinstance(value, int):
            assert re.search(rf"\b({value}|seven)\b", text)
        elif value not in RELATIONS:
            assert all(part in text for part in ([value] if isinstance(value, str) else value))


@every_wording
def test_less_than_names_the_number_or_one_fewer(id, variant, short):
    if RELATIONS not in [arg.choices for arg in CONSTRAINTS[id].args.values()]:
        return
    text = describe(plain(id, 9, "less than"), variant, short=short)
    assert re.search(
        r"\b(less|fewer) than (9|nine)\b|\b(at most|no more than|maximum of) (8|eight)\b|8 times at most",
        text,
    )


@pytest.mark.parametrize("id", CONSTRAINTS)
def test_digits_and_number_words_both_occur(id):
    if "int" not in [arg.type for arg in CONSTRAINTS[id].args.values()]:
        return
    texts = [describe(plain(id, 7), variant) for variant in range(variants(id))]
    assert any(re.search(r"\b7\b", text) for text in texts)
    assert any(re.search(r"\bseven\b", text) for text in texts)
    assert all(re.search(r"\b7\b", describe(plain(id, 7), variant, short=True)) for variant in range(3))


@pytest.mark.parametrize("id", CONSTRAINTS)
def test_short_wordings_are_short(id):
    """At most nine words beside the arguments, with numbers and lists among those."""
    for variant in range(3):
        text = describe(plain(id), variant, short=True)
        own = re.sub(r'"[^"]*"(,| and so on| and| or)?|P\.P\.S|Swahili|at least 3|3 or more|1st', "", text)
        assert len(re.findall(r"[A-Za-z]+", own)) <= 9, text


def test_no_two_wordings_are_the_same_text():
    """Of one id all variants differ; and no id is asked for in the words of another."""
    for n in (1, 2, 7):
        for relation in RELATIONS:
            texts = [describe(plain(id, n, relation), variant, short=short) for id, variant, short in FORMS]
            plain_texts = [text for text, (_, _, short) in zip(texts, FORMS, strict=True) if not short]
            assert len(set(plain_texts)) == len(plain_texts)
            short_texts = [text for text, (_, _, short) in zip(texts, FORMS, strict=True) if short]
            assert len(set(short_texts)) == len(short_texts)


@pytest.mark.parametrize("id", [id for id, kind in CONSTRAINTS.items() if kind.args])
def test_different_constraints_have_different_texts(id):
    @settings(max_examples=60, database=None)
    @given(constraints(id), constraints(id))
    def check(one, other):
        assume(one != other)
        for short in (False, True):
            for variant in range(variants(id, short)):
                assert describe(one, variant, short=short) != describe(other, variant, short=short)

    check()


def test_neighbours_have_different_texts():
    """As near as two constraints come: one apart in the number, the other relation, lists cut differently."""
    for id, variant, short in FORMS:
        if "int" in [arg.type for arg in CONSTRAINTS[id].args.values()]:
            texts = [
                describe(Constraint(id, plain(id, n, relation).kwargs), variant, short=short)
                for n in range(1, 15)
                for relation in (RELATIONS if "relation" in " ".join(CONSTRAINTS[id].args) else RELATIONS[:1])
            ]
            assert len(set(texts)) == len(texts)
    lists = [
        ["a", "b"],
        ["b", "a"],
        ["a b"],
        ['a" and "b'],
        ["a and b"],
        ['a", "b'],
        ["a, b"],
        ["a", "b", "c"],
        ['a", "b', "c"],
    ]
    for variant in range(variants("keywords:existence")):
        texts = [describe(Constraint("keywords:existence", {"keywords": words}), variant) for words in lists]
        assert len(set(texts)) == len(texts)


def test_describe_is_deterministic_and_takes_the_first():
    for id in CONSTRAINTS:
        assert describe(plain(id)) == describe(plain(id), 0)
        assert describe(plain(id), short=True) == describe(plain(id), 0, short=True)


@pytest.mark.parametrize(
    ("variant", "short", "message"),
    [
        (7, False, r"punctuation:no_comma: no wording 7; allowed: 0 to 6"),
        (-1, False, r"no wording -1; allowed: 0 to 6"),
        (3, True, r"no short wording 3; allowed: 0 to 2"),
        (True, False, r"no wording True"),
        (1.0, False, r"no wording 1.0"),
        ("1", False, r"no wording '1'"),
    ],
)
def test_a_variant_that_does_not_exist(variant, short, message):
    with pytest.raises(ConstraintError, match=message):
        describe(Constraint("punctuation:no_comma"), variant, short=short)


def test_variants_of_an_unknown_id():
    with pytest.raises(
        ConstraintError,
        match=r"unknown constraint id 'punctuation:no_coma' \(did you mean 'punctuation:no_comma'",
    ):
        variants("punctuation:no_coma")


def test_no_wording_has_eight_words_in_a_row_from_ifeval(ifeval):
    """Else a search for contaminated prompts would find nothing but wordings. The three options are fixed."""
    from ifpref.prompts.ifeval_prompts import load_ifeval_prompts
    from ifpref.prompts.overlap import ngram_overlap

    texts = [
        describe(plain(id, n, relation), variant, short=short)
        for id, variant, short in FORMS
        for n in (1, 2, 3, 5, 10, 100, 300)
        for relation in RELATIONS
        if id != "detectable_format:constrained_response"
    ]
    assert ngram_overlap(texts, load_ifeval_prompts(ifeval / "input_data.jsonl"), n=8).hit == ()


def test_wordings_are_word_for_word_what_they_were():
    """Prompts are made of them: who means to change one renews the digest."""
    texts = [
        describe(plain(id, n, relation), variant, short=short)
        for id, variant, short in FORMS
        for n in (1, 2, 3, 12, 40)
        for relation in RELATIONS
    ]
    assert hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16] == "26cf8df83a9d0007"
