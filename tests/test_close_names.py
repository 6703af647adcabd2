"""What is suggested for a name that does not exist."""

from __future__ import annotations

import pytest

from gateway.close_names import REMEMBERED, CloseNames
from gateway.entries import Catalog, Entry

NAMES = [
    "VIP",
    "VIP\u200b",
    "A",
    "B",
    "Café",
    "Berlin Office",
    "o'brien",
    "\uff36\uff29\uff30 2",
    "",
    "  ",
]
NUMBERED = [f"Region {place} / Building {place} floor {place % 7}" for place in range(200)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Vipp", ["VIP"]),
        ("vip2", ["\uff36\uff29\uff30 2", "VIP"]),
        ("cafe", ["Café"]),
        ("Office Berlin", ["Berlin Office"]),
        ("berlin", ["Berlin Office"]),
        ("Berlin Office (new)", ["Berlin Office"]),
        ("Brelin Ofice", ["Berlin Office"]),
        ("Brelin", ["Berlin Office"]),
        ("obrien", ["o'brien"]),
        ("Nothing like 0", []),
        ("Q", []),
        ("", []),
        (" \u200b", []),
        ("Berlin Office " * 100, []),
    ],
)
def test_only_what_is_close_is_suggested(given: str, expected: list[str]) -> None:
    assert CloseNames([*NAMES, *NUMBERED]).to(given) == expected


def test_the_closest_comes_first_and_three_are_told_at_most() -> None:
    told = CloseNames(NUMBERED).to("Regoin 14 / Building 14 floor 0")
    assert (told[0], len(told)) == ("Region 14 / Building 14 floor 0", 3)


def test_it_is_told_again_what_was_told_before() -> None:
    close = CloseNames(NUMBERED)
    first = close.to("Region 7")
    for place in range(REMEMBERED):
        close.to(f"x{place}")
    assert close.to("Region 7") == first


def test_a_blank_name_means_no_entry_with_a_blank_name() -> None:
    catalog = Catalog(entries=(Entry(id="1", name="  "), Entry(id="2", name="A")))
    assert catalog.matches("") == []
    assert [entry.id for entry in catalog.matches("  ")] == ["1"]
