"""How busy the machine of this process is: CPU, memory, disk, and NVIDIA GPUs where there are any.

Reading may block (a disk on the network, a driver): `Meter.read` belongs into a thread.
"""

from __future__ import annotations

import importlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CPU_STEP = 5.0
"""Percent to which a load is rounded: a smaller change is not worth a repaint."""

FIRST = 0.2
"""Seconds that the first load is measured over."""

GB = 1e9


@dataclass(frozen=True, slots=True)
class Gpu:
    name: str
    load: float
    """Percent."""
    used: float
    total: float
    """Bytes."""
    celsius: int | None = None


@dataclass(frozen=True, slots=True)
class Gauges:
    cpu: float
    """Percent of all cores."""
    memory_used: float
    memory_total: float
    disk_free: float | None
    """Bytes that this user may still write beside the runs; None if the disk does not answer."""
    gpus: tuple[Gpu, ...] = ()


class Meter:
    def __init__(self, folder: Path) -> None:
        """folder: on the disk that the runs are written to."""
        self._folder = folder
        self._nvml: Any = None
        self._started = False
        self._times: tuple[float, float] | None = None
        """Seconds of all cores at the last reading: idle, and in all."""

    def read(self) -> Gauges:
        """The load since the last call; rounded to what is worth showing."""
        import psutil  # 0.03 s, after the first paint

        if not self._started:
            self._started = True
            self._nvml = open_nvml()
            self._cpu()
            time.sleep(FIRST)  # the first value has nothing to compare with
        memory = psutil.virtual_memory()
        return Gauges(
            cpu=_rounded(self._cpu(), CPU_STEP),
            memory_used=_rounded(memory.total - memory.available, GB / 10),
            memory_total=float(memory.total),
            disk_free=self._disk_free(),
            gpus=read_gpus(self._nvml) if self._nvml is not None else (),
        )

    def _cpu(self) -> float:
        """Percent of all cores since the last call; psutil's own counts by the thread that asks."""
        import psutil

        now = psutil.cpu_times()
        idle = now.idle + getattr(now, "iowait", 0.0)
        total = sum(now) - getattr(now, "guest", 0.0) - getattr(now, "guest_nice", 0.0)
        before, self._times = self._times, (idle, total)
        if before is None or total <= before[1]:
            return 0.0
        share = (idle - before[0]) / (total - before[1])
        return 100.0 * min(max(1.0 - share, 0.0), 1.0)

    def _disk_free(self) -> float | None:
        import psutil

        folder = self._folder
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent  # nothing was written yet
        try:
            free = float(psutil.disk_usage(str(folder)).free)
        except OSError:
            return None
        return _rounded(free, GB if free > 10 * GB else GB / 10)


def open_nvml() -> Any:
    """NVIDIA's library by the package nvidia-ml-py; None without the package, driver or GPU."""
    try:
        nvml = importlib.import_module("pynvml")
    except ImportError:
        return None
    try:
        nvml.nvmlInit()
        return nvml if nvml.nvmlDeviceGetCount() else None
    except nvml.NVMLError:
        return None


def read_gpus(nvml: Any) -> tuple[Gpu, ...]:
    """All GPUs, as far as they answer: one that is lost or forbidden is left out."""
    found = []
    for at in range(nvml.nvmlDeviceGetCount()):
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(at)
            memory = nvml.nvmlDeviceGetMemoryInfo(handle)
            name = nvml.nvmlDeviceGetName(handle)
            load = float(nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
        except nvml.NVMLError:
            continue
        try:
            celsius = int(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU))
        except nvml.NVMLError:
            celsius = None  # not told by every card
        found.append(
            Gpu(
                name.decode() if isinstance(name, bytes) else str(name),
                _rounded(load, CPU_STEP),
                _rounded(float(memory.used), GB / 10),
                float(memory.total),
                celsius,
            )
        )
    return tuple(found)


def _rounded(value: float, step: float) -> float:
    return round(value / step) * step
