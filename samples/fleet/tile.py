#!/usr/bin/env scriptrun
# /// script
# requires-python = ">=3.10"
# dependencies = ["pypng"]
# ///
"""Draw one of COUNT strips of the Mandelbrot set: `./tile.py NUMBER COUNT`, as each task of `array.sbatch` does."""

import os
import sys

import png

WIDTH, HEIGHT, DEPTH = 240, 160, 64


def shade(point: complex) -> int:
    """Return how bright a point is: the sooner it leaves, the brighter."""
    value = 0j
    for step in range(DEPTH):
        value = value * value + point
        if abs(value) > 2:
            return 255 - 255 * step // DEPTH
    return 0


def draw(number: int, count: int) -> list[list[int]]:
    """Return the rows of a strip."""
    rows = range(HEIGHT * number // count, HEIGHT * (number + 1) // count)
    return [[shade(complex(x / WIDTH * 3 - 2.25, y / HEIGHT * 2 - 1)) for x in range(WIDTH)] for y in rows]


if __name__ == "__main__":
    number, count = int(sys.argv[1]), int(sys.argv[2])
    name = f"tile-{number}.png"
    png.from_array(draw(number, count), "L").save(f"{name}.part")
    os.replace(f"{name}.part", name)  # a task that dies, and is begun again, leaves nothing half written
    print(f"tile {number} of {count}")
