"""A hub of one model, owner/name, on this machine: huggingface_hub's own client asks it over HTTP.

    python tests/fake_hub.py FOLDER CACHE       # what test_models.py runs, in a process whose client knows no other hub

`commits` and `folders` say what the default branch is and what lies in each commit.
"""

import hashlib
import json
import os
import sys
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

FIRST, SECOND = "a" * 40, "b" * 40


class Hub(BaseHTTPRequestHandler):
    """`folders`: of each commit the folder of its files; `main`: the commit of the default branch."""

    folders: ClassVar[dict[str, Path]] = {}
    main = FIRST

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = self.path.partition("?")[0]
        if path.startswith("/api/models/owner/name") and "/tree" not in path:
            revision = path.partition("/revision/")[2]
            commit = revision if revision in self.folders else self.main
            names = [{"rfilename": file.name} for file in self.folders[commit].iterdir()]
            info = {"id": "owner/name", "sha": commit, "gated": False, "private": False, "siblings": names}
            self.answer(200, json.dumps(info | {"tags": [], "downloads": 0, "likes": 0}).encode())
        elif path.startswith("/owner/name/resolve/"):
            revision, _, name = path.removeprefix("/owner/name/resolve/").partition("/")
            commit = revision if revision in self.folders else self.main
            file = self.folders[commit] / name
            if file.is_file():
                data = file.read_bytes()
                self.answer(200, data, commit, ETag=f'"{hashlib.sha1(data).hexdigest()}"')
            else:
                self.answer(404, b"", commit, **{"X-Error-Code": "EntryNotFound"})
        else:
            self.answer(404, b"", **{"X-Error-Code": "EntryNotFound"})

    do_HEAD = do_GET

    def answer(self, status, body, commit=None, **headers):
        self.send_response(status)
        for name, value in headers.items() | {"X-Repo-Commit": commit or self.main}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


class Portal(BaseHTTPRequestHandler):
    """A network's sign-in page, whatever is asked for; `body` may be another answer that is none of a hub."""

    body = b"<html><body>Welcome! Please sign in.</body></html>"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)


class Dripping(Portal):
    """A byte now and then, for ever."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000000")
        self.end_headers()
        with suppress(OSError):  # whoever asked has gone
            while True:
                self.wfile.write(b" ")
                time.sleep(0.1)


@contextmanager
def serving(handler):
    """The address of a hub that answers so."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def main(folder, cache):
    """Prints, as JSON, what a study would see as the branch moves on and the hub goes away."""
    hub = ExitStack()
    os.environ |= {"HF_ENDPOINT": hub.enter_context(serving(Hub)), "HF_HOME": str(cache)}
    os.environ |= {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "127.0.0.1"}
    os.environ |= {"no_proxy": "127.0.0.1"}
    from tiny_models import save_base

    from ifpref.models import ModelError, attach_adapter, identify, load_model, load_tokenizer
    from ifpref.params import load_params
    from ifpref.pipeline.pipeline import Pipeline
    from ifpref.store import Store
    from ifpref.training import TrainingSettings
    from tests.policies import train_policy

    Hub.folders = {FIRST: save_base(folder / "first", 0), SECOND: save_base(folder / "second", 1)}

    def study():
        """As each worker, and each later run, begins."""
        return Pipeline(load_params("smoke", model="owner/name"), Store(folder / "store"))

    seen = {"loaded": load_model("owner/name").identity, "study": study().model.loaded.identity}
    settings = TrainingSettings.from_params(load_params("smoke", max_length=64))
    ids = {"prompt_ids": [1, 3, 50, 60, 4], "chosen_ids": [61, 62, 2], "rejected_ids": [63, 2]}
    pairs = [{"pair_id": str(i), **ids} for i in range(4)]
    policy = train_policy(Store(folder / "store"), study().model.loaded, pairs, settings, seed=0)
    seen["base of the adapter"] = policy.read_json("adapter/base.json")

    Hub.main = SECOND
    seen["moved on: asked anew"] = identify("owner/name")["revision"]
    seen["moved on: the study"] = study().model.loaded.identity["revision"]
    try:
        attach_adapter(load_model("owner/name"), policy.path("adapter"))
    except ModelError as error:
        seen["moved on: the adapter"] = str(error)

    hub.close()
    seen["away: the study"] = study().model.loaded.identity["revision"]
    seen["away: by commit"] = identify("owner/name", SECOND)["revision"]
    load_tokenizer("owner/name", revision=FIRST)
    print(json.dumps(seen))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
