"""Words and letters: which must be there, how often, and which must not."""

import re
from collections.abc import Iterator

from ifpref.constraints.english import quote
from ifpref.constraints.needs import Bounds, Needs
from ifpref.constraints.registry import RELATION, Arg, Constraint, Counted, Kind, number
from ifpref.constraints.text import literal

LETTERS_PER_WORD = 4  # in an honest text: "Mississippi" has four of a letter, hardly a word has more


class Existence(Kind, id="keywords:existence"):
    """every keyword occurs, in any case, also inside a longer word"""

    keywords = Arg("texts", "the words to include")
    wordings = """
    Include the [keywords|keyword] {keywords} in your response.
    Make sure that the [words|word] {keywords} [appear|appears] in your response.
    Your answer must contain the [keywords|keyword] {keywords}.
    Use [each of the words|the word] {keywords} somewhere in your response.
    Work the [words|word] {keywords} into your text.
    Be sure to mention {keywords} at some point in your answer.
    The [words|word] {keywords} must be part of what you write.
    > Put the [words|word] {keywords} in it. / Use the [words|word] {keywords}. / It must have {keywords} in it.
    """

    def check(self, text: str, keywords: tuple[str, ...]) -> bool:
        return all(literal(keyword).search(text) for keyword in keywords)

    def need(self, needs: Needs, keywords: tuple[str, ...]) -> None:
        needs.mentions += [word for word in keywords if word not in needs.mentions]
        folded = dict.fromkeys(word.lower() for word in keywords)
        # A word inside another one of the list is there with that.
        needs.texts += [w for w in folded if not any(w != other and w in other for other in folded)]


class Frequency(Counted, id="keywords:frequency"):
    """a keyword occurs less than, or at least, so many times"""

    keyword = Arg("text", "the word to count, also inside longer words")
    frequency = number("occurrences")
    relation = RELATION
    wordings = """
    [Use|Do not use] the word {keyword} {times} in your response.
    The word {keyword} [should|should not] appear {times} in your response.
    Make sure that the word {keyword} [appears|does not appear] {times}.
    [Mention|Do not mention] the word {keyword} {times}.
    The keyword {keyword} [must|must not] be used {times} in your answer.
    In your response, [use|do not use] the keyword {keyword} {times}.
    Your text [should|should not] contain the word {keyword} {times}.
    > [Use|Do not use] the word {keyword} {times}. / [Say|Do not say] {keyword} {times}.
    > The word {keyword} [must|must not] come up {times}.
    """

    def count(self, text: str, keyword: str, **_) -> int:
        """Occurrences that do not overlap, also inside longer words."""
        return len(literal(keyword.strip()).findall(text))

    def need(self, needs: Needs, keyword: str, frequency: int, relation: str) -> None:
        word = keyword.strip()
        if relation == "at least":
            needs.mentions += [word] * (frequency - needs.mentions.count(keyword))
            needs.texts += [word] * frequency
        else:
            needs.capped[word.lower()] = frequency

    def conflicts(self, mine: Constraint, other: Constraint) -> Iterator[str]:
        for word, limit in mine.needs.capped.items():
            needed = sum(text.lower().count(word) for text in other.needs.texts)
            if mine.forbids_count(needed):
                yield f"{word!r} is required {needed} times and allowed less than {limit} times"


class ForbiddenWords(Kind, id="keywords:forbidden_words"):
    """none of the words occurs as a whole word"""

    forbidden_words = Arg("texts", "the words to avoid", joined="or")
    wordings = """
    Do not use the [words|word] {forbidden_words} in your response.
    Avoid using the [words|word] {forbidden_words}.
    Your response must not contain the [words|word] {forbidden_words}.
    Make sure not to include the [keywords|keyword] {forbidden_words}.
    Write your answer without the [words|word] {forbidden_words}.
    Please refrain from using the [words|word] {forbidden_words}.
    You may not use the [words|word] {forbidden_words} anywhere in your answer.
    > Do not use the [words|word] {forbidden_words}. / Never say {forbidden_words}.
    > Do not write {forbidden_words} in it.
    """

    def check(self, text: str, forbidden_words: tuple[str, ...]) -> bool:
        r"""`\bword\b` of none: "cats" is allowed where cat is forbidden; "$5" never matches, so always passes."""
        return not any(literal(word, whole=True).search(text) for word in forbidden_words)

    def need(self, needs: Needs, forbidden_words: tuple[str, ...]) -> None:
        needs.forbidden += forbidden_words

    def conflicts(self, mine: Constraint, other: Constraint) -> Iterator[str]:
        for word in mine.needs.forbidden:
            for text in other.needs.texts:
                if re.search(rf"\b{re.escape(word)}\b", text, re.IGNORECASE):
                    yield f"the forbidden word {word!r} stands in {text!r}, which is required"


class LetterFrequency(Counted, id="keywords:letter_frequency"):
    """a letter occurs less than, or at least, so many times, in either case"""

    letter = Arg("letter", "the character to count")
    let_frequency = number("occurrences")
    let_relation = RELATION
    wordings = """
    Your response [should|should not] have the {letter} in it {times}.
    [Use|Do not use] the {letter} {times} in your response.
    Make sure that the {letter} [appears|does not appear] {times}.
    In your response, the {letter}{cases} [must|must not] occur {times}.
    Your answer [should|should not] contain the {letter} {times}.
    [Include|Do not include] the {letter}{cases} {times} in what you write.
    Across the whole response, the {letter} [should|should not] be found {times}.
    > [Use|Do not use] the {letter} {times}. / The {letter} [must|must not] come up {times}.
    > It [must|must not] have the {letter} {times}.
    """

    def count(self, text: str, letter: str, **_) -> int:
        """A character, in either case; accented letters are letters of their own."""
        return text.lower().count(letter.lower())

    def need(self, needs: Needs, letter: str, **count) -> None:
        bounds = self.bounds(count)
        needs.letters.setdefault(letter.lower(), Bounds()).meet(bounds)
        if letter.isalpha():
            needs.least_words = max(needs.least_words, -(-bounds.low // LETTERS_PER_WORD))

    def conflicts(self, mine: Constraint, other: Constraint) -> Iterator[str]:
        ((letter, bounds),) = mine.needs.letters.items()
        if letter == "," and bounds.low and not other.needs.commas:
            yield "commas are counted and forbidden"
        in_texts = sum(text.lower().count(letter) for text in other.needs.texts)
        needed = max(in_texts, other.needs.letters.get(letter, Bounds()).low)
        if mine.forbids_count(needed):
            yield f"the letter {letter!r} is required {needed} times and allowed less than {mine.number} times"

    def slots(self, spelled: bool, letter: str, **_) -> dict[str, str]:
        """`letter "q"`, plain `letter q` where numbers are spelled, and `character "#"` for what is no letter."""
        name = f"letter {letter if spelled else quote(letter)}" if letter.isalpha() else f"character {quote(letter)}"
        return {"letter": name, "cases": ", in upper or lower case," if letter.lower() != letter.upper() else ""}
