"""What `make bench` measures: one module a subject, each with `run() -> dict`."""


class LeftOut(RuntimeError):
    """A benchmark that cannot run here; the message says why, and figures from elsewhere stay as they are."""
