"""What is judged to be covered by pip's answers, compared with what pip answers: on random graphs of distributions."""

from __future__ import annotations

import contextlib
import itertools
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from support import asking
from support import index as indexes
from support.asking import Said
from support.graphs import Graph

from scriptrun.answers import covering, projects
from scriptrun.answers.covering import Doubt, Known
from scriptrun.order import Described, Distribution, Offer

Recorder = Callable[[str, object], None]

FACTS = {name: str(value) for name, value in default_environment().items()}


@dataclass
class Memory:
    """What is remembered of pip's answers, on disk as a cache has it, and the metadata of what was installed."""

    cache: str
    constraints: Sequence[str] = ()
    described: dict[Distribution, Described] = field(default_factory=dict)

    def learn(self, said: Said | None) -> None:
        """Remember an answer of pip's, if it has one."""
        if said is None:
            return
        distributions = []
        for entry in said.entries:
            metadata, digest = entry["metadata"], entry["download_info"]["archive_info"]["hash"]
            name, version = canonicalize_name(metadata["name"]), metadata["version"]
            one = Distribution(name, version, digest, entry["download_info"]["url"], kept=f"{name}-{version}")
            distributions.append(one)
            self.described[one] = Described(
                tuple(metadata.get("requires_dist", ())),
                metadata.get("requires_python", ""),
                tuple(metadata.get("provides_extra", ())),
            )
        found = [
            Offer(name, time.time(), {version: tuple(files) for version, files in versions})
            for name, versions in said.found.items()
        ]
        projects.remember(self.cache, "ground", found, distributions)

    def judge(self, question: Iterable[str]) -> dict[str, str]:
        """Return the versions that cover a question, by name. Raises Doubt."""
        known = Known(
            lambda name: projects.read(self.cache, "ground", name),
            lambda one: self.described.get(one._replace(requested=False)),
            0.0,
        )
        found = covering.cover(map(Requirement, question), map(Requirement, self.constraints), FACTS, known)
        return {one.name: one.version for one in found}


@dataclass
class Tally:
    """How many questions there were, how many of them were covered, and each that pip answers otherwise."""

    questions: int = 0
    answered: int = 0
    covered: int = 0
    differences: list[str] = field(default_factory=list)

    def count(self, question: Sequence[str], said: Said | None, memory: Memory) -> None:
        """Judge a question to which pip said this."""
        self.questions += 1
        self.answered += said is not None
        with contextlib.suppress(Doubt):
            found = memory.judge(question)
            self.covered += 1
            if said is None or said.versions != found:
                self.differences.append(f"{question}: pip answers {said and said.versions}, covered by {found}")

    def __str__(self) -> str:
        return (
            f"{self.questions} new sets of requirements, {self.answered} of which pip can satisfy: "
            f"{self.covered} covered, {len(self.differences)} of them unlike pip's answer"
        )


class Questions(NamedTuple):
    """What pip is asked before, and what is judged then, all with the same constraints."""

    before: list[list[str]]
    new: list[list[str]]
    constraints: list[str]


def questions(seed: int, index: indexes.Index) -> Questions:
    """Publish a graph, and return questions about it."""
    graph = Graph(Random(seed), f"g{seed}")
    graph.publish(index)
    asked = [graph.question() for _ in range(graph.random.choice((1, 2, 4, 8)))]
    pins = [[f"{name}=={version}"] for name, versions in graph.versions.items() for version in versions]
    asked += [pin for pin in pins if graph.random.random() < 0.6]  # else hardly any but the newest are known
    return Questions(asked, [graph.question() for _ in range(8)], graph.constraints)


def compare(seeds: Sequence[int]) -> Tally:
    """Judge new questions on the graphs with these seeds, and compare with what pip answers."""
    with indexes.serve() as index:
        graphs = [questions(seed, index) for seed in seeds]
        asked = [(one, graph.constraints) for graph in graphs for one in [*graph.before, *graph.new]]
        answers = asking.ask(sys.executable, index.url, *zip(*asked, strict=True))
        tally = Tally()
        for graph in graphs:
            with tempfile.TemporaryDirectory() as cache:
                memory = Memory(cache, graph.constraints)
                for said in itertools.islice(answers, len(graph.before)):
                    memory.learn(said)
                for question, said in zip(graph.new, answers, strict=False):  # what is left over is for the next graph
                    tally.count(question, said, memory)
        return tally


def test_what_is_covered_is_what_pip_answers(record_property: Recorder) -> None:
    """Whatever is judged to be covered is what pip itself answers, on graphs of every kind; the counts are printed."""
    tally = compare([43, 44])
    record_property("counted", "\n".join([str(tally), *tally.differences]))
    assert (tally.differences, tally.covered > 2) == ([], True)


@pytest.mark.slow
def test_what_is_covered_on_many_graphs(record_property: Recorder) -> None:
    """The same holds on more graphs."""
    tally = compare(range(45, 75))  # among them one that tells a rule which is too loose
    record_property("counted", "\n".join([str(tally), *tally.differences]))
    assert (tally.differences, tally.covered > 60) == ([], True)
