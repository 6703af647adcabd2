"""Dockerfile and .dockerignore as far as ours go: read, and followed step by step without an engine."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path


@dataclass(frozen=True)
class Step:
    """One instruction, such as RUN, with what stands behind it."""

    instruction: str
    text: str

    def words(self) -> list[str]:
        """The command of an instruction in JSON's notation, else the words."""
        array = self.text.find("[")
        return list(json.loads(self.text[array:])) if array >= 0 else shlex.split(self.text)


@dataclass
class Stage:
    """The steps behind one FROM."""

    base: str
    name: str
    steps: list[Step] = field(default_factory=list)

    def all(self, instruction: str) -> list[Step]:
        """The steps of one kind."""
        return [step for step in self.steps if step.instruction == instruction]

    def last(self, instruction: str) -> Step:
        """The step that counts, of those that replace one another."""
        return self.all(instruction)[-1]

    def environment(self) -> dict[str, str]:
        """What ENV sets, before anything in it is filled in."""
        pairs = (word for step in self.all("ENV") for word in shlex.split(step.text))
        return dict(pair.split("=", 1) for pair in pairs)


def stages(text: str) -> list[Stage]:
    """A Dockerfile's stages; comments and continued lines are understood, heredocs are not."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    found: list[Stage] = []
    for line in lines.replace("\\\n", " ").splitlines():
        if not line.strip():
            continue
        instruction, rest = line.split(None, 1)
        if instruction == "FROM":
            base, _, name = rest.partition(" AS ")
            found.append(Stage(base, name))
        else:
            found[-1].steps.append(Step(instruction, " ".join(rest.split())))
    return found


def is_ignored(path: str, patterns: list[str]) -> bool:
    """Whether .dockerignore keeps a file out: the last pattern that fits it or a folder above counts."""
    parts = path.split("/")
    above = ["/".join(parts[: count + 1]) for count in range(len(parts))]
    ignored = False
    for pattern in patterns:
        plain = pattern.removeprefix("!")
        fits = (
            plain.removeprefix("**/") in parts
            if plain.startswith("**/")
            else any(
                fnmatchcase(part, plain) and part.count("/") == plain.count("/") for part in above
            )
        )
        if fits:
            ignored = not pattern.startswith("!")
    return ignored


def context_files(root: Path) -> list[str]:
    """What an engine would be sent of `root`, as paths inside it."""
    patterns = (root / ".dockerignore").read_text().split()
    skipped = {
        ".git",
        ".venv",
        "node_modules",
    }  # large, and looked at by no pattern that lets them in
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in skipped]
        inside = Path(folder).relative_to(root)
        found += [(inside / name).as_posix() for name in files]
    return [path for path in found if not is_ignored(path, patterns)]


@dataclass
class Build:
    """A stage carried out below a folder of this machine, which stands for the image's root."""

    root: Path
    context: Path
    workdir: str = "/"
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def here(self) -> Path:
        """The working directory on this machine."""
        return self.root / self.workdir.strip("/")

    def environment(self) -> dict[str, str]:
        """The machine's environment with the stage's; the image's paths lie below the root."""
        given = {
            key: text
            for key, text in os.environ.items()
            if not key.startswith(("GATEWAY_", "VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT"))
        }
        for name, text in self.variables.items():
            mapped = re.sub(r"(?<![\w/])/app\b", f"{self.root}/app", text)
            given[name] = mapped.replace("$PATH", given["PATH"])
        return given

    def carry_out(self, stage: Stage) -> None:
        """COPY, ENV, WORKDIR and RUN in their order; a command that fails fails the test."""
        for step in stage.steps:
            if step.instruction == "WORKDIR":
                self.workdir = step.text
                self.here.mkdir(parents=True, exist_ok=True)
            elif step.instruction == "ENV":
                self.variables |= dict(pair.split("=", 1) for pair in shlex.split(step.text))
            elif step.instruction == "COPY":
                self._copy(step)
            elif step.instruction == "RUN":
                self._run(step)

    def _copy(self, step: Step) -> None:
        *sources, _target = shlex.split(step.text)
        for path in context_files(self.context):
            if sources == ["."] or path in sources:
                target = self.here / path
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(self.context / path, target)

    def _run(self, step: Step) -> None:
        done = subprocess.run(
            ["sh", "-ec", step.text],
            cwd=self.here,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{step.text}\n{done.stdout}{done.stderr}"
