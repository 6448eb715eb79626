"""S3: prints the monotonic clock in nanoseconds when the first op has its result."""

import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # what it tells of itself at each start

import tensorflow as tf

c = tf.fill([3], 1.0) + tf.fill([3], 10.0)
total = float(c.numpy()[0])
print(f"> ns {time.monotonic_ns()} {total:.1f}")
