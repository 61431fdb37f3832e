"""list, show, history, diff: what a person and a machine see."""

from __future__ import annotations

from pathlib import Path

import pytest

from registry import Registry
from tests.cli.conftest import Cli


def test_list_shows_what_is_served_of_each_model(cli: Cli, registry: Registry) -> None:
    """A server without a pin serves what the default leads to."""
    registry.promote("iris", "1.1.0", alias="canary")
    ran = cli("list")
    assert ran.code == 0
    assert [line.split("  ")[:2] for line in ran.out.splitlines()] == [
        ["MODEL", ""],
        ["iris", ""],
        ["linear3", "stable -> 1.0"],
    ]
    assert "stable = 1.0.0, canary = 1.1.0" in ran.out


def test_list_for_machines(cli: Cli, folder: Path) -> None:
    """The document has a row for each model."""
    document = cli("list", "--json").json
    assert document["registry"] == folder.as_uri()
    assert [(row["model"], row["serves"], row["versions"]) for row in document["models"]] == [
        ("iris", "1.0.0", 2),
        ("linear3", "1.0", 1),
    ]


def test_list_of_an_empty_registry_says_so(cli: Cli, tmp_path: Path) -> None:
    """A registry that nobody published to is no error."""
    url = (tmp_path / "empty").as_uri()
    ran = cli("list", "--registry", url)
    assert (ran.code, ran.out, ran.err) == (0, f"no models in {url}\n", "")


def test_list_names_a_broken_manifest_and_shows_the_other_models(cli: Cli, folder: Path) -> None:
    """One bad manifest hides nothing, and makes the exit code 1."""
    (folder / "iris" / "manifest.json").write_text('{"format": 1,}')
    ran = cli("list")
    assert ran.code == 1
    assert "linear3  stable -> 1.0" in ran.out
    assert f"problem: {folder.as_uri()}/iris/manifest.json.line 1 column" in ran.out


def test_list_passes_over_a_model_that_was_never_published_to_the_end(cli: Cli, folder: Path) -> None:
    """Objects without a manifest are what a crash leaves, and no model."""
    (folder / "wine" / "versions" / "1.0.0").mkdir(parents=True)
    (folder / "wine" / "versions" / "1.0.0" / "0123456789abcdef.skops").write_bytes(b"x")
    assert [row["model"] for row in cli("list", "--json").json["models"]] == ["iris", "linear3"]
    assert cli("verify").code == 0


def test_show_lists_versions_newest_first_with_their_aliases(cli: Cli, registry: Registry) -> None:
    """Versions are ordered as versions, and each says which aliases lead to it."""
    ran = cli("show", "iris")
    rows = [line.split()[:3] for line in ran.out.splitlines()[4:]]
    assert rows[0][:2] == ["1.1.0", "active"]
    assert rows[1] == ["1.0.0", "active", "stable"]


def test_show_for_machines_is_the_manifest(cli: Cli, registry: Registry) -> None:
    """Nothing of the manifest is left out."""
    document = cli("show", "iris", "--json").json
    assert document["serves"] == "1.0.0"
    assert document["manifest"]["aliases"] == {"stable": "1.0.0"}
    assert set(document["manifest"]["versions"]) == {"1.0.0", "1.1.0"}


def test_show_of_a_version_has_its_record_and_card(cli: Cli, registry: Registry) -> None:
    """What is known about a version is read from its record."""
    ran = cli("show", "iris", "--version", "latest")
    assert ran.code == 0
    assert "resolved     latest -> 1.1.0" in ran.out
    assert "sepal_length  float64  greater than 0" in ran.out
    assert "# iris-forest" in ran.out
    assert "library_name" not in ran.out
    document = cli("show", "iris", "--version", "latest", "--json").json
    assert document["version"] == "1.1.0"
    assert document["resolved"] == ["latest", "1.1.0"]
    assert document["record"] == registry.record("iris", "1.1.0").model_dump(mode="json")


def test_show_of_a_model_without_aliases(cli: Cli, registry: Registry) -> None:
    """A default that leads nowhere yet is shown, not an error."""
    manifest = registry.store.read("linear3/manifest.json")
    text = manifest.data.replace(b'"stable": "1.0"', b"")
    registry.store.replace("linear3/manifest.json", text, generation=manifest.generation)
    ran = cli("show", "linear3")
    assert ran.code == 0
    assert "default: stable -> nothing" in ran.out


def test_history_is_newest_first_and_limited(cli: Cli, registry: Registry) -> None:
    """Each entry says who changed what; the limit cuts at the old end, and 0 is no limit."""
    registry.promote("iris", "1.1.0")
    entries = cli("history", "iris", "--json").json["history"]
    assert [(entry["revision"], entry["by"], entry["change"], entry["in_force"]) for entry in entries] == [
        (3, "bob@example", "promote stable: 1.0.0 -> 1.1.0", True),
        (2, "ann@example", "publish 1.1.0", False),
        (1, "ann@example", "publish 1.0.0; stable: nothing -> 1.0.0", False),
    ]
    assert len(cli("history", "iris", "--limit", "1", "--json").json["history"]) == 1
    assert len(cli("history", "iris", "--limit", "0", "--json").json["history"]) == 3
    assert "3 (in force)" in cli("history", "iris").out


def test_what_lies_in_the_bucket_cannot_drive_the_terminal(cli: Cli, folder: Path) -> None:
    """Control characters in a manifest are shown as a replacement character."""
    manifest = folder / "iris" / "manifest.json"
    manifest.write_text(manifest.read_text().replace("ann@example", "ann\\u001b[2J"))
    ran = cli("history", "iris")
    assert "\x1b" not in ran.out
    assert "ann\ufffd[2J" in ran.out


def test_diff_names_each_column_that_differs(cli: Cli, registry: Registry) -> None:
    """Columns are compared by name, so a line is about one limit of one column."""
    lines = cli("diff", "iris", "stable", "latest", "--json").json["differences"]
    assert "columns.sepal_length.exclusive_minimum: None -> 0.0" in lines
    assert "signature.classes: [0, 1, 2] -> ['setosa', 'versicolor', 'virginica']" in lines
    assert not any(line.startswith("column_order") for line in lines)


def test_diff_of_a_version_with_itself_is_empty(cli: Cli, registry: Registry) -> None:
    """The same version under two names does not differ."""
    assert cli("diff", "iris", "1.0.0", "stable").out == "iris 1.0.0 -> 1.0.0: 0 differences\n"


@pytest.mark.parametrize("place", ["before", "behind"])
def test_shared_options_stand_before_or_behind_the_verb(cli: Cli, folder: Path, tmp_path: Path, place: str) -> None:
    """--registry and --json mean the same on both sides, and win over the environment."""
    other = (tmp_path / "empty").as_uri()
    options = ["--registry", other, "--json"]
    arguments = [*options, "list"] if place == "before" else ["list", *options]
    assert cli(*arguments).json == {"registry": other, "models": []}


def test_the_option_behind_the_verb_wins(cli: Cli, folder: Path, tmp_path: Path) -> None:
    """The nearer one is meant."""
    ran = cli("--registry", "file:///nowhere", "list", "--registry", (tmp_path / "empty").as_uri(), "--json")
    assert ran.json["registry"].endswith("/empty")
