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


versions = {"torch": torch.__version__, "torchvision": torchvision.__version__, "pillow": PIL.__version__}


def report(figures):
    print(json.dumps({"figures": figures, "versions": versions}))
