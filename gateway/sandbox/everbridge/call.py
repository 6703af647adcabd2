"""One call that has passed authentication, as the routes see it, and the envelopes of answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gateway.sandbox.everbridge.errors import invalid
from gateway.sandbox.everbridge.paging import PageWish, paged, read_page_wish, unpaged
from gateway.sandbox.everbridge.values import JsonObject, read_list, read_object

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.requests import Request

_SOME_ROWS_FAILED = 200
_ALL_ROWS_FAILED = 300


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request's parts: path parameters, query, JSON body (None when there is none)."""

    request: Request
    body: Any
    switches: Mapping[str, Any]

    @property
    def organization(self) -> str:
        """The organization of the path, already checked."""
        return self.path("organization")

    @property
    def root(self) -> str:
        """The address up to and with `/rest`, as the caller used it."""
        url = self.request.url
        return f"{url.scheme}://{url.netloc}{self.request.scope.get('root_path', '')}"

    @property
    def uri(self) -> str:
        """The address of this call, without its query."""
        url = self.request.url
        return f"{url.scheme}://{url.netloc}{url.path}"

    def path(self, name: str) -> str:
        """A path parameter, percent-decoded."""
        return str(self.request.path_params[name])

    def query(self, name: str) -> str | None:
        """A query parameter; None when it is missing or empty."""
        return self.request.query_params.get(name) or None

    def query_list(self, name: str) -> list[str] | None:
        """A list parameter: separated by commas, repeated, or both; None when it is missing.

        ASSUMED: an empty one counts as missing.
        """
        joined = ",".join(self.request.query_params.getlist(name))
        return [item for item in joined.split(",") if item] or None

    def choice(self, name: str, allowed: Sequence[str]) -> str:
        """A query parameter with one of the `allowed` values; the first is the default."""
        value = self.query(name) or allowed[0]
        if value not in allowed:
            raise invalid(f"{name} {value} is invalid.")
        return value

    @property
    def id_type(self) -> str:
        """How the ids of the path or body are to be read."""
        return self.choice("idType", ("id", "externalId"))

    def object(self) -> JsonObject:
        """The body as a JSON object."""
        return read_object(self.body)

    def array(self) -> list[Any]:
        """The body as a JSON array, within the batch limit."""
        rows = read_list(self.body)
        if len(rows) > self.switches["batch_limit"]:
            raise invalid(f"A batch has at most {self.switches['batch_limit']} rows.")
        return rows

    def page_wish(self) -> PageWish:
        """The page that the query asks for."""
        return read_page_wish(self.query("pageNumber"), self.query("pageSize"))

    def page(self, rows: Sequence[Any], wish: PageWish) -> JsonObject:
        """The Collection envelope of one page."""
        return paged(
            rows,
            wish,
            uri=self.uri,
            query=self.request.query_params.multi_items(),
            empty_data=self.switches["empty_data"],
        )

    def all_rows(self, rows: Sequence[Any], *, start: int = 0) -> JsonObject:
        """The Collection envelope of a list that is not paged."""
        return unpaged(rows, uri=self.uri, start=start, empty_data=self.switches["empty_data"])

    def modified(self, collection: str, object_id: int) -> JsonObject:
        """The Modification envelope of a call that wrote one object."""
        base = f"{self.root}/{collection}/{self.organization}/"
        return {
            "message": "OK",
            "id": object_id,
            "baseUri": base,
            "instanceUri": f"{base}{object_id}",
        }

    def batch(self, failures: Sequence[str], *, of: int | None = None) -> JsonObject:
        """The Batch envelope: code 100, 200 when rows failed, 300 when all `of` rows failed.

        ASSUMED: that contact batches use these codes; they are known from another batch call.
        """
        code = _SOME_ROWS_FAILED if failures else 100
        if failures and len(failures) == of:
            code = _ALL_ROWS_FAILED
        if self.switches["batch_code"]:
            code = self.switches["batch_code"]
        answer: JsonObject = {"code": code, "message": "OK"}
        if failures and self.switches["batch_names_failed_rows"]:
            answer["data"] = list(failures)
        return answer


def instance(result: JsonObject) -> JsonObject:
    """The Instance envelope of GET one object."""
    return {"message": "OK", "result": result}


@dataclass(frozen=True)
class Row:
    """One row of a route table: method, path behind `/rest`, and what answers."""

    method: str
    path: str
    answer: Callable[[Call], JsonObject]
