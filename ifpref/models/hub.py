"""The hub, asked once and quickly: which commit a model is, and whether it can be had at all.

    look_on_hub("Qwen/Qwen2.5-1.5B-Instruct").sha          # ModelError, with what to do, within seconds
    cached_commit("Qwen/Qwen2.5-1.5B-Instruct", None)      # of what an earlier run has fetched; None where nothing is

Decisions
- The hub's own client tries again for half a minute a file where there is no network: one look goes before it, in a
  thread of its own, because that client limits the wait for each byte and not for the whole answer.
- The token stays in its environment variable: the client reads it there, and it is written nowhere.
"""

import os
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import Any

TOKEN = "HF_TOKEN"
"""The environment variable that holds the hub's token, which is read by the hub's own client and written nowhere."""
LOOK_S = 8.0
"""Seconds until a look on the hub is given up."""


class ModelError(ValueError):
    """A model that cannot be used; the message says which, why, and what would do."""


class Unreachable(ModelError):
    """The hub cannot be asked: no network, or HF_HUB_OFFLINE."""


def cached_folder(id: str, revision: str | None) -> Path | None:
    """Where the hub's cache has the files of a model, or some of them, that an earlier run has fetched."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        cached = try_to_load_from_cache(id, "config.json", revision=revision)
    except HFValidationError as error:
        raise _no_such_model(id, error) from None
    return Path(cached).parent if isinstance(cached, str) else None


def cached_commit(id: str, revision: str | None) -> str | None:
    """The commit of a model that an earlier run has fetched; of no revision, also the only one that is there."""
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    if folder := cached_folder(id, revision):
        return folder.name
    if revision is not None:
        return None
    # What is fetched by its commit, as models.py does, leaves no branch's name in the cache.
    snapshots = Path(constants.HF_HUB_CACHE) / repo_folder_name(repo_id=id, repo_type="model") / "snapshots"
    commits = [config.parent.name for config in snapshots.glob("*/config.json")]
    return commits[0] if len(commits) == 1 else None


def look_on_hub(id: str, revision: str | None = None) -> Any:
    """What the hub says of a model (`huggingface_hub.ModelInfo`), in one or two quick requests.

    `Unreachable` without a network; `ModelError`, with what to do, for an id or a revision that is not there, a gated
    model whose licence is not accepted, a token that is refused, and a model without safetensors.
    """
    import httpx2
    from huggingface_hub import constants
    from huggingface_hub import errors as hub

    answer: Future[Any] = Future()
    Thread(target=_ask, args=(id, revision, answer), daemon=True).start()
    try:
        info = answer.result(LOOK_S)
    except hub.GatedRepoError:
        token = "is set, so the licence is not accepted, or not yet granted" if os.environ.get(TOKEN) else "is not set"
        raise ModelError(
            f"model {id!r} is gated. 1. Accept its licence at {constants.ENDPOINT}/{id}, signed in. 2. Make a token "
            f"with read access at {constants.ENDPOINT}/settings/tokens. 3. Put it into the environment variable "
            f"{TOKEN} of the shell that runs this, and nowhere else (now {TOKEN} {token})"
        ) from None
    except hub.RevisionNotFoundError:
        raise ModelError(
            f"model {id!r} has no revision {revision!r}; allowed: a commit, branch or tag of it, or null"
        ) from None
    except (hub.RepositoryNotFoundError, hub.HFValidationError) as error:
        raise _no_such_model(id, error) from None
    except hub.HfHubHTTPError as error:
        status = error.response.status_code
        if status in (401, 403):
            raise ModelError(f"model {id!r}: the hub refuses the token in {TOKEN} ({status}); make a new one") from None
        raise _unreachable(id, f"it answers {status}") from None
    except TimeoutError:
        raise _unreachable(id, f"it has not answered within {LOOK_S:.0f} s") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise _unreachable(
            id, f"what answers at {constants.ENDPOINT} is not a hub: a page to sign in to a network?"
        ) from None
    except (httpx2.HTTPError, OSError) as error:  # HF_HUB_OFFLINE too, which it names
        raise _unreachable(id, str(error) or type(error).__name__) from None
    names = [file.rfilename for file in info.siblings or ()]
    if not any(name.endswith(".safetensors") for name in names):
        raise ModelError(f"model {id!r} has no .safetensors on the hub; allowed: a model that has, none other is read")
    return info


def _ask(id: str, revision: str | None, answer: Future[Any]) -> None:
    """Sets what the hub says of a model, or the error."""
    from huggingface_hub import HfApi

    try:
        info = HfApi().model_info(id, revision=revision, timeout=LOOK_S)
        if not isinstance(info.sha, str):
            raise ValueError("no commit")
        if info.gated and cached_commit(id, info.sha) is None:
            HfApi().auth_check(id)
        answer.set_result(info)
    except Exception as error:  # raised where it is awaited
        answer.set_exception(error)


def _no_such_model(id: str, error: Exception) -> ModelError:
    private = "; a private one is shown only to its token" if type(error).__name__ == "RepositoryNotFoundError" else ""
    return ModelError(
        f"model {id!r} is not found: neither a folder here nor a model on the hub{private}. "
        "Allowed: 'pocket', a folder with safetensors, or a hub id such as owner/name"
    )


def _unreachable(id: str, why: str) -> Unreachable:
    return Unreachable(
        f"model {id!r} cannot be loaded: it is not on this machine, and the hub cannot be asked ({why}). With a "
        f"network, `hf download {id}` fetches it into the hub's cache (HF_HOME), which may be copied here; or set "
        "model to a folder with its files, or to pocket, which needs no network"
    )
