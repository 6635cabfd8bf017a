"""A command line that cannot be understood: what is wrong with it, and what was perhaps meant."""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Iterable, Sequence
from typing import NoReturn

from lvm.errors import UsageError

_CHOICE = re.compile(r"argument (?P<name>.+?): invalid choice: (?P<given>'.*?'|\".*?\") ")
_CHOICES = re.compile(r"\(choose from (?P<all>.*)\)")


class Parser(argparse.ArgumentParser):
    """Raises UsageError where argparse would print and exit."""

    def error(self, message: str) -> NoReturn:
        given, known = _CHOICE.search(message), _CHOICES.search(message)
        if given is None or known is None:
            raise UsageError(message, fix=self._help)
        word = given["given"][1:-1]
        names = [each.strip().strip("'\"") for each in known["all"].split(",")]
        meant = _meant([word], names) or f"known are: {', '.join(names)};"
        of = "value of " if given["name"].startswith("-") else ""
        raise UsageError(f"{word!r} is no {of}{given['name'].lower()}", fix=f"{meant} {self._help}")

    def refuse(self, unknown: Sequence[str]) -> NoReturn:
        """For what argparse did not recognise: the flags among it, or else its first word."""
        flags = [word.partition("=")[0] for word in unknown if _is_flag(word)]
        if not flags:
            raise UsageError(f"{unknown[0]!r} is one word too many", fix=self._help)
        raise UsageError(
            f"unknown flag{'s' if len(flags) > 1 else ''} {', '.join(flags)}",
            fix=f"{_meant(flags, self._option_string_actions)} {self._help}".strip(),
        )

    @property
    def _help(self) -> str:
        return f"{self.prog} --help shows what is known"


def asks_for_json(words: Sequence[str]) -> bool:
    """Whether a command line asks for a document, even one that cannot be understood otherwise."""
    flags = words[: words.index("--")] if "--" in words else words
    return any("--json".startswith(word) and len(word) > 2 for word in flags)


def _is_flag(word: str) -> bool:
    return word.startswith("-") and not re.fullmatch(r"-\d.*|-", word)


def _meant(words: Iterable[str], known: Iterable[str]) -> str:
    names = list(known)
    nearest = [difflib.get_close_matches(word, names, n=1) for word in words]
    found = list(dict.fromkeys(name for names in nearest for name in names))
    return f"did you mean {', '.join(found)}?" if found else ""
