"""
The report's transform by torchvision: ImageFolder and a DataLoader with two workers. Arguments: the data, images a batch,
later epochs, and by what images are read: pillow, or decode_image with torchvision's transforms of tensors.
"""

import os
import sys
import time

import torch
from report import report
from torchvision.datasets import ImageFolder
from transforms import train_transform

batch_size, later_epochs, reader = int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
folder = os.path.join(sys.argv[1], "train")
if reader == "pillow":
    data = ImageFolder(folder, train_transform)
else:
    from tensorTransforms import read_image, tensor_train_transform

    data = ImageFolder(folder, tensor_train_transform, loader=read_image)
loader = torch.utils.data.DataLoader(data, batch_size=batch_size, shuffle=True, num_workers=2)


def epoch():
    """Images a second from the first batch to the last; the workers start before it."""
    start, images = None, 0
    for _, labels in loader:
        if start is None:
            start = time.perf_counter()
        else:
            images += len(labels)
    return images / (time.perf_counter() - start)


first = epoch()
figures = {"first": first}
if later_epochs > 0:
    later = [epoch() for _ in range(later_epochs)]
    figures["later"] = max(later)
    figures["five"] = 5 / (1 / first + 4 * sum(1 / rate for rate in later) / later_epochs)
report(figures)
