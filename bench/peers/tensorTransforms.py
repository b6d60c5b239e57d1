"""The transforms of the report's script as torchvision's v2 has them for tensors, and its own decoder."""

import torch
from torchvision.io import ImageReadMode, decode_image, read_file
from torchvision.transforms import v2

tensor_train_transform = v2.Compose(
    [
        v2.RandomRotation(30),
        v2.Resize(255, antialias=True),
        v2.CenterCrop(224),
        v2.RandomHorizontalFlip(),
        v2.ToDtype(torch.float32, scale=True),
        v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ]
)


def read_image(path):
    return decode_image(read_file(path), ImageReadMode.RGB)
