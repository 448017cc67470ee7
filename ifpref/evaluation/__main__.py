"""`python -m ifpref.evaluation responses.jsonl`: the scores of a file of responses (files.py)."""

import sys

from ifpref.evaluation.files import main

sys.exit(main())
