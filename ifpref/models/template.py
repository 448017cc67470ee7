"""A chat template is a program that somebody else wrote: it is tried first in a process of its own, with limits.

    try_template(json.dumps([template, {"bos_token": "<s>"}]))     # ValueError says what it does wrong; else None

Jinja's sandbox keeps a template from files and from Python; only limits keep it from looping and from filling memory.
This file runs as a script too: it is the process.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from functools import cache

SECONDS = 3
"""Of the processor, that a template may take for two messages."""
MEMORY = 2 * 2**30
CHARACTERS = 100_000
"""At most, for one short message."""
MESSAGES = ("Name a fruit.", "Count to ten, please.")


@cache
def try_template(given: str) -> None:
    """ValueError for a template that fails, takes too long or too much memory, or leaves out what the user says.

    given  JSON: the template, and the special tokens that it may name
    """
    try:
        done = subprocess.run(
            [sys.executable, "-P", __file__], input=given, capture_output=True, text=True, timeout=20 * SECONDS
        )
    except subprocess.TimeoutExpired:
        raise ValueError(f"takes more than {20 * SECONDS} s for a message") from None
    if done.returncode < 0:
        raise ValueError(f"takes more than {SECONDS} s for a message")
    if done.returncode:
        raise ValueError(done.stderr.strip().splitlines()[-1])


def main() -> int:
    from transformers.utils.chat_template_utils import render_jinja_template

    template, tokens = json.load(sys.stdin)
    seconds = round(time.process_time() + SECONDS)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for text in MESSAGES:
        chat = [{"role": "user", "content": text}]
        try:
            [said], _ = render_jinja_template([chat], chat_template=template, add_generation_prompt=True, **tokens)
        except Exception as error:  # whatever a template may raise
            print(f"fails on a user's message: {type(error).__name__}: {' '.join(str(error).split())}", file=sys.stderr)
            return 1
        if len(said) > CHARACTERS:
            print(f"writes {len(said):,} characters for a message of {len(text)}", file=sys.stderr)
            return 1
        if text not in said:
            print("leaves out what the user says", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
