"""Artefacts on disk: each made once, under a key that names everything it was made from.

    <root>/pairs/8a1f0c5e27d94b36/              a finished artefact: its files, and manifest.json
                 8a1f0c5e27d94b36.partial/      being made; it and .journal survive a kill
                 8a1f0c5e27d94b36.lock          held by the process that makes it
                 8a1f0c5e27d94b36.damaged-1/    moved aside: not the bytes it was made with

    store = Store(paths.store_folder(), fallbacks=[paths.reference_store_folder()])
    spec = Artefact("pairs", {"min_high_gap": 0.5}, inputs={"responses": key}, seed=0, code={"version": 1})
    pairs = store.get(spec, lambda writer: writer.write_jsonl("pairs.jsonl", rows))
    pairs.read_jsonl("pairs.jsonl")

Decisions:
- *Key*: hash of stage, settings, keys of the inputs, model identity, seed and version of the code. Library versions,
  threads, host and git commit stand in the manifest under "made", which is all that two makings of one artefact may
  differ in. Other library versions than it was made with are warned about, once.
- *Whole or not there*: made in `.partial`, the manifest last, everything synced, then renamed. Sizes are
  checked at each opening, checksums once per process and state of a file; what differs is remade, or refused.
- *Shards*: `writer.shard` writes a file, syncs it (once per shard) and notes its checksum in the journal.
  After a kill or a full disk the next `get` keeps the shards that equal their note and drops everything else,
  so the result has the bytes of a run never killed. A power cut may lose the last notes: those are remade.
- *Lock*: filelock's `flock`, which dies with its owner. On a network file system whose locks do not reach across hosts,
  two hosts may work in one `.partial`; checksums notice it, at the latest when the artefact is opened.

    python -c "from ifpref import paths, store; print(store.Store(paths.store_folder()).explain('KEY'))"
"""

from ifpref.store.artefact import Artefact, DamagedArtefact, DiskFull, Handle, MissingArtefact, StoreError, Writer
from ifpref.store.code import CodeError, module_hashes
from ifpref.store.store import Store

__all__ = [
    "Artefact",
    "CodeError",
    "DamagedArtefact",
    "DiskFull",
    "Handle",
    "MissingArtefact",
    "Store",
    "StoreError",
    "Writer",
    "module_hashes",
]
