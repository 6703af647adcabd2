"""Trusted documents: a file of the operations that the callers' programs are known to send.

The file is a JSON object of id and document, as graphql-codegen and Relay write it. A caller names one
by `documentId`, as the GraphQL over HTTP specification's appendix on persisted documents has it, or by
`extensions.persistedQuery`, as Apollo's clients do. Besides its id in the file every document has the
id `sha256:` and the hash of its text.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import orjson
import structlog
from graphql import GraphQLError

from gateway.errors import SettingsError
from gateway.settings import variable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from gateway.settings import Settings

log = structlog.get_logger()

SHA256 = "sha256:"


def digest(text: str) -> str:
    """The hash that names a document: SHA-256 of its text, in small hexadecimal letters."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


class TrustedDocuments:
    """The known documents, by every id that they have."""

    def __init__(self, documents: Mapping[str, str], *, refuses_others: bool) -> None:
        self._by_id = dict(documents)
        self._by_id |= {SHA256 + digest(text): text for text in documents.values()}
        self._texts = frozenset(documents.values())
        self._refuses_others = refuses_others

    @classmethod
    def of(cls, settings: Settings) -> TrustedDocuments:
        """What the settings name; raises SettingsError where the file is not as it should be."""
        path = settings.trusted_documents
        if path is None:
            return cls({}, refuses_others=False)
        refuses = settings.production
        if settings.unknown_documents is not None:
            refuses = settings.unknown_documents == "refuse"
        return cls(_read(path), refuses_others=refuses)

    def find(self, request: Mapping[str, Any]) -> str | None:
        """The text that a request names by an id; None where it names none.

        Raises GraphQLError where the id is unknown, or does not go with the query beside it.
        """
        wanted = _document_id(request)
        if wanted is None:
            return None
        query = request.get("query")
        if query is not None:
            # Apollo's clients send both after a hash was not found; nothing is learned from it here.
            if wanted == SHA256 + digest(query):
                return None
            raise GraphQLError(
                f"The query is not the one that {wanted!r} names: send one of them.",
                extensions={"code": "BAD_REQUEST"},
            )
        found = self._by_id.get(wanted)
        if found is None:
            raise self._not_found(wanted)
        return found

    def refusal(self, text: str) -> GraphQLError | None:
        """Why a document may not run; None when it may. Unknown ones that may are logged."""
        if not self._texts or text in self._texts:
            return None
        known_as = SHA256 + digest(text)
        log.warning("document is not trusted", document=known_as, refused=self._refuses_others)
        if not self._refuses_others:
            return None
        return GraphQLError(
            f"The gateway runs trusted documents only, and {known_as} is not one of them: it has to "
            f"be in the file that {variable('trusted_documents')} names.",
            extensions={"code": "DOCUMENT_NOT_TRUSTED"},
        )

    def _not_found(self, wanted: str) -> GraphQLError:
        if self._texts:
            # Both words are Apollo's: clients look for them.
            code, why = "PERSISTED_QUERY_NOT_FOUND", f"the trusted documents have no {wanted!r}."
            return GraphQLError(f"PersistedQueryNotFound: {why}", extensions={"code": code})
        why = (
            f"no file of documents is set ({variable('trusted_documents')}); send the query itself."
        )
        code = "PERSISTED_QUERY_NOT_SUPPORTED"
        return GraphQLError(f"PersistedQueryNotSupported: {why}", extensions={"code": code})


def _document_id(request: Mapping[str, Any]) -> str | None:
    wanted = request.get("documentId")
    if wanted is None:
        extensions = request.get("extensions")
        named = extensions.get("persistedQuery") if isinstance(extensions, dict) else None
        if named is None:
            return None
        found = named.get("sha256Hash") if isinstance(named, dict) else None
        wanted = SHA256 + found if isinstance(found, str) else found
    if not isinstance(wanted, str):
        raise GraphQLError(
            "A document's id must be a string: documentId, or extensions.persistedQuery.sha256Hash.",
            extensions={"code": "BAD_REQUEST"},
        )
    return wanted


def _read(path: Path) -> dict[str, str]:
    name = variable("trusted_documents")
    try:
        documents = orjson.loads(path.read_bytes())
    except OSError as error:
        raise SettingsError([f"{name}: {path} cannot be read ({error.strerror})."]) from None
    except orjson.JSONDecodeError as error:
        raise SettingsError([f"{name}: {path} is not JSON ({error})."]) from None
    if not isinstance(documents, dict) or not documents:
        raise SettingsError([f"{name}: {path} must be a JSON object of id and document."])
    problems = []
    for key, text in documents.items():
        if not isinstance(text, str):
            problems.append(f"{name}: the document {key!r} in {path} is not a text.")
        elif key.startswith(SHA256) and key != SHA256 + digest(text):
            problems.append(f"{name}: {key!r} in {path} is not the hash of its document.")
    if problems:
        raise SettingsError(problems)
    return documents
