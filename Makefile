# make help says what there is and what each costs. Every target that needs Python makes .venv on first need.

PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
READY  := $(VENV)/.ready

# No file in git may be larger than this (KiB), but for what is meant to be: weights and the reference run.
MAX_KIB := 1024
LARGE_OK := ^(ifpref/pocket/weights/|outputs/reference/)

.DEFAULT_GOAL := help
.PHONY: help setup reproduce tour prefix contrast difficulty findings estimate rehearse params export compare lab test \
  torture lock lint format prompts pocket-model score ifeval bench clean

# What a user sets goes to the commands by the environment, as it was written: blanks, quotes and $ are left alone.
GIVEN := PROFILE SET KEY OUT ACTUAL N HABITS RESPONSES PROMPTS ONLY MODEL
$(foreach name,$(GIVEN),$(eval override $(name) := $$(value $(name))))
export $(GIVEN)
STUDY = "$${PROFILE:-pocket}" --set "$$SET"

help:  ## this list (at once)
	@awk 'BEGIN {FS = ":.*## "} /^[a-zA-Z0-9_-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY)  ## make .venv from requirements.lock (once; 2 to 4 minutes)

# Made beside the old one and put in its place when it is whole, so that a pip that fails or is stopped breaks nothing.
# pip checks each file by its hash in the lock. torch goes first and alone: pip would prefer a file whose hash its index
# names to a CPU build that lies on the machine; its hash is looked up afterwards. What the lock leaves open (on Linux
# torch's CUDA libraries, by the versions that torch names) comes in the last step. The scripts of a venv name its folder.
PIP := $(VENV).new/bin/python -m pip install --quiet --disable-pip-version-check
TORCH := import json; lock = open("requirements.lock").read(); \
  files = [one["download_info"] for one in json.load(open("$(VENV).new/torch.json"))["install"]]; \
  [print("note: the hash of", file["url"].rpartition("/")[2], "is not in requirements.lock: a build of torch of your own") \
  for file in files if file.get("archive_info", {}).get("hashes", {}).get("sha256", "unknown") not in lock]
MOVE := import pathlib, sys; old, new = (name.encode() for name in sys.argv[1:]); \
  [file.write_bytes(file.read_bytes().replace(old, new)) for file in pathlib.Path(sys.argv[1], "bin").iterdir() \
  if file.is_file() and not file.is_symlink() and old in file.read_bytes()]

$(READY): requirements.lock
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(not (3, 11) <= v <= (3, 13))' || \
	  { echo "ifpref needs Python 3.11 to 3.13; $(PYTHON) is $$($(PYTHON) --version 2>&1). Try: make setup PYTHON=python3.12"; exit 1; }
	@echo "setting up $(VENV) from requirements.lock (2 to 4 minutes, once)"
	@rm -rf $(VENV).new $(VENV).old
	@{ $(PYTHON) -m venv $(VENV).new --prompt $(VENV) && \
	  $(PIP) --no-deps --report $(VENV).new/torch.json $$(grep -o '^torch==[^ ]*' requirements.lock) && \
	  $(PYTHON) -c '$(TORCH)' && \
	  $(PIP) --no-deps --require-hashes -r requirements.lock && \
	  $(PIP) --editable .; } || \
	  { rm -rf $(VENV).new; echo "set-up failed, for the reason above. $(VENV) is as it was; try again: make setup"; exit 1; }
	@$(PYTHON) -c '$(MOVE)' "$(CURDIR)/$(VENV).new" "$(CURDIR)/$(VENV)"
	@if [ -e $(VENV) -o -L $(VENV) ]; then mv $(VENV) $(VENV).old; fi
	@mv $(VENV).new $(VENV)
	@rm -rf $(VENV).old
	@touch $@

reproduce: $(READY)  ## [PROFILE=pocket] [SET="beta=0.05"]: the study, then all notebooks, figures, tables (pocket: 15 minutes)
	@$(PY) -m ifpref.study $(STUDY); computed=$$?; test $$computed -le 1 || exit $$computed; \
	  $(PY) -m ifpref.publish.notebooks $(STUDY) && exit $$computed

tour: $(READY)  ## [PROFILE=pocket]: one prompt from text to policy (3 minutes)
prefix: $(READY)  ## [PROFILE=pocket]: do pairs that share a prefix do better? (10 minutes)
contrast: $(READY)  ## [PROFILE=pocket]: high, low or mixed contrast? (5 minutes)
difficulty: $(READY)  ## [PROFILE=pocket]: which training prompts generalise best? (5 minutes)
findings: $(READY)  ## [PROFILE=pocket]: the paper's claims, and what became of them (15 minutes; seconds after reproduce)
tour prefix contrast difficulty findings:
	@$(PY) -m ifpref.publish.notebooks $(STUDY) --only $@

estimate: $(READY)  ## PROFILE=gpu [SET="..."] [ACTUAL=1]: hours, tokens, disk, memory, from a small sample here (minutes)
	@$(PY) -m ifpref.publish.estimate $(STUDY) $${ACTUAL:+--actual}

rehearse: $(READY)  ## PROFILE=smollm2 [SET="..."]: the whole road on a handful of prompts, as a study begins with (smollm2: 2 minutes)
	@$(PY) -m ifpref.publish.rehearse $(STUDY)

params: $(READY)  ## [PROFILE=pocket] [SET="..."]: every parameter, and the file that each value is from (seconds)
	@$(PY) -m ifpref.params $(STUDY)

export: $(READY)  ## KEY=... OUT=folder: a policy, for peft and vLLM, with its card (seconds)
	@test -n "$$KEY" -a -n "$$OUT" || { echo "make export KEY=key-of-a-policy-or-run OUT=folder"; exit 1; }
	@$(PY) -m ifpref.publish.export "$$KEY" --out "$$OUT"

compare: $(READY)  ## [PROFILE=pocket]: hold a run's numbers against outputs/reference (seconds)
	@$(PY) -m ifpref.publish.compare "$${PROFILE:-pocket}"

lab: $(READY)  ## open the notebooks in JupyterLab (seconds to start)
	@$(VENV)/bin/jupyter lab --notebook-dir=. notebooks/tour.ipynb

test: $(READY)  ## run every test (13 to 15 minutes on 2 cores)
	@$(PY) -m pytest -n auto $(ARGS)

torture: $(READY)  ## [ONLY="corruption kills"]: damaged files, kills, hostile models, servers and parameters (20 to 35 minutes)
	@$(PY) -m tests.torture $$ONLY

lint: $(READY)  ## ruff on code and notebooks, outputs in notebooks, large files (seconds)
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@for notebook in $$(ls notebooks/*.ipynb 2>/dev/null); do \
	  $(VENV)/bin/nbstripout --verify "$$notebook" || { echo "$$notebook holds outputs: make format"; exit 1; }; done
	@git ls-files -z | xargs -0 du -k | awk '$$1 > $(MAX_KIB) && $$2 !~ "$(LARGE_OK)" \
	  {print $$2 ": " $$1 " KiB; no file in git may be larger than $(MAX_KIB) KiB"; bad = 1} END {exit bad}'

format: $(READY)  ## mend what lint finds, where it can (seconds)
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .
	@for notebook in $$(ls notebooks/*.ipynb 2>/dev/null); do $(VENV)/bin/nbstripout "$$notebook"; done

lock: $(READY)  ## write the versions of the stages and the hash of the code that each runs: after a change to a stage (seconds)
	@$(PY) -m ifpref.pipeline.lock

prompts: $(READY)  ## N=48000 OUT=file.jsonl [SET="domain=open seed=0"]: unique prompts, each with its witness (48,000: 3 minutes)
	@$(PY) -m ifpref.prompts --n "$${N:-48000}" --out "$${OUT:-outputs/prompts.jsonl}" --set "$$SET"

pocket-model: $(READY)  ## [HABITS=weak] [OUT=folder]: train the embedded model anew (about 40 minutes on 2 cores; a stopped run goes on)
	@$(PY) -m ifpref.pocket.train --out "$${OUT:-outputs/pocket-model}" --habits "$${HABITS:-pocket}"

score: $(READY)  ## RESPONSES=file.jsonl [PROMPTS=file.jsonl] [OUT=file.json]: IFEval's four accuracies (541 responses: seconds)
	@test -n "$$RESPONSES" || { echo "make score RESPONSES=file.jsonl [PROMPTS=file.jsonl] [OUT=file.json]"; exit 1; }
	@$(PY) -m ifpref.evaluation "$$RESPONSES" $${PROMPTS:+--prompts "$$PROMPTS"} $${OUT:+--out "$$OUT"}

ifeval: $(READY)  ## [MODEL=smollm2]: IFEval of a base, greedy, beside what was published (smollm2: about half an hour)
	@$(PY) -m ifpref.publish.ifeval "$${MODEL:-smollm2}" --set "$$SET"

bench: $(READY)  ## [ONLY="constraints prompts"] [MODEL=smollm2]: measure speed and memory into outputs/benchmarks/ (about 10 minutes)
	@$(PY) -m tests.bench $$ONLY

clean:  ## remove what is generated (outputs/<profile>) and caches; .venv and the committed runs stay (seconds)
	@rm -rf .hypothesis .pytest_cache .ruff_cache build *.egg-info $(VENV).new $(VENV).old
	@find ifpref tests -name __pycache__ -type d -prune -exec rm -rf {} +
	@find outputs -mindepth 1 -maxdepth 1 ! -name README.md ! -name reference ! -name benchmarks -exec rm -rf {} +
