"""Numbers, lists and quotations as the wordings of constraints say them.

ordinal(3, spelled=True)           # third
series(["a", "b", "c"], "or")      # a, b or c
quote('say "hi"')                  # 'say "hi"'
"""

from collections.abc import Sequence

_NUMBERS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip
_ORDINALS = (
    "zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
    "eleventh", "twelfth",
)  # fmt: skip


def cardinal(n: int, spelled: bool) -> str:
    """Digits or, up to twelve, the number's word."""
    return _NUMBERS[n] if spelled and 0 <= n < len(_NUMBERS) else str(n)


def ordinal(n: int, spelled: bool) -> str:
    """`2nd`, or `second` up to `twelfth`."""
    if spelled and n < len(_ORDINALS):
        return _ORDINALS[n]
    teens = 11 <= n % 100 <= 13
    return f"{n}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(n % 10, 'th')}"


def counted(n: int, noun: str, spelled: bool) -> str:
    """`1 word`, `three words`."""
    return f"{cardinal(n, spelled)} {noun}{'' if n == 1 else 's'}"


def times(n: int, spelled: bool) -> str:
    """`once`, `twice`, `3 times`."""
    return {1: "once", 2: "twice"}.get(n) or counted(n, "time", spelled)


def quote(text: str) -> str:
    """The text in quotation marks that it does not hold itself; doubled ones where it holds all kinds."""
    for left, right in ('""', "''", "“”"):
        if left not in text and right not in text:
            return f"{left}{text}{right}"
    return '"' + text.replace('"', '""') + '"'


def series(items: Sequence[str], conjunction: str) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return f" {conjunction} ".join([", ".join(items[:-1])] * (len(items) > 1) + [items[-1]])
