"""How alike prompts are: near-duplicates among them, and word runs shared with the prompts of the evaluation.

    near_duplicates(texts)                                              # NearDuplicates(threshold=0.8, pairs=1, ...)
    ngram_overlap(texts, load_ifeval_prompts("google/IFEval"), n=13)    # Overlap(n=13, texts=48000, ...)

Words are runs of letters and digits, lower-cased, with inner apostrophes; *** and punctuation do not count.

Near-duplicates. Two prompts are as alike as their sets of word triples: shared triples over all triples of
both (Jaccard). MinHash signatures in an LSH index (datasketch) find the candidates, whose similarity is then
computed exactly: no pair is counted wrongly, and at the threshold itself fewer than 1 pair in 100 is missed.

What a threshold means here. Prompts are made from templates, so any two with a request or a wording in common
are somewhat alike; what counts is how much differs. In a prompt of 60 words (58 triples) one word exchanged
leaves 55 of 61 triples (0.90), two leave 52 of 64 (0.81), three 49 of 67 (0.73); another constraint in place
of one of 12 words leaves 44 of 72 (0.61). So 0.8 says: the same prompt but for two words, say a keyword and a
number. In a prompt of 20 words, as `pocket` has them, one word exchanged leaves 15 of 21 (0.71): there 0.8
finds those that differ in the last word or by a short sentence, and 0.6 means what 0.8 means for long ones.

Contamination. A prompt is hit where it shares a run of n words with a reference prompt. n = 13 is usual since
GPT-3 (Brown et al. 2020, appendix C). Shorter runs may be mere habits of speech, since both sets ask for the
same things: read `longest` before you believe a count.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
SHINGLE = 3
"""Words in a shingle; a text of fewer words is one shingle."""
_HASHES = 64  # of a signature; with more, fewer pairs right at the threshold are missed
_MISSED = 0.01  # of the pairs right at the threshold, at most
_EXAMPLES = 5


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text in lower case, without punctuation: "Don't stop!" is ("don't", "stop")."""
    return tuple(_WORD.findall(text.lower()))


def _runs(words: Sequence[str], n: int) -> Iterator[tuple[str, ...]]:
    """Every run of n words, in order."""
    return zip(*(words[offset:] for offset in range(n)), strict=False)


@dataclass(frozen=True)
class NearDuplicates:
    """Near-duplicates among texts.

    threshold       similarity from which two are near-duplicates
    with_neighbour  texts that have at least one near-duplicate
    pairs           pairs of near-duplicates
    examples        the most similar pairs, most similar first: (similarity, position, position)
    """

    threshold: float
    with_neighbour: int
    pairs: int
    examples: tuple[tuple[float, int, int], ...]


def near_duplicates(texts: Sequence[str], threshold: float = 0.8) -> NearDuplicates:
    """Count the texts that have a near-duplicate; see this module's head for what the threshold means.

    threshold  Jaccard similarity of the sets of word shingles, in (0, 1]

    The same on any machine. 48,000 prompts of 60 words take about 11 s on one core; a threshold below 0.6 takes minutes
    on short ones.
    """
    words = [words_of(text) for text in texts]
    pairs: list[tuple[float, int, int]] = []
    for later, earlier in _candidates(words, threshold):
        one, other = shingles_of(words[earlier]), shingles_of(words[later])
        similarity = len(one & other) / len(one | other)
        if similarity >= threshold:
            pairs.append((similarity, earlier, later))
    pairs.sort(key=lambda pair: (-pair[0], *pair[1:]))
    neighbours = {position for _, *pair in pairs for position in pair}
    return NearDuplicates(threshold, len(neighbours), len(pairs), tuple(pairs[:_EXAMPLES]))


@lru_cache(maxsize=4096)
def shingles_of(words: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    """The runs of `SHINGLE` words in a text; of a shorter one, itself."""
    return frozenset(_runs(words, min(SHINGLE, len(words))))


def _candidates(texts: Sequence[tuple[str, ...]], threshold: float) -> Iterator[tuple[int, int]]:
    """Pairs of positions (the later one first) whose MinHash signatures agree in at least one band."""
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(params=_bands(threshold), num_perm=_HASHES)
    shingles = ([" ".join(run).encode() for run in shingles_of(words)] for words in texts)
    for position, signature in enumerate(MinHash.generator(shingles, num_perm=_HASHES)):
        if texts[position]:
            yield from ((position, other) for other in index.query(signature))
            index.insert(position, signature, check_duplication=False)


def _bands(threshold: float) -> tuple[int, int]:
    """Bands and rows of the index: as many rows as miss at most that share of the pairs at the threshold.

    Two signatures agree in a band with probability s^rows at similarity s (Leskovec, Rajaraman and Ullman,
    Mining of Massive Datasets, 3.4). datasketch's own choice weighs misses against false candidates and loses
    12 in 100 at 0.8; but a false candidate costs us one comparison, and a miss is lost.
    """
    rows = 1
    while _HASHES // (rows + 1) > 1 and (1 - threshold ** (rows + 1)) ** (_HASHES // (rows + 1)) <= _MISSED:
        rows += 1
    return _HASHES // rows, rows


@dataclass(frozen=True)
class Overlap:
    """Word n-grams that texts share with reference texts.

    n           words in an n-gram
    texts       how many texts were looked at, and `references` how many they were compared with
    hit         positions of the texts that share at least one n-gram, in order
    longest     the longest shared runs, none of them part of another, longest first
    """

    n: int
    texts: int
    references: int
    hit: tuple[int, ...]
    longest: tuple[str, ...]


def ngram_overlap(texts: Sequence[str], reference_texts: Sequence[str], n: int = 8) -> Overlap:
    """Which texts share a run of n words with a reference text, and which runs those are.

    A text of fewer than n words shares none.
    """
    places: dict[tuple[str, ...], list[tuple[tuple[str, ...], int]]] = defaultdict(list)
    for reference in map(words_of, reference_texts):
        for start, ngram in enumerate(_runs(reference, n)):
            places[ngram].append((reference, start))
    hit: list[int] = []
    runs: dict[str, int] = {}  # run of words -> how many they are
    for position, words in enumerate(map(words_of, texts)):
        shared = [(start, *place) for start, ngram in enumerate(_runs(words, n)) for place in places.get(ngram, ())]
        hit += [position] if shared else []
        for start, reference, at in shared:
            if not (start and at and words[start - 1] == reference[at - 1]):  # else the run began earlier
                both = takewhile(lambda pair: pair[0] == pair[1], zip(words[start:], reference[at:], strict=False))
                run = [word for word, _ in both]
                runs[" ".join(run)] = len(run)
    longest: list[str] = []
    for run in sorted(runs, key=runs.__getitem__, reverse=True):
        if len(longest) < _EXAMPLES and not any(f" {run} " in f" {longer} " for longer in longest):
            longest.append(run)
    return Overlap(n, len(texts), len(reference_texts), tuple(hit), tuple(longest))
