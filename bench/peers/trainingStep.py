"""The peer of bench/trainingStep.ts: the same training step in torch. Prints one JSON object."""

import json
import resource
import sys
import time

import torch
import torchvision

architecture, batch, steps, memory_format = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
torch.set_num_threads(int(sys.argv[5]))
layout = {"default": torch.contiguous_format, "channels_last": torch.channels_last}[memory_format]
model = getattr(torchvision.models, architecture)(num_classes=102).train().to(memory_format=layout)
images = torch.rand(batch, 3, 224, 224).contiguous(memory_format=layout)
labels = torch.arange(batch) % 102
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

seconds = []
for _ in range(steps + 2):
    start = time.perf_counter()
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(images), labels).backward()
    optimizer.step()
    seconds.append(time.perf_counter() - start)

peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"seconds": seconds[2:], "peakBytes": peak, "version": torch.__version__}))
