"""
Ultralytics' classification training of torchvision's ResNet-18 from random weights, end to end: its data loader, its
augmentation, a validation after each epoch, its checkpoints. Arguments: data, epochs, images a batch.
"""

import json
import os
import sys
import tempfile
import time

from report import peak_mebibytes, threads, versions

data, epochs, batch = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with tempfile.TemporaryDirectory() as folder:
    # Nothing is fetched, and nothing is read that another run of Ultralytics set.
    os.environ["YOLO_CONFIG_DIR"] = folder
    os.environ["YOLO_OFFLINE"] = "true"
    import ultralytics

    # It wants the split of validation under a name of its own.
    os.symlink(os.path.join(data, "train"), os.path.join(folder, "train"))
    os.symlink(os.path.join(data, "valid"), os.path.join(folder, "val"))
    # Its own file for this network fetches weights.
    network = os.path.join(folder, "resnet18-cls.yaml")
    with open(network, "w") as file:
        file.write("nc: 102\nbackbone:\n  - [-1, 1, TorchVision, [512, resnet18, null, True, 2]]\n")
        file.write("head:\n  - [-1, 1, Classify, [nc]]\n")
    images = sum(len(files) for _, _, files in os.walk(os.path.join(data, "train")))
    ended = []
    model = ultralytics.YOLO(network, task="classify")
    model.add_callback("on_train_start", lambda trainer: ended.append(time.perf_counter()))
    model.add_callback("on_fit_epoch_end", lambda trainer: ended.append(time.perf_counter()))
    begun = time.perf_counter()
    model.train(
        data=folder, epochs=epochs, imgsz=224, batch=batch, workers=threads, device="cpu", project=folder, verbose=False
    )
    whole = time.perf_counter() - begun

# After the last epoch the best weights are validated once more.
times = ended[: epochs + 1]
figures = {"whole": whole, "epoch": images / min(b - a for a, b in zip(times, times[1:])), "memory": peak_mebibytes()}
print(json.dumps({"figures": figures, "versions": {**versions, "ultralytics": ultralytics.__version__}}))
