"""What may be imported when: a fresh process is asked what it has loaded."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("torch", "sklearn", "scipy", "numpy")


def modules_after(code: str) -> set[str]:
    script = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "arguments", [["--help"], ["train", "--help"], ["promote", "--help"], ["serve", "--help"]]
)
def test_the_help_of_lvm_imports_nothing_heavy(arguments: list[str]) -> None:
    code = f"from lvm.cli import main\ntry:\n    main({arguments!r})\nexcept SystemExit:\n    pass"
    assert modules_after(code).isdisjoint({*HEAVY, "textual"})


def test_the_help_of_lvm_tui_imports_neither_torch_nor_textual() -> None:
    code = (
        "from lvm_tui.__main__ import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass"
    )
    assert modules_after(code).isdisjoint({*HEAVY, "textual"})


def test_the_dashboard_imports_no_torch_before_it_is_painted() -> None:
    assert modules_after("import lvm_tui.app").isdisjoint({"torch", "sklearn", "scipy"})


@pytest.mark.parametrize(
    "room",
    [
        "lvm",
        "lvm.data",
        "lvm.models",
        "lvm.quality",
        "lvm.fivecat",
        "lvm.training",
        "lvm.runs",
        "lvm.service",
        "lvm.promotion",
    ],
)
def test_importing_a_room_of_the_engine_imports_no_torch(room: str) -> None:
    assert modules_after(f"import {room}").isdisjoint({"torch", "sklearn", "textual"})


def test_asking_a_service_imports_nothing_heavy() -> None:
    code = "from lvm.service.client import ServiceClient\nServiceClient('127.0.0.1', 1)"
    assert modules_after(code).isdisjoint({*HEAVY, "uvicorn", "starlette"})


def test_looking_at_promotions_imports_nothing_heavy() -> None:
    code = "import lvm.promotion.state, lvm.promotion.planning, lvm.promotion.ledger"
    assert modules_after(code).isdisjoint({*HEAVY, "httpx"})
