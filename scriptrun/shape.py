"""What a JSON value has to look like before it is believed."""

from __future__ import annotations

import json
from typing import Any

from scriptrun import paths


def fits(value: object, shape: Any) -> bool:
    """Tell whether a JSON value is as described; fields that are not described may be what another version adds."""
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(fits(value.get(name), one) for name, one in shape.items())
    if isinstance(shape, list):
        return isinstance(value, list) and all(fits(one, shape[0]) for one in value)
    return isinstance(value, shape)


def is_foreign(path: str, own: int) -> bool:
    """Tell whether the JSON in a file has another format than one's `own`, so that only another version can read it."""
    try:
        content = json.loads(paths.read(path))
    except (OSError, ValueError, RecursionError):
        return False
    return fits(content, {"format": int}) and content["format"] != own
