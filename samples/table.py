#!/usr/bin/env scriptrun
# /// script
# requires-python = ">=3.10"
# dependencies = ["tabulate>=0.9"]
# ///
"""Turn CSV or JSON on standard input into a table: `… | ./table.py [STYLE]`, as in `./table.py github < cities.csv`."""

import csv
import json
import sys

from tabulate import tabulate


def rows(text: str) -> list[dict[str, object]]:
    """Return the records in a JSON array of objects, or in CSV with a header."""
    if text.lstrip().startswith("["):
        return json.loads(text)
    return list(csv.DictReader(text.splitlines()))


if __name__ == "__main__":
    style = sys.argv[1] if len(sys.argv) > 1 else "rounded_outline"
    print(tabulate(rows(sys.stdin.read()), headers="keys", tablefmt=style))
