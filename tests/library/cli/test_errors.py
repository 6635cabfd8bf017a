"""How a command says that it could not: in words, and with --json in a document."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lvm.cli.output import Output
from lvm.cli.usage import asks_for_json
from lvm.errors import InputError, LvmError

from .conftest import Call
from .documents import WITHOUT_DOCUMENT, commands

HALF = {
    "init": (),
    "encode": ("nope", "--out", "x.npz"),
    "reference": ("flat", "--out", "x.npz", "--articles", "0"),
    "diagnose": ("nope.npz",),
    "train": ("gru", "--bank", "nope.npz"),
    "queue add": ("gru", "--bank", "nope.npz"),
    "queue all": ("--bank", "nope.npz"),
    "queue list": ("--nope",),
    "queue move": ("7", "up"),
    "queue remove": ("7",),
    "queue retry": ("7",),
    "queue run": ("--nope",),
    "queue pause": (),
    "queue resume": (),
    "queue stop": (),
    "queue skip": (),
    "queue acknowledge": (),
    "5cat": ("--model", "nope.pt", "--bank", "nope.npz"),
    "runs list": ("--nope",),
    "runs show": ("nope",),
    "runs compare": ("nope",),
    "runs resume": ("nope",),
    "promote": ("nope.pt", "--as", "gru"),
    "rollback": ("nope",),
    "report": ("--include", "nope.pt", "--device", "gpu"),
    "services start": (),
    "services stop": ("nope",),
    "services restart": ("nope",),
    "services status": ("nope",),
    "services logs": ("nope",),
    "chat": ("hello", "--service", "nope"),
}
"""Every command, with what it cannot do."""


def test_every_command_is_tried() -> None:
    assert set(HALF) == set(commands()) - set(WITHOUT_DOCUMENT)


@pytest.mark.parametrize("command", HALF)
def test_an_error_is_a_document_and_words(lvm: Call, tmp_path: Path, command: str) -> None:
    (tmp_path / "lvm.toml").write_text("")
    arguments = [*command.split(), *HALF[command]]
    code, out, err = lvm(*arguments, "--json")
    found = json.loads(out)
    assert (found["exit"], code) == (code, 3 if found["error"]["kind"] == "disk" else 2)
    assert found["error"]["what"] in err
    assert "Traceback" not in err
    plain, out, again = lvm(*arguments)
    assert (plain, out, again) == (code, "", err)


@pytest.mark.parametrize(
    ("words", "what", "fix"),
    [
        (["trian"], "'trian' is no command", "did you mean train? lvm --help"),
        (["queue", "ad"], "'ad' is no verb", "did you mean add? lvm queue --help"),
        (["train", "gur"], "'gur' is no model", "did you mean gru? lvm train --help"),
        (["train"], "required: model", "lvm train --help"),
        (["train", "gru", "--epchs", "3"], "flag --epchs", "mean --epochs? lvm train --help"),
        (["queue", "add", "gru", "--bnak=b"], "flag --bnak", "mean --bank? lvm queue add --help"),
        (["train", "gru", "--xyzzy"], "unknown flag --xyzzy", "lvm train --help"),
        (["train", "gru", "3"], "'3' is one word too many", "lvm train --help"),
        (["train", "gru", "--epochs", "x"], "invalid int value: 'x'", "lvm train --help"),
    ],
)
def test_a_slip_is_told_with_what_was_perhaps_meant(
    lvm: Call, words: list[str], what: str, fix: str
) -> None:
    code, out, err = lvm(*words)
    assert (code, out) == (2, "")
    said, _, advice = err.partition("\n  → ")
    assert what in said
    assert fix in advice
    assert json.loads(lvm(*words, "--json")[1])["error"]["kind"] == "usage"


def test_json_is_asked_for_anywhere_but_after_the_flags() -> None:
    assert asks_for_json(["train", "--js"])
    assert asks_for_json(["--json", "trian"])
    assert not asks_for_json(["train", "--", "--json"])
    assert not asks_for_json(["chat", "json", "--"])


def test_a_folder_that_is_not_there_is_not_made(lvm: Call, tmp_path: Path) -> None:
    for command in (["queue", "list"], ["queue", "pause"], ["init"]):
        code, _, err = lvm(*command, "--root", "typo")
        assert code == 2
        assert "typo: no such folder" in err
    assert lvm("queue", "list")[0] == 0
    assert not list(tmp_path.iterdir()), "looking at an empty queue makes no database"


def test_every_kind_of_error_has_a_name_of_its_own() -> None:
    kinds = [each.kind for each in _tree(LvmError) if each.__module__ == LvmError.__module__]
    assert len(set(kinds)) == len(kinds)


def _tree(kind: type[LvmError]) -> list[type[LvmError]]:
    return [kind, *(each for below in kind.__subclasses__() for each in _tree(below))]


def test_what_fails_after_its_document_prints_no_second_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    output = Output(as_json=True, stream=sys.stdout, messages=sys.stderr, env={})
    output.document({"written": "x"})
    output.error(InputError("too late"))
    said = capsys.readouterr()
    assert json.loads(said.out) == {"written": "x"}
    assert "too late" in said.err


def test_a_fault_of_ours_is_no_verdict(tmp_path: Path) -> None:
    """Exit 1 would say that it ran and the verdict is "fail"."""
    done = subprocess.run(
        [sys.executable, "-c", BROKEN],
        cwd=tmp_path, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 3
    assert "Traceback" in done.stderr
    assert json.loads(done.stdout)["error"]["what"] == (
        "unexpected error: division by zero (ZeroDivisionError)"
    )


BROKEN = """
import lvm.cli.data, sys
from lvm.cli import main
lvm.cli.data.init = lambda arguments, output: 1 / 0
sys.exit(main(["init", "--json"]))
"""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize(("command", "code"), [("diagnose nope.npz", 2), ("queue list", 3)])
def test_an_exit_code_stands_though_nothing_can_be_printed(
    tmp_path: Path, command: str, code: int
) -> None:
    words = [sys.executable, "-m", "lvm", *command.split(), "--json"]
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            words, cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert done.returncode == code
    assert done.stderr.startswith("lvm: ")
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_name_that_is_no_text_and_a_poor_locale_still_give_a_document(tmp_path: Path) -> None:
    command = [
        os.fsencode(sys.executable),
        b"-m",
        b"lvm",
        b"diagnose",
        b"\xff\xe2\x86\x92",
        b"--json",
    ]
    for encoding in ("utf-8", "latin-1"):
        done = subprocess.run(
            command,
            cwd=tmp_path,
            capture_output=True,
            timeout=60,
            env={**os.environ, "PYTHONIOENCODING": encoding},
        )
        assert done.returncode == 2
        assert json.loads(done.stdout)["error"]["where"] == "\udcff→"
