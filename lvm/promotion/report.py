"""The data map: what is in production, what stood there before, and the change, as Markdown. Pure.

It is one section between two marks, so that it can stand in a file that people write as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

BEGIN = "<!-- lvm report: begin; what stands between these marks is replaced -->"
END = "<!-- lvm report: end -->"

_NUMBERS = (
    ("VAL cos", "VAL", "cos"),
    ("VAL margin", "VAL", "margin"),
    ("OOD margin", "OOD", "margin"),
    ("VAL R@1", "VAL", "r1"),
    ("VAL rollout", "VAL", "rollout"),
    ("OOD rollout", "OOD", "rollout"),
)
"""Columns: title, split, name in the split's numbers."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A checkpoint and its full 5CAT."""

    file: str
    model: str = ""
    """Type, where it is known."""
    sha256: str = ""
    epoch: int | None = None
    fivecat: Mapping[str, Any] | None = None
    """The document of its full test; None = it was not tested."""
    data: str = ""
    """SHA-256 of the test data: numbers on other data are not set against one another."""
    note: str = ""
    """Why there are no numbers, or what else must be known."""

    def to_json(self) -> dict[str, Any]:
        found = self.fivecat
        return {
            "file": self.file,
            "model": self.model or None,
            "sha256": self.sha256 or None,
            "epoch": self.epoch,
            "numbers": {title: number_of(found, split, name) for title, split, name in _NUMBERS},
            "gates": found["passed"] if found else None,
            "ready": bool(found["ready"]) if found else None,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True)
class Mapped:
    """One name of production."""

    name: str
    now: Measured | None
    """None: nothing is in production."""
    before: Measured | None
    """Its predecessor; None: none is known."""
    promoted: str = ""
    """When, as in the metadata; "" if no promotion put it there."""
    by: str = ""
    override: str = ""
    """The reason, if it was promoted although it fell short."""

    @property
    def changes(self) -> dict[str, float | None]:
        """Column → now minus before; None where one is not known or the data differs."""
        now, before = self.now, self.before
        same = now is not None and before is not None and now.data == before.data
        return {
            title: _difference(now.fivecat, before.fivecat, split, name)
            if same and now and before
            else None
            for title, split, name in _NUMBERS
        }

    def to_json(self) -> dict[str, Any]:
        return {
            **{k: v for k, v in asdict(self).items() if k in ("name", "promoted", "by")},
            "override": self.override,
            "now": self.now.to_json() if self.now else None,
            "before": self.before.to_json() if self.before else None,
            "change": self.changes,
        }


def number_of(document: Mapping[str, Any] | None, split: str, name: str) -> float | None:
    if not document:
        return None
    numbers = document[split]
    value = numbers["cos"].get("1") if name == "cos" else numbers[name]
    return None if value is None else float(value)


def _difference(
    now: Mapping[str, Any] | None, before: Mapping[str, Any] | None, split: str, name: str
) -> float | None:
    new, old = number_of(now, split, name), number_of(before, split, name)
    return None if new is None or old is None else round(new - old, 6)


def markdown(mapped: Sequence[Mapped], others: Sequence[Measured], made: str) -> str:
    """The section, marks included. others: more checkpoints for comparison. made: when, by whom."""
    titles = [title for title, _, _ in _NUMBERS]
    lines = [
        BEGIN,
        "## Models in production",
        "",
        f"Written by `lvm report`, {made}. Every number is of the full 5CAT of exactly that file; "
        "margins count offsets from the last context.",
        "",
        *_table(
            ["model", "file", "epoch", *titles, "gates", "ready", "promoted"],
            [_now(each) for each in mapped],
        ),
        "",
        "## Against their predecessors",
        "",
        *_table(
            ["model", "predecessor", *titles, "gates"],
            [_tested_row(each.name, each.before) for each in mapped if each.before],
        ),
    ]
    changes = [
        [each.name, *(_signed(value) for value in each.changes.values())]
        for each in mapped
        if each.now and each.before
    ]
    if changes:
        lines += ["", *_table(["change", *titles], changes)]
    if others:
        lines += ["", "## Older checkpoints, by the same test", ""]
        lines += _table(
            ["model", "file", *titles, "gates"], [_tested_row(o.model or "–", o) for o in others]
        )
    notes = [*_notes(mapped), *(f"{o.file}: {o.note}" for o in others if o.note)]
    if notes:
        lines += ["", *(f"- {_cell(note)}" for note in notes)]
    return "\n".join([*lines, END]) + "\n"


def merged(before: str, section: str) -> str:
    """A file with its section replaced; what people wrote around it stays. A file without one gets
    it at its end."""
    begin, end = before.find(BEGIN), before.find(END)
    if 0 <= begin < end:
        return before[:begin] + section.rstrip("\n") + before[end + len(END) :]
    gap = "" if not before or before.endswith("\n\n") else "\n"
    newline = "" if not before or before.endswith("\n") else "\n"
    return f"{before}{newline}{gap}{section}"


def _now(each: Mapped) -> list[str]:
    if each.now is None:
        return [each.name, "nothing", *["–"] * (len(_NUMBERS) + 4)]
    found = each.now.fivecat
    ready = "–" if not found else "✓" if found["ready"] else "✗"
    if each.override:
        ready = "✗ overridden"
    return [
        each.name,
        f"`{each.now.file}`",
        str(each.now.epoch or "–"),
        *_numbers(each.now),
        _gates(each.now),
        ready,
        each.promoted or "by hand",
    ]


def _tested_row(name: str, tested: Measured | None) -> list[str]:
    assert tested is not None
    return [name, f"`{tested.file}`", *_numbers(tested), _gates(tested)]


def _numbers(tested: Measured) -> list[str]:
    return [
        _signed(number_of(tested.fivecat, split, name))
        if name == "margin"
        else _plain(number_of(tested.fivecat, split, name))
        for _, split, name in _NUMBERS
    ]


def _gates(tested: Measured) -> str:
    return f"{tested.fivecat['passed']}/5" if tested.fivecat else "–"


def _notes(mapped: Sequence[Mapped]) -> list[str]:
    notes = []
    for each in mapped:
        if each.override:
            notes.append(f"{each.name}: promoted although it falls short: {each.override}")
        for which, tested in (("in production", each.now), ("predecessor", each.before)):
            if tested is not None and tested.note:
                notes.append(f"{each.name}, {which}: {tested.note}")
        if len({it.data for it in (each.now, each.before) if it and it.fivecat}) == 2:
            notes.append(f"{each.name}: the two were tested on other data: no change is given")
    return notes


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return ["None is known."]
    return [
        "| " + " | ".join(head) + " |",
        "|" + "---|" * len(head),
        *("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in rows),
    ]


def _cell(text: str) -> str:
    """A name with a bar or a line end in it breaks no table."""
    return text.replace("|", "\\|").replace("\n", " ")


def _plain(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}".replace("-", "−")


def _signed(value: float | None) -> str:
    return "–" if value is None else f"{round(value, 3) + 0.0:+.3f}".replace("-", "−")
