"""Training of LoRA adapters through trl and peft, on the sampled token ids, with checks before, a log, and a record.

    settings = TrainingSettings.from_params(load_params("pocket"))
    make_policy(writer, load_model("pocket"), pairs, reference, settings, seed=0, checkpoints_folder=folder)

The stages `Reference` and `Policy` (pipeline/policies.py) make artefacts of this.

algorithms/     what is trained on what, a file each: DPO     settings.py         the parameters, by trl's names
checks.py       what must hold before training                reference_model.py  log-probabilities under the base
trainer.py      trl's trainers, told what to do               forward.py          a pair's shared tokens computed once
checkpoints.py  sealed, and checked before they are used      watch.py            the end of a run that diverges
processes.py    several that train together                   policy.py           the files of a policy
"""

from ifpref.training.checks import TrainingError
from ifpref.training.policy import make_policy
from ifpref.training.processes import ProcessDied
from ifpref.training.reference_model import read_reference, write_reference
from ifpref.training.settings import TrainingSettings

__all__ = [
    "ProcessDied",
    "TrainingError",
    "TrainingSettings",
    "make_policy",
    "read_reference",
    "write_reference",
]
