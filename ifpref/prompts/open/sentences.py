"""English sentences around a topic, and the `Source` of the `open` domain.

Sentences are patterns with slots: words of the topic, the topic itself, and topic-free parts from
`vocabulary.py`. There are enough of them that a text of 600 words holds none twice, and about half name
neither the topic nor a word of it, so that a text can also avoid all of these. Verbs are in the past or
modal, which spares agreement in number; `a` is left out, since in capitals it counts as a word in capitals.
A required word goes where its part of speech belongs; a word of unknown kind is spoken of as a word.

    >>> source = OpenSource(topic)                       # topic: "a village bakery"
    >>> source.sentence(random.Random(0), about="queue")
    'The woman at the desk would have given anything for the queue.'
"""

from __future__ import annotations

import random
import re
from collections import deque

from ifpref.prompts.domain import Topic
from ifpref.prompts.open.vocabulary import (
    ADJECTIVES,
    ADVERBS,
    BLANKS,
    DID,
    FELT,
    LETTER_WORDS,
    NOUNS,
    OPENERS,
    QUALITY,
    THINGS,
    WHEN,
    WHERE,
    WHO,
)
from ifpref.witness.foreign import FOREIGN
from ifpref.witness.source import pick

_POOLS = {
    "who": WHO,
    "when": WHEN,
    "where": WHERE,
    "did": DID,
    "felt": FELT,
    "quality": QUALITY,
    "adverb": ADVERBS,
    "adjective": ADJECTIVES,
    "noun": THINGS,
}

Pattern = tuple[tuple[str, str], ...]
"""Pieces of text, each with the slot that follows it ("" at the end)."""


def _patterns(table: str) -> tuple[Pattern, ...]:
    """One pattern a line; `{slot}` names what is filled in."""
    patterns = []
    for line in table.strip().splitlines():
        pieces = re.split(r"\{(\w+)\}", line.strip())
        patterns.append(tuple(zip(pieces[::2], [*pieces[1::2], ""], strict=True)))
    return tuple(patterns)


# With a noun: a required one, or a word of the topic.
_NOUN = _patterns("""
    The {about} came first, and everything else followed {when}.
    Nobody {where} had expected the {about} to matter so much.
    {when} the {about} looked {quality}.
    {who} {did} the {about} {when}.
    {who} {adverb} {did} the {about} {where}.
    The {about} and the {noun} belonged together from the start.
    Without the {about} the whole thing would have fallen apart.
    {where} the {about} could surprise anybody.
    What would be left without the {about}?
    Did {who} ever really look at the {about}?
    Have you ever thought about the {about} {when}?
    Just think of the {about} {where}!
    Nothing about the {about} seemed {quality}, and yet {who} {did} it.
    {who} said that the {about} felt {quality}.
    It was the {about} that {who} remembered {when}.
    Of all the things {where}, the {about} deserved the closest look.
    The {about} should never be taken for granted.
    {when} {who} spoke about nothing but the {about}.
    If the {about} could talk, it would have plenty to say {where}.
    There was something {adjective} about the {about}, as {who} {adverb} admitted.
    Even the {about} had its place {where}.
    {who} kept the {about} in mind {when}.
    The {about} might look {quality} to some, but not to {who}.
    How {adjective} the {about} seemed {when}!
    First there was the {about}, then the {noun}, and then silence.
    {who} would have given anything for the {about}.
    The {about} taught {who} to wait.
    Every question led back to the {about} in the end.
    Between the {about} and the {noun} there was hardly any room.
    Could the {about} have been the reason for all this?
""")

_NOUN_SHORT = _patterns("""
    The {about} came first.
    Nobody forgot the {about}.
    Look at the {about}!
    Why the {about}?
    Everything began with the {about}.
    Everybody noticed the {about}.
    Remember the {about}!
    The {about} stayed.
    Only the {about} mattered.
    Who needed the {about}?
    Then came the {about}.
    The {about} was enough.
""")

# With the topic as it stands in the request.
_TOPIC = _patterns("""
    There is more to {topic} than people expect.
    {who} had plenty to say about {topic}.
    Much of this comes back to {topic}.
    Questions about {topic} rarely have simple answers.
    Stories about {topic} travel quickly.
    Few subjects are as {adjective} as {topic}.
    What would the world be without {topic}?
    {when} {who} spoke about {topic}, and nobody interrupted.
    {who} could not stop thinking about {topic}.
    Nobody with any experience of {topic} would disagree.
    Once you have heard about {topic}, you look at things differently.
    Here is what {who} said about {topic}: it was {quality}.
    Have you ever asked {who} about {topic}?
    When it comes to {topic}, patience helps more than haste.
    {who} {adverb} changed the subject, but {topic} kept coming up.
    It is easy to have opinions about {topic} and hard to have good ones.
""")

# With neither: these carry most of a long text, and all of one that must avoid the words of its topic.
_PLAIN = _patterns("""
    {who} arrived {when} and stayed longer than planned.
    It was {quality}, and {who} felt {felt}.
    {when} {who} felt {felt}.
    {who} {adverb} agreed.
    Nothing {where} seemed {quality} at first.
    It took {who} some time to understand why.
    The best part came {when}.
    Little by little things became {quality}.
    {who} listened {adverb}, and so did {who}.
    There was laughter {where}, and {who} joined in.
    Would {who} have guessed that?
    What could be more {adjective} than this?
    How {adjective} it all seemed {when}!
    {who} had never seen anything so {adjective}.
    {where} {who} waited {adverb} for news.
    {who} told {who} all about it {when}.
    That is how {who} came to feel {felt}.
    {when} everything changed.
    Some things looked {quality} until {who} explained them.
    {who} made the same mistake twice and laughed about it {when}.
    Not everybody {where} was convinced, but nobody left.
    One small step led to the next.
    {who} asked why, and the answer was {quality}.
    Is there anything more {adjective}?
    {where} it was quiet enough to hear every word.
    {who} wrote everything down {when}.
    Others would have given up, but {who} tried again {when}.
    That was {quality}!
    {who} {did} the {noun} {where}.
    {when} {who} {adverb} {did} the {adjective} {noun}.
    The {noun} {where} looked {quality}.
    The {adjective} {noun} helped more than {who} expected.
    Good habits begin with small decisions {where}.
    {who} shared the news {adverb}, though it was {quality}.
    By then it hardly mattered who had been right.
    Of course {who} wanted to know more.
    {who} promised to come back {when}.
    {where} {who} found time to rest and think.
    The rest was {quality}, or so {who} said.
    Patience turned out to be more useful than talent {where}.
    What happened next was {quality}.
    Could it have gone differently?
    Nobody had told {who} how {adjective} it would be.
    If you ask {who}, the secret is to begin early.
    {who} knew exactly what to do.
    {who} kept coming back to it, and rightly so.
""")

_PLAIN_SHORT = _patterns("""
    Time passed quietly.
    Everybody agreed.
    Nobody objected.
    That was enough.
    It felt right.
    Who could have known?
    What luck!
    Everything seemed {adjective}.
    The evening was {adjective}.
    Then it rained.
    Nothing was lost.
    Some people smiled.
    Was it worth it?
    It mattered.
    Things changed slowly.
    The {noun} helped.
    How {adjective} it was!
    Others waited {adverb}.
    They answered {adverb}.
    Where was the {noun}?
    Nobody mentioned the {noun}.
    Everything had its price.
""")

_ADJECTIVE = _patterns("""
    {when} everything looked {about}.
    {who} called it {about}, and rightly so.
    It felt {about} {where}.
    The {about} {noun} helped more than {who} expected.
    What could be more {about} than the {word}?
    {who} {did} the {about} {word} {when}.
    How {about} the {word} seemed {when}!
    Nothing {where} was as {about} as the {word}.
    There was something {about} about the {noun}.
    {who} liked the {about} {word} best.
""")

_ADJECTIVE_SHORT = _patterns("""
    It was {about}.
    How {about}!
    Everything looked {about}.
    Was it {about}?
    Nothing stayed {about}.
    The {noun} seemed {about}.
""")

_ADVERB = _patterns("""
    {who} {about} {did} the {word} {when}.
    {who} {about} agreed {where}.
    {when} {who} {about} returned to the {word}.
    {where} {who} waited {about}.
    Could it be done more {about} than {when}?
    {who} listened {about}, and so did {who}.
    {about}, {who} {did} the {noun}.
""")

_ADVERB_SHORT = _patterns("""
    Everybody listened {about}.
    They answered {about}.
    Time passed {about}.
    Who waited so {about}?
    It ended {about}.
""")

# The first word of a sentence, with and without the comma that some writers put after it.
_OPENER = _patterns("""
    {about} {who} {did} the {word} {where}.
    {about} the {word} looked {quality}.
    {about} nobody {did} the {word} {when}.
    {about} it all came back to the {word}.
    {about} {who} felt {felt} {where}.
    {about}, {who} {did} the {noun} {where}.
    {about}, there was more to the {word} than {who} expected.
    {about} there was time for the {word}.
    {about} {who} {adverb} {did} the {adjective} {word}.
""")

_OPENER_SHORT = _patterns("""
    {about} it was enough.
    {about} everybody agreed.
    {about} it felt right.
    {about} the {word} mattered.
    {about} things changed slowly.
""")

# For a word of any kind, also a name or a word in another language.
_ANY = _patterns("""
    {who} wrote the word {about} {where}.
    {when} somebody mentioned {about}, and {who} nodded.
    The word {about} says it best {when}.
    Is {about} the right word here?
    {who} could not explain what the word {about} meant {where}.
    Without the word {about} the story would be incomplete.
    {who} asked about {about}, and the answer was {quality}.
    One name kept coming up {where}, and it was {about}.
    Whenever {who} heard {about}, everybody looked up.
    There it was again {where}: {about}, in {adjective} letters.
""")

_ANY_SHORT = _patterns("""
    Remember the word {about}!
    Why say {about}?
    Somebody whispered {about}.
    The word was {about}.
    Everybody understood {about}.
    Nobody said {about} again.
""")

_PHRASES = _patterns("""
    the {adjective} {word}
    {adjective} {word}
    {word} and {other}
    more {word}
    the {word} itself
    beyond the {word}
    the {word} first
    one {adjective} {word}
    the {word} of tomorrow
    {word} without {other}
    the {noun} and {word}
    {adverb} does it
    the {adjective} {noun}
    time for the {word}
    no {word} today
    {adjective} but {adjective}
    enough {word} for everybody
    the last {word}
    {word} after {word}
""")

_BY_PART: dict[str, tuple[tuple[Pattern, ...], tuple[Pattern, ...]]] = {
    "noun": (_NOUN, _NOUN_SHORT),
    "adjective": (_ADJECTIVE, _ADJECTIVE_SHORT),
    "adverb": (_ADVERB, _ADVERB_SHORT),
    "opener": (_OPENER, _OPENER_SHORT),
    "any": (_ANY, _ANY_SHORT),
}

# Later lists win where a word stands in two.
_PARTS: dict[str, str] = {
    word: part
    for part, words in (
        ("noun", [word for row in LETTER_WORDS.values() for word in row]),
        ("noun", NOUNS),
        ("adjective", ADJECTIVES),
        ("adverb", ADVERBS),
        ("opener", OPENERS),
    )
    for word in words
}

# How often a free sentence holds a word of the topic, the topic itself, or neither.
_SHARE_WORD, _SHARE_TOPIC = 0.35, 0.12

# How many patterns a source remembers, and how often it draws again when it comes upon one of them.
_MEMORY, _REDRAWS = 16, 3


class OpenSource:
    """Sentences, phrases, words and labels on one topic (see `ifpref.witness.source.Source`).

    A fresh one begins a text: its first free sentence names the topic. It avoids the patterns it used last.
    """

    __slots__ = ("_begun", "_recent", "_words", "topic")

    languages: tuple[str, ...] = ("en", *FOREIGN)

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self._words = frozenset(topic.words)
        self._begun = False
        self._recent: deque[Pattern] = deque(maxlen=_MEMORY)

    def fresh(self) -> OpenSource:
        """A source for a new text on the same topic."""
        return OpenSource(self.topic)

    def sentence(
        self, rng: random.Random, *, language: str = "en", about: str | None = None, short: bool = False
    ) -> str:
        """One sentence; `about` is a word it holds as it is given, `short` at most 5 words (6 with `about`).

        Raises KeyError for a language that is not in `languages`.
        """
        if language != "en":
            return FOREIGN[language].sentence(rng, about=about, short=short)
        if about is not None:
            part = "noun" if about in self._words else _PARTS.get(about.lower(), "any")
            patterns = _BY_PART[part][short]
        elif not self._begun and not short:
            self._begun, patterns = True, _TOPIC
        elif (draw := rng.random()) < _SHARE_WORD:
            patterns, about = (_NOUN, _NOUN_SHORT)[short], pick(rng, self.topic.words)
        elif short:
            patterns = _PLAIN_SHORT
        else:
            patterns = _TOPIC if draw < _SHARE_WORD + _SHARE_TOPIC else _PLAIN
        pattern = pick(rng, patterns)
        for _ in range(_REDRAWS):
            if pattern not in self._recent:
                break
            pattern = pick(rng, patterns)
        self._recent.append(pattern)
        text = self._fill(rng, pattern, about)
        return text[0].upper() + text[1:]

    def opening(self, rng: random.Random, *, short: bool = False) -> str:
        """A first sentence: it names the topic, or, when short, a word of it."""
        if short:
            return self.sentence(rng, about=pick(rng, self.topic.words), short=True)
        self._begun = False
        return self.sentence(rng)

    def phrase(self, rng: random.Random, *, language: str = "en") -> str:
        """Two to four words, in lower case in English; raises KeyError for an unknown language."""
        if language != "en":
            return FOREIGN[language].phrase(rng)
        return self._fill(rng, pick(rng, _PHRASES), None)

    def word(self, rng: random.Random, letter: str) -> str:
        """A noun that is rich in the letter; raises KeyError for anything but a letter from a to z."""
        return pick(rng, LETTER_WORDS[letter.lower()])

    def blank(self, rng: random.Random) -> str:
        """The label of a placeholder, such as `name`."""
        return pick(rng, BLANKS)

    def _fill(self, rng: random.Random, pattern: Pattern, about: str | None) -> str:
        """The pattern with its slots filled; no two slots of one sentence hold the same entry."""
        parts: list[str] = []
        used = {about}
        for text, slot in pattern:
            parts.append(text)
            if slot == "about":
                parts.append(about)
            elif slot == "topic":
                parts.append(self.topic.text)
            elif slot:
                pool = self.topic.words if slot in ("word", "other") else _POOLS[slot]
                while (entry := pick(rng, pool)) in used:
                    pass
                used.add(entry)
                parts.append(entry)
        return "".join(parts)
