"""Judge whether what pip answered to other questions answers a new one too: pip would say just that.

pip takes the newest version that the requirements allow which it has met so far, and gives it up when it meets one that
does not allow it. Those that are asked for it meets first, those of dependencies one after the other. So where each
requirement for a name, together with what is asked for of that name, leaves the same version as the newest, pip takes
that one in whatever order it goes, and never gives one up. Whatever is not like that is a doubt.
"""

from __future__ import annotations

import functools
import operator
import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from packaging.markers import UndefinedComparison, UndefinedEnvironmentName
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from scriptrun.answers.projects import Project
from scriptrun.order import Described, Distribution


class Doubt(Exception):
    """Why pip has to be asked, in words."""


class Known(NamedTuple):
    """Looks up what is known: a project by its name, and what the metadata of a distribution says (None: nothing).

    What was known of a project before the time `since` does not count any more.
    """

    project: Callable[[str], Project | None]
    described: Callable[[Distribution], Described | None]
    since: float


def cover(
    asked: Iterable[Requirement], constraints: Iterable[Requirement], facts: Mapping[str, str], known: Known
) -> tuple[Distribution, ...]:
    """Return what pip would install for what is `asked`, where markers are judged by `facts`. Raises Doubt."""
    try:
        return _Judge(asked, constraints, facts, known).judge()
    except (InvalidRequirement, InvalidSpecifier, UndefinedComparison, UndefinedEnvironmentName, ValueError) as error:
        raise Doubt(f"something in the metadata is not valid: {error}") from None


class _Judge:
    def __init__(
        self, asked: Iterable[Requirement], constraints: Iterable[Requirement], facts: Mapping[str, str], known: Known
    ) -> None:
        self.facts = facts
        self.known = known
        self.asked = [one for one in asked if self._holds(one)]
        self.named = _by_name(self.asked)
        self.bounds = _by_name(_bound(one) for one in constraints if self._holds(one))
        self.projects: dict[str, Project] = {}
        self.taken: dict[str, Distribution] = {}

    def judge(self) -> tuple[Distribution, ...]:
        waiting = deque(self.asked)
        seen = set()
        while waiting:
            requirement = waiting.popleft()
            one = self._take(requirement)
            for extra in ("", *map(canonicalize_name, requirement.extras)):
                if (one.name, extra) not in seen:
                    seen.add((one.name, extra))
                    waiting += self._dependencies(one, extra)
        return tuple(sorted(self.taken.values(), key=lambda one: one.name))

    def _take(self, requirement: Requirement) -> Distribution:
        """Return the distribution that pip would take for a requirement."""
        name = str(canonicalize_name(requirement.name))
        if requirement.url:
            raise Doubt(f"`{name}` is to come from a place of its own")
        project = self.projects[name] = self.projects.get(name) or self._project(name)
        newest = _newest(project, [*self.named[name], *self.bounds[name], requirement])
        if newest not in project.chosen:
            raise Doubt(f"pip never installed `{name}` {newest}")
        before = self.taken.setdefault(name, project.chosen[newest]._replace(requested=bool(self.named[name])))
        if before.version != project.chosen[newest].version:
            raise Doubt(f"`{requirement}` leaves `{name}` {newest}, and others leave {before.version}")
        return before

    def _project(self, name: str) -> Project:
        project = self.known.project(name)
        if project is None:
            raise Doubt(f"pip never looked at `{name}`")
        if project.asked < self.known.since:
            raise Doubt(f"pip's last look at `{name}` was too long ago")
        return project

    def _dependencies(self, one: Distribution, extra: str) -> Iterator[Requirement]:
        """Yield what a distribution requires by itself (extra `""`), or with an extra."""
        described = self.known.described(one)
        if described is None:
            raise Doubt(f"`{one.name}` {one.version} is not kept any more")
        if extra and extra not in [canonicalize_name(one) for one in described.extras]:
            raise Doubt(f"`{one.name}` {one.version} has no extra `{extra}`")
        python = self.facts["python_full_version"]
        if not SpecifierSet(described.requires_python).contains(python, prereleases=True):
            raise Doubt(f"`{one.name}` {one.version} does not run on Python {python}")
        for requirement in map(Requirement, _worth_reading(described.requires, extra)):
            if self._holds(requirement, extra) and (requirement.marker or not extra):
                yield requirement

    def _holds(self, requirement: Requirement, extra: str = "") -> bool:
        """Tell whether a requirement counts here, with an extra of that which has it (`""`: without one)."""
        if requirement.marker is None:
            return True
        if "implementation_version" in str(requirement.marker):  # scriptrun's own is known, not the script's
            raise Doubt(f"`{requirement}` depends on the version of the implementation")
        return requirement.marker.evaluate({**self.facts, "extra": extra})


def _worth_reading(requires: Iterable[str], extra: str) -> Iterator[str]:
    """Yield all but what only other extras ask for: some distributions have a hundred, which takes time to read."""
    for text in requires:
        marker = text.partition(";")[2]
        named = re.findall(r"\bextra\s*==\s*[\"']([^\"']*)[\"']", marker)
        if not named or re.search(r"\bor\b", marker) or all(canonicalize_name(one) == extra for one in named):
            yield text


def _newest(project: Project, requirements: Iterable[Requirement]) -> str:
    """Return the newest final version of a project that is not yanked, and that all these requirements allow."""
    allowed = functools.reduce(operator.and_, (one.specifier for one in requirements))
    if allowed.prereleases or "===" in str(allowed):
        raise Doubt(f"`{project.name}{allowed}` allows more than final versions")
    for version in project.versions:
        if not version.startswith("!") and allowed.contains(version, prereleases=False):
            return version
    raise Doubt(f"no version of `{project.name}` is known that `{allowed}` allows")


def _by_name(requirements: Iterable[Requirement]) -> defaultdict[str, list[Requirement]]:
    found = defaultdict(list)
    for one in requirements:
        found[str(canonicalize_name(one.name))].append(one)
    return found


def _bound(constraint: Requirement) -> Requirement:
    if constraint.url or constraint.extras:
        raise Doubt(f"the constraint `{constraint}` is more than a range of versions")
    return constraint
