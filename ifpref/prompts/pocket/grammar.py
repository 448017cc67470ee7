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
from typing import ClassVar

from ifpref.data import read_sections
from ifpref.prompts.domain import Topic
from ifpref.prompts.pocket import italian
from ifpref.prompts.pocket.voices import Voice
from ifpref.prompts.pocket.world import ADJECTIVES, BY_KIND, KINDS, NOUNS, PRONOUNS, VERBS, WORDS, article

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
    pools = {name: table[name] for name in ("general", "exclamation", "phrase", "short general")}
    pools |= {"scene tail": table["scene tail"], "tail": table["scene tail"] + table["tail"]}
    pools |= {f"time {tense}": table[f"time {tense}"] for tense in ("past", "present")}
    pools["timed general"] = tuple(pattern for pattern in table["general"] if pattern[0] == "^")
    for kind in KINDS:
        friend, movable = kind in ("person", "animal"), kind in ("person", "animal", "food", "thing")
        statements = table["friend"] * friend + table[kind] + table["any"]
        pools[f"statement {kind}"] = statements
        pools[f"subject first {kind}"] = tuple(p for p in statements if p.startswith(("^{S}", "{S}")))
        pools[f"timed {kind}"] = tuple(p for p in statements if p[0] == "^")
        pools[f"question {kind}"] = table["question"] + table["question movable"] * movable
        pools[f"request {kind}"] = table["request"] + table["request movable"] * movable
        pools[f"short {kind}"] = table["short friend" if friend else f"short {kind}"] + table["short any"]
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
    words = {*NOUNS, *(adjective for kind in KINDS for adjective in ADJECTIVES[kind])}
    holding = [word for word in words if letter in word]
    ranked = sorted(holding, key=lambda word: (-word.count(letter), len(word), word))
    most = sum(word.count(letter) == ranked[0].count(letter) for word in ranked) if ranked else 0
    return ranked[: max(3, most)]


@cache
def _kinds_of(adjective: str) -> tuple[str, ...]:
    """The kinds of noun that the adjective goes with; none where it is not an adjective of the world."""
    return tuple(kind for kind in KINDS if adjective in ADJECTIVES[kind])


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
        match name:
            case "at":
                place = self._other("place")
                # A place is not in another.
                return f"{'near' if self.noun.kind == 'place' else WORDS['at'][place]} the {place}"
            case "adj":
                clashing = {word for group in WORDS["clashes"] if self.used.intersection(group) for word in group}
                return self._new([word for word in ADJECTIVES[self.noun.kind] if word not in clashing])
            case "mood":
                return self._new(WORDS["moods"])
            case "aday":
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
class PocketSource:
    """Sentences on one topic in one task's voice: a `Source` of ifpref/witness/source.py.

    `about` takes a noun of the world as the subject, an adjective before a subject, one of the `first words` as
    the first word; of any other word the sentence says that everyone knows it.
    """

    voice: Voice
    topic: Topic
    languages: ClassVar[tuple[str, ...]] = ("en", italian.CODE)

    @property
    def subject(self) -> str:
        """The topic's key noun."""
        return self.topic.words[0]

    @property
    def topic_phrase(self) -> str:
        """The topic's key noun with its adjective, where it has one."""
        before = self.topic.text.split()[1]
        return self.subject if before == self.subject else f"{before} {self.subject}"

    def sentence(
        self, rng: random.Random, *, language: str = "en", about: str | None = None, short: bool = False
    ) -> str:
        """One sentence of 3 to 14 words, `short` of at most 6; raises ValueError for an unknown language."""
        if self._italian(language):
            return italian.sentence(rng, about=about, short=short, topic=self.subject)
        if about is None:
            text = self._statement(rng, *self._drawn(rng), short)
        elif about in NOUNS or _kinds_of(about):
            text = self._about(rng, about, short)
        elif about in WORDS["first words"]:
            text = self._timed(rng, about, short)
        else:
            rest = "" if short else f", even the {self._neighbour(rng)}"
            text = f"everyone knows the word {about}{rest}."
        return text[0].upper() + text[1:]

    def fresh(self) -> PocketSource:
        """Itself: it remembers nothing."""
        return self

    def opening(self, rng: random.Random, *, short: bool = False) -> str:
        """A first sentence in the task's manner, about the topic."""
        return self.sentence(rng, about=self.subject, short=short)

    def phrase(self, rng: random.Random, *, language: str = "en") -> str:
        """Two to four words: `the old fox`, `fox and goose`, `in the forest`."""
        if self._italian(language):
            return italian.phrase(rng, topic=self.subject)
        subject = self.subject if rng.random() < 0.4 else self._neighbour(rng)
        pattern = rng.choice(POOLS["phrase"]).replace("NOUN", subject)
        return _Sentence(self, rng, subject, subject).write(pattern)

    def word(self, rng: random.Random, letter: str) -> str:
        """A noun or an adjective that holds the letter; raises ValueError where it is not one of a to z."""
        words = _words_with(letter.lower())
        if not words:
            raise ValueError(f"no word of the pocket world holds {letter!r}; allowed: a to z")
        return rng.choice(words)

    def blank(self, rng: random.Random) -> str:
        """The label of a placeholder."""
        return rng.choice(WORDS["blanks"])

    def _italian(self, language: str) -> bool:
        if language not in self.languages:
            allowed = ", ".join(self.languages)
            raise ValueError(f"unknown language {language!r}; the pocket world speaks {allowed}")
        return language == italian.CODE

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
        kinds = _kinds_of(about)
        fits = NOUNS[self.subject].kind in kinds
        subject = self.subject if fits else rng.choice(BY_KIND[rng.choice(kinds)])
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
            return POOLS["general"]
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
