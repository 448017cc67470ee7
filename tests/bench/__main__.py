"""What `make bench` runs: python -m tests.bench [name ...]

Each module of this folder with a `run() -> dict` is one benchmark (those whose name is given, or all). Its result
is printed, and written to outputs/benchmarks/<name>.json with the machine and the versions it was measured on. In
a result, a list of dicts is a table, a dict is a list of figures, a string is a remark.

    MODEL=smollm2 python -m tests.bench sampling training      # those that take a model: sampling-smollm2.json
"""

from __future__ import annotations

import datetime
import importlib
import inspect
import json
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tests.bench import LeftOut

FOLDER = Path(__file__).resolve().parent
OUT = FOLDER.parents[1] / "outputs" / "benchmarks"
PACKAGES = ("nltk", "langdetect", "numpy", "datasets", "torch", "transformers", "trl", "peft")


def main(names: list[str]) -> int:
    known = [path.stem for path in sorted(FOLDER.glob("*.py")) if "\ndef run(" in path.read_text(encoding="utf-8")]
    known = [name for name in known if not name.startswith("_")]
    for name in names:
        if name not in known:
            print(f"error: unknown benchmark {name!r}; known: {', '.join(known)}", file=sys.stderr)
            return 1
    OUT.mkdir(parents=True, exist_ok=True)
    model = os.environ.get("MODEL")
    for name in names or known:
        print(f"== {name}", flush=True)
        run = importlib.import_module(f"tests.bench.{name}").run
        if model and "model" not in inspect.signature(run).parameters:
            print(f"error: the benchmark {name!r} takes no MODEL; sampling and training do", file=sys.stderr)
            return 1
        try:
            found = run(model=model) if model else run()
        except LeftOut as error:
            print(f"left out: {error}\n", flush=True)
            continue
        result = {"benchmark": name, **found, "machine": machine()}
        (OUT / f"{name}-{model}.json" if model else OUT / f"{name}.json").write_text(
            json.dumps(result, indent=2) + "\n", encoding="utf-8"
        )
        show(result)
    return 0


def machine() -> dict[str, Any]:
    """The hardware, and the versions of what does the work."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line.split(":")[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        cpu = models[0] if models else cpu
    found = {"date": datetime.date.today().isoformat(), "cpu": cpu, "cores": os.cpu_count()}
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        found["memory_gib"] = round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1)
    if "torch" in sys.modules and sys.modules["torch"].cuda.is_available():
        found["gpu"] = sys.modules["torch"].cuda.get_device_name()
    found |= {"system": platform.system(), "python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = None
    return found


def show(result: dict[str, Any]) -> None:
    for name, value in result.items():
        title = name.replace("_", " ")
        if isinstance(value, list) and value and isinstance(value[0], dict):
            print(f"\n{title}")
            columns = list(dict.fromkeys(key for row in value for key in row))  # a row that failed lacks some
            cells = [columns, *([figure(row[key]) if key in row else "" for key in columns] for row in value)]
            widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
            for row in cells:
                first, *rest = (
                    (cell.rjust if column else cell.ljust)(width)
                    for column, (cell, width) in enumerate(zip(row, widths, strict=True))
                )
                print("  " + "  ".join([first, *rest]).rstrip())
        elif isinstance(value, dict):
            print(f"\n{title}")
            for key, entry in value.items():
                print(f"  {key.replace('_', ' '):44} {figure(entry)}")
        else:
            print(f"{title}: {figure(value)}")
    print(flush=True)


def figure(value: Any) -> str:
    """Three digits that matter, thousands apart."""
    if not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
