"""The report's small network with two blocks, in torch."""

from torch import nn


def block():
    convolution = lambda: nn.Conv2d(64, 64, 3, padding=1, bias=False)
    return nn.Sequential(convolution(), nn.BatchNorm2d(64), nn.ReLU(inplace=True), convolution(), nn.BatchNorm2d(64))


def ConvNet2(num_classes):
    stem = [nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False), nn.BatchNorm2d(64)]
    return nn.Sequential(*stem, block(), block(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, num_classes))
