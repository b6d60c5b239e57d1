"""Five-crop prediction with a warm ResNet-101 in torch. Arguments: a large photo, its repeats, a folder of images."""

import glob
import os
import sys
import time

import torch
import torchvision
from PIL import Image
from report import report
from torchvision.transforms import FiveCrop, Resize
from transforms import to_input

photo, repeats, folder = sys.argv[1], int(sys.argv[2]), sys.argv[3]
model = torchvision.models.resnet101().eval()


def predict(file):
    crops = FiveCrop(224)(Resize(256)(Image.open(file).convert("RGB")))
    with torch.no_grad():
        probabilities = torch.softmax(model(torch.stack([to_input(crop) for crop in crops])), 1).mean(0)
    return probabilities.topk(5)


def seconds_for(files):
    start = time.perf_counter()
    for file in files:
        predict(file)
    return time.perf_counter() - start


seconds_for([photo])
alone = min(seconds_for([photo]) for _ in range(repeats))
files = glob.glob(os.path.join(folder, "*", "*"))
report({"photo": alone, "many": len(files) / seconds_for(files)})
