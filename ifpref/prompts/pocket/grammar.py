"""The grammar of the pocket world: patterns (ifpref/data/pocket/patterns.txt) become sentences.

A `PocketSource` speaks on one topic in the manner of one task. It has no memory: the first sentence of a text
is the one that is asked to be about the topic itself (`about=source.subject`), and it opens as the task does;
others are about the topic, a neighbour of it, or nothing in particular.

    source = POCKET.source(task, topic)       # a story, the old fox
    source.sentence(rng, about="fox")         # "Once upon a time, the old fox waited in the forest."
    source.sentence(rng)                      # "The fox shared the cherry with the goose, and that was good."
    source.sentence(rng, about="bell")        # "The bell stayed in the tower all night."
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from ifpref.data import read_sections
from ifpref.prompts.domain import Topic
from ifpref.prompts.pocket.italian import Italian
from ifpref.prompts.pocket.world import (
    ADJECTIVES,
    BY_KIND,
    KINDS,
    KINDS_WITH,
    NOUNS,
    PRONOUNS,
    VERBS,
    WORDS,
    Voice,
    article,
)  # fmt: skip
from ifpref.witness.source import Source, upper_first

# Of the sentences that nobody asks anything of: on the topic, on a neighbour of it; the rest are on neither.
TOPIC_SHARE, NEIGHBOUR_SHARE = 0.56, 0.24
OPENING_SHARE = 0.85  # of first sentences; not all, so that a word of the openings can be forbidden
MANNER_SHARE = 0.12  # of the later sentences: one of the task's own
NEAR_SHARE = 0.75  # of the other nouns in a sentence: neighbours of the topic
ADJECTIVE_SHARE = 0.15  # of the later subjects: with an adjective
TIME_SHARE, TAIL_SHARE = 0.25, 0.4  # of the patterns that allow it: with a time before, a clause behind
LONG = 7  # a sentence of more words than that takes no further clause

_BE = {"present": ("is", "are"), "past": ("was", "were")}


def _pools() -> dict[str, tuple[str, ...]]:
    """The patterns to choose from, by name; those of a kind of noun as `statement animal`."""
    table = read_sections("pocket/patterns.txt")
    pools = {**table, "tail": table["scene tail"] + table["tail"], "statement general": table["general"]}
    for kind in KINDS:
        friend, movable = kind in ("person", "animal"), kind in ("person", "animal", "food", "thing")
        pools[f"statement {kind}"] = table["friend"] * friend + table[kind] + table["any"]
        pools[f"question {kind}"] = table["question"] + table["question movable"] * movable
        pools[f"request {kind}"] = table["request"] + table["request movable"] * movable
        pools[f"short {kind}"] = table["short friend" if friend else f"short {kind}"] + table["short any"]
    for kind in (*KINDS, "general"):
        statements = pools[f"statement {kind}"]
        pools[f"timed {kind}"] = tuple(pattern for pattern in statements if pattern[0] == "^")
        pools[f"subject first {kind}"] = tuple(p for p in statements if p.startswith(("^{S}", "{S}")))
    return pools


POOLS = _pools()


def conjugate(verb: str, tense: str, plural: bool = False) -> str:
    """The third person of a verb in the `past` or the `present`: walk -> walks."""
    if verb == "be":
        return _BE[tense][plural]
    third, past = VERBS[verb]
    return past if tense == "past" else verb if plural else third


@cache
def _pieces(pattern: str) -> tuple[str, ...]:
    """A pattern cut into text, {slots}, [verbs] and the marks | and ~; the mark ^ is left out."""
    return tuple(re.findall(r"\{[^}]*\}|\[[^]]*\]|[|~]|[^{\[|~^]+", pattern))


@cache
def _near(topic: Topic) -> dict[str, list[str]]:
    """The neighbours of a topic by kind and group of kinds; the closest is there three times."""
    words = (*topic.words[1:], *topic.words[1:2] * 2)
    return {kind: [word for word in words if word in members] for kind, members in BY_KIND.items()}


@cache
def _words_with(letter: str) -> list[str]:
    """The nouns and adjectives that hold the letter most often, at least three of them where there are."""
    holding = [word for word in {*NOUNS, *KINDS_WITH} if letter in word]
    ranked = sorted(holding, key=lambda word: (-word.count(letter), len(word), word))
    most = sum(word.count(letter) == ranked[0].count(letter) for word in ranked) if ranked else 0
    return ranked[: max(3, most)]


class _Sentence:
    """One sentence in the making: its subject, and the nouns and adjectives it holds so far.

    phrase  the subject with its adjective, without an article
    """

    def __init__(self, source: PocketSource, rng: random.Random, subject: str, phrase: str) -> None:
        self.voice, self.near, self.rng = source.voice, _near(source.topic), rng
        self.noun = NOUNS[subject]
        him, his = PRONOUNS[self.noun.pronoun]
        self.fixed = {"S": f"the {phrase}", "O": f"the {phrase}", "a O": f"{article(phrase)} {phrase}"}
        self.fixed |= {"he": self.noun.pronoun, "him": him, "his": his, "we": self.voice.we}
        self.used = {subject, *phrase.split()}
        if subject == source.subject:
            self.used.update(source.topic_phrase.split())

    def write(self, pattern: str, before: str = "") -> str:
        """The pattern with everything filled in, after `before`."""
        text = before
        for piece in _pieces(pattern):
            if piece[0] == "{":
                text += self._slot(piece[1:-1])
            elif piece[0] == "[":
                verb, _, number = piece[1:-1].partition(":")
                text += conjugate(verb, self.voice.tense, number == "p")
            elif piece not in "|~":
                text += piece
            elif text.count(" ") < LONG and self.rng.random() < TAIL_SHARE:
                text += self.write(self.rng.choice(POOLS["tail" if piece == "|" else "scene tail"]))
        return text

    def _slot(self, name: str) -> str:
        if name in self.fixed:
            return self.fixed[name]
        if name == "at":
            place = self._other("place")
            # A place is not in another.
            return f"{'near' if self.noun.kind == 'place' else WORDS['at'][place]} the {place}"
        if name == "adj":
            clashing = {word for group in WORDS["clashes"] if self.used.intersection(group) for word in group}
            return self._new([word for word in ADJECTIVES[self.noun.kind] if word not in clashing])
        if name == "aday":
            day = self._new(WORDS["days"])
            return f"{article(day)} {day}"
        return self._other(name)

    def _other(self, kind: str) -> str:
        """A noun of the kind that this sentence does not hold yet, most often a neighbour of the topic."""
        near = [word for word in self.near[kind] if word not in self.used]
        return self._new(near if near and self.rng.random() < NEAR_SHARE else BY_KIND[kind])

    def _new(self, words: Sequence[str]) -> str:
        """One of the words that this sentence does not hold yet."""
        word = self.rng.choice([word for word in words if word not in self.used])
        self.used.add(word)
        return word


@dataclass(frozen=True)
class PocketSource(Source):
    """Sentences on one topic in one task's voice: a `Source` of ifpref/witness/source.py.

    `about` takes a noun of the world as the subject, an adjective before a subject, one of the `first words` as
    the first word; of any other word the sentence says that everyone knows it.
    """

    voice: Voice
    topic: Topic

    @property
    def foreign(self) -> dict[str, Italian]:
        return {"it": Italian(self.subject)}

    @property
    def subject(self) -> str:
        """The topic's key noun."""
        return self.topic.words[0]

    @property
    def topic_phrase(self) -> str:
        """The topic's key noun with its adjective, where it has one."""
        before = self.topic.text.split()[1]
        return self.subject if before == self.subject else f"{before} {self.subject}"

    def english(self, rng: random.Random, about: str | None, short: bool) -> str:
        """One sentence of 3 to 14 words, `short` of at most 6."""
        if about is None:
            return upper_first(self._statement(rng, *self._drawn(rng), short))
        if about in NOUNS or about in KINDS_WITH:
            return upper_first(self._about(rng, about, short))
        if about in WORDS["first words"]:
            return upper_first(self._timed(rng, about, short))
        rest = "" if short else f", even the {self._neighbour(rng)}"
        return f"Everyone knows the word {about}{rest}."

    def opening(self, rng: random.Random, *, short: bool = False) -> str:
        """A first sentence in the task's manner, about the topic."""
        return self.english(rng, self.subject, short)

    def english_phrase(self, rng: random.Random) -> str:
        """Two to four words: `the old fox`, `fox and goose`, `in the forest`."""
        subject = self.subject if rng.random() < 0.4 else self._neighbour(rng)
        pattern = rng.choice(POOLS["phrase"]).replace("NOUN", subject)
        return _Sentence(self, rng, subject, subject).write(pattern)

    def word(self, rng: random.Random, letter: str) -> str:
        """A noun or an adjective that holds the letter; raises IndexError where it is not one of a to z."""
        return rng.choice(_words_with(letter.lower()))

    def blank(self, rng: random.Random) -> str:
        return rng.choice(WORDS["blanks"])

    def _neighbour(self, rng: random.Random) -> str:
        return rng.choice(_near(self.topic)["any"])

    def _drawn(self, rng: random.Random) -> tuple[str | None, str]:
        """What a sentence is about when nobody asks: a subject and its noun phrase, or no subject."""
        share = rng.random()
        if share > TOPIC_SHARE + NEIGHBOUR_SHARE:
            return None, self.subject
        subject = self.subject if share < TOPIC_SHARE else self._neighbour(rng)
        if rng.random() > ADJECTIVE_SHARE:
            return subject, subject
        if subject == self.subject and self.topic_phrase != subject:
            return subject, self.topic_phrase
        return subject, f"{rng.choice(ADJECTIVES[NOUNS[subject].kind])} {subject}"

    def _about(self, rng: random.Random, about: str, short: bool) -> str:
        """A sentence with the noun or adjective in its subject; one on the topic itself opens the text."""
        if about == self.subject and not short:
            if rng.random() < OPENING_SHARE:
                return _Sentence(self, rng, about, self.topic_phrase).write(rng.choice(self.voice.openings))
            return self._statement(rng, about, self.topic_phrase, short, asked=True)
        if about in NOUNS:
            return self._statement(rng, about, about, short, asked=True)
        kinds = KINDS_WITH[about]
        subject = self.subject if NOUNS[self.subject].kind in kinds else rng.choice(BY_KIND[rng.choice(kinds)])
        if short:
            return f"the {about} {subject} {conjugate('be', self.voice.tense)} here."
        return self._statement(rng, subject, f"{about} {subject}", short, asked=True)

    def _timed(self, rng: random.Random, about: str, short: bool) -> str:
        """A sentence that begins with the adverb."""
        if short:
            return f"{about} everyone {conjugate('be', self.voice.tense)} happy."
        subject, phrase = self._drawn(rng)
        pattern = rng.choice(POOLS[f"timed {_kind(subject)}"])
        return _Sentence(self, rng, subject or self.subject, phrase).write(pattern, f"{about} ")

    def _statement(self, rng: random.Random, subject: str | None, phrase: str, short: bool, asked: bool = False) -> str:
        """A sentence on the subject, or on nothing in particular; `asked`: with the subject at its start."""
        kind = _kind(subject)
        subject = subject or self.subject
        if short:
            return _Sentence(self, rng, subject, subject).write(rng.choice(POOLS[f"short {kind}"]))
        sentence = _Sentence(self, rng, subject, phrase)
        pattern = rng.choice(self._pool(rng, kind, asked))
        if pattern[0] != "^" or rng.random() > TIME_SHARE * (0.4 if asked else 1):
            return sentence.write(pattern)
        return sentence.write(pattern, sentence.write(rng.choice(POOLS[f"time {self.voice.tense}"])) + " ")

    def _pool(self, rng: random.Random, kind: str, asked: bool) -> Sequence[str]:
        """The patterns to choose from, in the manner of the task."""
        voice = self.voice
        if not asked and rng.random() < MANNER_SHARE:
            return voice.manner
        if kind == "general":
            return POOLS["statement general"]
        mood = rng.random() / (0.5 if asked else 1)
        if mood < voice.questions:
            return POOLS[f"question {kind}"]
        if mood < voice.questions + voice.exclamations:
            return POOLS["exclamation"]
        if mood < voice.questions + voice.exclamations + voice.requests:
            return POOLS[f"request {kind}"]
        return POOLS[f"subject first {kind}" if asked else f"statement {kind}"]


def _kind(subject: str | None) -> str:
    return NOUNS[subject].kind if subject else "general"
