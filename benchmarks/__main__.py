"""`make bench`: every measured claim in one run, as one table in docs/performance.md.

python -m benchmarks                     all that is measured; writes the table
python -m benchmarks training fivecat    parts by name; prints the table, writes nothing to docs
python -m benchmarks --list

Each part runs in a process of its own, one after the other. Exits with 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, Note, report
from benchmarks.parts import ALONE, MEASURED, listing, measure_of
from benchmarks.table import render, replaced, this_machine

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "docs" / "performance.md"
RAW = ROOT / ".benchmarks"
"""Where the raw numbers go, one file a run; git ignores it."""


def main(argv: Sequence[str] | None = None) -> int:
    options = _options(argv)
    if options.list:
        print(listing())
        return 0
    if options.here:
        return _measure_here(options.here, Path(options.json))
    begun, load = time.monotonic(), os.getloadavg()[0]
    parts: dict[str, dict[str, Any]] = {}
    codes = []
    for name in options.parts or MEASURED:
        print(f"\n== {name}: {(MEASURED | ALONE)[name]}", flush=True)
        if name in MEASURED:
            parts[name] = measured(name)
        else:
            codes.append(subprocess.run(_module(f"benchmarks.{name}"), cwd=ROOT).returncode)
    if parts:
        document = None if options.parts or options.no_write else DOCUMENT
        codes.append(_tell(parts, time.monotonic() - begun, load, options.raw, document))
    return 1 if any(codes) else 0


def measured(name: str) -> dict[str, Any]:
    """A part in a process of its own: what it found before it ended, and how long it took."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "found.json")
        begun = time.monotonic()
        arguments = [*_module("benchmarks"), "--here", name, "--json", str(out)]
        code = subprocess.run(arguments, cwd=ROOT).returncode
        found: dict[str, Any] = {"figures": [], "notes": [], "threads": 0, "whole": False}
        if out.exists():
            found |= json.loads(out.read_text())
        if not found["whole"]:
            lines = [f"It ended with {code}: what it should have measured after that is missing."]
            found["notes"].append({"title": f"✗ {name} broke off", "lines": lines})
        return found | {"seconds": time.monotonic() - begun}


def _measure_here(name: str, out: Path) -> int:
    found: list[Figure | Note] = []
    whole = False
    try:
        code = report(_kept(measure_of(name)(), found))
        whole = True
    finally:
        document = {
            "figures": [asdict(one) for one in found if isinstance(one, Figure)],
            "notes": [asdict(one) for one in found if isinstance(one, Note)],
            "threads": _threads(),
            "whole": whole,
        }
        out.write_text(json.dumps(document))
    return code


def _tell(
    parts: dict[str, dict[str, Any]], seconds: float, load: float, raw: Path, document: Path | None
) -> int:
    """Print the table, keep the raw numbers, write the document; 1 if something was missed."""
    figures = [Figure(**one) for part in parts.values() for one in part["figures"]]
    notes = [
        Note(one["title"], tuple(one["lines"])) for part in parts.values() for one in part["notes"]
    ]
    table = render(
        figures,
        notes,
        machine=this_machine(),
        date=datetime.now(),
        threads=max(part["threads"] for part in parts.values()),
        seconds=seconds,
        load=load,
    )
    print(f"\n{table}\n\nraw numbers: {_keep(parts, seconds, raw)}")
    if document:
        document.write_text(replaced(document.read_text(), table))
        print(f"table written to {document.relative_to(ROOT)}")
    whole = all(part["whole"] for part in parts.values())
    return 0 if whole and all(figure.kept for figure in figures) else 1


def _kept(found: Iterator[Figure | Note], into: list[Figure | Note]) -> Iterator[Figure | Note]:
    for one in found:
        into.append(one)
        yield one


def _threads() -> int:
    """What this process computes with; a part without torch does not say."""
    torch = sys.modules.get("torch")
    return int(torch.get_num_threads()) if torch else 0


def _keep(parts: dict[str, dict[str, Any]], seconds: float, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{datetime.now():%Y-%m-%dT%H%M%S}.json"
    document = {"machine": asdict(this_machine()), "seconds": seconds, "parts": parts}
    path.write_text(json.dumps(document, indent=1, ensure_ascii=False))
    return path


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", name]


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("parts", nargs="*", metavar="PART", help="see --list; all that is measured")
    parser.add_argument("--list", action="store_true", help="name the parts and end")
    parser.add_argument("--no-write", action="store_true", help="leave docs/performance.md alone")
    parser.add_argument("--raw", type=Path, default=RAW, help="where the raw numbers go")
    parser.add_argument("--here", help=argparse.SUPPRESS)
    parser.add_argument("--json", help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    unknown = [name for name in options.parts if name not in MEASURED | ALONE]
    if unknown:
        parser.error(f"no such part: {', '.join(unknown)}; --list names them")
    return options


if __name__ == "__main__":
    sys.exit(main())
