"""What ours/deviceWork.ts times, in torch on a CUDA device, in two ways: eager as torch is by default, and with bf16
autocast and channels_last. Argument: a JSON list of works [kind, architecture, batch size, steps, side]; a figure's key
is the work's place in it and the mode."""

import json
import sys
import time

import torch
import torchvision
from report import median, versions

works = json.loads(sys.argv[1])
device = torch.device("cuda")


def network(kind, architecture, layout):
    model = getattr(torchvision.models, architecture)(num_classes=102).to(device, memory_format=layout)
    model.train(kind == "full")
    if kind == "head":
        model.requires_grad_(False)
        name = "classifier" if hasattr(model, "classifier") else "fc"
        features = getattr(model, name).in_features
        layers = torch.nn.Linear(features, 1024), torch.nn.ReLU(), torch.nn.Dropout(0.5), torch.nn.Linear(1024, 102)
        setattr(model, name, torch.nn.Sequential(*layers).to(device))
    return model


def images_a_second(kind, architecture, batch, steps, size, mode):
    layout = torch.channels_last if mode == "bf16" else torch.contiguous_format
    model = network(kind, architecture, layout)
    images = torch.randint(0, 256, (batch, 3, size, size), dtype=torch.uint8)
    labels = (torch.arange(batch) % 102).to(device)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(trained, lr=1e-3)

    def step():
        pixels = images.to(device).float().div_(255).contiguous(memory_format=layout)
        with torch.autocast(device.type, torch.bfloat16, enabled=mode == "bf16"):
            logits = model(pixels)
        if kind != "five":
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(logits.float(), labels).backward()
            optimizer.step()
        torch.cuda.synchronize()

    seconds = []
    with torch.set_grad_enabled(kind != "five"):
        for _ in range(steps + 2):
            start = time.perf_counter()
            step()
            seconds.append(time.perf_counter() - start)
    return batch / (5 if kind == "five" else 1) / median(seconds[2:])


figures = {
    f"{index} {mode}": images_a_second(*work, mode) for index, work in enumerate(works) for mode in ("eager", "bf16")
}
print(json.dumps({"figures": figures, "versions": {**versions, "card": torch.cuda.get_device_name()}}))
