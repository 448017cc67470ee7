"""The domains there are, by name; each is loaded when it is first asked for."""

from __future__ import annotations

from ifpref.prompts.domain import Domain


def get_domain(name: str) -> Domain:
    """The domain of that name, `open` or `pocket`; raises ValueError for any other."""
    if name == "open":
        from ifpref.prompts.open import OPEN

        return OPEN
    if name == "pocket":
        from ifpref.prompts.pocket import POCKET

        return POCKET
    raise ValueError(f"unknown domain {name!r}; allowed: 'open', 'pocket'")
