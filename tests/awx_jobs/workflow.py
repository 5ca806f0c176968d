# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Walks the nodes of a workflow as the controller does: a node starts when a parent of it ended as its edge says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# Edge -> the endings of the parent that it follows.
EDGES = {
    "success_nodes": ("successful",),
    "failure_nodes": ("failed", "error", "canceled"),
    "always_nodes": ("successful", "failed", "error", "canceled"),
}
Node = Mapping[str, Any]
# Runs a node, given what set_stats of its ancestors left: its status and its own artifacts.
RunNode = Callable[[Node, Mapping[str, Any]], tuple[str, Mapping[str, Any]]]


@dataclass
class WorkflowRun:
    """Status of the nodes that ran, in their order; ``status`` is that of the whole."""

    nodes: dict[str, str] = field(default_factory=dict)
    status: str = "successful"


def parents_of(nodes: Sequence[Node], identifier: str) -> list[tuple[str, str]]:
    """(identifier of the parent, edge) of a node."""
    return [
        (str(parent["identifier"]), edge)
        for parent in nodes
        for edge in EDGES
        if identifier in (parent.get(edge) or ())
    ]


def walk(nodes: Sequence[Node], run_node: RunNode) -> WorkflowRun:
    """Run every node that is reached; the workflow fails with a failed node that nothing follows."""
    run = WorkflowRun()
    left: dict[str, Mapping[str, Any]] = {}
    waiting = {str(node["identifier"]): node for node in nodes}
    while ready := next((name for name in waiting if _reached(nodes, waiting[name], run)), None):
        node = waiting.pop(ready)
        inherited: dict[str, Any] = {}
        for parent, _edge in parents_of(nodes, ready):
            inherited |= left.get(parent, {})
        run.nodes[ready], own = run_node(node, inherited)
        left[ready] = {**inherited, **own}
        handled = node.get("failure_nodes") or node.get("always_nodes")
        if run.nodes[ready] != "successful" and not handled:
            run.status = "failed"
    return run


def _reached(nodes: Sequence[Node], node: Node, run: WorkflowRun) -> bool:
    parents = parents_of(nodes, str(node["identifier"]))
    if not parents:
        return True
    followed = [run.nodes.get(parent) in EDGES[edge] for parent, edge in parents]
    return all(followed) if node.get("all_parents_must_converge") else any(followed)
