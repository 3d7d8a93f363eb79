#!/usr/bin/env scriptrun
# /// script
# requires-python = ">=3.10"
# dependencies = ["matplotlib>=3.9"]
# ///
"""Report how long the days are through the year: `./daylight.py [PLOT.png [LATITUDE…]]`, in degrees north."""

import math
import sys
from datetime import date, timedelta

import matplotlib as mpl
import matplotlib.dates as mdates
import matplotlib.pyplot as plt

YEAR = [date(2025, 1, 1) + timedelta(days) for days in range(365)]


def hours(day: int, latitude: float) -> float:
    """Return the hours between sunrise and sunset on a day of the year."""
    tilt = math.radians(-23.44) * math.cos(math.tau * (day + 10) / 365)
    cosine = -math.tan(math.radians(latitude)) * math.tan(tilt)
    return 24 / math.pi * math.acos(min(1, max(-1, cosine)))


def plot(latitudes: list[float], path: str) -> None:
    """Draw one curve for each latitude, and print its shortest and its longest day."""
    figure, axes = plt.subplots(figsize=(9, 5), layout="constrained")
    for index, latitude in enumerate(latitudes):
        curve = [hours(day, latitude) for day in range(365)]
        color = mpl.colormaps["viridis"](0.9 * index / max(1, len(latitudes) - 1))
        axes.plot(YEAR, curve, color=color, linewidth=2.5, label=f"{latitude:g}° N")
        print(f"{latitude:5g}° N: {min(curve):4.1f} to {max(curve):4.1f} hours")
    axes.set(title="Hours of daylight", xlim=(YEAR[0], YEAR[-1]), ylim=(0, 24), yticks=range(0, 25, 4))
    axes.xaxis.set_major_formatter(mdates.DateFormatter("%b"))
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper right")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    target = sys.argv[1] if len(sys.argv) > 1 else "daylight.png"
    plot([float(word) for word in sys.argv[2:]] or [0, 35, 52, 65], target)
