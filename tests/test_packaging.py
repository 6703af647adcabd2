"""The project's ground files agree with each other, and the package carries what it should."""

from __future__ import annotations

import gzip
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from gateway.settings import Settings, variable

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).parents[1]
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
# Enough of the project for hatchling; the explorer's sources come without node_modules.
GROUND = ("pyproject.toml", "hatch_build.py", "README.md", "LICENSE", ".gitignore")
NODE = """#!/bin/sh
echo v{version}
"""
NPM = """#!/bin/sh
echo "$@" >> "$CALLS"
case "$1" in
  ci) exit {ci} ;;
  run)
    mkdir -p "$5/assets"
    echo '<script src="./assets/a.js"></script>' > "$5/index.html"
    echo 'globalThis.a = 1' > "$5/assets/a.js" ;;
esac
"""


def load_builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("explorer_build", ROOT / "explorer" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


builder = load_builder()


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=~!; ]", requirement)[0] for requirement in requirements}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the project that has no built explorer."""
    for name in GROUND:
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(
        ROOT / "explorer", tmp_path / "explorer", ignore=shutil.ignore_patterns("node_modules")
    )
    shutil.copytree(
        ROOT / "gateway", tmp_path / "gateway", ignore=shutil.ignore_patterns("explorer")
    )
    return tmp_path


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of stand-ins for node and npm, in front of everything in PATH."""
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin:/bin")
    monkeypatch.setenv("CALLS", str(folder / "calls"))
    return folder


def install(tools: Path, *, version: str = "22.12.0", ci: int = 0) -> None:
    for name, text in (("node", NODE.format(version=version)), ("npm", NPM.format(ci=ci))):
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)


def hatch(tree: Path, target: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Build as a frontend would, without one: nothing is downloaded."""
    return subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(tree / "out")],
        cwd=tree,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def packed(tree: Path) -> list[str]:
    (archive,) = (tree / "out").iterdir()
    if archive.suffix == ".whl":
        return zipfile.ZipFile(archive).namelist()
    with tarfile.open(archive) as sdist:
        return [name.split("/", 1)[1] for name in sdist.getnames() if "/" in name]


def test_every_dependency_has_its_reason_and_no_reason_outlives_its_dependency() -> None:
    project = PYPROJECT["project"]
    declared = [
        *project["dependencies"],
        *(one for extra in project["optional-dependencies"].values() for one in extra),
        *(one for group in PYPROJECT["dependency-groups"].values() for one in group),
        *PYPROJECT["build-system"]["requires"],
    ]
    page = (ROOT / "docs" / "decisions" / "0002-dependencies.md").read_text()
    reasons = dict(re.findall(r"^- `([\w.-]+)`(?: \([^)]*\))?: (.+)$", page, re.MULTILINE))
    assert reasons.keys() == names(declared)


def test_environment_example_holds_every_setting_and_nothing_else() -> None:
    text = (ROOT / ".env.example").read_text()
    given = re.findall(r"^#?(GATEWAY_\w+)=", text, re.MULTILINE)
    assert sorted(given) == sorted(variable(name) for name in Settings.model_fields)


def test_every_supported_python_is_named_alike_everywhere() -> None:
    project = PYPROJECT["project"]
    named = [line.rpartition(" ")[2] for line in project["classifiers"] if ":: 3." in line]
    assert tomllib.loads((ROOT / "tox.toml").read_text())["env_list"] == named
    assert project["requires-python"] == f">={named[0]}"
    assert PYPROJECT["tool"]["mypy"]["python_version"] == named[0]


def test_lock_files_name_no_registry_of_their_writer() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "*package-lock.json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    locks = [ROOT / name for name in listed.split()]
    assert {path.parent.name for path in locks} >= {"explorer", "typescript", "graphql_http_audit"}
    assert [path for path in locks if '"resolved"' in path.read_text()] == []
    hosts = set(re.findall(r"https?://([^/\"]+)", (ROOT / "uv.lock").read_text()))
    assert hosts <= {"pypi.org", "files.pythonhosted.org"}


@pytest.mark.parametrize(
    ("version", "fits"),
    [
        ("v20.18.3", False),
        ("v20.19.0", True),
        ("v21.7.3", False),
        ("v22.11.0", False),
        ("v22.12.0\n", True),
        ("v24.1.0", True),
        ("v18.20.0", False),
        ("nightly", False),
    ],
)
def test_node_is_taken_where_vite_takes_it(version: str, fits: bool) -> None:
    assert builder.is_fitting(version) is fits


def test_build_packs_assets_once_and_is_not_repeated(tree: Path, tools: Path) -> None:
    install(tools)
    assert not builder.is_current(tree)
    builder.build(tree)
    assert builder.is_current(tree)
    output = builder.output_folder(tree)
    assert gzip.decompress((output / "assets" / "a.js.gz").read_bytes()) == b"globalThis.a = 1\n"
    assert not (output / "assets" / "a.js").exists()
    assert "a.js" in (output / "index.html").read_text()


@pytest.mark.parametrize("name", ["src/main.jsx", "examples/01-create-a-contact.graphql"])
def test_changed_sources_are_seen(tree: Path, tools: Path, name: str) -> None:
    install(tools)
    builder.build(tree)
    (tree / "explorer" / name).write_text("changed")
    assert not builder.is_current(tree)


def test_failed_build_keeps_the_old_one_and_says_the_step(tree: Path, tools: Path) -> None:
    install(tools)
    builder.build(tree)
    (tree / "explorer" / "src" / "main.jsx").write_text("changed")
    install(tools, ci=3)
    with pytest.raises(builder.ExplorerBuildError, match=r"npm ci --ignore-scripts .*ended with 3"):
        builder.build(tree)
    assert (builder.output_folder(tree) / "index.html").is_file()


def test_node_that_vite_does_not_take_counts_as_none(tree: Path, tools: Path) -> None:
    install(tools, version="18.20.0")
    assert builder.machine_node() is None
    with pytest.raises(builder.ExplorerBuildError, match="no Node"):
        builder.build(tree)


@pytest.mark.parametrize("target", ["wheel", "sdist"])
def test_package_carries_the_explorer_and_its_plain_form(
    tree: Path, tools: Path, target: str
) -> None:
    install(tools)
    done = hatch(tree, target, CONTACT_GATEWAY_RELEASE="1")
    assert done.returncode == 0, done.stderr
    files = packed(tree)
    assert {
        "gateway/explorer/index.html",
        "gateway/explorer/assets/a.js.gz",
        "gateway/explorer/sources.sha256",
        "gateway/api/plain/page.js",
        "gateway/py.typed",
    } <= set(files)
    assert not [name for name in files if "node_modules" in name]


def test_package_built_from_the_built_one_needs_no_node(tree: Path, tools: Path) -> None:
    install(tools)
    builder.build(tree)
    install(tools, ci=3)
    assert hatch(tree, "wheel", CONTACT_GATEWAY_RELEASE="1").returncode == 0


def test_machine_that_cannot_build_gets_a_warning_and_the_plain_form(
    tree: Path, tools: Path
) -> None:
    install(tools, ci=3)
    done = hatch(tree, "wheel", CONTACT_GATEWAY_RELEASE="")
    assert done.returncode == 0
    assert "GraphiQL was not built" in done.stdout + done.stderr
    files = packed(tree)
    assert "gateway/api/plain/index.html" in files
    assert not [name for name in files if name.startswith("gateway/explorer/")]


@pytest.mark.parametrize("skip", ["", "1"])
def test_release_without_the_explorer_fails(tree: Path, tools: Path, skip: str) -> None:
    install(tools, ci=3)
    done = hatch(tree, "wheel", CONTACT_GATEWAY_RELEASE="1", CONTACT_GATEWAY_SKIP_EXPLORER=skip)
    assert done.returncode != 0
    assert "A release must carry the explorer" in done.stdout + done.stderr


def test_skipped_explorer_starts_no_npm(tree: Path, tools: Path) -> None:
    install(tools)
    done = hatch(tree, "wheel", CONTACT_GATEWAY_RELEASE="", CONTACT_GATEWAY_SKIP_EXPLORER="1")
    assert done.returncode == 0
    assert not (tools / "calls").exists()


def test_every_make_target_is_listed_by_help() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (phony,) = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    shown = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert re.findall(r"^  make ([\w-]+)", shown, re.MULTILINE) == phony.split()
