#!/usr/bin/env python3
"""The digits samples: plain lines in a pipe, a bar on a terminal, and on every device the same loss curve.

Usage: digits_test.py BIN_FOLDER DEVICE...      a device may be "name=plugin folder"
"""

import fcntl
import os
import pathlib
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios

BIN = pathlib.Path(sys.argv[1])
EPOCHS = 20


def run(program, *args, cwd, **env):
    return subprocess.run([BIN / program, *args], cwd=cwd, capture_output=True, text=True, env=os.environ | env)


def curve(device, folder):
    name, _, plugins = device.partition("=")
    env = {"TENON_PLUGIN_PATH": plugins} if plugins else {}
    done = run("train_digits", "--device", name, "--epochs", str(EPOCHS), "--curve", "curve.txt", cwd=folder, **env)
    assert done.returncode == 0, done.stderr
    assert "\r" not in done.stdout and "\x1b" not in done.stdout
    assert len(re.findall(r"^epoch +\d+/\d+   loss [0-9.]+   accuracy 0\.\d+", done.stdout, re.M)) == EPOCHS
    read = run("infer_digits", "--device", name, cwd=folder, **env)
    assert read.returncode == 0, read.stderr
    last = re.fullmatch(r"test accuracy: (\d+\.\d) %", read.stdout.splitlines()[-1])
    assert last and float(last[1]) >= 97, f"{device}: {read.stdout}"
    assert max(map(len, read.stdout.splitlines())) <= 80
    losses = [float(x) for x in pathlib.Path(folder, "curve.txt").read_text().split()]
    assert len(losses) == EPOCHS
    return losses


def bar(folder, width):
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("4H", 24, width, 0, 0))
    process = subprocess.Popen([BIN / "train_digits", "--epochs", "2"], stdout=follower, cwd=folder)
    os.close(follower)
    out = b""
    try:
        while piece := os.read(leader, 4096):
            out += piece
    except OSError:  # the other end is closed
        pass
    process.wait()
    lines = [x.removeprefix("\x1b[K").strip() for x in out.decode().split("\r") if "\x1b[K" in x]
    assert process.returncode == 0 and lines
    assert max(map(len, lines)) < width, lines
    head = r"epoch  2/2  \[=+\]  " if width >= 70 else ""
    assert re.fullmatch(head + r"100 %  loss [0-9.]+  accuracy [0-9.]+", lines[-1]), lines[-1]


with tempfile.TemporaryDirectory() as folder:
    for width in (80, 71, 40):
        bar(folder, width)
    first, *others = sys.argv[2:]
    expected = curve(first, folder)
    for device in others:
        worst = max(abs(a - b) for a, b in zip(expected, curve(device, folder)))
        print(f"{device.partition('=')[0]}: differs from {first} by at most {worst:.2e}")
        assert worst <= 1e-4, device

    for args, status in [(["--help"], 0), (["--epochs"], 2), (["--epochs", "x"], 2), (["--bad", "1"], 2),
                         (["--device", "nosuchdevice"], 1)]:
        done = run("train_digits", *args, cwd=folder)
        assert done.returncode == status, (args, done)
    assert "--epochs" in run("train_digits", "--help", cwd=folder).stdout
    reading = run("infer_digits", "--help", cwd=folder)
    assert reading.returncode == 0 and "--device" in reading.stdout and "--epochs" not in reading.stdout, reading
    os.remove(pathlib.Path(folder, "model.safetensors"))
    missing = run("infer_digits", cwd=folder)
    assert missing.returncode == 1 and "model.safetensors" in missing.stderr, missing
    nowhere = run("train_digits", "--epochs", "2", "--curve", "nowhere/curve.txt", cwd=folder)
    assert nowhere.returncode == 1 and nowhere.stdout == "", nowhere  # said before any training
    assert "cannot write nowhere/curve.txt: No such file" in nowhere.stderr, nowhere
    for args in (["--bad"], ["--device"], ["--device", "reference", "more"], ["--epochs", "2"]):
        done = run("xor", *args, cwd=folder)
        assert done.returncode == 2 and "usage: xor [--device NAME]" in done.stderr, (args, done)
    lost = run("train_digits", cwd=folder, TENON_SAMPLES_DATA="/nowhere")
    assert lost.returncode == 1 and "/nowhere/digits.csv" in lost.stderr, lost
