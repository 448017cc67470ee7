r"""IFEval's semantics used plainly, as the reference is: what the checks are measured against, and held equal to.

Written from the description in ../shared/ifeval/SEMANTICS.md. Everything is done where it is asked for and kept
nowhere: a new checker object per check, `nltk.word_tokenize`, langdetect without a cache, users' text as a
regular expression, patterns that take quadratic time on some text. Punkt's boundaries are those of the nltk
that is installed, so equality needs nltk 3.9.x and its Punkt data.

    check("length_constraints:number_words", {"num_words": 3, "relation": "less than"}, "Two words.", loose=False)
"""

from __future__ import annotations

import collections
import json
import re

import langdetect
import nltk
from nltk.tokenize.punkt import PunktTokenizer


def check(id: str, kwargs: dict, response: str, loose: bool = False) -> bool:
    """One verdict."""
    checker = CHECKERS[id](**kwargs)
    return any(text.strip() and checker.check(text) for text in (variants(response) if loose else [response]))


def variants(response: str) -> list[str]:
    lines = response.split("\n")
    first = "\n".join(lines[1:]).strip()
    last = "\n".join(lines[:-1]).strip()
    both = "\n".join(lines[1:-1]).strip()
    texts = [response, first, last, both]
    return texts + [text.replace("*", "") for text in texts]


def compare(count: int, relation: str, number: int) -> bool:
    if relation == "less than":
        return count < number
    if relation == "at least":
        return count >= number
    raise ValueError(relation)


def detect(text: str) -> str | None:
    langdetect.DetectorFactory.seed = 0
    try:
        return langdetect.detect(text)
    except langdetect.LangDetectException:
        return None


class Checker:
    def __init__(self, **kwargs) -> None:
        self.__dict__.update(kwargs)


class Existence(Checker):
    def check(self, text):
        return all(re.search(keyword, text, flags=re.IGNORECASE) for keyword in self.keywords)


class Frequency(Checker):
    def check(self, text):
        count = len(re.findall(self.keyword.strip(), text, flags=re.IGNORECASE))
        return compare(count, self.relation, self.frequency)


class ForbiddenWords(Checker):
    def check(self, text):
        words = sorted(set(self.forbidden_words))
        return not any(re.search(r"\b" + word + r"\b", text, flags=re.IGNORECASE) for word in words)


class LetterFrequency(Checker):
    def check(self, text):
        letters = collections.Counter(text.lower())
        return compare(letters[self.letter.lower()], self.let_relation, self.let_frequency)


class ResponseLanguage(Checker):
    def check(self, text):
        return detect(text) in (self.language, None)


class NumberSentences(Checker):
    tokenizer = None  # loaded once, as the reference does

    def check(self, text):
        NumberSentences.tokenizer = NumberSentences.tokenizer or PunktTokenizer("english")
        return compare(len(self.tokenizer.tokenize(text)), self.relation, self.num_sentences)


class NumberParagraphs(Checker):
    def check(self, text):
        pieces = re.split(r"\s?\*\*\*\s?", text)
        count = len(pieces)
        for index, piece in enumerate(pieces):
            if not piece.strip():
                if index in (0, len(pieces) - 1):
                    count -= 1
                else:
                    return False
        return count == self.num_paragraphs


class NumberWords(Checker):
    def check(self, text):
        count = len(nltk.tokenize.RegexpTokenizer(r"\w+").tokenize(text))
        return compare(count, self.relation, self.num_words)


class NthParagraphFirstWord(Checker):
    def check(self, text):
        pieces = re.split(r"\n\n", text)
        count = sum(1 for piece in pieces if piece.strip())
        if self.nth_paragraph > count:
            return False
        piece = pieces[self.nth_paragraph - 1].strip()
        if not piece:
            return False
        word = piece.split()[0].strip().lstrip("'").lstrip('"')
        first = ""
        for letter in word:
            if letter in {".", ",", "?", "!", "'", '"'}:
                break
            first += letter.lower()
        return count == self.num_paragraphs and first == self.first_word.lower()


class NumberPlaceholders(Checker):
    def check(self, text):
        return len(re.findall(r"\[.*?\]", text)) >= self.num_placeholders


class Postscript(Checker):
    def check(self, text):
        text = text.lower()
        if self.postscript_marker == "P.P.S":
            pattern = r"\s*p\.\s?p\.\s?s.*$"
        elif self.postscript_marker == "P.S.":
            pattern = r"\s*p\.\s?s\..*$"
        else:
            pattern = r"\s*" + self.postscript_marker.lower() + r".*$"
        return bool(re.findall(pattern, text, flags=re.MULTILINE))


class NumberBulletLists(Checker):
    def check(self, text):
        stars = re.findall(r"^\s*\*[^\*].*$", text, flags=re.MULTILINE)
        dashes = re.findall(r"^\s*-.*$", text, flags=re.MULTILINE)
        return len(stars) + len(dashes) == self.num_bullets


class ConstrainedResponse(Checker):
    def check(self, text):
        text = text.strip()
        return any(answer in text for answer in ("My answer is yes.", "My answer is no.", "My answer is maybe."))


class NumberHighlightedSections(Checker):
    def check(self, text):
        count = 0
        for found in re.findall(r"\*[^\n\*]*\*", text):
            if found.strip("*").strip():
                count += 1
        for found in re.findall(r"\*\*[^\n\*]*\*\*", text):
            if found.removeprefix("**").removesuffix("**").strip():
                count += 1
        return count >= self.num_highlights


class MultipleSections(Checker):
    def check(self, text):
        pattern = r"\s?" + self.section_spliter.strip() + r"\s?\d+\s?"
        return len(re.split(pattern, text)) - 1 >= self.num_sections


class JsonFormat(Checker):
    def check(self, text):
        text = text.strip()
        for fence in ("```json", "```Json", "```JSON", "```"):
            text = text.removeprefix(fence)
        text = text.removesuffix("```").strip()
        try:
            json.loads(text)
        except ValueError:
            return False
        return True


class Title(Checker):
    def check(self, text):
        titles = re.findall(re.compile(r"<<[^\n]+>>"), text)
        return any(title.lstrip("<").rstrip(">").strip() for title in titles)


class TwoResponses(Checker):
    def check(self, text):
        pieces = text.split("******")
        filled = []
        for index, piece in enumerate(pieces):
            if piece.strip():
                filled.append(piece)
            elif index not in (0, len(pieces) - 1):
                return False
        return len(filled) == 2 and filled[0].strip() != filled[1].strip()


class RepeatPrompt(Checker):
    def check(self, text):
        return text.strip().lower().startswith(self.prompt_to_repeat.strip().lower())


class EndChecker(Checker):
    def check(self, text):
        return text.strip().strip('"').lower().endswith(self.end_phrase.strip().lower())


class Quotation(Checker):
    def check(self, text):
        text = text.strip()
        return len(text) > 1 and text[0] == '"' and text[-1] == '"'


class CapitalWordFrequency(Checker):
    def check(self, text):
        capitals = [word for word in nltk.word_tokenize(text) if word.isupper()]
        return compare(len(capitals), self.capital_relation, self.capital_frequency)


class EnglishCapital(Checker):
    def check(self, text):
        return text.isupper() and detect(text) in ("en", None)


class EnglishLowercase(Checker):
    def check(self, text):
        return text.islower() and detect(text) in ("en", None)


class NoComma(Checker):
    def check(self, text):
        return not re.search(r"\,", text)


CHECKERS = {
    "keywords:existence": Existence,
    "keywords:frequency": Frequency,
    "keywords:forbidden_words": ForbiddenWords,
    "keywords:letter_frequency": LetterFrequency,
    "language:response_language": ResponseLanguage,
    "length_constraints:number_sentences": NumberSentences,
    "length_constraints:number_paragraphs": NumberParagraphs,
    "length_constraints:number_words": NumberWords,
    "length_constraints:nth_paragraph_first_word": NthParagraphFirstWord,
    "detectable_content:number_placeholders": NumberPlaceholders,
    "detectable_content:postscript": Postscript,
    "detectable_format:number_bullet_lists": NumberBulletLists,
    "detectable_format:constrained_response": ConstrainedResponse,
    "detectable_format:number_highlighted_sections": NumberHighlightedSections,
    "detectable_format:multiple_sections": MultipleSections,
    "detectable_format:json_format": JsonFormat,
    "detectable_format:title": Title,
    "combination:two_responses": TwoResponses,
    "combination:repeat_prompt": RepeatPrompt,
    "startend:end_checker": EndChecker,
    "startend:quotation": Quotation,
    "change_case:capital_word_frequency": CapitalWordFrequency,
    "change_case:english_capital": EnglishCapital,
    "change_case:english_lowercase": EnglishLowercase,
    "punctuation:no_comma": NoComma,
}
