"""What a name means among the entries of a list."""

from __future__ import annotations

from gateway.entries import Catalog, Entry


def catalog(*entries: tuple[str, str]) -> Catalog:
    return Catalog(entries=tuple(Entry(id=key, name=name) for key, name in entries))


def test_an_exact_name_wins_over_one_in_another_case() -> None:
    read = catalog(("1", "VIP"), ("2", "vip"))
    assert [entry.id for entry in read.matches("VIP")] == ["1"]
    assert [entry.id for entry in read.matches(" ViP ")] == ["1", "2"]
    assert read.matches("VI") == []
    assert read.by_id["2"].name == "vip"


def test_a_name_is_found_however_its_accents_are_encoded_and_exactly_first() -> None:
    composed, split = "Caf\u00e9", "Cafe\u0301"
    [found] = catalog(("1", composed)).matches(split.upper())
    assert found.id == "1"
    both = catalog(("1", composed), ("2", split))
    assert [[entry.id for entry in both.matches(name)] for name in (composed, split)] == [
        ["1"],
        ["2"],
    ]


def test_an_alias_means_its_entry_once() -> None:
    ann = Entry(id="7", name="Ann", aliases=("ann@example.com", "ANN"))
    assert Catalog(entries=(ann,)).matches("ann") == [ann]
    assert Catalog(entries=(ann,)).matches("Ann@example.com") == [ann]


def test_close_names_are_suggested_closest_first() -> None:
    read = catalog(("1", "Newsletter"), ("2", "News"), ("3", "Berlin Office"))
    assert read.like("newsleter")[0] == "Newsletter"
    assert "Berlin Office" not in read.like("newsleter")
    assert read.like("zzzz") == []
