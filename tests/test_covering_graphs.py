"""What is judged to be covered by pip's answers, compared with what pip answers: on random graphs of distributions."""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

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
from scriptrun.order import Described, Distribution, Listing

FACTS = {name: str(value) for name, value in default_environment().items()}


@dataclass
class Memory:
    """What is remembered of pip's answers, on disk as a cache has it, and the metadata of what was installed."""

    cache: str
    described: dict[Distribution, Described] = field(default_factory=dict)

    def learn(self, said: Said) -> None:
        """Remember an answer of pip's."""
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
            Listing(name, time.time(), {version: tuple(files) for version, files in versions})
            for name, versions in said.found.items()
        ]
        projects.remember(self.cache, "ground", found, distributions)

    def judge(self, question: Iterable[str]) -> dict[str, str]:
        """Return the versions that cover a question, by name. Raises Doubt."""
        known = Known(
            lambda name: projects.read(self.cache, "ground", name),
            lambda one: self.described.get(covering.replace(one, requested=False)),
            0.0,
        )
        found = covering.cover(map(Requirement, question), (), FACTS, known)
        return {one.name: one.version for one in found}


@dataclass
class Tally:
    """How many questions there were, how many of them were covered, and each that pip answers otherwise."""

    questions: int = 0
    answered: int = 0
    covered: int = 0
    differences: list[str] = field(default_factory=list)
    doubts: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return (
            f"{self.questions} new sets of requirements, {self.answered} of which pip can satisfy: "
            f"{self.covered} covered, {len(self.differences)} of them unlike pip's answer"
        )


def questions(seed: int, index: indexes.Index) -> tuple[list[list[str]], list[list[str]]]:
    """Publish a graph; return what pip is asked before, and what is judged then."""
    graph = Graph(Random(seed), f"g{seed}")
    graph.publish(index)
    asked = [graph.question() for _ in range(graph.random.choice((1, 2, 4, 8)))]
    asked += [[name] for name in graph.names if graph.random.random() < 0.3]
    return asked, [graph.question() for _ in range(8)]


def compare(seeds: Sequence[int]) -> Tally:
    """Judge new questions on the graphs with these seeds, and compare with what pip answers."""
    with indexes.serve() as index:
        graphs = [questions(seed, index) for seed in seeds]
        answers = asking.ask(sys.executable, index.url, [one for pair in graphs for half in pair for one in half])
        tally = Tally()
        for seed, (asked, new) in zip(seeds, graphs, strict=True):
            with tempfile.TemporaryDirectory() as cache:
                _compare(seed, asked, new, answers, tally, Memory(cache))
        return tally


def _compare(
    seed: int,
    asked: Sequence[Sequence[str]],
    new: Sequence[Sequence[str]],
    answers: Iterator[Said | None],
    tally: Tally,
    memory: Memory,
) -> None:
    for _ in asked:
        said = next(answers)
        if said is not None:
            memory.learn(said)
    for question in new:
        said = next(answers)
        tally.questions += 1
        tally.answered += said is not None
        try:
            found = memory.judge(question)
        except Doubt as doubt:
            tally.doubts[str(doubt).partition("`")[0]] += 1
            continue
        tally.covered += 1
        if said is None or said.versions != found:
            tally.differences.append(f"graph {seed}: {question}: pip {said and said.versions}, covered by {found}")
