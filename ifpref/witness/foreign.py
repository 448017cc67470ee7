"""Sentences in other languages, for `language:response_language`.

Seventeen of the thirty languages that IFEval asks for: those whose sentences could be written without
errors. Two statements are often joined into one sentence, which makes some hundreds out of 35; a required
English word stands in a sentence about that word. Texts of three sentences or more are recognised by
langdetect as their language (the tests hold this at 95 % and above).

The texts are in `data/witness`. They are the same simple, general statements everywhere, so that they can follow
any request. A language has `links` (how two statements become one sentence; `{second}` begins in lower case where
the script has it), complete `sentences`, sentences `about` a quoted word, and `phrases`. In each language a
sentence ends in `.`, `!` or `?`, also where another mark is customary (Hindi), because these are what the
constraints count. No hyphens, digits or quotation marks; no sentence begins with a word of one letter, which
would be a word in capitals.

    >>> FOREIGN["de"].sentence(random.Random(0), about="bakery")
    'Gestern sprachen alle über bakery.'
"""

import random
from dataclasses import dataclass
from types import MappingProxyType

from ifpref.data import read_sections
from ifpref.witness.source import lower_first, pick

# How often a sentence joins two statements.
_SHARE_LINKED = 0.4


@dataclass(frozen=True)
class Language:
    """What there is in one language: complete sentences, patterns about a word, phrases.

    links       how two statements are joined; `{second}`, and `{first}` where it comes first
    sentences   complete sentences
    about       sentences with `{about}`, the place of a word in another language
    phrases     1 to 4 words without end punctuation
    """

    links: tuple[str, ...]
    sentences: tuple[str, ...]
    about: tuple[str, ...]
    phrases: tuple[str, ...]

    def sentence(self, rng: random.Random, *, about: str | None = None, short: bool = False) -> str:
        """One sentence; `about` is a word it holds as given, `short` at most 5 words (6 with `about`)."""
        texts, longest = (self.sentences, 5) if about is None else (self.about, 6)
        text = pick(rng, [text for text in texts if not short or len(text.split()) <= longest])
        text = text.replace("{about}", about or "")
        if short or not text.endswith(".") or rng.random() >= _SHARE_LINKED:
            return text
        statements = [text for text in self.sentences if text.endswith(".")]
        link, other = pick(rng, self.links), pick(rng, statements)
        if "{first}" not in link:
            return link.replace("{second}", lower_first(text))
        while other == text:
            other = pick(rng, statements)
        # The second first: `first` may hold any word, even one in braces.
        return link.replace("{second}", lower_first(other)).replace("{first}", text[:-1])

    def phrase(self, rng: random.Random) -> str:
        """One to four words without end punctuation."""
        return pick(rng, self.phrases)


def _languages() -> dict[str, Language]:
    """The languages of the table, whose headings are a code and a field of `Language`."""
    fields: dict[str, dict[str, tuple[str, ...]]] = {}
    for heading, texts in read_sections("witness/foreign.txt").items():
        code, field = heading.split()
        fields.setdefault(code, {})[field] = texts
    return {code: Language(**texts) for code, texts in fields.items()}


FOREIGN = MappingProxyType(_languages())
"""By ISO code, in the order of the data."""
