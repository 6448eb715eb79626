"""The official safetensors reader as a peer: open BENCH_FILE and sum every byte of its tensors.

The summing loop is the one of the other side, called through ctypes (BENCH_SUM_LIBRARY)."""

import ctypes
import os

import safetensors
import safetensors.numpy
import safetensors.torch
import torch

from serve import THREADS, Case, serve, timed

PATH = os.environ["BENCH_FILE"]
sum_bytes = ctypes.CDLL(os.environ["BENCH_SUM_LIBRARY"]).bench_sum_bytes
sum_bytes.restype = ctypes.c_uint64
sum_bytes.argtypes = [ctypes.c_void_p, ctypes.c_uint64, ctypes.c_int]


def sum_torch():
    tensors = safetensors.torch.load_file(PATH).values()
    return sum(sum_bytes(t.data_ptr(), t.nbytes, THREADS) for t in tensors)


def sum_numpy():
    arrays = safetensors.numpy.load_file(PATH).values()
    return sum(sum_bytes(a.ctypes.data, a.nbytes, THREADS) for a in arrays)


class Sum(Case):
    def __init__(self, function):
        self.function = function

    def run(self, count):
        return timed(count, self.function)

    def check(self):
        return [self.function()]


serve(
    f"safetensors {safetensors.__version__}",
    {"S1/torch": Sum(sum_torch), "S1/numpy": Sum(sum_numpy)},
)
