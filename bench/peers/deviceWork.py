"""What ours/deviceWork.ts times, in torch. Arguments: work, architecture, batch size, steps, device, side, eager or bf16."""

import sys
import time

import torch
import torchvision
from report import median, report

work, architecture, batch, steps, device, size, mode = sys.argv[1:8]
batch, steps, size = int(batch), int(steps), int(size)
if work == "probe":
    report({"cuda": int(torch.cuda.is_available())})
    sys.exit()

layout = torch.channels_last if mode == "bf16" else torch.contiguous_format
model = getattr(torchvision.models, architecture)(num_classes=102).to(device, memory_format=layout)
model.train(work == "full")
if work == "head":
    model.requires_grad_(False)
    name = "classifier" if hasattr(model, "classifier") else "fc"
    features = getattr(model, name).in_features
    layers = torch.nn.Linear(features, 1024), torch.nn.ReLU(), torch.nn.Dropout(0.5), torch.nn.Linear(1024, 102)
    setattr(model, name, torch.nn.Sequential(*layers).to(device))
images = torch.randint(0, 256, (batch, 3, size, size), dtype=torch.uint8)
labels = (torch.arange(batch) % 102).to(device)
trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
optimizer = torch.optim.Adam(trained, lr=1e-3)


def step():
    pixels = images.to(device).float().div_(255).contiguous(memory_format=layout)
    with torch.autocast(torch.device(device).type, torch.bfloat16, enabled=mode == "bf16"):
        logits = model(pixels)
    if work != "five":
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(logits.float(), labels).backward()
        optimizer.step()
    if device == "cuda":
        torch.cuda.synchronize()


seconds = []
with torch.set_grad_enabled(work != "five"):
    for _ in range(steps + 2):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)

report({"images": batch / (5 if work == "five" else 1) / median(seconds[2:])})
