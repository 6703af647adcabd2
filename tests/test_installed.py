"""The sdist and the wheel, installed into empty environments, far from the source tree."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from gateway.api.explorer import BUILT
from tests.node import skip_unless_required
from tests.program import FOREIGN, gateway_dev

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
HERE = f"{sys.version_info.major}.{sys.version_info.minor}"
VERSIONS = re.findall(
    r'"Programming Language :: Python :: (3\.\d+)"', (ROOT / "pyproject.toml").read_text()
)


def clean_environment() -> dict[str, str]:
    """This process's environment without what is not a newcomer's."""
    return {key: text for key, text in os.environ.items() if not key.startswith(FOREIGN)}


def run(*command: str | Path, at: Path, **environment: str) -> str:
    """What a command prints; a command that fails fails the test."""
    done = subprocess.run(
        command,
        cwd=at,
        env=clean_environment() | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def without_node() -> str:
    """A PATH on which neither Node nor npm is found."""
    folders = os.environ["PATH"].split(os.pathsep)
    return os.pathsep.join(
        folder for folder in folders if not {"node", "npm"} & set(_names(folder))
    )


def _names(folder: str) -> Iterator[str]:
    return (path.name for path in Path(folder).iterdir()) if Path(folder).is_dir() else iter(())


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release's sdist of the files that git knows, with the GraphiQL of this environment."""
    if not (BUILT / "index.html").is_file():
        skip_unless_required("GraphiQL is not built here: `make explorer` builds it")
    tree = tmp_path_factory.mktemp("tree")
    for name in run("git", "ls-files", at=ROOT).splitlines():
        if (ROOT / name).is_file():
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tree / name)
    shutil.copytree(BUILT, tree / "gateway/explorer")
    return built(tree, "sdist", "*.tar.gz")


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release's wheel, built from the sdist on a machine without Node."""
    tree = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(tree, filter="data")
    [project] = tree.iterdir()
    return built(project, "wheel", "*.whl")


def built(tree: Path, target: str, name: str) -> Path:
    """What hatchling makes of a tree as a release, with nothing downloaded."""
    run(
        *(sys.executable, "-m", "hatchling", "build", "-t", target),
        at=tree,
        PATH=without_node(),
        CONTACT_GATEWAY_RELEASE="1",
    )
    [made] = (tree / "dist").glob(name)
    return made


def interpreter(version: str) -> str:
    """A Python of this version, of those that uv or pyenv know; skips where there is none."""
    if version == HERE:
        return sys.executable
    found = subprocess.run(
        ["uv", "python", "find", "--no-project", "--no-python-downloads", version],
        capture_output=True,
        text=True,
        check=False,
    )
    if found.returncode == 0:
        return found.stdout.strip()
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    for python in pyenv.glob(f"versions/{version}.*/bin/python"):
        return str(python)
    pytest.skip(f"no Python {version} on this machine")


def environment(folder: Path, version: str) -> Path:
    """The programs of a new, empty environment for this version of Python."""
    python = interpreter(version)
    run("uv", "venv", "--quiet", "--no-project", "--python", python, folder, at=folder.parent)
    return folder / "bin"


def install(programs: Path, package: Path) -> None:
    """Install a package with the dependencies that uv.lock names."""
    locked = programs.parent / "locked.txt"
    run(
        *("uv", "export", "--quiet", "--locked", "--no-dev", "--no-hashes", "--no-emit-project"),
        *("--output-file", locked),
        at=ROOT,
    )
    run(
        *("uv", "pip", "install", "--quiet", "--python", programs / "python"),
        *("--constraint", locked, package),
        at=programs.parent,
        PATH=without_node(),
        CONTACT_GATEWAY_RELEASE="1",
    )


def answers(programs: Path, log: Path) -> None:
    """Run `gateway dev` from an environment, send the README's mutation, look at the page."""
    [mutation, *_] = re.findall(r"```graphql\n(.*?)```", README, re.DOTALL)
    [answer] = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    with (
        gateway_dev(log, [str(programs / "gateway")]) as address,
        httpx.Client(base_url=address) as http,
    ):
        told: dict[str, Any] = http.post("/graphql", json={"query": mutation}).json()
        assert told == json.loads(answer)
        page = http.get("/").text
        assert "GraphiQL" in page
        [script] = re.findall(r'src="\./(assets/[^"]+\.js)"', page)
        assert http.get(script).headers["content-type"] == "text/javascript; charset=utf-8"


def files(programs: Path, at: Path) -> Sequence[str]:
    """Where the installed package lies, and which data it has."""
    code = (
        "import gateway, pathlib; here = pathlib.Path(gateway.__file__).parent; print(here); "
        "[print(path.relative_to(here).as_posix()) for path in here.rglob('*') if path.suffix != '.py']"
    )
    return run(programs / "python", "-c", code, at=at).splitlines()


def test_sdist_installs_without_node_and_carries_what_the_gateway_reads(
    sdist: Path, tmp_path: Path
) -> None:
    programs = environment(tmp_path / "venv", HERE)
    install(programs, sdist)
    where, *data = files(programs, tmp_path)
    assert Path(where).is_relative_to(tmp_path / "venv")
    assert {
        "py.typed",
        "api/plain/index.html",
        "explorer/index.html",
        "sandbox/ivvy/seed.json",
        "sandbox/everbridge/seed.json",
        "sandbox/sendgrid/seed.json",
    } <= set(data)
    told = run(programs / "python", "-m", "gateway", "schema", at=tmp_path)
    assert told == (ROOT / "schema.graphql").read_text()


@pytest.mark.parametrize("version", VERSIONS)
def test_wheel_runs_on_each_python_far_from_its_sources(
    version: str, wheel: Path, tmp_path: Path
) -> None:
    programs = environment(tmp_path / "venv", version)
    install(programs, wheel)
    assert version in run(programs / "python", "--version", at=tmp_path)
    answers(programs, tmp_path / "log")
