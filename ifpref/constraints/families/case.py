"""Letter case and punctuation: words in capitals, all capitals, all lower case, no comma."""

from collections.abc import Callable, Iterator
from typing import ClassVar

from ifpref.constraints.registry import RELATION, Constraint, Counted, Kind, number
from ifpref.constraints.text import count_capital_words, is_language


class CapitalWordFrequency(Counted, id="change_case:capital_word_frequency"):
    """less than, or at least, so many words all in capitals"""

    capital_frequency = number("words in capitals", "word")
    capital_relation = RELATION
    wordings = """
    [Use|Do not use] {words} written in capital letters only.
    Words in all capital letters [should|should not] appear {times} in your response.
    Your response [should|should not] have {words} made of capitals alone.
    [Write|Do not write] {words} of your answer in all caps.
    Words without a single small letter, such as "NASA" or "I", [must|must not] occur {times}.
    [Include|Do not include] {words} in which every letter is a capital.
    There [should|should not] be {words} written entirely in capitals in your response.
    > [Use|Do not use] {words} in all caps. / [Put|Do not put] {words} in all capitals.
    > It [must|must not] have {words} in all caps.
    """
    unit = "capitals"

    def count(self, text: str, **_) -> int:
        """Tokens of nltk's that are all capitals (text.py)."""
        return count_capital_words(text)

    def conflicts(self, mine: Constraint, other: Constraint) -> Iterator[str]:
        in_texts = sum(word.isupper() for text in other.needs.exact_texts for word in text.split())
        needed = max(in_texts, other.needs.capitals.low)
        if mine.forbids_count(needed):
            yield f"{needed} words in capitals or more, and less than {mine.number}"


class EnglishCase(Kind):
    """What the two kinds of letter case share.

    change  puts a text into that case
    others  the letters there are none of then
    """

    change: ClassVar[Callable[[str], str]]
    others: ClassVar[str]

    def conflicts(self, mine: Constraint, other: Constraint) -> Iterator[str]:
        texts = other.needs.exact_texts
        yield from (f"{text!r} has {self.others} letters" for text in texts if text != self.change(text))
        if not other.needs.in_english:
            yield f"the text must be English and be in {other.needs.language!r}"


class EnglishCapital(EnglishCase, id="change_case:english_capital"):
    """English, all in capital letters"""

    wordings = """
    Everything in your response should be English, written in capital letters.
    Write in English, using capital letters only.
    Answer in English with every letter capitalized; no lowercase letters are allowed.
    Make sure that the whole response is in English and IN ALL CAPS.
    Please use only uppercase letters throughout your answer, and write it in English.
    Respond in English without a single lowercase letter.
    > Write it in English in all caps. / Use only capital letters, in English.
    > Write in English with no small letters.
    """
    asks, change, others = ("case", "upper"), staticmethod(str.upper), "lower-case"

    def check(self, text: str) -> bool:
        """No lower-case letter, at least one capital, and English as langdetect sees it."""
        return text.isupper() and is_language(text, "en")

    def conflicts(self, mine: Constraint, other: Constraint) -> Iterator[str]:
        if other.needs.capitals.high <= 1:
            yield "every word is in capitals, and no word may be"
        yield from super().conflicts(mine, other)


class EnglishLowercase(EnglishCase, id="change_case:english_lowercase"):
    """English, all in lower-case letters"""

    wordings = """
    Everything in your response should be English, written in lowercase letters.
    Write in English, using lowercase letters only.
    Answer in English, with no capital letters anywhere.
    Make sure that the whole response is in English and that every letter is lowercase.
    Please use no uppercase letters at all in your answer, and write it in English.
    Respond in English without a single capital letter, not even at the start of a sentence.
    > Write it in English in small letters. / Use only small letters, in English.
    > Write in English with no capital letters.
    """
    asks, change, others = ("case", "lower"), staticmethod(str.lower), "capital"

    def check(self, text: str) -> bool:
        """No capital letter, at least one lower-case one, and English as langdetect sees it."""
        return text.islower() and is_language(text, "en")

    def conflicts(self, mine: Constraint, other: Constraint) -> Iterator[str]:
        if other.needs.case == "upper":
            yield "all capitals and all lower case"
        if other.needs.capitals.low:
            yield "words in capitals are required in a text without capitals"
        yield from super().conflicts(mine, other)


class NoComma(Kind, id="punctuation:no_comma"):
    """no comma"""

    wordings = """
    Use no commas in your response.
    Refrain from using commas.
    Your entire response must not contain a single comma.
    Write your answer without commas.
    Please avoid commas altogether.
    Make sure that there are no commas anywhere in your response.
    Commas are not allowed in your answer.
    > No commas. / Do not use commas. / Write it with no commas.
    """
    asks = ("commas", False)

    def check(self, text: str) -> bool:
        """No ASCII comma."""
        return "," not in text

    def conflicts(self, mine: Constraint, other: Constraint) -> Iterator[str]:
        for text in other.needs.texts:
            if "," in text:
                name = "the end phrase" if text == other.needs.end else "the required text"
                yield f"{name} {text!r} holds a comma"
