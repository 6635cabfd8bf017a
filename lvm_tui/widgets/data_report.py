"""The data of a run: which way it runs, how much of it there is, and what to do if it is bad."""

from __future__ import annotations

from typing import Any

from textual.content import Content
from textual.geometry import Size

from lvm_tui.numbers import fixed, short, signed
from lvm_tui.state.views import Data
from lvm_tui.widgets.board import Board
from lvm_tui.widgets.text import BLOCKS, clipped, lines, spread, verdict

_LABEL = 12
"""Cells of the first column."""

_EIGHTHS = " ▏▎▍▌▋▊▉"

_WIDEST = 72
"""Cells of the longest bar."""

_WORDS = {
    "coherence": ("neighbouring chunks are alike", False),
    "signal": ("last context nearer than the first", True),
    "order": ("nearer to the target at every step", True),
}
"""Of each check: what it asks, and whether its value has a sign."""


class DataReport(Board[Data | None]):
    """Checks with their needs, the profile by position, the alignment, the notes."""

    def draw(self, slice_: Data | None, size: Size) -> Content:
        if slice_ is None:
            return Content("")
        width = max(size.width, 40)
        rows = [*_head(slice_, width), Content(""), *_checks(slice_, width), Content("")]
        rows += _profile(slice_, width)
        rows += _distribution(slice_, width)
        rows += _alignment(slice_, width)
        return lines(clipped(row, width) for row in rows)


def _head(data: Data, width: int) -> list[Content]:
    parts = [f"{name} {count:,}" for name, count in data.samples.items()]
    parts += [f"{data.articles:,} articles"] if data.articles else []
    parts += [f"{data.dim}-D"] if data.dim else []
    rows = [
        spread(Content.styled(data.source, "bold"), _verdict(data), width),
        *(Content.styled(line, "$dim") for line in _in_lines(parts, width)),
        Content(""),
    ]
    kind, words = str(data.quality.get("kind") or ""), str(data.quality.get("words") or "")
    words = words.removeprefix(f"{kind}: ")
    style = "bold $text-success" if data.passed else "bold $text-error"
    said = Content.assemble((kind, style), ": " if kind and words else "", words)
    rows += said.wrap(width)
    if fix := str(data.quality.get("fix") or ""):
        rows += [
            Content.assemble(("→ " if not at else "  ", "$text-warning bold"), line)
            for at, line in enumerate(Content(fix).wrap(width - 2))
        ]
    return rows


def _in_lines(parts: list[str], width: int) -> list[str]:
    """Parts with dots between them, no part cut."""
    rows: list[str] = []
    for part in parts:
        if rows and len(rows[-1]) + len(part) + 3 <= width:
            rows[-1] += f" · {part}"
        else:
            rows.append(part)
    return rows


def _verdict(data: Data) -> Content:
    if not data.samples:  # a file that was only looked at
        words, style = ("✓ good enough", "success") if data.passed else ("✗ FAILED", "error")
        return Content.styled(words, f"$text-{style} bold")
    if data.passed:
        return Content.styled("✓ good enough to train on", "$text-success bold")
    if data.overridden:
        return Content.styled("✗ FAILED, trained on all the same", "$text-warning bold")
    return Content.styled("✗ FAILED: not trained on", "$text-error bold")


def _checks(data: Data, width: int) -> list[Content]:
    rows = []
    for check in data.quality.get("checks") or ():
        name = str(check.get("name"))
        words, has_sign = _WORDS.get(name, ("", False))
        value, need = _number(check.get("value")), _number(check.get("need"))
        shown = signed(value) if has_sign else fixed(value)
        sign = ">" if name == "order" else "≥"
        needed = f"{sign} {short(need, sign=has_sign) if need else '0'}" if need is not None else ""
        rows.append(
            Content.assemble(
                (f"{name:<{_LABEL}}", "bold"),
                f"{shown:>6} ",
                verdict(check.get("passed")),
                (f"  needs {needed:<8}", "$dim"),
                (words if width >= 72 else "", "$dim"),
            )
        )
    return rows


def _profile(data: Data, width: int) -> list[Content]:
    """How near each context lies to the target, oldest first, and the step to the next."""
    values = [_number(value) for value in data.quality.get("position_to_target") or ()]
    known = [value for value in values if value is not None]
    if not known:
        return []
    measured = data.quality.get("samples")
    title = Content.styled("cosine of each context with the target", "bold")
    if measured:
        note = Content.styled(f"   mean of {measured:,} sequences", "$dim")
        title += note if title.cell_length + note.cell_length <= width else Content("")
    background = _number(data.quality.get("background"))
    top = max([*known, background or 0.0, 0.01])
    room = min(width - _LABEL - 26, _WIDEST)
    rows = [title]
    before: float | None = None
    for at, value in enumerate(values):
        name = "oldest" if at == 0 else "last" if at == len(values) - 1 else ""
        label = f"{name:<7}{_position(at - len(values)):>3}"
        step = value - before if value is not None and before is not None else None
        mark = Content("")
        if step is not None:
            mark = Content.assemble((f" {signed(step)} ", "$dim"), verdict(step > 0))
        rows.append(_bar(label, value, top, room, "$primary") + mark)
        before = value
    if background is not None:
        note = Content.styled(" of other sequences", "$dim")
        rows.append(_bar("foreign", background, top, room, "$dim") + note)
    return rows


def _distribution(data: Data, width: int) -> list[Content]:
    """How many windows have which coherence: one hump, or connected text among unconnected."""
    counts = [int(n) for n in data.quality.get("distribution") or () if isinstance(n, int | float)]
    if not sum(counts):
        return []
    checks = {check.get("name"): check for check in data.quality.get("checks") or ()}
    need = _number(checks.get("coherence", {}).get("need"))
    edge = round((need or 0.0) * len(counts))
    below = sum(counts[:edge]) / sum(counts)
    cells = max(1, min(3, (width - _LABEL - 16) // len(counts)))
    top = max(counts)
    shown = Content.styled(f"{'0.0':>{_LABEL}} ", "$dim")
    for at, count in enumerate(counts):
        block = BLOCKS[max(round(count / top * (len(BLOCKS) - 1)), 0)] if count else " "
        style = "$primary" if at >= edge else "$text-warning"
        shown += Content.styled(block * cells, style)
    shown += Content.styled(" 1.0", "$dim")
    said = f"   {below:.0%} below {short(need)}" if need is not None else ""
    title = Content.assemble(("coherence of each window", "bold"), (said, "$dim"))
    return [Content(""), title, shown]


def _position(offset: int) -> str:
    """Chunks before the target: `−5` to `−1`."""
    return f"{offset:+d}".replace("-", "−")


def _bar(label: str, value: float | None, top: float, room: int, style: str) -> Content:
    share = max(value or 0.0, 0.0) / top
    whole, rest = divmod(round(share * room * 8), 8)
    bar = "█" * whole + _EIGHTHS[rest].strip()
    return Content.assemble((f"{label:<{_LABEL}}", "$dim"), f"{fixed(value):>6}  ", (bar, style))


def _alignment(data: Data, width: int) -> list[Content]:
    rows: list[tuple[str, str, str]] = []
    for split, found in data.alignment.items():
        if isinstance(found, dict):
            rows.append((str(split), _aligned(found), "" if found.get("known", True) else "$dim"))
    for note in data.notes:
        rows.append(("note", note, "$text-warning"))
    if not rows:
        return []
    shown = [Content(""), Content.styled("alignment with the articles", "bold")]
    for name, words, style in rows:
        wrapped = Content.styled(words, style).wrap(max(width - _LABEL, 20))
        shown += [
            Content.styled(f"{name if not at else '':<{_LABEL}}", "$dim") + line
            for at, line in enumerate(wrapped)
        ]
    return shown


def _aligned(found: dict[str, Any]) -> str:
    if words := found.get("words"):
        return str(words)
    matched = _number(found.get("matched"))
    shift = found.get("shift")
    parts = [f"shift {_position(int(shift)) if shift else 0}"] if shift is not None else []
    parts += [f"{matched:.1%} match"] if matched is not None else []
    return " · ".join(parts) or "not measured"


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
