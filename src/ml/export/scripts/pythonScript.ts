import { exportedNames } from '../../../protocol/exportFormat.ts';
import { type ExportDescription, inComment, quoted, shownClasses } from './description.ts';

/** A Python program that classifies images with an exported file. */
export function pythonScript({ model, labels, input }: ExportDescription): string {
  const { pixels, probabilities, rejected } = exportedNames;
  const asPlanes = input === 'nchw' ? '.transpose(2, 0, 1)[None]' : '';
  return `"""Classifies images with ${inComment(model)}.

pip install onnxruntime pillow
python THIS_FILE IMAGE...
"""
import json
import sys
from pathlib import Path

import numpy
import onnxruntime
from PIL import Image, ImageOps

folder = Path(__file__).resolve().parent
session = onnxruntime.InferenceSession(str(folder / ${quoted(model)}), providers=["CPUExecutionProvider"])
labels = json.loads((folder / ${quoted(labels)}).read_text(encoding="utf-8"))
names = [output.name for output in session.get_outputs()]


def classify(file):
    """The probabilities of an image's classes, and whether it is none of them."""
    with Image.open(file) as image:
        pixels = numpy.asarray(ImageOps.exif_transpose(image).convert("RGB"))${asPlanes}
    answer = dict(zip(names, session.run(names, {"${pixels}": numpy.ascontiguousarray(pixels)})))
    return answer["${probabilities}"][0], "${rejected}" in answer and bool(answer["${rejected}"][0])


if __name__ == "__main__":
    for file in sys.argv[1:]:
        probabilities, rejected = classify(file)
        best = numpy.argsort(-probabilities, kind="stable")[:${shownClasses}]
        classes = [{**labels[index], "probability": float(probabilities[index])} for index in best]
        print(json.dumps({"image": file, "rejected": rejected, "classes": classes}))
`;
}
