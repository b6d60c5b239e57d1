"""
One pass of a vision transformer of DINOv2 small's shape over images, frozen, as torchvision builds it (without DINOv2's
layer scales), with torchvision's transforms in two workers. Arguments: data, images.
"""

import os
import sys
import time

import torch
from report import report
from torchvision import transforms
from torchvision.datasets import ImageFolder
from torchvision.models.vision_transformer import VisionTransformer

folder, count = sys.argv[1], int(sys.argv[2])
torch.set_num_threads(2)
model = VisionTransformer(image_size=224, patch_size=14, num_layers=12, num_heads=6, hidden_dim=384, mlp_dim=1536)
model.heads = torch.nn.Identity()
model.eval()
prepared = transforms.Compose(
    [
        transforms.Resize(224, transforms.InterpolationMode.BICUBIC),
        transforms.CenterCrop(224),
        transforms.ToTensor(),
        transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
    ]
)
data = ImageFolder(os.path.join(folder, "train"), prepared)
batches = iter(torch.utils.data.DataLoader(data, batch_size=32, num_workers=2))
with torch.no_grad():
    model(next(batches)[0])
    start, seen = time.perf_counter(), 0
    for images, _ in batches:
        model(images)
        seen += len(images)
        if seen >= count:
            break
report({"rate": seen / (time.perf_counter() - start)})
