"""How Everbridge is spoken to: authorization, the calls, and what its answers mean.

An answer is a success only when three signals agree: the HTTP status, `message` OK, and in batch
answers `code` 100 (contract: everbridge section 7, item 10). Errors have no code of their own: the
HTTP status decides, and the text is kept for people.
"""

from __future__ import annotations

import base64
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from gateway.backends.everbridge.batch_calls import ALL_ROWS, contact_of, is_batch
from gateway.backends.everbridge.envelopes import is_id, unexpected, written_id
from gateway.backends.everbridge.tokens import ClientCredentials, Tokens
from gateway.calls import Call, Safety
from gateway.model import Backend
from gateway.results import Problem, ProblemCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gateway.calls import Reply
    from gateway.upstream import Exchange, Sender

JSON = "application/json"
PAGE_SIZE = 100
"""Rows asked for at a time; always sent, because the documented defaults contradict each other."""
FIRST_PAGE = (("pageNumber", "1"), ("pageSize", str(PAGE_SIZE)))
ORGANIZATION, WHICH = 2, 3
"""Where in a path the organization stands, and what is looked up or done in it."""
PAGED = "pagination"
BELOW = frozenset({"batch", "contacts", PAGED})
"""What may stand there besides a contact's id."""
BELOW_READS = frozenset({PAGED})
SECRET = frozenset({"securityPIN"})
"""What a contact may hold that no receipt shows (contract: everbridge section 4)."""

_BY_STATUS = {
    HTTPStatus.UNAUTHORIZED: ProblemCode.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN: ProblemCode.FORBIDDEN,
    HTTPStatus.NOT_FOUND: ProblemCode.NOT_FOUND,
    HTTPStatus.TOO_MANY_REQUESTS: ProblemCode.RATE_LIMITED,
    HTTPStatus.SERVICE_UNAVAILABLE: ProblemCode.UNAVAILABLE,
}


class EverbridgeDialect:
    """Everbridge's REST API, by Basic authentication or by tokens of client credentials.

    With a complete set of client credentials tokens are used; otherwise user name and password.
    """

    backend = Backend.EVERBRIDGE

    def __init__(
        self,
        *,
        base_url: str,
        username: str | None = None,
        password: str | None = None,
        token_url: str | None = None,
        client_id: str | None = None,
        client_secret: str | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._tokens: Tokens | None = None
        if token_url and client_id and client_secret:
            self._tokens = Tokens(
                ClientCredentials(
                    token_url=token_url, client_id=client_id, client_secret=client_secret
                )
            )
        basic = base64.b64encode(f"{username}:{password}".encode()).decode()
        self._basic = f"Basic {basic}"

    async def authorize(
        self, call: Call, content: bytes, *, renew: bool, sender: Sender, exchange: Exchange
    ) -> Mapping[str, str]:
        """The headers of one try; raises NotWrittenError when no token can be had."""
        if call.base_url is not None:  # the token service, which is asked by its form alone
            return {"Accept": JSON, "Content-Type": "application/x-www-form-urlencoded"}
        authorization = self._basic
        if self._tokens is not None:
            token = await self._tokens.current(sender, exchange, renew=renew)
            authorization = f"Bearer {token}"
        if content:
            return {"Accept": JSON, "Content-Type": JSON, "Authorization": authorization}
        return {"Accept": JSON, "Authorization": authorization}

    def judge(self, call: Call, reply: Reply) -> Problem | None:
        """What is wrong with an answer; None when it is a success."""
        if call.base_url is not None:
            return _judge_token(reply)
        if reply.status != HTTPStatus.OK or not isinstance(reply.body, dict):
            if _is_left_already(call, reply):
                return None
            if reply.status >= HTTPStatus.BAD_REQUEST:
                return _refused(reply)
            if reply.status >= HTTPStatus.MULTIPLE_CHOICES:
                return _elsewhere(reply)
            return unexpected(reply, "not the JSON that was expected")
        if call.safety is Safety.READ:
            return _judge_read(reply)
        return _judge_batch(call, reply) if is_batch(call) else _judge_write(call, reply)

    def route(self, call: Call) -> str:
        """The path with `*` for the organization and for what is looked up in it."""
        if call.base_url is not None:
            return call.path
        parts = call.path.split("/")
        parts[ORGANIZATION] = "*"
        # What stands here in a read is a contact's own id, even where it spells such a word.
        told = BELOW_READS if call.method == "GET" else BELOW
        parts[WHICH:] = [part if part in told else "*" for part in parts[WHICH:]]
        return "/".join(parts)

    def batch_size(self, call: Call) -> int | None:
        """The contacts of a batch."""
        is_batch = isinstance(call.body, list) and call.path.startswith("/contacts/")
        return len(call.body) if is_batch else None


# ---------------------------------------------------------------- the calls


def read_contact(organization_id: str, contact_id: str) -> Call:
    """One contact by its native id."""
    return Call(method="GET", path=f"/contacts/{organization_id}/{quote(contact_id, safe='')}")


def read_contact_by_external_id(organization_id: str, external_id: str) -> Call:
    """One contact by its externalId, in the path."""
    path = f"/contacts/{organization_id}/{quote(external_id, safe='')}"
    return Call(method="GET", path=path, query=(("idType", "externalId"),))


def search_contacts(organization_id: str, external_ids: Sequence[str]) -> Call:
    """Contacts by externalId: the key repeated for each (seen live), at most 100 of them."""
    wanted = [("externalIds", external_id) for external_id in external_ids]
    return Call(method="GET", path=f"/contacts/{organization_id}", query=(*wanted, *FIRST_PAGE))


def search_contacts_by_id(organization_id: str, contact_ids: Sequence[str]) -> Call:
    """Contacts by native id: a list separated by commas, as documented, at most 100 of them."""
    wanted = ("contactIds", ",".join(contact_ids))
    return Call(method="GET", path=f"/contacts/{organization_id}", query=(wanted, *FIRST_PAGE))


def read_list(path: str, number: int, *, paged: bool) -> Call:
    """One page of a list; look-ups that are not paged are asked for all at once."""
    page = (("pageNumber", str(number)), ("pageSize", str(PAGE_SIZE)))
    return Call(method="GET", path=path, query=page if paged or number > 1 else ())


def create_contact(organization_id: str, body: Mapping[str, Any]) -> Call:
    """POST: overwrites a contact that has this externalId, so that it may be repeated."""
    return Call(
        method="POST",
        path=f"/contacts/{organization_id}",
        body=dict(body),
        safety=Safety.REPEATABLE,
        hidden=SECRET,
    )


def replace_contact(
    organization_id: str, contact_id: str, body: Mapping[str, Any], carries: tuple[str, ...] = ()
) -> Call:
    """PUT: the contact becomes what the body says, but for groups and quiet times."""
    return Call(
        method="PUT",
        path=f"/contacts/{organization_id}/{contact_id}",
        body=dict(body),
        safety=Safety.REPEATABLE,
        carries=carries,
        hidden=SECRET,
    )


# ---------------------------------------------------------------- judging


def _judge_read(reply: Reply) -> Problem | None:
    body = reply.body
    if "message" in body and body["message"] != "OK":
        return unexpected(reply, "without the message OK")
    if not (isinstance(body.get("page"), dict) or "result" in body or "id" in body):
        return unexpected(reply, "with neither a record nor a page")
    return None


def _judge_write(call: Call, reply: Reply) -> Problem | None:
    """What is wrong with the answer to a PUT or POST of one contact."""
    if reply.body.get("message") != "OK":
        return unexpected(reply, "without the message OK")
    contact_id = written_id(reply.body)
    if not is_id(contact_id):
        return unexpected(reply, "without the contact's id")
    if call.method == "PUT" and str(contact_id) != contact_of(call):
        return unexpected(reply, "about another contact than the one that was written")
    return None


def _judge_batch(call: Call, reply: Reply) -> Problem | None:
    """ASSUMED: contact batches and membership calls use the codes known of another batch call.

    That rows failed is a refusal where there is one row. Where there are several, it is for
    `batch.py` to find out which.
    """
    code = reply.body.get("code")
    if not isinstance(code, int) or code < ALL_ROWS:
        return unexpected(reply, "without a batch code")
    if code == ALL_ROWS:
        said_ok = reply.body.get("message") == "OK"
        return None if said_ok else unexpected(reply, "without the message OK")
    if len(call.body) > 1:
        return None
    said = _said_of_rows(reply.body)
    return _problem(
        ProblemCode.INVALID,
        f"Everbridge did not change the membership: {said or 'it gives no reason'} (code {code}).",
        code=str(code),
        said=said or None,
    )


def _said_of_rows(body: Mapping[str, Any]) -> str:
    """Why rows failed. Texts stand in `data`, in an older model in `errorInfo`; neither is sure."""
    said: list[object] = [body.get("message")] if body.get("message") != "OK" else []
    for told in (body.get("data"), body.get("errorInfo")):
        said += told if isinstance(told, list) else [told]
    return "; ".join(text for text in said if isinstance(text, str) and text)


def _is_left_already(call: Call, reply: Reply) -> bool:
    """Whether a contact was to leave a group that Everbridge has no more: nobody is in that one.

    ASSUMED: 404 says so. For several contacts it may speak of one of them: they are asked for singly then.
    """
    known = isinstance(reply.body, dict) and "message" in reply.body
    leaves = is_batch(call) and call.method == "DELETE" and len(call.body) == 1
    return leaves and known and reply.status == HTTPStatus.NOT_FOUND


def _judge_token(reply: Reply) -> Problem | None:
    """What is wrong with a token's answer; nothing of its body is shown, for it may hold tokens."""
    service = "Everbridge's token service"
    if reply.status == HTTPStatus.OK:
        token = reply.body.get("access_token") if isinstance(reply.body, dict) else None
        if isinstance(token, str) and token:
            return None
        return _problem(ProblemCode.BACKEND_ERROR, f"{service} answered without a token.")
    code = _code_of(reply.status)
    if code in {ProblemCode.INVALID, ProblemCode.FORBIDDEN, ProblemCode.NOT_FOUND}:
        code = ProblemCode.UNAUTHORIZED  # any 4xx: no token, so no access
    if reply.status < HTTPStatus.BAD_REQUEST:
        code = ProblemCode.BACKEND_ERROR
    why = " It refuses the client id or secret." if code is ProblemCode.UNAUTHORIZED else ""
    return _problem(code, f"{service} answered with HTTP {reply.status}.{why}")


def _refused(reply: Reply) -> Problem:
    """The problem of an error answer. The status in the body may differ from HTTP's, which counts."""
    body = reply.body if isinstance(reply.body, dict) else {}
    said = body.get("message")
    text = said if isinstance(said, str) and said else reply.excerpt or "no text"
    in_body = body.get("status")
    code = _code_of(reply.status)
    if code is ProblemCode.NOT_FOUND and "message" not in body:
        # Not Everbridge's own words: a wrong address must not be taken for "no such contact".
        return _elsewhere(reply)
    if code is ProblemCode.UNAUTHORIZED:
        # Everbridge says 401, not 404, for an organization that is unknown or somebody else's.
        message = f"Everbridge refused the gateway's credentials, or the organization is not theirs: {text}"
    else:
        message = f"Everbridge answered with HTTP {reply.status}: {text}"
    return _problem(
        code,
        message,
        code=str(in_body if in_body is not None else reply.status),
        said=text,
    )


def _code_of(status: int) -> ProblemCode:
    default = (
        ProblemCode.BACKEND_ERROR
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR
        else ProblemCode.INVALID
    )
    return next((code for known, code in _BY_STATUS.items() if known == status), default)


def _elsewhere(reply: Reply) -> Problem:
    """The problem of an answer that comes from another address than Everbridge's."""
    return _problem(
        ProblemCode.UNAVAILABLE,
        f"What answered with HTTP {reply.status} is not Everbridge's API; is its base URL right? "
        f"{reply.excerpt or 'empty'}",
    )


def _problem(
    problem: ProblemCode, message: str, *, code: str | None = None, said: str | None = None
) -> Problem:
    return Problem(
        backend=Backend.EVERBRIDGE,
        code=problem,
        message=message,
        backend_code=code,
        backend_message=said,
    )
