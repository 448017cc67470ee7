"""A chat template is a program that somebody else wrote: it is tried first in a process of its own, with limits.

    try_template(json.dumps([template, {"bos_token": "<s>"}]))     # ValueError says what it does wrong; else None

Jinja's sandbox keeps a template from files and from Python; only limits keep it from looping and from filling memory.
This file runs as a script too: it is the process.
"""

import json
import resource
import subprocess
import sys
import time
from contextlib import suppress
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
    command, longest = [sys.executable, "-P", __file__], 20 * SECONDS
    try:
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=longest)
    except subprocess.TimeoutExpired:
        raise ValueError(f"takes more than {longest} s for a message") from None
    if done.returncode < 0:
        raise ValueError(f"takes more than {SECONDS} s for a message")
    if wrong := done.stdout.strip() or done.stderr.strip().rpartition("\n")[2]:
        raise ValueError(wrong)


def main() -> None:
    from transformers.utils.chat_template_utils import render_jinja_template

    template, tokens = json.load(sys.stdin)
    seconds = round(time.process_time() + SECONDS)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    with suppress(ValueError, OSError):  # a system without this limit
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for text in MESSAGES:
        chat = [{"role": "user", "content": text}]
        try:
            [said], _ = render_jinja_template([chat], chat_template=template, add_generation_prompt=True, **tokens)
        except Exception as error:  # whatever a template may raise
            sys.exit(print(f"fails on a user's message: {type(error).__name__}: {' '.join(str(error).split())}"))
        if len(said) > CHARACTERS:
            sys.exit(print(f"writes {len(said):,} characters for a message of {len(text)}"))
        if text not in said:
            sys.exit(print("leaves out what the user says"))


if __name__ == "__main__":
    main()
