"""One of the processes that `launch` starts: `accelerate launch ... -m ifpref.training FOLDER` (see policy.py)."""

import sys
from pathlib import Path

from ifpref.training.policy import run_job

if __name__ == "__main__":
    run_job(Path(sys.argv[1]))
