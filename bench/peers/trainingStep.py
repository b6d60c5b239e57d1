"""A full training step in torch. Arguments: architecture, batch size, steps, memory format, eager or compiled."""

import sys
import time

import torch
from network import layouts, network
from report import median, peak_mebibytes, report

architecture, batch, steps, memory_format, mode = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:]
layout = layouts[memory_format]
model = network(architecture, num_classes=102).train().to(memory_format=layout)
images = torch.rand(batch, 3, 224, 224).contiguous(memory_format=layout)
labels = torch.arange(batch) % 102
forward = torch.compile(model) if mode == "compiled" else model
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)

seconds, processor = [], []
for _ in range(steps + 2):
    start, used = time.perf_counter(), time.process_time()
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(forward(images), labels).backward()
    optimizer.step()
    seconds.append(time.perf_counter() - start)
    processor.append(time.process_time() - used)

report({"speed": batch / median(seconds[2:]), "processor": min(processor[2:]), "memory": peak_mebibytes()})
