"""Side effects: hand-made responses, each with one defect or none; scores and pairs that know of them."""

import json

import numpy as np
import pytest

from ifpref.constraints import CONSTRAINTS
from ifpref.curation.balance import ANY_UNASKED, REPEATED, taught
from ifpref.curation.scoring import Judge
from ifpref.evaluation import Table
from ifpref.evaluation.side_effects import (
    ENTAILED,
    FEATURES,
    is_clean,
    is_nearly_repeated,
    is_repeated,
    side_effects,
    unasked,
)

FORMAT = "detectable_format:"
BULLETS, HIGHLIGHTS = f"{FORMAT}number_bullet_lists", f"{FORMAT}number_highlighted_sections"
SECTIONS, TITLE, JSON = f"{FORMAT}multiple_sections", f"{FORMAT}title", f"{FORMAT}json_format"
PLACEHOLDERS, POSTSCRIPT = "detectable_content:number_placeholders", "detectable_content:postscript"
PARAGRAPHS, TWO, QUOTATION = "length_constraints:number_paragraphs", "combination:two_responses", "startend:quotation"
UPPER, LOWER = "change_case:english_capital", "change_case:english_lowercase"
PLAIN = "The sun is out, and I walk to the river.\n\nThere are 3 boats (two of them old)."

RESPONSES = {
    PLAIN: [],
    "": [],
    "   \n": [],
    f"- {PLAIN}": [BULLETS],
    f"Things to see:\n  * boats\n  * birds\n{PLAIN}": [BULLETS],
    f"3 - 2 = 1, and a*b is no list. {PLAIN}": [],
    f"{PLAIN} *This matters* most.": [HIGHLIGHTS],
    f"{PLAIN} 2 * 3 is 6.": [],
    f"*This matters*, and so do I. {PLAIN}": [BULLETS, HIGHLIGHTS],  # a bullet to IFEval's pattern, too
    f"Section 1\n{PLAIN}": [SECTIONS],
    f"The third part: {PLAIN}": [],
    f"{PLAIN} Dear [name],": [PLACEHOLDERS],
    f"{PLAIN}\n\nP.S. Bring bread.": [POSTSCRIPT],
    f"{PLAIN}\n\nP.P.S Bring bread.": [POSTSCRIPT],
    f"<<The river>>\n{PLAIN}": [TITLE],
    f"It is 1 << 2 >> 3? {PLAIN}": [TITLE],  # as IFEval's pattern has it
    f"{PLAIN}\n***\nThat is all I know.": [PARAGRAPHS],
    f"{PLAIN}\n******\nThat is all I know.": [TWO],
    f'"{PLAIN}"': [QUOTATION],
    '"The sun is out."': [JSON, QUOTATION],  # one line in quotation marks is a string of JSON
    f'{PLAIN} "So it is."': [],
    '{"sun": "out"}': [JSON],
    f"{PLAIN} My answer is yes.": [f"{FORMAT}constrained_response"],
    PLAIN.upper(): [UPPER],
    PLAIN.lower(): [LOWER],
}


@pytest.mark.parametrize(("text", "expected"), RESPONSES.items())
def test_features_that_nobody_asked_for(text, expected):
    assert unasked(text, {"keywords:existence"}) == expected
    assert unasked(text, expected) == []  # and those that somebody did


def test_each_feature_has_a_response_that_shows_it():
    assert {id for found in RESPONSES.values() for id in found} == FEATURES.keys() <= CONSTRAINTS.keys()


@pytest.mark.parametrize(
    ("text", "asked", "found"),
    [
        ("*This matters* to me.", HIGHLIGHTS, []),
        ("*This matters* to me.", TITLE, [BULLETS, HIGHLIGHTS]),
        ("* One * and two", BULLETS, []),
        ('"The sun is out."', QUOTATION, []),
        ('"The sun is out."', JSON, []),
        ("[1, 2]", JSON, []),
        ("P.S. [x]\n* a", "combination:repeat_prompt", []),
        ("THE SUN IS OUT TODAY.", "change_case:capital_word_frequency", []),
        ("One here.\n***\n***bold***", PARAGRAPHS, []),
    ],
)
def test_what_an_asked_feature_entails_is_not_counted(text, asked, found):
    assert unasked(text, {asked}) == found


def test_the_table_of_what_is_entailed_names_ids_and_reasons():
    for id, entailed in ENTAILED.items():
        assert id in CONSTRAINTS and entailed.keys() <= FEATURES.keys() and all(map(str.strip, entailed.values()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The sun is out. It is warm today.", (False, False)),
        ("The sun is out. It is warm. The sun is out.", (True, False)),
        ("The sun is out! And then:\nthe  SUN is out", (True, False)),  # but for case, blanks and marks
        ("* The sun is out.\n* The sun is out.", (True, False)),
        ("Yes. Yes. Dr. Ray and Dr. May came.", (False, False)),  # fewer than three words are no sentence
        ("***\nOne\n***\nTwo\n***", (False, False)),
        ("Five small birds flew north. Five small birds flew south.", (False, True)),  # 2 of 4 triples
        ("Four birds flew north. Four birds flew south.", (False, False)),  # 1 of 3
        ("The sun is out. The sun is out. Five small birds flew north. Five small birds flew up.", (True, True)),
        ("", (False, False)),
    ],
)
def test_repeated_sentences(text, expected):
    assert (is_repeated(text), is_nearly_repeated(text)) == expected


def test_a_response_that_is_clean():
    assert is_clean(PLAIN, set()) and not is_clean(f"<<A>> {PLAIN}", set()) and not is_clean(f"{PLAIN} {PLAIN}", set())
    assert is_clean("Five small birds flew north. Five small birds flew south.", set())  # nearly is not twice
    both = side_effects(f"<<A>>\n{PLAIN}\n{PLAIN}", {"punctuation:no_comma"})
    assert both == {"unasked": [TITLE], "repeated": True, "nearly_repeated": False}


# ---- tables


def test_clean_accuracy_counts_a_response_once():
    """Four prompts: met and clean; met, with two features and a repetition; met with a repetition; not met."""
    texts = ["A word.", "<<A>> [x]\nThe sun is out. The sun is out.", "The sun is out. The sun is out.", "A word."]
    rows = [
        {"prompt_id": str(n), "sample": 0, "text": text, "finish": "stop", "n_tokens": 2, "logprob": -1.0}
        | {"strict": [n < 3, True], "loose": [True, True], **side_effects(text, set())}
        for n, text in enumerate(texts)
    ]
    table = Table.from_rows(rows)
    assert table.prompt_level().tolist() == [1, 1, 1, 0] and table.clean().tolist() == [1, 0, 0, 0]
    assert table.clean("loose").tolist() == [1, 0, 0, 1]
    assert table.any_unasked.ravel().tolist() == [False, True, False, False]
    assert table.repeated.ravel().tolist() == [False, True, True, False]
    assert {id for id, found in table.unasked.items() if found.any()} == {TITLE, PLACEHOLDERS}
    written = json.loads(json.dumps(table.to_dict()))
    assert written["unasked"] == {PLACEHOLDERS: "0100", TITLE: "0100"}  # what nobody shows takes no room
    back = Table.from_dict(written)
    assert back.to_dict() == written and np.array_equal(back.clean(), table.clean())


# ---- the scorer, and what pairs teach

PROMPT = {"prompt_id": "p", "text": "Write.", "constraints": [{"id": TITLE, "kwargs": {}}], "difficulty": "easy"}


@pytest.mark.parametrize(
    ("text", "verifier", "clean"),
    [
        ("<<A>> b", 1.0, 1.0),
        ("A b", 0.0, 0.0),
        ("<<A>> [b]", 1.0, 0.0),
        ("<<A>>\nOne two three.\nOne two three.", 1, 0),
    ],
)
def test_the_scorer_that_takes_points_off(text, verifier, clean):
    by_verifier, by_clean = Judge(PROMPT)(text), Judge(PROMPT, "clean")(text)
    assert (by_verifier.score, by_clean.score) == (verifier, clean)
    assert by_verifier.verdicts == by_clean.verdicts  # those of the verifier, as ever


def test_what_pairs_teach():
    texts = [
        ("[x] One.", "One."),
        ("One.", "[x]"),
        ("<<A>> [x] [y]", "<<B>>"),
        ("A b c. A b c.", "One."),
    ]
    rows = [{"prompt_id": "p", "chosen_text": chosen, "rejected_text": rejected} for chosen, rejected in texts]
    found = {(row["arm"], row["id"]): row for row in taught({"rs": rows, "mcts": []}, [PROMPT])}
    counts = {key: (row["pairs"], row["chosen_only"], row["rejected_only"]) for key, row in found.items()}
    assert counts == {
        ("rs", ANY_UNASKED): (4, 2, 1),
        ("rs", PLACEHOLDERS): (4, 2, 1),  # two of them in one chosen are one
        ("rs", REPEATED): (4, 1, 0),
        ("mcts", ANY_UNASKED): (0, 0, 0),
        ("mcts", REPEATED): (0, 0, 0),
    }
