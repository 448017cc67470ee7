"""Texts that are hard to read, of any size, and a constraint of each id: what tests/test_fuzz.py and `make bench`
try the checks on."""

from __future__ import annotations

from ifpref.constraints import CONSTRAINT_SETS, Constraint

# By name: a unit that is repeated, with what stands before and after it.
HARD = {
    **{f"runs of {unit!r}": ("", unit, "") for unit in "!.?*[]<>{}()'\"-#`\\ \n\taA1,:;_’“汉é😀\0\ud800\u0301"},
    "opened brackets, one closed": ("", "[\n", "]"),
    "title brackets": ("", "<<", ">>"),
    "stars and breaks": ("", "*\n", ""),
    "blank lines, then a bullet": ("", " \n", "* a"),
    "spaces after a period": ("a. ", " ", "x"),
    "initials and colons": ("", "A.:", ""),
    "initials": ("", "A. ", ""),
    "numbers": ("", "5. ", ""),
    "abbreviations": ("", "Mr. ", "Ray"),
    "contractions": ("", "CAN'T. ", ""),
    "quotes between letters": ("", "A'B' ", ""),
    "quotes and periods": ("", "'.'", ""),
    "periods and closers": ("", ".)", ""),
    "spaced periods": ("", ". ", ""),
    "bold": ("", "**a** ", ""),
    "dividers": ("", "***\n", ""),
    "separators": ("", "****** a ", ""),
    "postscripts": ("", "p.", "s."),
    "sections": ("", "a+( 1", ""),
    "nested lists": ("", "[", "]" * 50_000),
    "nested objects": ("", '{"a":', "1"),
    "a long number": ("", "9", ""),
    "fences": ("", "```json\n", "```"),
    "carriage returns": ("", "a.\r\n", ""),
}


def hard(name: str, size: int) -> str:
    """The text of a name, of about `size` characters."""
    before, unit, after = HARD[name]
    return before + unit * (size // len(unit)) + after


EXAMPLES = {
    "keywords:existence": {"keywords": ["a(b", "[", "*", "\\", "é"]},
    "keywords:frequency": {"keyword": "(a+)+", "frequency": 2, "relation": "less than"},
    "keywords:forbidden_words": {"forbidden_words": ["a", ".*", "\\b", "(?i"]},
    "keywords:letter_frequency": {"letter": "#", "let_frequency": 2, "let_relation": "at least"},
    "language:response_language": {"language": "de"},
    "length_constraints:number_sentences": {"num_sentences": 3, "relation": "at least"},
    "length_constraints:number_paragraphs": {"num_paragraphs": 2},
    "length_constraints:number_words": {"num_words": 10, "relation": "less than"},
    "length_constraints:nth_paragraph_first_word": {"num_paragraphs": 3, "nth_paragraph": 2, "first_word": "a"},
    "detectable_content:number_placeholders": {"num_placeholders": 2},
    "detectable_content:postscript": {"postscript_marker": "P.S."},
    "detectable_format:number_bullet_lists": {"num_bullets": 3},
    "detectable_format:number_highlighted_sections": {"num_highlights": 2},
    "detectable_format:multiple_sections": {"section_spliter": "a+(", "num_sections": 2},
    "combination:repeat_prompt": {"prompt_to_repeat": "a"},
    "startend:end_checker": {"end_phrase": "a"},
    "change_case:capital_word_frequency": {"capital_frequency": 2, "capital_relation": "at least"},
}
ALL = [Constraint(id, EXAMPLES.get(id)) for id in CONSTRAINT_SETS["ifeval"]]
UNDETECTED = [c for c in ALL if c.id != "language:response_language" and not c.id.startswith("change_case:english")]
