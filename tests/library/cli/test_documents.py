"""Every document of `--json` has a schema, and is what the schema says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from lvm.clock import SystemClock
from lvm.runs.lease import HeldLease
from lvm.runs.project import Project

from .conftest import Call
from .documents import WITHOUT_DOCUMENT, assert_valid, command_of, commands, schema_of, schemas


@pytest.mark.parametrize("command", sorted(set(commands()) - set(WITHOUT_DOCUMENT)))
def test_every_command_has_a_schema_in_docs_schemas(command: str) -> None:
    assert schema_of(command)


@pytest.mark.parametrize("name", schemas())
def test_every_schema_is_one_and_belongs_to_a_command(name: str) -> None:
    schema = schemas()[name]
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert schema["$id"] == f"urn:lvm:{name}"
    assert name in {"common", *(command.partition(" ")[0] for command in commands())}


def test_what_is_left_without_a_document_are_commands() -> None:
    assert set(WITHOUT_DOCUMENT) <= set(commands())


def test_a_command_line_tells_its_command() -> None:
    assert command_of(["--json", "queue", "add", "gru"]) == "queue add"
    assert command_of(["5cat", "--model", "x.pt"]) == "5cat"


@pytest.mark.parametrize(
    "document",
    [
        {"bank": "b.npz", "vectors": 3, "articles": 1, "dim": 8},
        {"bank": "b.npz", "vectors": -3, "articles": 1, "dim": 8, "texts": False},
        {"bank": "b.npz", "vectors": 3, "articles": 1, "dim": 8, "texts": False, "more": 1},
    ],
)
def test_a_schema_refuses_what_lacks_a_key_or_has_another(document: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match="lvm reference"):
        assert_valid(["reference"], json.dumps(document))


def sequences(path: Path, bank: Path) -> None:
    """Windows of the bank's articles, as the user's files hold them."""
    with np.load(bank) as file:
        vectors, articles = file["vectors"], file["article_indices"]
    starts = [i for i in range(len(vectors) - 5) if articles[i] == articles[i + 5]]
    first = {article: int(np.argmax(articles == article)) for article in set(articles.tolist())}
    np.savez(
        path,
        contexts=np.stack([vectors[i : i + 5] for i in starts]),
        targets=np.stack([vectors[i + 5] for i in starts]),
        article_ids=articles[[i + 5 for i in starts]],
        target_indices=[i + 5 - first[int(articles[i + 5])] for i in starts],
    )


def test_what_every_command_prints_fits_its_schema(lvm: Call, project: Path) -> None:
    """Each is run for real; the fixture holds what it prints against the schema."""
    seen = set()

    def run(*arguments: str, code: int | tuple[int, ...] = 0) -> Any:
        found, out, err = lvm(*arguments, "--json")
        assert found in ((code,) if isinstance(code, int) else code), err
        seen.add(command_of(arguments))
        return json.loads(out)

    either = (0, 1)
    run("init", "--force")
    (project / "lvm.toml").write_text(TINY_RUNS)
    (project / "text.txt").write_text(
        "\n".join(f"Sentence {n} tells of thing {n * n}." for n in range(400))
    )
    run("encode", "text.txt", "--out", "text.npz", "--dim", "8")
    run("reference", "flat", "--out", "flat.npz", "--dim", "32", "--articles", "40")
    assert run("diagnose", "bank.npz", code=either)["forecast"]["gates"]
    sequences(project / "windows.npz", project / "bank.npz")
    diagnosed = run("diagnose", "windows.npz", "--bank", "bank.npz", code=either)
    assert diagnosed["alignment"]["shift"] == 0
    run("diagnose", "flat.npz", "--no-forecast", code=1)

    trained = run("train", "amn", code=either)
    run("train", "amn", "--bank", "flat.npz", code=1)
    run("queue", "add", "gru", "--epochs", "1")
    run("queue", "run", code=either)
    run("queue", "all")
    run("queue", "move", "5", "top")
    run("queue", "remove", "5")
    assert run("queue", "list")["jobs"]
    run("queue", "retry", "2")
    with HeldLease(Project(project).store(), SystemClock(), by="ann", heartbeat=60.0):
        for verb in ("pause", "resume", "stop", "skip", "acknowledge"):
            run("queue", verb)

    name = trained["jobs"][0]["run"]
    run("runs", "list")
    run("runs", "show", name)
    run("runs", "compare", *(each["name"] for each in run("runs", "list")["runs"]))
    run("runs", "resume", name, "--epochs", "3", code=either)
    checkpoint = f"artifacts/lvm/models/{name}/best_5cat_model.pt"
    run("5cat", "--model", checkpoint, code=either)
    run("5cat", "--model", checkpoint, "--offset-origin", "target", code=1)
    flat = str(project / "flat.npz")
    (project / "bare.pt").write_bytes((project / checkpoint).read_bytes())
    (project / "elsewhere").mkdir()
    run("5cat", "--model", "bare.pt", "--bank", flat, "--root", "elsewhere", code=1)
    assert seen >= {command for command in commands() if command.partition(" ")[0] in OURS}


OURS = ("init", "encode", "reference", "diagnose", "train", "queue", "5cat", "runs")

TINY_RUNS = """
[train]
epochs = 1
batch_size = 64
d_model = 8
hidden_dim = 8
fivecat_every = 1
fivecat_samples = 20
fivecat_horizon = 2
on_severe = "alert"
forecast = false
device = "cpu"
[data]
bank = "bank.npz"
"""
