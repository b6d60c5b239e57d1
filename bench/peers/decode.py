"""The report's transform by torchvision: ImageFolder and a DataLoader with two workers. Argument: the data."""

import os
import sys
import time

import torch
from report import report
from transforms import train_transform
from torchvision.datasets import ImageFolder

data = ImageFolder(os.path.join(sys.argv[1], "train"), train_transform)
loader = torch.utils.data.DataLoader(data, batch_size=32, shuffle=True, num_workers=2)


def epoch():
    """Images a second from the first batch to the last; the workers start before it."""
    start, images = None, 0
    for _, labels in loader:
        if start is None:
            start = time.perf_counter()
        else:
            images += len(labels)
    return images / (time.perf_counter() - start)


first, *later = epoch(), epoch(), epoch()
five = 5 / (1 / first + 2 / later[0] + 2 / later[1])
report({"first": first, "later": max(later), "five": five})
