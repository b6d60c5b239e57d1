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
import io
import json
import sys
from pathlib import Path

import numpy
import onnxruntime
from PIL import Image, ImageCms, ImageOps

folder = Path(__file__).resolve().parent
session = onnxruntime.InferenceSession(str(folder / ${quoted(model)}), providers=["CPUExecutionProvider"])
labels = json.loads((folder / ${quoted(labels)}).read_text(encoding="utf-8"))
names = [output.name for output in session.get_outputs()]


def shown(image):
    """The image as a viewer shows it: upright, in 8 bits, its colors brought from its own profile to sRGB."""
    name = getattr(image, "filename", "")
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # gray in 16 bits, which Pillow would cut off at 255
        image = image.point(lambda level: level / 256).convert("L")
    profile = image.info.get("icc_profile")
    if profile:
        given = image if image.mode in ("L", "RGB", "CMYK") else image.convert("RGB")
        srgb = ImageCms.createProfile("sRGB")
        try:
            return ImageCms.profileToProfile(given, io.BytesIO(profile), srgb, outputMode="RGB")
        except ImageCms.PyCMSError:
            pass  # a profile that does not fit the image, or is none
    if image.mode == "CMYK":
        print(f"{name} is CMYK without a profile that fits, so its colors are only near Fivecrop’s: save it as RGB", file=sys.stderr)
    return image.convert("RGB")


def classify(file):
    """The probabilities of an image's classes, and whether it is none of them."""
    with Image.open(file) as image:
        pixels = numpy.asarray(shown(image))${asPlanes}
    answer = dict(zip(names, session.run(names, {"${pixels}": numpy.ascontiguousarray(pixels)})))
    return answer["${probabilities}"][0], "${rejected}" in answer and bool(answer["${rejected}"][0])


if __name__ == "__main__":
    failed = False
    for file in sys.argv[1:]:
        try:
            probabilities, rejected = classify(file)
        except (OSError, Image.DecompressionBombError) as error:
            print(json.dumps({"image": file, "error": str(error)}))
            failed = True
            continue
        best = numpy.argsort(-probabilities, kind="stable")[:${shownClasses}]
        classes = [{**labels[index], "probability": float(probabilities[index])} for index in best]
        print(json.dumps({"image": file, "rejected": rejected, "classes": classes}))
    sys.exit(1 if failed else 0)
`;
}
