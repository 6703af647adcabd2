"""The audit of the npm package graphql-http over the gateway on a real socket."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.node import node_project

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = Path(__file__).parent / "graphql_http_audit"
AUDITS = 61


def test_every_audit_of_graphql_over_http_is_ok(served: str) -> None:
    project = node_project(FOLDER)
    told = project.run(project.node, "audit.mjs", f"{served}/graphql")
    results: Sequence[dict[str, Any]] = json.loads(told)
    assert [result for result in results if result["status"] != "ok"] == []
    assert len(results) == AUDITS
