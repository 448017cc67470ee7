"""The dress rehearsal of a study: the whole road on a handful of prompts, with its model and settings, in a minute.

    python -m ifpref.publish.rehearse smollm2 --set "dtype=float32"

Exit code 0 where it went well; the study then begins without it (pipeline/rehearsal.py).
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

from ifpref.command import command, parser_of
from ifpref.params import parse_overrides
from ifpref.pipeline import preflight, rehearsal
from ifpref.pipeline.model import first_device, gpus
from ifpref.pipeline.schedule import duration, say_to_stderr
from ifpref.store import StoreError
from ifpref.study import Study


@command(StoreError)
def main(arguments: Sequence[str] | None = None) -> int:
    options = parser_of("ifpref.publish.rehearse", __doc__, study=True).parse_args(arguments)
    start, study = time.monotonic(), Study(options.profile, **parse_overrides(options.set))
    n_gpus, pipeline = gpus(study.params), study.pipeline
    device = first_device(n_gpus)
    preflight.check(pipeline, pipeline.needs(study.tasks()), n_gpus, lambda line: say_to_stderr(f"rehearsal: {line}"))
    rehearsal.rehearse(pipeline.params, device, say=say_to_stderr)
    rehearsal.remember(pipeline, device)
    print(f"rehearsal of {study.name}: all went well ({duration(time.monotonic() - start)}, {pipeline.params.dtype})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
