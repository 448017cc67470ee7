"""What the server of guard.py has done before it is forked: the code of every stage is hashed, which takes a second."""

from ifpref.pipeline.lock import code_key
from ifpref.pipeline.pipeline import NESTED, STAGES

for stage in (*STAGES, *NESTED):
    code_key(stage)
