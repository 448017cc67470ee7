"""Lengths: how many sentences, words and paragraphs, and how a paragraph begins."""

import re
from collections.abc import Iterator

from ifpref.constraints.english import ordinal
from ifpref.constraints.needs import Needs
from ifpref.constraints.registry import RELATION, Arg, Constraint, Counted, Kind, number
from ifpref.constraints.text import count_sentences, count_words

WORDS_PER_SENTENCE = 3  # in an honest text: "Rain fell fast." is a sentence, "Yes." over and over is none


class NumberSentences(Counted, id="length_constraints:number_sentences"):
    """less than, or at least, so many sentences"""

    num_sentences = number("sentences", "sentence")
    relation = RELATION
    wordings = """
    Your response [needs to|must not] contain {sentences}.
    [Write|Do not write] {sentences}.
    Make sure that your answer [has|does not have] {sentences}.
    [Answer in|Answer without] {sentences}.
    Your answer [must|must not] be made up of {sentences}.
    [Use|Do not use] {sentences} in your response.
    The whole response [should|should not] have {sentences}.
    > [Write|Do not write] {sentences}. / [Use|Do not use] {sentences}. / It [must|must not] have {sentences}.
    """
    unit, words_each, fewest = "sentences", WORDS_PER_SENTENCE, 1

    def count(self, text: str, **_) -> int:
        """Sentences as Punkt divides them (text.py)."""
        return count_sentences(text)

    def conflicts(self, mine: Constraint, other: Constraint) -> Iterator[str]:
        needed = other.needs.sentences.low
        if mine.forbids_count(needed):
            yield f"{needed} sentences or more, and less than {mine.number}"


class NumberParagraphs(Counted, id="length_constraints:number_paragraphs"):
    """exactly so many paragraphs, divided by ***"""

    num_paragraphs = number("paragraphs", "paragraph", low=1)
    wordings = """
    Write exactly {paragraphs} and [put the markdown divider *** between them|leave out the markdown divider ***].
    There should be exactly {paragraphs} in your response, [separated by ***|with no *** in it].
    [Use the divider *** to split your response into|Do not use the divider ***: write] exactly {paragraphs}.
    Your answer must have exactly {paragraphs}, [divided by three asterisks (***)|without any divider (***)].
    Give exactly {paragraphs}, with [the markdown divider *** between one and the next|no markdown divider ***].
    Structure your answer as exactly {paragraphs} with [a line of asterisks, ***, between them|no line of ***].
    > Write exactly {paragraphs} with [*** between them|no ***]. / Make {paragraphs}, [split by ***|with no ***].
    > [Put *** between paragraphs|Do not use ***], and write {paragraphs}.
    """
    unit, compares = "paragraphs", "exactly"

    def count(self, text: str, **_) -> int:
        r"""Pieces around `\s?\*\*\*\s?`; a blank one is none at the ends, and not allowed in the middle."""
        filled = [bool(piece.strip()) for piece in text.split("***")]
        return sum(filled) if all(filled[1:-1]) else -1

    def conflicts(self, mine: Constraint, other: Constraint) -> Iterator[str]:
        if other.needs.two_responses:
            yield "the divider ****** holds *** twice, with an empty paragraph between"
        yield from super().conflicts(mine, other)


class NumberWords(Counted, id="length_constraints:number_words"):
    """less than, or at least, so many words"""

    num_words = number("words", "word")
    relation = RELATION
    wordings = """
    Your response [needs to be|must be without] {words}[ long|].
    [Write|Do not write] {words}.
    [Answer in|Answer without] {words}.
    Make sure that the whole response [has|does not have] {words}.
    [The length of your response should be|Your response must not have] {words}.
    [Use {words} in total|Do not use {words}].
    Your answer as a whole [must|must not] have {words}.
    > [Write|Do not write] {words}. / [Use|Do not use] {words}. / It [must|must not] have {words}.
    """
    unit = "words"

    def count(self, text: str, **_) -> int:
        r"""Runs of `\w`."""
        return count_words(text)

    def conflicts(self, mine: Constraint, other: Constraint) -> Iterator[str]:
        needed = other.needs.minimum_words
        if mine.forbids_count(needed):
            yield f"{other.id} needs {needed} words or more, and less than {mine.number} are allowed"


_ENDS_FIRST_WORD = r"""[.,?!'"]"""


def _first_word(text: str) -> str:
    return re.split(_ENDS_FIRST_WORD, text.split()[0].lstrip("'").lstrip('"'))[0]


class NthParagraphFirstWord(Kind, id="length_constraints:nth_paragraph_first_word"):
    """exactly so many paragraphs divided by blank lines, the nth of which begins with a given word"""

    num_paragraphs = number("paragraphs", "paragraph", low=1)
    nth_paragraph = number("the paragraph that is looked at, counted from 1", low=1)
    first_word = Arg("text", "its first word")
    wordings = """
    Write exactly {paragraphs}[, separated by two line breaks|], and start the {ordinal} paragraph with the word \
    {first_word}.
    There should be exactly {paragraphs}[ with two line breaks between them|], and paragraph {nth} must start \
    with the word {first_word}.
    [Put two line breaks between paragraphs, write|Write] exactly {paragraphs}, and begin the {ordinal} with \
    {first_word}.
    Answer in exactly {paragraphs}[, split by blank lines|]; the {ordinal} must begin with the word {first_word}.
    Use exactly {paragraphs}[, separated by blank lines|], the {ordinal} of which starts with {first_word}.
    Give exactly {paragraphs}[, with a blank line between one and the next|], and open the {ordinal} with \
    the word {first_word}.
    > Write {paragraphs}[ with blank lines between|]; start paragraph {nth} with {first_word}.
    > Start paragraph {nth} of {paragraphs}[, split by blank lines,|] with {first_word}.
    > Make {paragraphs}[, split by blank lines|]; the {ordinal} starts with {first_word}.
    """
    compares = "exactly"

    def check(self, text: str, num_paragraphs: int, nth_paragraph: int, first_word: str) -> bool:
        """Exactly so many pieces around blank lines that are not blank; the nth of all begins with the word.

        The index runs over blank pieces too, as IFEval's does: a third line break in a row moves it.
        """
        pieces = text.split("\n\n")
        count = sum(bool(piece.strip()) for piece in pieces)
        if count != num_paragraphs or nth_paragraph > count or not pieces[nth_paragraph - 1].strip():
            return False
        word = _first_word(pieces[nth_paragraph - 1])
        # Letter by letter, as IFEval has it: the lower case of a word's last Σ is another letter.
        return "".join(map(str.lower, word)) == first_word.lower()

    def invalid(self, num_paragraphs: int, nth_paragraph: int, first_word: str) -> Iterator[str]:
        if nth_paragraph > num_paragraphs:
            yield f"nth_paragraph must be from 1 to num_paragraphs ({num_paragraphs}), found {nth_paragraph}"

    def need(self, needs: Needs, num_paragraphs: int, nth_paragraph: int, first_word: str) -> None:
        needs.pieces.meet(self.bounds({"num_paragraphs": num_paragraphs}))
        needs.first_words[nth_paragraph] = first_word
        needs.texts.append(first_word)
        needs.least_words = max(needs.least_words, num_paragraphs)

    def impossible(self, first_word: str, **_) -> Iterator[str]:
        if re.search(rf"\s|{_ENDS_FIRST_WORD}", first_word):
            yield f"no first word can hold a space or any of . , ? ! ' \" as {first_word!r} does"

    def conflicts(self, mine: Constraint, other: Constraint) -> Iterator[str]:
        ((nth, word),) = mine.needs.first_words.items()
        if other.needs.first_words.get(nth, word) != word:
            yield f"paragraph {nth} cannot begin with two words"
        yield from super().conflicts(mine, other)
        if nth == 1 and other.needs.opening and _first_word(other.needs.opening).lower() != word.lower():
            yield f"the request, which comes first, does not begin with {word!r}"

    def slots(self, spelled: bool, nth_paragraph: int, **_) -> dict[str, str]:
        return {"nth": str(nth_paragraph), "ordinal": ordinal(nth_paragraph, spelled)}
