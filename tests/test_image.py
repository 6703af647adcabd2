"""The image's steps, followed on a machine without a container engine."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from gateway.api.explorer import BUILT
from tests.dockerfile import Build, Stage, context_files, is_ignored, stages
from tests.harness import free_port
from tests.node import skip_unless_required
from tests.program import wait_for

ROOT = Path(__file__).parents[1]
NODE, BUILD, FINAL = stages((ROOT / "Dockerfile").read_text())
# What the first RUN fetches is on this machine already: Node with npm, and uv.
TOOLS, *SYNCS = BUILD.all("RUN")


def test_hadolint_finds_nothing_to_say_about_the_dockerfile() -> None:
    hadolint = shutil.which("hadolint")
    if hadolint is None:
        skip_unless_required("no hadolint for this platform")
    done = subprocess.run(
        [hadolint, "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_image_runs_as_nobody_in_particular_and_holds_the_environment_alone() -> None:
    assert FINAL.last("USER").text.isdecimal()
    assert int(FINAL.last("USER").text) > 0
    assert f"--uid {FINAL.last('USER').text}" in FINAL.last("RUN").text
    [copied] = FINAL.all("COPY")
    assert copied.text == f"--from={BUILD.name} /app/.venv /app/.venv"
    assert FINAL.base == BUILD.base.split(" ")[0], "the environment's Python is the image's"
    assert NODE.base.startswith("node:")


@pytest.mark.parametrize(
    ("path", "ignored"),
    [
        ("pyproject.toml", False),
        ("gateway/sandbox/ivvy/seed.json", False),
        ("explorer/src/main.jsx", False),
        (".env", True),
        (".git/config", True),
        ("gateway/explorer/index.html", True),
        ("gateway/__pycache__/app.pyc", True),
        ("explorer/node_modules/vite/package.json", True),
        ("tests/conftest.py", True),
        ("contact-gateway.sqlite3", True),
    ],
)
def test_image_is_built_from_what_the_package_needs_and_no_secret(path: str, ignored: bool) -> None:
    patterns = (ROOT / ".dockerignore").read_text().split()
    assert is_ignored(path, patterns) is ignored


def test_no_file_that_the_package_reads_is_kept_out_of_the_image() -> None:
    sent = context_files(ROOT)
    tracked = subprocess.run(
        ["git", "ls-files", "gateway", "explorer", "pyproject.toml", "uv.lock", "hatch_build.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert sorted(set(tracked) - set(sent)) == []


def test_every_step_that_is_not_followed_here_is_known() -> None:
    assert TOOLS.text.startswith("ln -s ../lib/node_modules/npm/bin/npm-cli.js")
    assert "pip install" in TOOLS.text
    assert [step.text.split("uv sync")[0].strip() for step in SYNCS] == [
        "",
        "CONTACT_GATEWAY_RELEASE=1",
    ]


@pytest.fixture
def image(tmp_path: Path) -> Build:
    """The final stage, with the environment where the build stage has put it."""
    if not (BUILT / "index.html").is_file():
        skip_unless_required("GraphiQL is not built here: `make explorer` builds it")
    build = Build(tmp_path, ROOT, workdir="/app")
    # GraphiQL is built by the same hook as for the environment that runs the tests: taken from there.
    shutil.copytree(BUILT, tmp_path / "app/gateway/explorer")
    build.carry_out(Stage(BUILD.base, BUILD.name, [step for step in BUILD.steps if step != TOOLS]))
    # Only this is copied into the final stage.
    environment = (tmp_path / "app/.venv").rename(tmp_path / "environment")
    shutil.rmtree(tmp_path / "app")
    (tmp_path / "app").mkdir()
    environment.rename(tmp_path / "app/.venv")
    build.variables = FINAL.environment()
    build.workdir = FINAL.last("WORKDIR").text
    build.here.mkdir()
    return build


def refusal(image: Build) -> str:
    """What the image says when it is run as it is."""
    done = subprocess.run(
        FINAL.last("CMD").words(),
        cwd=image.here,
        env=image.environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    return done.stderr


def is_healthy(image: Build, port: int) -> bool:
    """What the image's health check finds on another port than 8000."""
    done = subprocess.run(
        [word.replace("8000", str(port)) for word in FINAL.last("HEALTHCHECK").words()],
        cwd=image.here,
        env=image.environment(),
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return done.returncode == 0


def test_image_lets_nobody_in_until_told_whom_then_serves_and_ends_on_sigterm(image: Build) -> None:
    refused = refusal(image)
    assert "0.0.0.0" in refused
    assert "GATEWAY_AUTH" in refused

    port, log = free_port(), image.root / "log"
    assert not is_healthy(image, port)
    command = [word.replace("0.0.0.0", "127.0.0.1") for word in FINAL.last("CMD").words()]
    with log.open("wb") as printed:
        process = subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=image.here,
            env=image.environment() | {"GATEWAY_AUTH": "none"},
            stdout=printed,
            stderr=printed,
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz", process, log)
        assert is_healthy(image, port)
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=60)
    assert code == 0
    assert [path.name for path in image.here.iterdir() if "sqlite3" in path.name], "kept in /data"
