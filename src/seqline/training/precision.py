"""Where the arithmetic runs and how wide it is.

bf16 is used around the network's forward pass only; losses, weights and optimiser state stay fp32.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Literal

import torch

from seqline.errors import InputError

Precision = Literal["fp32", "bf16"]

# x86 flags of CPUs that multiply bf16 in hardware. Without one, bf16 is emulated and slower than fp32.
BF16_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})
_CPUINFO = Path("/proc/cpuinfo")


def resolve_device(wanted: str) -> torch.device:
    """Choose the device for `auto`, `cpu` or `cuda`.

    Raises:
        InputError: `cuda` where there is none.
    """
    has_cuda = torch.cuda.is_available()
    if wanted == "cuda" and not has_cuda:
        raise InputError(
            "training.device",
            "cuda, but torch sees no CUDA device here",
            hint="set training.device to auto or cpu, or install a CUDA build of torch",
        )
    return torch.device("cuda" if has_cuda and wanted != "cpu" else "cpu")


def cpu_multiplies_bf16(cpuinfo: str) -> bool:
    """Tell whether the text of /proc/cpuinfo names a bf16 flag, on every CPU it lists."""
    flags = [
        set(line.partition(":")[2].split())
        for line in cpuinfo.splitlines()
        if line.partition(":")[0].strip() == "flags"
    ]
    return bool(flags) and all(BF16_FLAGS & names for names in flags)


def resolve(wanted: str, device: torch.device | None = None, *, cpuinfo: str | None = None) -> Precision:
    """Choose the precision for `auto`, `fp32` or `bf16`.

    Args:
        wanted: What the recipe says; `auto` is bf16 where the device multiplies it in hardware.
        device: Where the network runs; the CPU by default.
        cpuinfo: Text to read instead of /proc/cpuinfo; systems without that file take fp32.
    """
    if wanted != "auto":
        return "bf16" if wanted == "bf16" else "fp32"
    if device is not None and device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported() else "fp32"
    if cpuinfo is None:
        cpuinfo = _CPUINFO.read_text(encoding="utf-8", errors="replace") if _CPUINFO.is_file() else ""
    return "bf16" if cpu_multiplies_bf16(cpuinfo) else "fp32"


def autocast(precision: Precision, device: torch.device) -> AbstractContextManager[object]:
    """Make the context for a network's forward pass in training."""
    return torch.autocast(device.type, dtype=torch.bfloat16) if precision == "bf16" else nullcontext()
