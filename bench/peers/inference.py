"""A pass of a frozen network in torch. Arguments: architecture, batch size, passes, memory format, eager or
compiled."""

import sys
import time

import torch
from network import layouts, network
from report import median, peak_mebibytes, report

architecture, batch, passes, memory_format, mode = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:]
layout = layouts[memory_format]
model = network(architecture).eval().to(memory_format=layout)
forward = torch.compile(model) if mode == "compiled" else model
images = torch.rand(batch, 3, 224, 224).contiguous(memory_format=layout)

seconds, processor = [], []
with torch.inference_mode():
    for _ in range(passes + 2):
        start, used = time.perf_counter(), time.process_time()
        forward(images)
        seconds.append(time.perf_counter() - start)
        processor.append(time.process_time() - used)

report({"speed": batch / median(seconds[2:]), "processor": min(processor[2:]), "memory": peak_mebibytes()})
