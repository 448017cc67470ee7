"""LoRA-DPO through trl and peft, on the sampled token ids, with checks before, a log meanwhile, and a record after.

    settings = TrainingSettings.from_params(load_params("pocket"))
    policy = train_policy(store, load_model("pocket"), pairs, settings, seed=0)       # an artefact: see policy.py

settings.py   the parameters, by trl's names   reference_model.py   log-probabilities under the base
checks.py     what must hold before training         forward.py     a pair's shared tokens computed once
trainer.py    trl's trainer, told what to do         policy.py      the artefact, resuming, several processes
watch.py      progress, and the end of a run that diverges     loss.py    the DPO loss in ten lines of NumPy
"""

from ifpref.training.policy import make_policy, policy_artefact, train_policy
from ifpref.training.reference_model import read_reference, reference_log_probs, write_reference
from ifpref.training.settings import TrainingError, TrainingSettings

__all__ = [
    "TrainingError",
    "TrainingSettings",
    "make_policy",
    "policy_artefact",
    "read_reference",
    "reference_log_probs",
    "train_policy",
    "write_reference",
]
