#!/usr/bin/env python3
"""train_mnist on a few images made here, ten kinds of bright blocks: on every device the same losses.

Usage: train_mnist_test.py TRAIN_MNIST DEVICE...      a device may be "name=plugin folder"
"""

import os
import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile


def write(folder, part, count):
    pixels, labels = bytearray(), bytearray()
    for i in range(count):
        digit = i % 10
        top, left = digit // 5 * 14 + 2, digit % 5 * 5 + 1
        labels.append(digit)
        for y in range(28):
            for x in range(28):
                bright = top <= y < top + 9 and left <= x < left + 5
                pixels.append((200 if bright else 0) + random.randrange(56))
    pathlib.Path(folder, part + "-images.idx3-ubyte").write_bytes(
        struct.pack(">4I", 0x803, count, 28, 28) + pixels)
    pathlib.Path(folder, part + "-labels.idx1-ubyte").write_bytes(struct.pack(">2I", 0x801, count) + labels)


EPOCHS = 2


def train(folder, device):
    name, _, plugins = device.partition("=")
    env = os.environ | ({"TENON_PLUGIN_PATH": plugins} if plugins else {})
    return subprocess.run([sys.argv[1], "--device", name, "--data", folder, "--epochs", str(EPOCHS), "--batch", "16"],
                          cwd=folder, capture_output=True, text=True, env=env)


def losses(folder, device):
    done = train(folder, device)
    print(done.stdout, done.stderr)
    assert done.returncode == 0, done.returncode
    accuracy = re.search(r"test accuracy: ([0-9.]+) %\n$", done.stdout)
    assert accuracy and float(accuracy[1]) >= 95, "it should tell the blocks apart"
    saved = pathlib.Path(folder, "lenet.safetensors")
    assert saved.exists()
    saved.unlink()
    found = [float(x) for x in re.findall(r"^epoch +\d+/\d+   loss ([0-9.]+) ", done.stdout, re.M)]
    assert len(found) == EPOCHS
    return found


random.seed(1)
first, *others = sys.argv[2:]
with tempfile.TemporaryDirectory() as folder:
    missing = train(folder, first)
    assert missing.returncode == 77 and "fetch-mnist" in missing.stderr, missing
    write(folder, "train", 320)
    write(folder, "t10k", 80)
    expected = losses(folder, first)
    for device in others:
        worst = max(abs(a - b) for a, b in zip(expected, losses(folder, device)))
        print(f"{device.partition('=')[0]}: differs from {first} by at most {worst:.2e}")
        assert worst <= 1e-4, device
    labels = pathlib.Path(folder, "t10k-labels.idx1-ubyte")
    labels.write_bytes(labels.read_bytes()[:-1])
    damaged = train(folder, first)
    assert damaged.returncode == 1 and "cut off" in damaged.stderr, damaged
