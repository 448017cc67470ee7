r"""How the checks read a text: words it holds, its sentences, words and words in capitals, and its language.

    count_words("It's 3.14")                     # 4: runs of \w
    count_capital_words("NASA isn't OK")         # 2
    detect_language("Der Fluss ist tief.")       # "de"
    backends()["sentences"]["backend"]           # "punkt", or "punkt-lite" where nltk has no Punkt data

Decisions
- IFEval counts with nltk 3.9 and detects with langdetect 1.0.9. The answers here are theirs, reached by
  shorter ways; tests/test_text.py holds each of those against the plain call.
- langdetect draws at random. It is seeded with 0, on a factory of our own, so other users of it see no
  change.
- Answers for sentences (0.5 ms per kB) and languages (3 ms a text) are cached by text.
- nltk and langdetect are imported on first use.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ifpref.constraints.sentences import sentence_counter

if TYPE_CHECKING:
    from langdetect.detector_factory import DetectorFactory
    from nltk.tokenize import NLTKWordTokenizer


@lru_cache(maxsize=4096)
def literal(word: str, whole: bool = False) -> re.Pattern[str]:
    """The word as it stands, in any case, also inside a longer word; `whole`: not inside one."""
    escaped = re.escape(word)
    return re.compile(rf"\b{escaped}\b" if whole else escaped, re.IGNORECASE)


# ------------------------------------------------------------------------------------ sentences and words


@lru_cache(maxsize=4096)
def count_sentences(text: str) -> int:
    """Sentences as Punkt divides a text; headings and list items without . ? ! join their neighbours."""
    return sentence_counter().count(text)


def count_words(text: str) -> int:
    r"""How many runs of `\w`: don't is 2, 3.14 is 2, a_b is 1."""
    return len(re.findall(r"\w+", text))


# ---------------------------------------------------------------------------------------- capital words

_MANY_SPACES = re.compile(" {3,}")


def count_capital_words(text: str) -> int:
    """How many tokens of `nltk.word_tokenize` are `.isupper()`: I and A count, CAN'T is two, WELL-KNOWN one.

    Of a run of spaces only the first and the last can matter, and nltk takes quadratic time on it.
    """
    sentences = (_MANY_SPACES.sub("  ", sentence) for sentence in sentence_counter().split(text))
    return sum(token.isupper() for sentence in sentences for token in _word_tokenizer().tokenize(sentence))


@lru_cache(maxsize=1)
def _word_tokenizer() -> NLTKWordTokenizer:
    from nltk.tokenize import NLTKWordTokenizer

    return NLTKWordTokenizer()


# ---------------------------------------------------------------------------------------------- language

LANGUAGE_SEED = 0


@lru_cache(maxsize=16384)
def detect_language(text: str) -> str | None:
    """langdetect's code for the language of a text ("en", "zh-cn"); None where it has nothing to go by."""
    from langdetect.lang_detect_exception import LangDetectException

    detector = _language_factory().create()
    try:
        detector.append(text)
        return detector.detect()
    except LangDetectException:
        return None


def is_language(text: str, language: str) -> bool:
    """Whether langdetect sees this language, or nothing to go by: that passes any."""
    return detect_language(text) in (language, None)


@lru_cache(maxsize=1)
def _language_factory() -> DetectorFactory:
    """langdetect's 55 profiles, in the order of their names (its own order is the file system's), seeded."""
    from pathlib import Path

    from langdetect.detector_factory import PROFILES_DIRECTORY, DetectorFactory

    factory = DetectorFactory()
    factory.set_seed(LANGUAGE_SEED)
    profiles = sorted(path for path in Path(PROFILES_DIRECTORY).iterdir() if path.is_file())
    factory.load_json_profile([path.read_text(encoding="utf-8") for path in profiles])
    return factory


def backends() -> dict[str, dict[str, Any]]:
    """What counts and detects in this process, with versions: to be written beside every result."""
    from importlib.metadata import version

    counter, nltk = sentence_counter(), version("nltk")
    return {
        "sentences": {"backend": counter.backend, "nltk": nltk, "data_sha256": counter.data_sha256},
        "words": {"backend": "NLTKWordTokenizer", "nltk": nltk},
        "language": {"backend": "langdetect", "langdetect": version("langdetect"), "seed": LANGUAGE_SEED},
    }
