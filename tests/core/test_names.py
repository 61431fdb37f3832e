"""Names, pins, and the order of versions."""

from __future__ import annotations

from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.errors import InputError
from registry.names import Pin, check_alias, check_model, check_version, is_model, next_version, parse_pin, version_key
from tests.core.documents import SHA_A
from tests.core.strategies import labels, repeatable, semantic

SECTION_11 = [
    ["1.0.0", "2.0.0", "2.1.0", "2.1.1"],
    ["1.0.0-alpha", "1.0.0"],
    [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
    ],
]
"""The examples of section 11 of Semantic Versioning 2.0.0, each in order of precedence."""

NATURAL = [
    ["1", "2", "10"],
    ["1.9.0", "1.10.0"],
    ["1.0", "1.0.0", "1.0.1"],
    ["v1.2", "v1.10", "v2"],
    ["2024-01-15", "2024-2-1", "2024-10-01"],
    ["20241231", "20250101"],
    ["1.0.0+build.9", "1.0.0+build.10"],
    ["1.0.0-alpha.beta", "1.0.0-alpha-1", "1.0.0-alpha-1.1"],
    ["r9", "9"][::-1],
]
"""Labels of other kinds, in order."""


def precedence(one: str, other: str) -> int:
    """Compare as section 11 says, written down a second time: -1, 0 or 1."""

    def split(label: str) -> tuple[list[int], list[str]]:
        release, _, pre = label.partition("+")[0].partition("-")
        return [int(part) for part in release.split(".")], pre.split(".") if pre else []

    def compare(a: str, b: str) -> int:
        if a.isdigit() and b.isdigit():
            return (int(a) > int(b)) - (int(a) < int(b))
        if a.isdigit() != b.isdigit():  # 11.4.3: numeric identifiers always have lower precedence
            return -1 if a.isdigit() else 1
        return (a > b) - (a < b)

    (release_a, pre_a), (release_b, pre_b) = split(one), split(other)
    if release_a != release_b:
        return 1 if release_a > release_b else -1
    if not pre_a or not pre_b:  # 11.3: a pre-release version has lower precedence
        return bool(pre_b) - bool(pre_a)
    for a, b in zip(pre_a, pre_b, strict=False):
        if found := compare(a, b):
            return found
    return (len(pre_a) > len(pre_b)) - (len(pre_a) < len(pre_b))  # 11.4.4: more fields have higher precedence


@pytest.mark.parametrize("ordered", [*SECTION_11, *NATURAL], ids=lambda ordered: f"{ordered[0]} to {ordered[-1]}")
def test_versions_have_the_order_that_people_expect(ordered: list[str]) -> None:
    """Semantic Versioning section 11 where it applies, numbers as numbers elsewhere; never text by text."""
    for shuffled in list(permutations(ordered))[:50]:
        assert sorted(shuffled, key=version_key) == ordered


@repeatable
@given(semantic, semantic)
def test_the_order_is_that_of_semantic_versioning(one: str, other: str) -> None:
    """Precedence is calculated by separating the version into major, minor, patch and pre-release, in that order."""
    expected = precedence(one, other)
    if expected:
        assert (version_key(one) > version_key(other)) == (expected > 0)


@repeatable
@given(st.lists(labels, min_size=3, max_size=8, unique=True))
def test_the_order_is_total(drawn: list[str]) -> None:
    """Any labels can be sorted, equal keys mean equal labels, and the result does not depend on where one begins."""
    ordered = sorted(drawn, key=version_key)
    assert ordered == sorted(sorted(drawn), key=version_key)
    assert all(version_key(a) < version_key(b) for a, b in pairwise(ordered))


@repeatable
@given(st.lists(labels.filter(lambda text: accepted(check_version, text)), max_size=6))
def test_the_next_version_is_higher_than_all_of_its_kind(drawn: list[str]) -> None:
    """A publisher who names no version gets one that is not there yet, above every numbered one."""
    following = next_version(drawn)
    assert following not in drawn
    assert all(version_key(following) > version_key(label) for label in drawn if set(label) <= set("0123456789."))


@pytest.mark.parametrize(
    ("known", "following"),
    [
        ([], "1.0.0"),
        (["1.0.0"], "1.1.0"),
        (["1.0.0", "1.9.3"], "1.10.0"),
        (["2"], "2.1.0"),
        (["v3.4"], "3.5.0"),
        (["1.0.0-rc.1"], "1.1.0"),
        (["final"], "1.0.0"),
        (["final", "0.1"], "0.2.0"),
    ],
)
def test_the_next_version_is_the_next_minor_one(known: list[str], following: str) -> None:
    """Examples for people."""
    assert next_version(known) == following


GOOD_MODELS = ["a", "iris", "iris-2", "team.a_iris", "0", "a" * 64]
BAD_MODELS = ["", "Iris", "-a", "a-", ".a", "a.", "a..b", "a/b", "a b", "a\n", "ü", "a" * 65, "a\0", "..", "~", "a%2fb"]
GOOD_VERSIONS = ["1", "1.0.0", "v1", "1.0.0-rc.1+build.5", "2024-01-15", "A", "1" * 64]
BAD_VERSIONS = [
    "",
    "latest",
    ".1",
    "1.",
    "1..0",
    "-1",
    "1-",
    "1/0",
    "1 0",
    "1\n",
    "\uff11",
    "1" * 65,
    "1@2",
    "1:2",
    "../1",
]
GOOD_ALIASES = ["stable", "a", "A-b_c.d9", "v1", "a" * 64]
BAD_ALIASES = ["", "latest", "1", "1a", "a+b", "-a", "a.", "a..b", "a/b", "a\n", "ä", "a" * 65]


def accepted(check: object, text: str) -> bool:
    assert callable(check)
    try:
        return bool(check(text) == text)
    except InputError:
        return False


def test_names_that_people_may_choose() -> None:
    """They become parts of paths and of URLs, so their alphabet is small."""
    for check, good, bad in [
        (check_model, GOOD_MODELS, BAD_MODELS),
        (check_version, GOOD_VERSIONS, BAD_VERSIONS),
        (check_alias, GOOD_ALIASES, BAD_ALIASES),
    ]:
        assert [text for text in good if not accepted(check, text)] == []
        assert [text for text in bad if accepted(check, text)] == []
    assert [text for text in GOOD_MODELS + BAD_MODELS if is_model(text)] == GOOD_MODELS


@repeatable
@given(st.text(max_size=70))
def test_a_name_that_is_accepted_stays_one_segment(text: str) -> None:
    """Names become parts of object paths: none leaves its folder or looks like another path."""
    for check in (check_model, check_version, check_alias):
        if accepted(check, text):
            assert text.isascii()
            assert text.isprintable()
            assert not set(text) & set("/\\:@%?# ")
            assert text.strip(".") == text
            assert len(text) <= 64


@pytest.mark.parametrize(
    ("text", "pin"),
    [
        ("", Pin()),
        ("  ", Pin()),
        ("1.1.0", Pin(name="1.1.0")),
        (" stable\n", Pin(name="stable")),
        ("latest", Pin(name="latest")),
        (f"1.1.0@sha256:{SHA_A}", Pin(name="1.1.0", sha256=SHA_A)),
    ],
)
def test_a_pin_is_read(text: str, pin: Pin) -> None:
    """A version, an alias, `latest`, VERSION@sha256:DIGEST, or nothing for the default."""
    assert parse_pin(text) == pin
    assert parse_pin(str(pin)) == pin


FORMS = "expected a version, an alias, 'latest' or VERSION@sha256:DIGEST"
AFTER = "after '@' comes sha256: and 64 hexadecimal digits"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("../1", FORMS),
        ("a b", FORMS),
        ("1" * 65, FORMS),
        ("1@", AFTER),
        ("1@sha256:", AFTER),
        ("1@sha256:abc", AFTER),
        (f"1@sha256:{SHA_A.upper()}", AFTER),
        (f"1@sha512:{SHA_A}", AFTER),
        (f"1@{SHA_A}", AFTER),
        (f"@sha256:{SHA_A}", AFTER),
        (f"1@sha256:{SHA_A}@sha256:{SHA_A}", AFTER),
    ],
)
def test_what_is_no_pin_is_told(text: str, problem: str) -> None:
    """The sentence says what would have been one."""
    with pytest.raises(InputError) as caught:
        parse_pin(text)
    assert caught.value.message == f"{text!r} is not a pin: {problem}"
