"""The public names of `lvm`: all there, each from its home, and free until used."""

from __future__ import annotations

import ast
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import lvm
from lvm.data.reference import write_reference

USAGE = Path(__file__).parents[2] / "docs" / "usage.md"


def python(code: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def imported_for_types() -> dict[str, str]:
    """Name → module, as a type checker sees them."""
    tree = ast.parse(inspect.getsource(lvm))
    return {
        alias.name: str(node.module)
        for block in tree.body
        if isinstance(block, ast.If)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


@pytest.mark.parametrize("name", lvm.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(lvm, name) is not None
    assert name in dir(lvm)


def test_what_a_type_checker_sees_is_what_is_resolved() -> None:
    assert imported_for_types() == lvm._HOMES
    assert {*lvm._HOMES, "__version__"} == set(lvm.__all__)


def test_another_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="no attribute 'trian'"):
        _ = lvm.trian


def test_importing_lvm_and_listing_its_names_imports_nothing_heavy(tmp_path: Path) -> None:
    code = "import lvm, sys, json; dir(lvm); lvm.TrainSettings; print(json.dumps([*sys.modules]))"
    heavy = {"torch", "numpy", "sklearn", "httpx", "textual", "lvm.models", "lvm.training"}
    assert heavy.isdisjoint(json.loads(python(code, tmp_path)))


def test_the_example_of_the_guide_runs(tmp_path: Path) -> None:
    section = USAGE.read_text().split("## From Python")[1]
    example = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert example is not None
    write_reference("forward", tmp_path / "bank.npz", dim=32, articles=40)
    small = example[1].replace("epochs=20", "epochs=1, d_model=8, forecast=False, device='cpu'")
    assert "epoch 1" in python(small, tmp_path)
