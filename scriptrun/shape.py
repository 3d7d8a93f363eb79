"""What a JSON value has to look like before it is believed."""

from __future__ import annotations

from typing import Any


def fits(value: object, shape: Any) -> bool:
    """Tell whether a JSON value is as described; fields that are not described may be what another version adds."""
    if isinstance(shape, dict):
        return isinstance(value, dict) and all(fits(value.get(name), one) for name, one in shape.items())
    if isinstance(shape, list):
        return isinstance(value, list) and all(fits(one, shape[0]) for one in value)
    return isinstance(value, shape)
