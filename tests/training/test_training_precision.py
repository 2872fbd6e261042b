from __future__ import annotations

import pytest
import torch

from seqline.errors import InputError
from seqline.training import precision

PLAIN = (
    "processor\t: 0\nmodel name\t: Some CPU with avx512_bf16 in its name\nflags\t\t: fpu sse2 avx2 avx512f\n"
)
AVX = "processor\t: 0\nflags\t\t: fpu sse2 avx512f avx512_bf16\n"
AMX = "processor\t: 0\nflags\t\t: fpu amx_bf16 amx_tile\n"
ARM = "processor\t: 0\nFeatures\t: fp asimd bf16\n"


@pytest.mark.parametrize(
    ("cpuinfo", "expected"),
    [
        (PLAIN, "fp32"),
        (AVX, "bf16"),
        (AMX, "bf16"),
        (ARM, "fp32"),
        (AVX + "\n" + PLAIN, "fp32"),
        ("", "fp32"),
    ],
)
def test_auto_goes_by_the_flags_of_every_cpu(cpuinfo, expected):
    assert precision.resolve("auto", torch.device("cpu"), cpuinfo=cpuinfo) == expected


@pytest.mark.parametrize("wanted", ["fp32", "bf16"])
@pytest.mark.parametrize("cpuinfo", [PLAIN, AVX])
def test_a_named_precision_is_taken_as_it_is(wanted, cpuinfo):
    assert precision.resolve(wanted, cpuinfo=cpuinfo) == wanted


def test_autocast_computes_products_in_the_precision():
    layer, vector = torch.nn.Linear(2, 2), torch.ones(1, 2)
    with precision.autocast("bf16", torch.device("cpu")):
        assert layer(vector).dtype == torch.bfloat16
    with precision.autocast("fp32", torch.device("cpu")):
        assert layer(vector).dtype == torch.float32


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_cuda_without_a_gpu_is_refused_and_auto_takes_the_cpu():
    with pytest.raises(InputError, match=r"training\.device.*no CUDA device"):
        precision.resolve_device("cuda")
    assert precision.resolve_device("auto") == torch.device("cpu")
    assert precision.resolve_device("cpu") == torch.device("cpu")
