"""The same changes with scikit-learn: after each, a head is fitted to the labels as they are, every row is judged by the
head of all others, and accuracy and confusions are counted. Arguments: width, classes, the file of features, that of labels,
that of changes, changes that are made."""

import json
import sys
import time

import numpy
import sklearn
from report import median, peak_mebibytes, report, versions
from sklearn.linear_model import RidgeCV
from sklearn.preprocessing import LabelBinarizer, StandardScaler

width, classes, features_file, labels_file, changes_file, count = sys.argv[1:]
features = numpy.fromfile(features_file, numpy.float32).reshape(-1, int(width))
labels = numpy.fromfile(labels_file, numpy.int32)
changes = [json.loads(line) for line in open(changes_file)]
penalty = 0.3 * int(width)


def look(labels):
    kept = labels >= 0
    own = labels[kept]
    rows = StandardScaler().fit_transform(features[kept])
    targets = LabelBinarizer(neg_label=-1).fit(own)
    # One penalty, as ours has. With a scorer, what it keeps of each row is the head's answer that was fitted without it.
    head = RidgeCV(alphas=[penalty], scoring="neg_mean_squared_error", store_cv_results=True)
    head.fit(rows, targets.transform(own))
    likely = targets.classes_[head.cv_results_[:, :, 0].argmax(1)]
    confusions = numpy.zeros((int(classes), int(classes)), int)
    numpy.add.at(confusions, (own, likely), 1)
    return (likely == own).mean(), confusions


done, undone, seconds = [], [], []
for change in changes[: int(count)]:
    before = labels
    if change["kind"] in ("undo", "redo"):
        source, target = (done, undone) if change["kind"] == "undo" else (undone, done)
        labels = source.pop()
        target.append(before)
    else:
        labels = labels.copy()
        if change["kind"] == "merge":
            labels[labels == change["from"]] = change["to"]
        else:
            labels[change["row"]] = change.get("to", -1)
        done.append(before)
        undone = []
    start = time.perf_counter()
    look(labels)
    seconds.append(time.perf_counter() - start)

versions["scikit-learn"] = sklearn.__version__
report({"p95": float(numpy.quantile(seconds, 0.95, method="inverted_cdf")), "median": median(seconds), "memory": peak_mebibytes()})
