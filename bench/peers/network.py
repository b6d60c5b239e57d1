"""Networks of torch by the names that ours have."""

import convnet
import torch
import torchvision

layouts = {"default": torch.contiguous_format, "channels_last": torch.channels_last}


def network(architecture, **options):
    """torchvision's, timm's for a name that begins with timm/, or a ConvNet; without dropout and stochastic depth, as ours is."""
    if architecture.startswith("timm/"):
        import timm  # Not every torch that is compared with has it.

        return timm.create_model(architecture[len("timm/") :], **options)
    make = getattr(torchvision.models, architecture, None) or getattr(convnet, architecture)
    model = make(**options)
    for module in model.modules():
        if module.__class__.__name__ in ("Dropout", "StochasticDepth"):
            module.p = 0.0
    return model
