"""Graphs of names, as far as the proofs need them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeAlias

Graph: TypeAlias = Mapping[str, Iterable[str]]
"For each node, the nodes that follow it. Every node is a key."


def components(graph: Graph) -> dict[str, int]:
    """Return each node the number of its component: two nodes share one if each can be reached from the other.

    Tarjan's algorithm, without recursion: a flow can be a chain of thousands of states.
    """
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    found: dict[str, int] = {}
    open_: list[str] = []
    for root in graph:
        if root in order:
            continue
        order[root] = low[root] = len(order)
        open_.append(root)
        work: list[tuple[str, Iterator[str]]] = [(root, iter(graph[root]))]
        while work:
            node, following = work[-1]
            after = next((name for name in following if name not in found), None)
            if after is None:
                work.pop()
                if low[node] == order[node]:
                    _close(node, open_, found)
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
            elif after in order:
                low[node] = min(low[node], order[after])
            else:
                order[after] = low[after] = len(order)
                open_.append(after)
                work.append((after, iter(graph[after])))
    return found


def _close(node: str, open_: list[str], found: dict[str, int]) -> None:
    number = len(found)
    while True:
        member = open_.pop()
        found[member] = number
        if member == node:
            return


def reached(begin: Iterable[str], following: Callable[[str], Iterable[str]]) -> frozenset[str]:
    """Return all nodes that can be come to, those included from which it begins."""
    found = set(begin)
    waiting = list(found)
    while waiting:
        new = set(following(waiting.pop())) - found
        found |= new
        waiting += new
    return frozenset(found)


def shortest(graph: Graph, start: str, end: str, avoiding: str | None = None) -> list[str] | None:
    """Return the nodes of a shortest path, both ends included; None: there is none."""
    if avoiding in (start, end):
        return None
    before: dict[str, str | None] = {start: None}
    waiting = [start]
    for node in waiting:  # grows while it is gone through
        if node == end:
            return _path(before, end)
        for after in graph[node]:
            if after not in before and after != avoiding:
                before[after] = node
                waiting.append(after)
    return None


def _path(before: Mapping[str, str | None], end: str) -> list[str]:
    path = [end]
    while (node := before[path[-1]]) is not None:
        path.append(node)
    return path[::-1]
