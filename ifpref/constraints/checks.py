r"""One check an IFEval id, with IFEval's semantics exactly; `verify` applies them.

    two = Constraint("detectable_format:number_bullet_lists", {"num_bullets": 2})
    verify("Along the river:\n* one\n* two", [two])     # [True]

Decisions
- Strict is `bool(response.strip()) and check(response)`; loose is true where any of eight variants of the
  response passes (`loose_variants`). Verdicts are positional: a prompt may carry one id twice.
- Users' text (keywords, section words, postscript markers) is matched literally. IFEval uses it as a
  regular expression; the two are equal wherever it has no metacharacters, which is so in all of its data but
  the markers P.S. and P.P.S, and these have patterns of their own. So `a(b` cannot crash, nor `(a+)+` take
  for ever.
- Every check takes time linear in the response. Several of IFEval's patterns take quadratic time on unusual
  text (`\[.*?\]` on a run of brackets); where a check looks unlike its pattern, its docstring names the
  pattern, and tests/test_checks.py holds the two equal.
- A letter such as # or ! is counted as it stands; IFEval draws another letter at random for it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, lru_cache
from types import MappingProxyType

from ifpref.constraints import text as units
from ifpref.constraints.registry import Constraint


def verify(response: str, constraints: Iterable[Constraint], loose: bool = False) -> list[bool]:
    """Whether a response satisfies each constraint, in their order. Blank responses satisfy none.

    loose  accept any of `loose_variants(response)` instead of the response alone
    """
    if not isinstance(response, str):
        raise TypeError(f"a response must be a string, found {type(response).__name__}: {response!r:.80}")
    if loose:
        variants = [Response(text) for text in loose_variants(response)]
        return [any(CHECKS[c.id](variant, **c.kwargs) for variant in variants) for c in constraints]
    whole = Response(response)
    if not whole.stripped:
        return [False for _ in constraints]
    return [CHECKS[c.id](whole, **c.kwargs) for c in constraints]


def loose_variants(response: str) -> list[str]:
    """IFEval's loose variants: without the first line, the last, both; and each of the four without its `*`.

    Blank variants and repetitions are left out; the response itself comes first.
    """
    lines = response.split("\n")
    shortened = [response] + ["\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1])]
    variants = shortened + [text.replace("*", "") for text in shortened]
    return [text for text in dict.fromkeys(variants) if text.strip()]


class Response:
    """A response, and what several checks need of it, computed once and when it is asked for."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.stripped = text.strip()

    @cached_property
    def lower(self) -> str:
        return self.text.lower()

    @cached_property
    def lines(self) -> list[str]:
        return self.text.split("\n")

    @cached_property
    def folds_plainly(self) -> bool:
        """Whether an ASCII word matches with IGNORECASE just where its lower case stands in `lower`.

        Three characters match an ASCII letter and have another lower case (dotted I, dotless i, long s).
        """
        return self.text.isascii() or not any(character in self.text for character in "\u0130\u0131\u017f")

    def language_is(self, language: str) -> bool:
        """Whether langdetect sees this language, or nothing to go by: that passes any."""
        return units.detect_language(self.text) in (language, None)


@lru_cache(maxsize=4096)
def _literal(word: str, whole: bool = False) -> re.Pattern[str]:
    """The word as it stands, in any case; `whole`: not inside a longer word."""
    escaped = re.escape(word)
    return re.compile(rf"\b{escaped}\b" if whole else escaped, re.IGNORECASE)


def _contains(response: Response, word: str) -> bool:
    if word.isascii() and response.folds_plainly:
        return word.lower() in response.lower
    return _literal(word).search(response.text) is not None


def _compare(count: int, relation: str, number: int) -> bool:
    return count < number if relation == "less than" else count >= number


# ----------------------------------------------------------------------------------------------- keywords


def existence(response: Response, keywords: tuple[str, ...]) -> bool:
    """Every keyword occurs, also inside a longer word."""
    return all(_contains(response, keyword) for keyword in keywords)


def frequency(response: Response, keyword: str, frequency: int, relation: str) -> bool:
    """Occurrences that do not overlap, also inside longer words."""
    keyword = keyword.strip()
    if keyword.isascii() and response.folds_plainly:
        count = response.lower.count(keyword.lower())
    else:
        count = len(_literal(keyword).findall(response.text))
    return _compare(count, relation, frequency)


def forbidden_words(response: Response, forbidden_words: tuple[str, ...]) -> bool:
    r"""`\bword\b` of none: "cats" is allowed where cat is forbidden; "$5" never matches, so always passes."""
    return not any(
        _contains(response, word) and _literal(word, whole=True).search(response.text) for word in forbidden_words
    )


def letter_frequency(response: Response, letter: str, let_frequency: int, let_relation: str) -> bool:
    """A character, in either case; accented letters are letters of their own."""
    return _compare(response.lower.count(letter.lower()), let_relation, let_frequency)


# ------------------------------------------------------------------------------------ language and lengths


def response_language(response: Response, language: str) -> bool:
    """The one language langdetect sees in the whole text; a text without letters passes any."""
    return response.language_is(language)


def number_sentences(response: Response, num_sentences: int, relation: str) -> bool:
    """Sentences as Punkt divides them (text.py)."""
    return _compare(units.count_sentences(response.text), relation, num_sentences)


def number_words(response: Response, num_words: int, relation: str) -> bool:
    r"""Runs of `\w`."""
    return _compare(units.count_words(response.text), relation, num_words)


def number_paragraphs(response: Response, num_paragraphs: int) -> bool:
    r"""Exactly so many pieces around `\s?\*\*\*\s?`; a blank one is none at the ends, and fails in the middle."""
    filled = [bool(piece.strip()) for piece in response.text.split("***")]
    return all(filled[1:-1]) and sum(filled) == num_paragraphs


def nth_paragraph_first_word(response: Response, num_paragraphs: int, nth_paragraph: int, first_word: str) -> bool:
    """Exactly so many pieces around blank lines that are not blank; the nth of all begins with the word.

    The index runs over blank pieces too, as IFEval's does: a third line break in a row moves it.
    """
    pieces = response.text.split("\n\n")
    count = sum(bool(piece.strip()) for piece in pieces)
    if count != num_paragraphs or nth_paragraph > count or not pieces[nth_paragraph - 1].strip():
        return False
    first = pieces[nth_paragraph - 1].split()[0].lstrip("'").lstrip('"')
    word = re.split(r"""[.,?!'"]""", first)[0]
    # Letter by letter, as IFEval has it: the lower case of a word's last Σ is another letter.
    return "".join(map(str.lower, word)) == first_word.lower()


# --------------------------------------------------------------------------------------- content and format


def number_placeholders(response: Response, num_placeholders: int) -> bool:
    r"""At least so many `\[.*?\]`: closing brackets with an opening one since the last, in one line."""
    pieces = response.text.split("]")[:-1]
    return sum(piece.rfind("[") > piece.rfind("\n") for piece in pieces) >= num_placeholders


# Anywhere in the lower-cased text. IFEval's patterns also take the spaces before and the line after, which
# decides nothing. A marker of any other spelling, P.P.S. with its last period too, is matched as it stands.
_POSTSCRIPTS = {"P.S.": re.compile(r"p\.\s?s\."), "P.P.S": re.compile(r"p\.\s?p\.\s?s")}


def postscript(response: Response, postscript_marker: str) -> bool:
    marker = postscript_marker.strip()
    if marker in _POSTSCRIPTS:
        return _POSTSCRIPTS[marker].search(response.lower) is not None
    return marker.lower() in response.lower


def number_bullet_lists(response: Response, num_bullets: int) -> bool:
    r"""Exactly so many of `^\s*\*[^\*].*$` and `^\s*-.*$`: lines that begin with - or with one *.

    After a line that is a bare *, `[^\*]` takes the line break, and `.*` the whole next line.
    """
    count = 0
    lines = iter(response.lines)
    for line in lines:
        start = line.lstrip()[:2]
        if start == "*":
            count += next(lines, None) is not None
        elif start[:1] == "*" and start != "**":
            count += 1
    count += sum(line.lstrip().startswith("-") for line in response.lines)
    return count == num_bullets


_ANSWERS = ("My answer is yes.", "My answer is no.", "My answer is maybe.")


def constrained_response(response: Response) -> bool:
    """One of the three answers stands somewhere, in this very spelling."""
    return any(answer in response.text for answer in _ANSWERS)


_HIGHLIGHT = re.compile(r"\*([^\n*]*)\*")
_DOUBLE_HIGHLIGHT = re.compile(r"\*\*([^\n*]*)\*\*")


def number_highlighted_sections(response: Response, num_highlights: int) -> bool:
    """At least so many *x* and **x** that are not blank, counted apart: ***x*** is two."""
    found = _HIGHLIGHT.findall(response.text) + _DOUBLE_HIGHLIGHT.findall(response.text)
    return sum(bool(inside.strip()) for inside in found) >= num_highlights


@lru_cache(maxsize=4096)
def _section_heading(spliter: str) -> re.Pattern[str]:
    return re.compile(re.escape(spliter) + r"\s?\d+")


def multiple_sections(response: Response, section_spliter: str, num_sections: int) -> bool:
    r"""At least so many of the word and a number, in this very case; "see Section 2" is one too."""
    return len(_section_heading(section_spliter.strip()).findall(response.text)) >= num_sections


def json_format(response: Response) -> bool:
    """Any JSON value, in a code fence or not; what is nested too deep for Python's parser is none."""
    text = response.stripped
    for fence in ("```json", "```Json", "```JSON", "```"):
        text = text.removeprefix(fence)
    try:
        json.loads(text.removesuffix("```").strip())
    except (ValueError, RecursionError):
        return False
    return True


def title(response: Response) -> bool:
    r"""A `<<[^\n]+>>` that holds something: from the first << of a line to the last >>."""
    for line in response.lines:
        start, end = line.find("<<"), line.rfind(">>")
        if 0 <= start < end and line[start:end].lstrip("<").rstrip(">").strip():
            return True
    return False


# ---------------------------------------------------------------------------- combinations, start and end


def two_responses(response: Response) -> bool:
    """Two pieces around ******, not blank and not alike; a blank one may stand at either end only."""
    pieces = [piece.strip() for piece in response.text.split("******")]
    filled = [piece for piece in pieces if piece]
    return all(pieces[1:-1]) and len(filled) == 2 and filled[0] != filled[1]


def repeat_prompt(response: Response, prompt_to_repeat: str) -> bool:
    """Begins with the request, in any case; nothing need follow."""
    return response.stripped.lower().startswith(prompt_to_repeat.strip().lower())


def end_checker(response: Response, end_phrase: str) -> bool:
    """Ends with the phrase, in any case, straight quotation marks around the whole aside."""
    return response.stripped.strip('"').lower().endswith(end_phrase.strip().lower())


def quotation(response: Response) -> bool:
    """Straight double quotation marks first and last."""
    text = response.stripped
    return len(text) > 1 and text[0] == text[-1] == '"'


# --------------------------------------------------------------------------------- case and punctuation


def capital_word_frequency(response: Response, capital_frequency: int, capital_relation: str) -> bool:
    """Tokens of nltk's that are all capitals (text.py)."""
    return _compare(units.count_capital_words(response.text), capital_relation, capital_frequency)


def english_capital(response: Response) -> bool:
    """No lower-case letter, at least one capital, and English as langdetect sees it."""
    return response.text.isupper() and response.language_is("en")


def english_lowercase(response: Response) -> bool:
    """No capital letter, at least one lower-case one, and English as langdetect sees it."""
    return response.text.islower() and response.language_is("en")


def no_comma(response: Response) -> bool:
    """No ASCII comma."""
    return "," not in response.text


CHECKS: Mapping[str, Callable[..., bool]] = MappingProxyType(
    {
        f"{group}:{check.__name__}": check
        for group, checks in {
            "keywords": (existence, frequency, forbidden_words, letter_frequency),
            "language": (response_language,),
            "length_constraints": (
                number_sentences,
                number_paragraphs,
                number_words,
                nth_paragraph_first_word,
            ),
            "detectable_content": (number_placeholders, postscript),
            "detectable_format": (
                number_bullet_lists,
                constrained_response,
                number_highlighted_sections,
                multiple_sections,
                json_format,
                title,
            ),
            "combination": (two_responses, repeat_prompt),
            "startend": (end_checker, quotation),
            "change_case": (capital_word_frequency, english_capital, english_lowercase),
            "punctuation": (no_comma,),
        }.items()
        for check in checks
    }
)
"""The check of each id: `CHECKS[id](Response(text), **kwargs)`, for text that is not blank."""
