"""Numbers as people read them: fixed widths, a real minus sign, "–" for what was not measured."""

from __future__ import annotations

NOT_MEASURED = "–"


def fixed(value: float | None, digits: int = 3) -> str:
    """`0.561`, `−0.084`."""
    if value is None or value != value:
        return NOT_MEASURED
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def signed(value: float | None, digits: int = 3) -> str:
    """`+0.145`, `−0.084`, and `+0.000` for what rounds to nothing."""
    if value is None or value != value:
        return NOT_MEASURED
    return f"{round(value, digits) + 0.0:+.{digits}f}".replace("-", "−")


def short(value: float, digits: int = 2, *, sign: bool = False) -> str:
    """A threshold without its leading zero: `.50`, `+.12`, `−.15`."""
    text = signed(value, digits) if sign else fixed(value, digits)
    return text.replace("0.", ".", 1) if text.lstrip("+−").startswith("0.") else text


def duration(seconds: float | None) -> str:
    """`8.2 s`, `4:07`, `1:32:05`."""
    if seconds is None or seconds != seconds:
        return NOT_MEASURED
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return clock(seconds)


def clock(seconds: float | None) -> str:
    """`0:52`, `1:32:05`."""
    if seconds is None or seconds != seconds:
        return NOT_MEASURED
    whole = int(seconds + 0.5)
    hours, minutes = divmod(whole // 60, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{whole % 60:02d}"
    return f"{minutes}:{whole % 60:02d}"


def large(value: float | None) -> str:
    """`940`, `12.4k`, `4.7M`."""
    if value is None or value != value:
        return NOT_MEASURED
    for unit, size in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if abs(value) >= size:
            return f"{value / size:.1f}{unit}"
    return f"{value:.0f}" if abs(value) >= 10 or value == int(value) else f"{value:.1f}"


def rate(value: float | None) -> str:
    """A learning rate: `5.0e-4`."""
    if value is None or value != value:
        return NOT_MEASURED
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f"{mantissa}e{int(exponent)}" if value else "0"
