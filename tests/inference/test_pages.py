"""The registry page: what it shows, that it shows it as text, and that it needs nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

from registry.inference.protocols import Response
from registry.stores import Store
from tests.fixtures.models import SETOSA, edit_manifest, put_version, record_path
from tests.fixtures.watched import Watched
from tests.inference.asking import get, post, service


def page(store: Store, model: str = "flowers") -> Response:
    """Return the page of a model."""
    return get(service(store, model), "/", accept="text/html")


class Reader(HTMLParser):
    """Notes the tags, the addresses and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag; none has code or style of its own."""
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href", "action", "srcset")]
        assert not any(name.startswith("on") or name == "style" for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.text += data


def test_it_shows_what_is_served(published: Store) -> None:
    """Version, how it was resolved, digest, versions, aliases, phases, columns, metrics and the card."""
    served = service(published)
    text = Reader(get(served, "/", accept="text/html").body.decode()).text
    loaded = served.predictor.serving.loaded
    for expected in (
        "flowers",
        "1.0.0",
        "default → stable → 1.0.0",
        loaded.sha256,
        "LogisticRegression",
        "canary",
        "withdrawn",
        "deserialise",
        "length",
        "greater than 0",
        "at least 0 and at most 50",
        "accuracy",
        "Tells <three> species apart.",
    ):
        assert expected in text


def test_it_reaches_for_nothing_elsewhere(published: Store) -> None:
    """Every address is one of this service, below wherever it is mounted, and the policy forbids all others."""
    answer = page(published)
    found = Reader(answer.body.decode())
    assert found.addresses == ["data:,", "openapi.json", "model/info", "metrics"]
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    for tag in ("style", "script"):
        content = re.findall(f"<{tag}>(.*?)</{tag}>", answer.body.decode(), re.DOTALL)
        assert len(content) == 1
        digest = base64.b64encode(hashlib.sha256(content[0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_it_shows_what_came_from_the_bucket_as_text(watched: Watched) -> None:
    """Tags in a record or a manifest do not become tags of the page."""
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"
    record = json.loads(watched.read(record_path(watched, "1.0.0")).data)
    record |= {"card": evil, "estimator": f"x.{evil}", "metrics": {evil: 1.0}}
    record["signature"]["columns"][0]["name"] = evil
    record["signature"]["class_names"] = [f"{evil}{n}" for n in range(3)]
    put_version(watched, "1.0.0", record=json.dumps(record).encode())
    edit_manifest(watched, {"versions": {"1.0.0": {**_entry(watched, "1.0.0"), "created_at": evil}}})
    harmless = Reader(page(watched, "line").body.decode())
    found = Reader(page(watched).body.decode())
    assert set(found.tags) - {"pre", "h2"} <= set(harmless.tags)
    assert (found.tags.count("script"), found.tags.count("img")) == (1, 0)
    assert found.text.count(evil) >= 4


def _entry(watched: Watched, version: str) -> dict[str, object]:
    entry: dict[str, object] = json.loads(watched.read("flowers/manifest.json").data)["versions"][version]
    return entry


def test_it_shows_a_problem(watched: Watched) -> None:
    """Why a new version does not take over stands on the page."""
    served = service(watched, refresh_s=0.001)
    watched.unreachable = True
    for _ in range(1000):
        post(served, {"features": SETOSA})
        if served.predictor.problem:
            break
    assert "cannot reach memory://" in Reader(get(served, "/", accept="text/html").body.decode()).text


def test_its_examples_are_requests_that_work(published: Store) -> None:
    """Each choice of the form, and what stands in it at first, is answered."""
    for model in ("flowers", "line", "kinds"):
        served = service(published, model)
        html = get(served, "/", accept="text/html").body.decode()
        values = re.findall(r'<option value="(\{.*?\})">', html) + re.findall(r"<textarea[^>]*>(.*?)</textarea>", html)
        assert len(values) == 4
        for value in values:
            assert post(served, value.replace("&quot;", '"').encode()).status == 200
