"""The documents of `--json` against their JSON Schemas in docs/schemas.

One file a command; a verb of it (`queue add`) lies under `$defs` of the command's file. A command
without a schema fails tests/library/cli/test_documents.py.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from lvm.cli.parser import build_parser

FOLDER = Path(__file__).parents[3] / "docs" / "schemas"

WITHOUT_DOCUMENT = {"serve": "serves until it is stopped; what it answers is HTTP"}
"""Commands that print no document, and why."""


def commands() -> list[str]:
    """Every command that can be called, its verb after it: "5cat", "queue add"."""
    return list(_leaves(build_parser(), ()))


def command_of(arguments: Sequence[str]) -> str:
    """The command in a command line."""
    parser, path = build_parser(), list[str]()
    for argument in arguments:
        within = _within(parser)
        if argument in within:
            path.append(argument)
            parser = within[argument]
    return " ".join(path)


def schemas() -> dict[str, dict[str, Any]]:
    """File name without its ending → schema."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}


def schema_of(command: str) -> dict[str, Any]:
    """The schema of a command's document; KeyError if there is none."""
    name, _, verb = command.partition(" ")
    found = schemas()[name]
    if not verb:
        return found
    return {"$ref": f"{found['$id']}#/$defs/{verb}"} if found["$defs"][verb] else {}


FAILURE = {"$ref": "urn:lvm:common#/$defs/failure"}
"""What a command prints instead of its document when it ends with an error."""


def assert_valid(arguments: Sequence[str], printed: str, code: int = 0) -> Any:
    """What a command line with --json printed is one document that fits its schema, or, where it
    ended with an error, tells it and its exit code."""
    document = json.loads(printed)
    failed = isinstance(document, dict) and "error" in document
    if failed:
        assert document["exit"] == code
    registry: Registry[Any] = Registry().with_resources(
        (schema["$id"], Resource.from_contents(schema)) for schema in schemas().values()
    )
    schema = FAILURE if failed else schema_of(command_of(arguments))
    validator = Draft202012Validator(schema, registry=registry)
    wrong = [
        f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(document)
    ]
    assert not wrong, f"lvm {' '.join(arguments)}: " + "\n".join(wrong)
    return document


def _leaves(parser: argparse.ArgumentParser, path: tuple[str, ...]) -> Iterator[str]:
    within = _within(parser)
    if not within:
        yield " ".join(path)
    for name, sub in within.items():
        yield from _leaves(sub, (*path, name))


def _within(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}
