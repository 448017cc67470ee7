"""IFEval's prompts, which the prompts of this study are compared with: from a file, or from the hub.

    load_ifeval_prompts("ifeval/input_data.jsonl")    # 541 strings
    load_ifeval_prompts("google/IFEval")              # from the hub, or None where it is out of reach

Decontamination is no reason to stop a build on a machine without network, so the hub is asked once, for a few
seconds. A path that does not exist is a mistake, and an error.
"""

import gzip
import json
import logging
import re
import threading
from concurrent.futures import Future
from pathlib import Path

log = logging.getLogger(__name__)

_PATIENCE = 5.0  # seconds to wait for the hub


def load_ifeval_prompts(path_or_hub_id: str | Path) -> list[str] | None:
    """The `prompt` of each row of a JSONL file (also .gz), or of the train split of a dataset on the hub.

    A file on this disk is read; otherwise a string of the form owner/name is a hub id, fetched by `datasets`
    (from its cache alone where HF_HUB_OFFLINE is set). A hub that does not answer gives None and one line in
    the log. A file that is not there, a line that is no row, and an id that the hub does not know raise.
    """
    path = Path(path_or_hub_id)
    if path.is_file():
        return _read(path)
    name = str(path_or_hub_id)
    is_id = re.fullmatch(r"[\w-][\w.-]*/[\w.-]+", name) and path.suffix not in (".jsonl", ".json", ".gz")
    if isinstance(path_or_hub_id, Path) or not is_id:
        raise FileNotFoundError(
            f"{name}: no such file; allowed: a JSONL file of rows with a 'prompt', or a hub id of the form "
            "owner/name, such as google/IFEval"
        )
    return _fetch(name)


def _read(path: Path) -> list[str]:
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    prompts = []
    # Lines end at b"\n" alone: str.splitlines would also divide at characters that JSON strings may hold.
    for number, line in enumerate(content.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ValueError(f"{path}, line {number}: not JSON ({error})") from None
        if not isinstance(row, dict) or not isinstance(row.get("prompt"), str):
            found = line[:80].decode(errors="replace")
            raise ValueError(f"{path}, line {number}: expected an object with a string 'prompt', found {found}")
        prompts.append(row["prompt"])
    return prompts


def _fetch(hub_id: str) -> list[str] | None:
    from huggingface_hub import constants

    try:
        if not constants.HF_HUB_OFFLINE:
            _knock(hub_id)
        import datasets

        rows = datasets.load_dataset(hub_id, split="train")
    except ConnectionError as error:
        log.warning("%s: the hub is out of reach (%s); give the path of a local copy instead", hub_id, error)
        return None
    if "prompt" not in rows.column_names:
        raise ValueError(f"{hub_id}: expected a column 'prompt', found {', '.join(rows.column_names)}")
    return list(rows["prompt"])


def _knock(hub_id: str) -> None:
    """Ask the hub for the dataset before `datasets` does, which tries for half a minute where nobody answers.

    Raises ConnectionError where there is no answer of the hub in time, ValueError where it knows no such dataset.
    """
    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, RepositoryNotFoundError

    answer: Future[None] = Future()

    def ask() -> None:
        try:
            HfApi().dataset_info(hub_id, timeout=_PATIENCE)
            answer.set_result(None)
        except Exception as error:  # raised again below
            answer.set_exception(error)

    # The timeout of a connection covers neither looking up a name nor an answer that comes in drops.
    threading.Thread(target=ask, daemon=True).start()
    try:
        answer.result(_PATIENCE)
    except (OSError, ValueError, httpx2.HTTPError) as error:  # ValueError: a page of somebody else, such as a hotel's
        reason = str(error).strip().split("\n")[0] or f"no answer within {_PATIENCE:g} seconds"
        if isinstance(error, HfHubHTTPError) and (
            isinstance(error, RepositoryNotFoundError) or error.response.status_code == 401
        ):
            raise ValueError(f"{hub_id}: the hub has no such dataset, or it is not open to you ({reason})") from None
        raise ConnectionError(reason) from error
