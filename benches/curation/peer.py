#!/usr/bin/env python3
"""What likeness is measured against: cleanvision, imagededup and an ONNX face pipeline, one after the other, all cores.

    peer.py PHOTOS --models DIR

Prints one JSON object: photos, issues found, duplicates, faces, strangers, and the seconds of each part.
"""

import argparse
import contextlib
import glob
import json
import multiprocessing
import os
import sys
import time

import cv2
import numpy as np
import onnxruntime

SIDE = 640
STRIDES = (8, 16, 32)
# ArcFace's five points on 112 x 112.
TEMPLATE = np.float32([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])
models = None  # of this process: detector, encoder


def open_models(folder):
    """Opens both models with one thread each: there is a process a core."""
    global models
    cv2.setNumThreads(1)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    found = [glob.glob(os.path.join(folder, "**", name), recursive=True) for name in ("yunet_n_640_640.onnx", "mobileface_V2_112.onnx")]
    models = [onnxruntime.InferenceSession(paths[0], options) for paths in found]


def detect(picture):
    """Boxes, points and scores of the faces in a picture, largest first, in its pixels."""
    height, width = picture.shape[:2]
    scale = SIDE / max(width, height)
    square = np.zeros((SIDE, SIDE, 3), np.uint8)
    small = cv2.resize(picture, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    square[: small.shape[0], : small.shape[1]] = small
    outputs = models[0].run(None, {models[0].get_inputs()[0].name: square.transpose(2, 0, 1)[None].astype(np.float32)})
    boxes, points, scores = [], [], []
    for stride in STRIDES:
        cells = (SIDE // stride) ** 2
        of = lambda columns: [o.reshape(cells, columns) for o in outputs if o.shape[-2:] == (cells, columns)]
        (first, second), (box,), (landmarks,) = of(1), of(4), of(10)
        score = np.sqrt(np.clip(first, 0, 1) * np.clip(second, 0, 1))[:, 0]
        sure = score >= 0.6
        corner = np.stack(np.divmod(np.arange(cells), SIDE // stride)[::-1], 1)[sure]
        middle, size = (corner + box[sure, :2]) * stride, np.exp(box[sure, 2:]) * stride
        boxes.append(np.concatenate([middle - size / 2, size], 1))
        points.append((np.tile(corner, 5) + landmarks[sure]) * stride)
        scores.append(score[sure])
    boxes, points, scores = np.concatenate(boxes), np.concatenate(points), np.concatenate(scores)
    kept = cv2.dnn.NMSBoxes(boxes.tolist(), scores.tolist(), 0.6, 0.3)
    order = sorted(kept, key=lambda at: -boxes[at, 2] * boxes[at, 3])
    return [(boxes[at] / scale, points[at].reshape(5, 2) / scale, float(scores[at])) for at in order]


def identity(path):
    """The identity of the main face of a photo; None without a face."""
    picture = cv2.imread(path)
    faces = detect(picture)
    if not faces:
        return None
    matrix, _ = cv2.estimateAffinePartial2D(faces[0][1].astype(np.float32), TEMPLATE, method=cv2.LMEDS)
    aligned = cv2.cvtColor(cv2.warpAffine(picture, matrix, (112, 112)), cv2.COLOR_BGR2RGB)
    tensor = aligned.transpose(2, 0, 1)[None].astype(np.float32)
    answer = models[1].run(None, {models[1].get_inputs()[0].name: tensor})[0].reshape(-1)
    return answer / np.linalg.norm(answer)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("photos")
    parser.add_argument("--models", required=True)
    args = parser.parse_args()
    told, began = {}, time.monotonic()

    def lap(name):
        nonlocal began
        told[name], began = round(time.monotonic() - began, 3), time.monotonic()

    with contextlib.redirect_stdout(sys.stderr):
        from cleanvision import Imagelab

        lab = Imagelab(data_path=args.photos)
        lab.find_issues(n_jobs=os.cpu_count(), verbose=False)
        issues = int(lab.issue_summary["num_images"].sum())
        lap("cleanvision_seconds")
        from imagededup.methods import PHash

        hasher = PHash(verbose=False)
        codes = hasher.encode_images(image_dir=args.photos, num_enc_workers=os.cpu_count())
        pairs = hasher.find_duplicates(encoding_map=codes, max_distance_threshold=10, num_dist_workers=0)
        lap("imagededup_seconds")
        paths = sorted(os.path.join(args.photos, name) for name in os.listdir(args.photos))
        with multiprocessing.Pool(os.cpu_count(), open_models, (args.models,)) as pool:
            found = pool.map(identity, paths, chunksize=1)
        known = np.array([one for one in found if one is not None])
        centre = known.mean(0) / np.linalg.norm(known.mean(0))
        lap("faces_seconds")
    told |= {
        "photos": len(paths),
        "issues": issues,
        "with_duplicates": sum(bool(others) for others in pairs.values()),
        "faces": len(known),
        "unlike_the_others": int((known @ centre < 0.35).sum()),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main()
