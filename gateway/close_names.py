"""Which names are close to one that does not exist. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import category, normalize

from rapidfuzz import fuzz, process

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SUGGESTIONS = 3
LIKENESS = 70.0
"""How alike, of 100, a name must be to be suggested."""
SHORTEST_PART = 3
"""Characters that a name must have to be suggested, or found, as a part of another."""
SHORTEST_START, START = 5, 80.0
"""Characters that a misspelt beginning of a name must have, and how alike it must be."""
LONGEST = 500
"""Characters above which a text is compared with no name: of long ones that takes seconds."""
REMEMBERED = 1000
"""Names of which is remembered what is close: many contacts of a file have the same wrong one."""
UNSEEN = {"Mn", "Cf"}
"""Kinds of characters that do not tell names apart for those who type them: accents, joiners."""


def plain(name: str) -> str:
    """A name without case, accents, width, what is not seen, and more than single spaces."""
    if name.isascii():  # as most are: then no character has to be looked at by itself
        return " ".join(name.casefold().split())
    letters = (char for char in normalize("NFKD", name) if category(char) not in UNSEEN)
    return " ".join("".join(letters).casefold().split())


class CloseNames:
    """The names of one list, made ready for looking up what is close to another."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names: dict[str, str] = {}
        for name in names:
            self._names.setdefault(plain(name), name)
        self._names.pop("", None)
        self._forms = list(self._names)
        self._sorted = [_sorted(form) for form in self._forms]
        self._told: dict[str, list[str]] = {}

    def to(self, name: str) -> list[str]:
        """The closest names, best first; none for what is no name, being empty or a whole page."""
        if len(name) > LONGEST:
            return []
        wanted = plain(name)
        if wanted not in self._told:
            if len(self._told) >= REMEMBERED:
                self._told.clear()
            self._told[wanted] = self._closest(wanted) if wanted else []
        return list(self._told[wanted])

    def _closest(self, wanted: str) -> list[str]:
        """Misspelt names first; what has other words around it, or its words in another order, takes longer."""
        scores = self._alike(wanted, self._forms)
        if len(scores) < SUGGESTIONS and " " in wanted:
            scores = self._alike(_sorted(wanted), self._sorted) | scores
        if len(scores) < SUGGESTIONS:
            for form in self._forms:
                if _is_part(wanted, form):
                    share = fuzz.ratio(wanted, form) / 100
                    score = LIKENESS + share * (100 - LIKENESS)
                    scores[form] = max(score, scores.get(form, 0.0))
        if not scores and len(wanted) >= SHORTEST_START:
            scores = self._alike(wanted, [form[: len(wanted)] for form in self._forms], START)
        best = sorted(scores, key=lambda form: -scores[form])[:SUGGESTIONS]
        return [self._names[form] for form in best]

    def _alike(
        self, wanted: str, forms: Sequence[str], least: float = LIKENESS
    ) -> dict[str, float]:
        """The closest names by how alike they are, given what stands for each in `forms`."""
        found = process.extract(
            wanted, forms, scorer=fuzz.ratio, limit=SUGGESTIONS, score_cutoff=least
        )
        return {self._forms[place]: score for _, score, place in found}


def _sorted(form: str) -> str:
    return " ".join(sorted(form.split()))


def _is_part(wanted: str, form: str) -> bool:
    """Whether a name was given in part, or with other words around it."""
    if len(wanted) >= SHORTEST_PART and wanted in form:
        return True
    return len(form) >= SHORTEST_PART and f" {form} " in f" {wanted} "
