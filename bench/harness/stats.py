"""Medians, spreads and means of rounds."""

import math
from statistics import median


def quartile_range(values):
    """Distance between the quartiles."""
    ordered = sorted(values)

    def at(fraction):
        position = fraction * (len(ordered) - 1)
        low = math.floor(position)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (ordered[high] - ordered[low]) * (position - low)

    return at(0.75) - at(0.25)


def spread(values):
    """Quartile range as a fraction of the median."""
    middle = median(values)
    return quartile_range(values) / middle if middle else 0.0


def ratio_spread(ours, theirs):
    """Spread of the ratios of rounds that were measured next to each other: it leaves out what
    slowed down both sides."""
    return spread([b / a for a, b in zip(ours, theirs) if a])


def geometric_mean(values):
    return math.exp(sum(math.log(v) for v in values) / len(values))


def close(left, right, tolerance):
    """Both sides' check values agree, relative to the larger of each pair (and of 1e-3)."""
    return len(left) == len(right) and all(
        abs(a - b) <= tolerance * max(abs(a), abs(b), 1e-3) for a, b in zip(left, right)
    )
