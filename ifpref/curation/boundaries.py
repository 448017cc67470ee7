"""Where a response may be cut into the segments that become nodes of a tree.

    boundaries = Boundaries(engine.decode, "sentence")
    boundaries.ends(ids, start=0, most=16)      # [5, 9, 10]: "The sun is out.", " It is warm.", and the EOS

Decisions
- Whether there is a boundary after a token follows from the tokens up to it alone. So responses that begin with the
  same ids are cut alike as far as they agree, and a tree is a trie: no two siblings are one prefix, cut differently.
- A sentence ends where the text since the last boundary ends in . ! ? … or their kin after two characters or more
  (which spares "P.S." and "e.g."), quotation marks and brackets of the same token included; or in a line break, where
  there is a letter or digit before it. A boundary is a place to branch at, no claim about grammar: "Dr." has one.
- The EOS after the last sentence is a segment of its own: to stop there is one of the ways to go on.
- `tokens` cuts every m tokens, later where a character is not complete yet: text is never cut inside one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal, get_args

Rule = Literal["sentence", "tokens"]

_CLOSERS = r"""["'”’»)\]*_>]*"""
_STOPS = ".!?…。！？।؟"
_SENTENCE_END = re.compile(rf"\w[^\s{_STOPS}]{_CLOSERS}[{_STOPS}]+{_CLOSERS}\s*\Z")
_LINE_END = re.compile(r"\n\s*\Z")
_WORD = re.compile(r"\w")
# Bytes of one character, spread over several tokens, decode to this one by one.
_INCOMPLETE = "�"
_MAY_END = re.compile(rf"[{_STOPS}\n{_INCOMPLETE}]")


class Boundaries:
    """Cuts token ids into segments.

    decode  token ids to text without special tokens; of an engine
    rule    "sentence", or "tokens" for every `tokens` of them
    """

    def __init__(self, decode: Callable[[Sequence[int]], str], rule: Rule = "sentence", tokens: int = 16):
        if rule not in get_args(Rule):
            raise ValueError(f"boundary rule {rule!r}: allowed are {', '.join(get_args(Rule))}")
        if tokens < 1:
            raise ValueError(f"a segment must have 1 token or more, found {tokens}")
        self.decode, self.rule, self.tokens = decode, rule, tokens
        self._may_end: dict[int, bool] = {}  # token id -> whether a sentence could end with it

    def ends(self, ids: Sequence[int], start: int, most: int) -> list[int]:
        """Ends of the segments of `ids[start:]`, the last of them `len(ids)`; `start` is a boundary or 0.

        most  segments at the most: what follows the last boundary allowed is one segment
        """
        after = self._after_sentence if self.rule == "sentence" else self._after_tokens
        ends, begin = [], start
        for end in range(start + 1, len(ids)):
            if len(ends) + 1 >= most:
                break
            if after(ids, begin, end):
                ends.append(end)
                begin = end
        return [*ends, len(ids)]

    def _after_sentence(self, ids: Sequence[int], begin: int, end: int) -> bool:
        last = ids[end - 1]
        if last not in self._may_end:  # decoding whole segments at every token would take quadratic time
            self._may_end[last] = _MAY_END.search(self.decode([last])) is not None
        if not self._may_end[last]:
            return False
        text = self.decode(ids[begin:end])
        if _LINE_END.search(text):
            return _WORD.search(text) is not None
        return _SENTENCE_END.search(text) is not None

    def _after_tokens(self, ids: Sequence[int], begin: int, end: int) -> bool:
        return end - begin >= self.tokens and not self.decode(ids[begin:end]).endswith(_INCOMPLETE)
