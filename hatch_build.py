"""Build hook: puts the built explorer (GraphiQL) into the wheel, the sdist and editable installs.

Environment: CONTACT_GATEWAY_SKIP_EXPLORER=1 leaves it out; CONTACT_GATEWAY_RELEASE=1 makes a build
without it fail. Otherwise a machine that cannot build it (no network, say) gets a warning, and the
gateway serves its plain page instead.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

if TYPE_CHECKING:
    from types import ModuleType


class ExplorerBuildHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's own parameter
    """Runs explorer/build.py when its sources are newer than its output."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Node from PyPI, where a build is due and the machine has no Node of its own."""
        builder = _builder(self.root)
        if _is_skipped() or builder.is_current(Path(self.root)) or builder.machine_node():
            return []
        return [builder.NODE_PACKAGE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  hatchling's signature
        """Build what is due, before hatchling collects the files."""
        builder, root = _builder(self.root), Path(self.root)
        if builder.is_current(root):
            return
        if _is_skipped():
            problem = "CONTACT_GATEWAY_SKIP_EXPLORER is set"
        else:
            try:
                builder.build(root)
            except builder.ExplorerBuildError as error:
                problem = str(error)
            else:
                return
        if os.environ.get("CONTACT_GATEWAY_RELEASE") == "1":
            message = f"A release must carry the explorer, which was not built: {problem}"
            raise RuntimeError(message)
        self.app.display_warning(f"GraphiQL was not built, a plain page takes its place: {problem}")


def _is_skipped() -> bool:
    return os.environ.get("CONTACT_GATEWAY_SKIP_EXPLORER") == "1"


def _builder(root: str) -> ModuleType:
    """explorer/build.py, which is no package and therefore loaded by its place."""
    name = "contact_gateway_explorer_build"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(root, "explorer", "build.py"))
        if spec is None or spec.loader is None:
            message = "explorer/build.py is missing from the sources"
            raise RuntimeError(message)
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[name]
