"""Policies and references as their stages make them, in a store and without a study: what tests of training share.

policy = train_policy(store, loaded, pairs, settings, seed=0)          # ifpref.store.Handle
"""

from ifpref.pipeline.policies import Policy, Reference, ReferenceSettings, policy_settings
from ifpref.pipeline.stage import key_value
from ifpref.store import Artefact
from ifpref.training import make_policy, read_reference, write_reference
from ifpref.training.algorithms import find_algorithm


def policy_artefact(loaded, pairs, settings, seed=0):
    """What `train_policy` asks the store for."""
    return Artefact(Policy.name, key_value(policy_settings(pairs, settings)), model=loaded.identity, seed=seed)


def reference_of(store, loaded, pairs, bf16=False):
    """The log-probabilities of these pairs under the base, from the store or computed now."""
    asked = ReferenceSettings(policy_settings(pairs, None).pairs, bf16)
    artefact = Artefact(Reference.name, key_value(asked), model=loaded.identity)
    return read_reference(store.get(artefact, lambda writer: write_reference(writer, loaded, pairs, bf16)))


def train_policy(store, loaded, pairs, settings, seed=0, processes=1):
    """The policy of these pairs, from the store or trained now."""
    artefact = policy_artefact(loaded, pairs, settings, seed)

    def make(writer):
        needs_reference = find_algorithm(settings.algorithm).needs_reference
        reference = reference_of(store, loaded, pairs, settings.bf16) if needs_reference else None
        folder = store.root / artefact.stage / f"{artefact.key}.checkpoints"
        how = {"seed": seed, "processes": processes, "checkpoints_folder": folder}
        make_policy(writer, loaded, pairs, reference, settings, **how)

    return store.get(artefact, make)
