"""Sentences: nltk's Punkt algorithm (Kiss and Strunk 2006), with its English data or our own words.

    sentence_counter().count("Dr. Ray came. He sat.")     # 2
    sentence_counter("punkt-lite").split("Dr. Ray came. He sat.")     # ["Dr. Ray came.", "He sat."]

Decisions
- Backend `punkt` where nltk finds its English data (punkt_tab), otherwise `punkt-lite`: the same algorithm
  with the abbreviations below. A folder that merely looks like the data is not used: sizes and hashes must be
  the genuine ones. Nothing is ever downloaded.
- On the 3,245 responses of IFEval's conformance data, punkt-lite gives the same count for 99.1 % of all
  texts, and the same verdict, strict and loose, in all 312 checks of a number of sentences. (Its words were
  chosen with these texts in view.)
- nltk 3.10.2 moved the boundaries: curly quotes close a sentence. Here they are those of nltk 3.9, with any
  nltk.
- Dividing is nltk's own work: about 0.5 ms per kB. Counts are cached by text (text.py).
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nltk.tokenize.punkt import PunktParameters, PunktSentenceTokenizer

WORKER_VARIABLE = "IFPREF_WORKER"
"""Set in the environment of workers: their owner says what is to be said."""

PUNKT_DATA: Mapping[str, tuple[int, str]] = MappingProxyType(
    {
        "abbrev_types.txt": (619, "0ab7d6b126eed733d9bc5733d3a51ea575e90ece1b908e77c9d5b74e2a54213a"),
        "collocations.tab": (594, "73d7f183e9cf31ee6edf41df100a6f57c72404db66f599fe86b3fb2e6148f35f"),
        "ortho_context.tab": (236303, "4bbcca25ed3d3f06c02402abf8419b9f033b8adc06e7b482eca4e45f81a5dc4c"),
        "sent_starters.txt": (241, "8a66e19f1bf6a03061dbcda945e46839d09612f8235dbcb1b994f59184ecc989"),
    }
)
"""The genuine English files of punkt_tab: size in bytes and sha256 (hand-written fakes are about)."""


def _words(*lines: str) -> frozenset[str]:
    return frozenset(" ".join(lines).split())


# What punkt-lite aims at is the verdict of the genuine data. So i.e. and P.S., after which those see a new sentence,
# are no abbreviations here, and neither are words that also end sentences (no, art, sun).
ABBREVIATIONS = _words(
    # titles, ranks and forms of address
    "mr mrs ms mx messrs mme mlle dr prof rev hon fr jr esq gen col lt maj capt cmdr cpl sgt pvt adm gov",
    "sen rep pres supt insp",
    # months and days
    "jan feb apr jun jul aug sep sept oct nov dec mon tue tues thu thur thurs fri",
    # Latin, and the language of references
    "e.g eg cf viz vs approx ibid op cit et seq n.b vol vols ed eds fig figs pp ch nos",
    # companies and institutions
    "inc ltd co corp bros llc plc assn dept univ govt est",
    # addresses, places, countries
    "st ave blvd rd ste apt mt ft hwy u.s u.k u.s.a u.n e.u d.c n.y l.a n.j n.c s.c calif conn fla",
    # units, times, degrees
    "a.m p.m b.c a.d b.c.e c.e oz lbs tsp tbsp hrs sq ph.d m.d m.a b.s m.s d.d.s j.d r.n",
    # initials of names, but for the letters that more often number an outline, are a word or a variable
    "c d e f g h j k l m n p r s t v w",
)

# Words that begin with a capital only at the start of a sentence: after an abbreviation they tell Punkt that
# a new sentence has begun ("at 5 p.m. The train ..."). All others count as seen in every spelling, so that
# they tell nothing: a title and a name stay together, an outline's "A. Introduction" does not.
SENTENCE_OPENERS = _words(
    "a after all also although an and another any are as at because before both but by can did do does",
    "during each even every few finally first for from get had has have he her here his how however if in",
    "instead is it its just let like make many more moreover most my not nor now of often on once one only or",
    "other our over she should since so some still such take that the their then there therefore these they",
    "this those though through thus to too try under unfortunately until up use was we what when where",
    "whether which while who why will with without yet you your",
)


@dataclass(frozen=True)
class SentenceCounter:
    """Punkt with one set of parameters.

    backend      "punkt" (the genuine data) or "punkt-lite" (the words of this module)
    data_sha256  of the data: the four files in the order of their names, or our two lists of words
    """

    backend: str
    data_sha256: str
    tokenizer: PunktSentenceTokenizer

    def split(self, text: str) -> list[str]:
        """The sentences of a text."""
        return self.tokenizer.tokenize(text)

    def count(self, text: str) -> int:
        """How many they are."""
        return len(self.split(text))


@lru_cache(maxsize=3)
def sentence_counter(backend: str | None = None) -> SentenceCounter:
    """Punkt with the parameters of a backend: "punkt", "punkt-lite", or None for the best there is.

    Where it has to make do with punkt-lite it says so in the log, once a process and never in a worker. Raises
    LookupError where "punkt" is asked for and its data are absent or not genuine, ValueError for another name.
    """
    if backend == "punkt-lite":
        return _build("punkt-lite", _own_parameters(), _sha256(ABBREVIATIONS, SENTENCE_OPENERS))
    if backend not in (None, "punkt"):
        raise ValueError(f"unknown sentence backend {backend!r}; known: 'punkt', 'punkt-lite'")
    try:
        return _build("punkt", *_genuine_parameters())
    except LookupError as error:
        if backend == "punkt":
            raise
        if not os.environ.get(WORKER_VARIABLE):
            logging.getLogger("ifpref").warning(
                "%s; sentences are counted with our own abbreviations instead, with the same verdict in more than "
                "99.9 %% of IFEval's checks (python -m nltk.downloader punkt_tab brings the data)",
                error,
            )
        return sentence_counter("punkt-lite")


def _build(backend: str, parameters: PunktParameters, digest: str) -> SentenceCounter:
    from nltk.tokenize.punkt import PunktLanguageVars, PunktSentenceTokenizer

    class LanguageVars(PunktLanguageVars):
        """The boundaries of nltk before 3.10.2."""

        re_boundary_realignment = re.compile(r'["\')\]}]+?(?:\s+|(?=--)|$)', re.MULTILINE)
        _re_non_word_chars = r"(?:[)\";}\]\*:@\'\({\[\?!])"

    return SentenceCounter(backend, digest, PunktSentenceTokenizer(parameters, lang_vars=LanguageVars()))


def _genuine_parameters() -> tuple[PunktParameters, str]:
    """Punkt's own English parameters and the hash of their files; LookupError says why there are none."""
    import nltk.data
    from nltk.tokenize.punkt import load_punkt_params

    try:
        folder = nltk.data.find("tokenizers/punkt_tab/english/")
    except LookupError:  # nltk's own message is a page long, and advises a download
        raise LookupError("nltk finds no Punkt data (punkt_tab)") from None
    combined = hashlib.sha256()
    for name, (size, sha256) in PUNKT_DATA.items():
        try:
            with folder.join(name).open() as file:
                content = file.read()
        except OSError as error:  # a missing file; or a hard link, which nltk >= 3.10.3 refuses to open
            raise LookupError(f"nltk cannot read {name} of its Punkt data: {error}") from error
        if len(content) != size or hashlib.sha256(content).hexdigest() != sha256:
            raise LookupError(
                f"{name} in {folder} is not the genuine Punkt file (found {len(content)} bytes; its own "
                f"has {size} and sha256 {sha256[:12]}...)"
            )
        combined.update(content)
    parameters = load_punkt_params(folder)
    parameters.ortho_context = _Contexts(parameters.ortho_context)
    return parameters, combined.hexdigest()


def _own_parameters() -> PunktParameters:
    """The parameters of punkt-lite."""
    from nltk.tokenize.punkt import _ORTHO_BEG_UC, _ORTHO_MID_LC, _ORTHO_MID_UC, PunktParameters

    parameters = PunktParameters()
    parameters.abbrev_types = set(ABBREVIATIONS)
    parameters.ortho_context = _Contexts(dict.fromkeys(SENTENCE_OPENERS, _ORTHO_BEG_UC | _ORTHO_MID_LC))
    parameters.ortho_context.default = _ORTHO_MID_LC | _ORTHO_MID_UC
    return parameters


class _Contexts(dict):
    """A dict with a default that stays as it is; nltk's own defaultdict grows with every word looked up."""

    default = 0

    def __missing__(self, key: str) -> int:
        return self.default


def _sha256(*words: frozenset[str]) -> str:
    return hashlib.sha256("\n\n".join("\n".join(sorted(some)) for some in words).encode()).hexdigest()
