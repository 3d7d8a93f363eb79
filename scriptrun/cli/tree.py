"""`scriptrun tree SCRIPT`: which distribution is there because of which. Nothing is installed, and no lock is made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scriptrun import arguments, consult, markers, output, pip, request, resolve, signals
from scriptrun.arguments import Invocation
from scriptrun.cli import run
from scriptrun.cli.progress import Progress
from scriptrun.errors import UsageError, escape
from scriptrun.resolve import Wanted


@dataclass
class _Tree:
    """Versions and requirements of distributions by name, what markers are judged by, and what was shown already."""

    versions: dict[str, str]
    requires: dict[str, list[str]]
    facts: Mapping[str, str]
    shown: set[tuple[str, frozenset[str]]] = field(default_factory=set)

    def lines(self, requirement: Requirement, depth: int) -> Iterator[str]:
        """Yield the line of a requirement, and those of what it needs in turn, once for each distribution."""
        name = canonicalize_name(requirement.name)
        extras = frozenset(canonicalize_name(one) for one in requirement.extras)
        title = name + (f"[{','.join(sorted(extras))}]" if extras else "")
        needs = list(self._needs(name, extras))
        repeated = (name, extras) in self.shown and needs
        asked = f" ({requirement.specifier})" if requirement.specifier else ""
        yield f"{'  ' * depth}{title} {self.versions.get(name, 'is missing')}{asked}{', see above' if repeated else ''}"
        self.shown.add((name, extras))
        for one in needs if not repeated else ():
            yield from self.lines(one, depth + 1)

    def _needs(self, name: str, extras: frozenset[str]) -> Iterator[Requirement]:
        for text in self.requires.get(name, ()):
            requirement = Requirement(text)
            if self.holds(requirement.marker, extras):
                yield requirement

    def holds(self, marker: Marker | None, extras: frozenset[str] = frozenset()) -> bool:
        """Tell whether a marker holds, with one of the extras or without any."""
        return marker is None or any(marker.evaluate({**self.facts, "extra": one}) for one in ("", *extras))


def main(invocation: Invocation, environ: Mapping[str, str]) -> int:
    """Print the distributions of a script below what needs them. Raises ScriptrunError."""
    if len(invocation.arguments) != 1:
        raise UsageError("`scriptrun tree` takes one script", hint="scriptrun tree SCRIPT")
    script = arguments.script(invocation.arguments[0], invocation.options)
    with signals.interruptible():
        wanted = resolve.resolve(request.read(script, environ), environ)
        run.warn(wanted)
        tree = _grow(wanted, environ)
    asked = [one.requirement for one in wanted.asked if tree.holds(one.requirement.marker)]
    output.give("".join(f"{escape(line)}\n" for one in asked for line in tree.lines(one, 0)))
    return 0


def _grow(wanted: Wanted, environ: Mapping[str, str]) -> _Tree:
    """Return the tree of an environment, where it is ready; else ask pip, which installs nothing."""
    facts = markers.environment(wanted.spec.interpreter)
    environment = wanted.environment()
    versions, requires = {}, {}
    if environment is not None:
        for one in pip.distributions(environment.path):
            versions[str(canonicalize_name(one.name))] = one.version
            requires[str(canonicalize_name(one.name))] = list(one.requires or ())
    elif wanted.options.flag("offline"):
        raise run.not_ready(wanted)
    else:
        with Progress(wanted.options) as progress:
            found = consult.candidates(wanted.order(environ, progress.show), wanted.request.caches.writable())
            progress.resolved(len(found))
        versions = {one.name: one.version for one in found}
        requires = {one.name: list(one.requires) for one in found}
    return _Tree(versions, requires, facts)
