"""
What the report's script does: DenseNet-169, frozen, a new classifier with Adam, images from an ImageFolder, and every 40
batches a validation, whose forward passes are not under `no_grad`. Its plan (see headPlan.ts) is added up from a few
batches of each. Arguments: network, data, batches of training, batches of validation.
"""

import itertools
import os
import sys
import time
from collections import OrderedDict

import torch
import torchvision
from report import report
from torch import nn
from torchvision.datasets import ImageFolder
from transforms import train_transform, valid_transform

name, folder, train_batches, valid_batches = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
model = getattr(torchvision.models, name)()
for parameter in model.parameters():
    parameter.requires_grad = False
model.classifier = nn.Sequential(
    OrderedDict(
        hidden=nn.Linear(model.classifier.in_features, 1024),
        relu=nn.ReLU(),
        dropout=nn.Dropout(0.5),
        output=nn.Linear(1024, 102),
        log=nn.LogSoftmax(dim=1),
    )
)
criterion = nn.NLLLoss()
optimizer = torch.optim.Adam(model.classifier.parameters(), lr=0.001)


def loader(split, transform, shuffle):
    data = ImageFolder(os.path.join(folder, split), transform)
    return torch.utils.data.DataLoader(data, batch_size=32, shuffle=shuffle, num_workers=2)


def train_step(images, labels):
    optimizer.zero_grad()
    loss = criterion(model(images), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


def validation_step(images, labels):
    output = model(images)
    loss = criterion(output, labels).item()
    return loss, (output.exp().max(dim=1)[1] == labels).float().mean().item()


def seconds_an_image(batches, step, count):
    """Of `count` batches after one of warming up."""
    batches = iter(batches)
    step(*next(batches))
    start, images = time.perf_counter(), 0
    for inputs, labels in itertools.islice(batches, count):
        step(inputs, labels)
        images += len(labels)
    return (time.perf_counter() - start) / images


model.train()
training = seconds_an_image(loader("train", train_transform, True), train_step, train_batches)
model.eval()
validation = seconds_an_image(loader("valid", valid_transform, False), validation_step, valid_batches)
epochs, train_images, valid_images = 5, 6552, 817
report({"plan": epochs * (train_images * training + (205 // 40) * valid_images * validation)})
