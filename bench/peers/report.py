"""What every peer needs: its threads, and how it tells what it measured."""

import json
import os
import resource
import statistics

import PIL
import torch
import torchvision

threads = len(os.sched_getaffinity(0))
torch.set_num_threads(threads)

median = statistics.median


def peak_mebibytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def blas():
    """The library that torch multiplies matrices with, by the name of its file; "its own" where it brings one."""
    with open("/proc/self/maps") as maps:
        files = {os.path.basename(line.split()[-1]) for line in maps}
    return max((file for file in files if "blas" in file), default="its own")


versions = {
    "torch": torch.__version__,
    "torchvision": torchvision.__version__,
    "BLAS": blas(),
    "pillow": PIL.__version__,
}


def report(figures):
    print(json.dumps({"figures": figures, "versions": versions}))
