"""Say what pip's output means: one line, the line of the script that asked for it, and what to do.

Held by tests against the output of the newest pip and of the oldest that a supported Python brings along.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from packaging.utils import canonicalize_name

from scriptrun import patience, pip_progress, refusals
from scriptrun.arguments import Options
from scriptrun.errors import InstallError
from scriptrun.metadata import Asked
from scriptrun.patience import Stalled
from scriptrun.policy import Policy

if TYPE_CHECKING:
    from scriptrun.pinning.pins import Origin

SHOWN_LINES = 15
"""How many of pip's last lines are shown when it fails."""

_SHOWN_VERSIONS = 12

_LIMITING = ("exclude-newer", "no-build", "no-index", "constraint")
"""The options that keep pip from seeing all there is."""


class GivenUp(InstallError):
    """pip stood still and was ended, or could not reach the index: others need not try as well."""


class Unreachable(GivenUp):
    """pip could not reach the index."""


class Offline(InstallError):
    """pip would have had to be asked."""


class Unfit(InstallError):
    """A distribution is there, and not for this Python or platform."""


class Unbuilt(InstallError):
    """A distribution had to be built here, and could not be."""


class Unsatisfiable(InstallError):
    """There are distributions, but none in versions that are allowed together."""


class UnknownDistribution(InstallError):
    """The index was asked, and has no distribution of that name."""


class _Meaning(NamedTuple):
    """A message, the distributions that it is about, a hint, the kind of error, and what the system refused."""

    message: str
    names: Sequence[str] = ()
    hint: str = ""
    kind: type[InstallError] = InstallError
    reason: str = ""


def explain(
    output: str, asked: Sequence[Asked], options: Options, policy: Policy, origin: Origin | None = None
) -> InstallError:
    """Return what pip's output means, with the place that asked for it and pip's own last lines.

    With `origin` pip was to install what is in a lock.
    """
    unreachable = re.search(_UNREACHED, output)
    meaning = (None if unreachable else _conflict(output, asked)) or _meaning(output, options, policy)
    culprits = _askers(meaning.names, output, asked)
    place = culprits[0].place if culprits else ""
    if origin is not None:
        meaning, place = _of_lock(meaning, output, origin) or (meaning, place)
    return _kind(output, meaning)(
        meaning.message,
        name="".join(meaning.names[:1]),
        place=place,
        details=_last_lines(output),
        hint=meaning.hint,
        reason=meaning.reason,
    )


def is_idle(line: str) -> bool:
    """Tell whether a line of pip's says only that it waits, tries once more, or how much has come: that is seen."""
    return bool(re.match(r"\s*WARNING: Retrying |.*\bstill running\.\.\.$", line)) or pip_progress.is_count(line)


def stalled(output: str, asked: Sequence[Asked], why: Stalled) -> GivenUp:
    """Return the error for a pip that stood still, with what it said last."""
    building = re.search(rf"{_BUILDING}.*\s*(?:.*\bstill running\.\.\.\s*)*\Z", output, re.MULTILINE)
    hint = "see what its build waits for" if building else "the index may be down: check the network"
    culprits = asked if len(asked) == 1 else _askers(_names(_last_collected(output))[:1], output, asked)
    return GivenUp(
        f"pip {why}",
        place=culprits[0].place if culprits else "",
        details=_last_lines(output),
        hint=f"{hint}; {patience.HINT}",
    )


def _last_lines(output: str) -> str:
    """Return the last that pip said."""
    lines = [line for line in output.splitlines() if line.strip() and not line.startswith("[notice]")]
    lines = [line for line in lines if not pip_progress.is_count(line)]
    return "\n".join(lines[-SHOWN_LINES:])


def _kind(output: str, meaning: _Meaning) -> type[InstallError]:
    """Return what kind of failure pip's output is; one of the index may hide all others."""
    if meaning.kind is Unreachable:
        return Unreachable
    if re.search(_UNREACHED, output):
        return InstallError
    if re.search(_UNSATISFIABLE, output):
        return Unsatisfiable
    return UnknownDistribution if re.search(_UNKNOWN, output) else meaning.kind


def offline(place: str) -> Offline:
    """Return the error for what only pip could answer, where it may not ask."""
    message = "pip would have to be asked, which --offline forbids"
    return Offline(message, place=place, hint="when online, run it without --offline (SCRIPTRUN_OFFLINE=0)")


def _of_lock(meaning: _Meaning, output: str, origin: Origin) -> tuple[_Meaning, str] | None:
    """Return what pip's output means, and its place, where it is about what a lock says; else None."""
    if meaning.names[:1] and meaning.names[0] in origin.names and "DO NOT MATCH THE HASHES" in output:
        message = meaning.message.replace("that was announced for it", "that the lock says")
        hint = f"if the lock was edited or merged, have it made anew: {origin.anew}; else the file was changed after it"
        return _Meaning(message, hint=f"{hint} was locked: do not use it, and tell its index"), origin.file
    pinned = r"a constraint says (`([^`=]+)==[^`]*`)"
    if any(name in origin.names for _, name in re.findall(pinned, meaning.message)):
        message = re.sub(pinned, r"the lock has \1", meaning.message)
        return _Meaning(
            message, hint=f"leave out what contradicts the lock, or update that: {origin.newer}"
        ), origin.file
    return None


def _meaning(output: str, options: Options, policy: Policy) -> _Meaning:
    refusal = refusals.named_in(output)
    if refusal is not None:
        return _Meaning(
            f"pip could not install what the script asks for: {refusal[0]}", hint=refusal[1], reason=refusal[0]
        )
    for pattern, message, hint, kind in _MEANINGS:
        found = re.search(pattern, output)
        if found:
            groups = {name: value or "" for name, value in found.groupdict().items()}
            what, why = groups.get("what", ""), groups.get("why", "")
            if not what and "{what}" in message:
                what = _last_collected(output)
            shown = {
                **groups,
                "what": f"`{what}`" if what else "a distribution",
                "needed": f", which `{why}` needs" if why else "",
                "versions": _last(groups.get("versions", "")),
                "newer": policy.shown("cooldown") if policy.cooldown else _shown(options, "exclude-newer"),
                "leave": "" if policy.cooldown else f"leave {_shown(options, 'exclude-newer')} out, or ",
            }
            remedy = hint + (_limits(options, policy) if hint in _MAY_BE_HIDDEN else "")
            return _Meaning(message.format(**shown), _names(f"{what} {why}"), remedy.format(**shown), kind)
    return _Meaning("pip could not install what the script asks for")


def _last_collected(output: str) -> str:
    """Return the distribution that pip was busy with when it did not name the one that failed."""
    collected = re.findall(rf"^ *Collecting ({_NAME})", output, re.MULTILINE)
    return collected[-1] if collected else ""


def _last(versions: str) -> str:
    """Return the newest of a list of versions, which are its last."""
    listed = versions.split(", ")
    return ", ".join((["…"] if len(listed) > _SHOWN_VERSIONS else []) + listed[-_SHOWN_VERSIONS:])


def _limits(options: Options, policy: Policy) -> str:
    """Return, as the end of a hint, which options and demands of the policy hide a part of what the index has."""
    hiding = [*(_shown(options, name) for name, _ in options.given() if name in _LIMITING), *policy.hiding()]
    return f"; {' and '.join(hiding)} may hide what there is" if hiding else ""


def _shown(options: Options, name: str) -> str:
    """Return an option as it was said: itself, its variable, or its key with the place."""
    place = options.place(name)
    return place if place.startswith(("--", "SCRIPTRUN_")) else f"`{name}` ({place})"


def _names(text: str) -> list[str]:
    return [canonicalize_name(word) for word in re.findall(_NAME, text)]


def _conflict(output: str, asked: Sequence[Asked]) -> _Meaning | None:
    """Return who wants what where pip says that it cannot be had together."""
    found = re.search(r"The conflict is caused by:\n((?: +\S.*\n)+)", output)
    if found is None:
        return None
    wishes: dict[str, str] = {}
    for line in found.group(1).splitlines():
        for pattern, text in _WISHES:
            wish = re.fullmatch(pattern, line.strip())
            if wish:
                groups = wish.groupdict()
                wishes.setdefault(groups.get("who") or line, text.format(**groups))
                break
    named = re.search(r"Cannot install (.+?) because", output)  # the oldest in each line of descent
    names = [name for who in wishes for name in _names(re.sub(r".*\S requested (?:\(constraint\) )?", "", who))[:1]]
    names += [name for word in re.split(r", | and ", named.group(1) if named else "") for name in _names(word)[:1]]
    culprits = _askers(names, output, asked)
    listed = ", ".join(f"`{one.requirement}` ({one.place})" for one in culprits)
    return _Meaning(f"conflict: {', '.join(wishes.values())}", names, f"loosen one of them: {listed}" if listed else "")


def _askers(names: Iterable[str], output: str, asked: Sequence[Asked]) -> list[Asked]:
    """Return the requirements because of which pip looked at the distributions `names`, in the script's order."""
    parents = _parents(output)
    wanted = {name for start in names for name in _ancestors(start, parents)}
    found = [one for one in asked if canonicalize_name(one.requirement.name) in wanted]
    return found or (list(asked) if wanted and len(asked) == 1 else [])


def _parents(output: str) -> dict[str, set[str]]:
    """Return which distributions asked for which, as far as pip tells (an old one does not)."""
    parents: dict[str, set[str]] = {}
    for child, parent in re.findall(rf"^ *Collecting ({_NAME}).*\(from ({_NAME})\)$", output, re.MULTILINE):
        parents.setdefault(canonicalize_name(child), set()).add(canonicalize_name(parent))
    return parents


def _ancestors(name: str, parents: Mapping[str, set[str]]) -> Iterator[str]:
    seen = {name}
    pending = [name]
    while pending:
        current = pending.pop()
        yield current
        new = parents.get(current, set()) - seen
        seen |= new
        pending += sorted(new)


_BUILDING = r"^ *(?:Building|Preparing|Installing build|Getting requirements|Running (?!command git))"
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_REQUIRED = rf"(?P<what>[^\n]*?)(?: \(from (?P<why>(?!versions){_NAME})[^)]*\))?"
_UNFETCHED = r"Could not fetch URL \S*?/(?P<what>[^/\s]+)/?: "  # what pip_child.py makes pip tell
_UNREACHED = r"Could not fetch URL \S*: (?!4\d\d )"
_UNSATISFIABLE = r"The conflict is caused by:\n|\(from versions: (?!none)"
_UNKNOWN = r"Could not fetch URL [^\n]*: 404 [\s\S]*\(from versions: none\)"
_NOTHING = r"[\s\S]*\(from versions: none\)"
_BUILT = rf"(?:[\s\S]*?(?:Failed building wheel for|╰─>) (?!See )(?P<what>{_NAME}))?"
_REFUSED = (
    "the index refused access to {what}",
    "check user and password for the index in pip's configuration",
    InstallError,
)
_UNREACHABLE = (
    "the index cannot be reached, or failed to answer, when pip asked for {what}",
    "check the network, and the index in pip's configuration",
    Unreachable,
)
_UNUSABLE = ("the wheel of {what} cannot be used", "ask for another version, and tell its index", InstallError)
_OTHER_PYTHON = (
    "{what} is not for this Python: it requires {specifier}",
    "ask for another version, or another Python",
    Unfit,
)
_UNBUILT = (
    "{what} cannot be built here",
    "see the lines of its build, or ask for a version that has a wheel for this Python",
    Unbuilt,
)
_MAY_BE_HIDDEN = (
    "check the spelling of the name",
    "another Python, or another version, may have it",
    "there are: {versions}",
)

_WISHES = (
    (r"The user requested \(constraint\) (?P<what>.*)", "a constraint says `{what}`"),
    (r"The user requested (?P<what>.*)", "the script asks for `{what}`"),
    (rf"(?P<who>{_NAME}) (?P<version>\S+) depends on (?P<what>.*)", "`{who}` {version} needs `{what}`"),
)

_MEANINGS = (
    (
        r"ERROR: scriptrun: (?P<text>.*) --exclude-newer(?:\n|$)",
        "{text} {newer}",
        "choose a newer Python",
        InstallError,
    ),
    (
        rf"ERROR: scriptrun: (?:\[(?P<what>{_NAME})\] )?(?P<text>.*)(?:\nHINT: (?P<hint>.*))?",
        "{text}",
        "{hint}",
        InstallError,
    ),  # from pip_child.py and pip_rules.py
    (
        r"\n\W*git [^\n]*did not run successfully",
        "the repository of {what} cannot be fetched, or what is asked for is not in it",
        "see git's lines: check the URL, the branch, tag or commit, and the network",
        InstallError,
    ),
    (
        rf"DO NOT MATCH THE HASHES[^\n]*\n\s+(?P<what>{_NAME})[^\n]*?(?: \(from (?P<why>{_NAME})\))?:\n",
        "refused: the file of {what} does not have the hash that was announced for it",
        "it was changed after the hash was written down: do not use it, and tell its index",
        InstallError,
    ),
    (
        rf"Package '(?P<what>{_NAME})' requires a different Python: \S+ not in '?(?P<specifier>[^'\n]*)",
        *_OTHER_PYTHON,
    ),
    (
        rf"Packages require a different Python\. .*\n'(?P<specifier>.*)' \(required by (?P<what>{_NAME})",
        *_OTHER_PYTHON,
    ),
    (
        r"versions that require a different python version: (?:.*; )?\S+ Requires-Python (?P<specifier>.*)"
        rf"[\s\S]*satisfies the requirement {_REQUIRED} \(from versions: none\)",
        *_OTHER_PYTHON,
    ),
    (rf"{_UNFETCHED}40[13] {_NOTHING}", *_REFUSED),
    (rf"Could not install requirement (?P<what>{_NAME}).* because of HTTP error 40[13]", *_REFUSED),
    (
        r"CERTIFICATE_VERIFY_FAILED|certificate verify failed|ssl-verification-failed|TLS CA certificate bundle",
        "the index cannot be trusted: its certificate is not one that pip is told to accept",
        "name the right certificates in pip's configuration (`cert`)",
        InstallError,
    ),
    (rf"{_UNFETCHED}(?!4\d\d ).*(?:{_NOTHING}|\n[\s\S]*The conflict is caused by:)", *_UNREACHABLE),
    (
        r"(?:error: command '[^']*' failed: No such file or directory"
        r"|unable to execute '?\S*(?:cc|clang|[gc]\+\+)|Unknown compiler|CMAKE_C(?:XX)?_COMPILER could be found"
        r"|[Cc]an't find Rust compiler|Cargo, the Rust package manager, is not installed"
        rf"|Microsoft Visual C\+\+ [\d.]+ or greater is required){_BUILT}",
        "{what} must be compiled here, and that needs a compiler",
        "install a compiler, or ask for a version that has a wheel for this Python",
        Unbuilt,
    ),
    (
        rf"error: command '[^']*' failed with exit (?:code|status) \d+{_BUILT}",
        "{what} must be compiled here, and the compiler failed",
        "see its lines: a header or a library may be missing",
        Unbuilt,
    ),
    (
        rf"(?:[Cc]annot install|installing|install) build dependencies(?: for (?P<what>{_NAME}))?"
        r" ?(?:did not run|$|\n)",
        "{what} cannot be built here: what its build needs cannot be installed",
        "ask for a version that has a wheel for this Python",
        Unbuilt,
    ),
    (
        rf"Could not find a (?:final )?version that satisfies the requirement {_REQUIRED} "
        r"\(from versions: (?P<versions>(?!none)[^)]*)\)",
        "no version satisfies {what}{needed}",
        "there are: {versions}",
        InstallError,
    ),
    (
        rf"Could not fetch URL [^\n]*: 404 [\s\S]*satisfies the requirement {_REQUIRED} \(from versions: none\)",
        "no such distribution: {what}{needed}",
        "check the spelling of the name",
        InstallError,
    ),
    (
        rf"Could not find a (?:final )?version that satisfies the requirement {_REQUIRED} \(from versions: none\)",
        "no distribution of {what} was found for this Python and platform{needed}",
        "another Python, or another version, may have it",
        Unfit,
    ),
    (rf"Failed (?:building wheel for |to build ')(?P<what>{_NAME})", *_UNBUILT),
    (rf"(?:metadata-generation-failed|subprocess-exited-with-error|BackendUnavailable){_BUILT}", *_UNBUILT),
    (rf"Wheel '(?P<what>{_NAME})' located at \S+ is invalid", *_UNUSABLE),
    (rf"(?P<what>{_NAME}) has an invalid wheel", *_UNUSABLE),
    (rf"Requested (?P<what>{_NAME}).* has inconsistent", *_UNUSABLE),
    (
        r"(?P<what>[A-Za-z0-9][A-Za-z0-9._]*)-\S*\.whl is not a supported wheel on this platform",
        "the wheel of {what} is not for this Python and platform",
        "ask for another file, or another Python",
        Unfit,
    ),
    (
        rf"Could not install requirement (?P<what>{_NAME}).* because of HTTP error 404",
        "there is nothing at the URL of {what}",
        "check the URL",
        InstallError,
    ),
    (
        r"Index \S*?/(?P<what>[^/\s]+)/? does not provide upload-time metadata",
        "the index does not say when the files of {what} were uploaded, which {newer} must know",
        "{leave}ask an index that tells it",
        InstallError,
    ),
    (
        r"ERROR: [^\n]*(?:Max retries exceeded|timed out|Connection refused|Connection aborted|5\d\d Server Error)"
        r"|error: (?:connection-failed|connection-timeout|proxy-connection-failed|incomplete-download)",
        *_UNREACHABLE,
    ),
)
"""What pip's output means: pattern, message, hint, kind. The first that is found counts, causes before consequences."""
