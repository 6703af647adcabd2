"""What the README shows is what happens."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.harness import Gateway

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def curls() -> list[dict[str, Any]]:
    """The README's curl commands: path, method and body."""
    joined = "\n".join(blocks("sh")).replace("\\\n", " ")
    commands = [line for line in joined.splitlines() if line.startswith("curl")]
    found = []
    for command in commands:
        url = re.search(r"http://127\.0\.0\.1:8000([^' ]*)", command)
        body = re.search(r"-d '(.*)'", command)
        method = re.search(r"-X (\w+)", command)
        assert url
        found.append(
            {
                "url": url[1],
                "json": json.loads(body[1]) if body else None,
                "method": method[1] if method else "POST" if body else "GET",
            }
        )
    return found


async def test_the_mutation_gives_the_answer_that_stands_below_it(gateway: Gateway) -> None:
    mutation = blocks("graphql")[0]
    [answer] = blocks("json")
    assert await gateway.ask(mutation) == json.loads(answer)


async def test_the_leads_are_made_once_and_updated_when_sent_again(gateway: Gateway) -> None:
    leads = blocks("graphql")[1:]
    assert len(leads) == 2
    held = len(gateway.sandbox.ivvy.dump()["tables"]["leads"])
    for mutation in leads:
        made = (await gateway.data(mutation))["upsertLead"]
        assert (made["status"], made["errors"]) == ("APPLIED", [])
        assert [result["outcome"] for result in made["results"]] == ["CREATED"]
        again = (await gateway.data(mutation))["upsertLead"]
        assert [result["outcome"] for result in again["results"]] in (["UPDATED"], ["UNCHANGED"])
    assert len(gateway.sandbox.ivvy.dump()["tables"]["leads"]) == held + 2


async def test_the_curl_commands_work_in_their_order(served: str) -> None:
    import httpx

    commands = curls()
    assert len(commands) == 5
    async with httpx.AsyncClient(base_url=served) as http:
        for command in commands:
            answer = await http.request(command["method"], command["url"], json=command["json"])
            assert answer.is_success, (command, answer.text)
            assert "errors" not in answer.text or '"errors":[]' in answer.text
            if command["url"].startswith("/_sandbox/calls"):
                assert answer.json(), "the mutation before it must have left calls"


def test_every_page_that_the_readme_names_is_there() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
