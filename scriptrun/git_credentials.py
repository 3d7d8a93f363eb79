"""Hand git the credentials of requirements: pip would write them on its command line, which everybody can read."""

from __future__ import annotations

import re
from collections.abc import Iterable

_URL = re.compile(
    r"(?P<before>\S+ @ git\+)(?P<scheme>https?://)(?P<credentials>[^/?#\s]*)@(?P<after>(?P<host>[^/?#\s]+).*)"
)

_HELPER = """!f() { [ "$1" != get ] || printf 'username=%s\\n' "$SCRIPTRUN_GIT_USER_N"; }; f"""
_HELPER_WITH_PASSWORD = _HELPER.replace(
    """; }; f""", """ && printf 'password=%s\\n' "$SCRIPTRUN_GIT_PASSWORD_N"; }; f"""
)
"""What git runs in a shell to learn them, for the N-th URL."""


def take(requirements: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """Return the requirements without the credentials in `git+https:` URLs, and variables that tell git of them."""
    plain = []
    variables: dict[str, str] = {}
    settings: list[tuple[str, str]] = []
    for number, requirement in enumerate(requirements):
        found = _URL.fullmatch(requirement)
        if found is None:
            plain.append(requirement)
            continue
        import urllib.parse  # rare, and with all of IP addresses

        plain.append(f"{found['before']}{found['scheme']}{found['after']}")
        user, colon, password = found["credentials"].partition(":")
        variables[f"SCRIPTRUN_GIT_USER_{number}"] = urllib.parse.unquote(user)
        variables[f"SCRIPTRUN_GIT_PASSWORD_{number}"] = urllib.parse.unquote(password)
        setting = f"credential.{found['scheme']}{found['host']}.helper"
        helper = (_HELPER_WITH_PASSWORD if colon else _HELPER).replace("_N", f"_{number}")
        settings += [(setting, "")] * bool(colon)  # with a password there is no need to ask others, and to tell them
        settings.append((setting, helper))
    for number, (setting, value) in enumerate(settings):
        variables.update({f"GIT_CONFIG_KEY_{number}": setting, f"GIT_CONFIG_VALUE_{number}": value})
    return plain, {**variables, "GIT_CONFIG_COUNT": str(len(settings))} if settings else variables
