"""Writes the small files that torchFile.test.ts reads, with torch 1.13: `python3 make.py`. Values are exact in every type."""
import os
from collections import OrderedDict

import torch

here = os.path.dirname(os.path.abspath(__file__))


class Runs:
    """Asks whoever unpickles it to make a file, which proves that something was run."""

    def __reduce__(self):
        return os.system, ("touch /tmp/fivecrop-was-here",)


grid = torch.arange(24, dtype=torch.float32).reshape(2, 3, 4)
state = OrderedDict()
state["module.float"] = grid
state["module.transposed"] = grid.permute(2, 0, 1)
state["module.offset"] = grid[1, 1:, ::2]
state["module.half"] = torch.tensor([1.5, -2.0, 2.0**-24, float("inf")]).half()
state["module.bfloat"] = torch.tensor([[1.5], [-3.0]]).bfloat16()
state["module.double"] = torch.tensor([0.5, -0.25], dtype=torch.float64)
state["module.long"] = torch.tensor(2**60)
state["module.int"] = torch.tensor([-1, 7], dtype=torch.int32)
state["module.byte"] = torch.tensor([0, 255], dtype=torch.uint8)
state["module.bool"] = torch.tensor([True, False])
state["module.empty"] = torch.zeros(0, 3)
state["module.parameter"] = torch.nn.Parameter(torch.tensor([4.0]))
state["module.denselayer1.norm.1.weight"] = torch.tensor([6.0])
content = {
    "harm": Runs(),
    "optimizer": torch.optim.SGD([torch.nn.Parameter(torch.zeros(2))], lr=0.1),
    "numbers": (1, -2, 3.5, None, True, 2**70, "ü", {1, 2}),
    "state_dict": state,
}
content["itself"] = content
for name, new in (("zip", True), ("legacy", False)):
    torch.save(content, f"{here}/{name}.pth", _use_new_zipfile_serialization=new)
torch.save({"x": torch.zeros(1).expand(1000)}, f"{here}/expanded.pth")
torch.save(torch.nn.Linear(2, 2), f"{here}/module.pth")
