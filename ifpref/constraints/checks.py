r"""`verify`: whether a response meets its constraints, with IFEval's semantics exactly.

    two = Constraint("detectable_format:number_bullet_lists", {"num_bullets": 2})
    verify("Along the river:\n* one\n* two", [two])     # [True]

Decisions, for this module and the checks in `families/`
- Strict is `bool(response.strip()) and check(response)`; loose is true where any of eight variants of the
  response passes (`loose_variants`). Verdicts are positional: a prompt may carry one id twice.
- Users' text (keywords, section words, postscript markers) is matched literally. IFEval uses it as a
  regular expression; the two are equal wherever it has no metacharacters, which is so in all of its data but
  the markers P.S. and P.P.S, and these have patterns of their own. So `a(b` cannot crash, nor `(a+)+` take
  for ever.
- Every check takes time linear in the response. Several of IFEval's patterns take quadratic time on unusual
  text (`\[.*?\]` on a run of brackets); where a check looks unlike its pattern, its docstring names the
  pattern, and tests/test_checks.py holds the two equal.
- A letter such as # or ! is counted as it stands; IFEval draws another letter at random for it.
"""

from collections.abc import Iterable

from ifpref.constraints.registry import Constraint


def verify(response: str, constraints: Iterable[Constraint], loose: bool = False) -> list[bool]:
    """Whether a response satisfies each constraint, in their order. Blank responses satisfy none.

    loose  accept any of `loose_variants(response)` instead of the response alone
    """
    if not isinstance(response, str):
        raise TypeError(f"a response must be a string, found {type(response).__name__}: {response!r:.80}")
    texts = loose_variants(response) if loose else [response] if response.strip() else []
    return [any(c.kind.check(text, **c.kwargs) for text in texts) for c in constraints]


def loose_variants(response: str) -> list[str]:
    """IFEval's loose variants: without the first line, the last, both; and each of the four without its `*`.

    Blank variants and repetitions are left out; the response itself comes first.
    """
    lines = response.split("\n")
    shortened = [response] + ["\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1])]
    variants = shortened + [text.replace("*", "") for text in shortened]
    return [text for text in dict.fromkeys(variants) if text.strip()]
