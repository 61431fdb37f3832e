"""promote, rollback, withdraw, reinstate, apply."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from registry import Registry
from tests.cli.conftest import Cli
from trainer.training import train


def decisions(file: Path, **document: object) -> Path:
    file.write_text(json.dumps(document))
    return file


def test_promote_says_what_it_changed(cli: Cli, registry: Registry) -> None:
    """One line names the alias, both versions and the revision."""
    ran = cli("promote", "iris", "1.1.0")
    assert (ran.code, ran.out) == (0, "iris: promote stable: 1.0.0 -> 1.1.0 (revision 3)\n")
    assert registry.manifest("iris").aliases == {"stable": "1.1.0"}


def test_promoting_again_changes_nothing(cli: Cli, registry: Registry) -> None:
    """What is so already is done, and makes no revision."""
    document = cli("promote", "iris", "1.0.0", "--json").json
    assert (document["changed"], document["revision"]) == (False, 2)
    assert cli("promote", "iris", "1.0.0").out == "iris: nothing to change (revision 2)\n"


def test_promote_can_insist_on_the_bytes(cli: Cli, registry: Registry) -> None:
    """A pin with another digest promotes nothing: the content is at fault, so the exit code is 1."""
    ran = cli("promote", "iris", f"1.1.0@sha256:{'0' * 64}")
    assert ran.code == 1
    assert registry.manifest("iris").aliases == {"stable": "1.0.0"}


def test_an_alias_cannot_be_called_as_a_version(cli: Cli, registry: Registry) -> None:
    """The two share one space of names; the caller is told, and nothing is changed."""
    train("linear3").publish(registry, version="v2")
    ran = cli("promote", "linear3", "1.0", "--alias", "v2")
    assert (ran.code, ran.err) == (2, "error: 'v2' is a version of model 'linear3' and cannot name an alias\n")


def test_an_unknown_version_is_answered_with_the_known_ones(cli: Cli, registry: Registry) -> None:
    """The message says what would have worked, for a person and for a machine."""
    ran = cli("promote", "iris", "9")
    message = "model 'iris' has no version or alias '9' (versions: 1.0.0, 1.1.0; aliases: stable)"
    assert (ran.code, ran.out, ran.err) == (2, "", f"error: {message}\n")
    ran = cli("promote", "iris", "9", "--json")
    details = {"known": ["1.0.0", "1.1.0"], "aliases": {"stable": "1.0.0"}}
    assert (ran.code, ran.err) == (2, "")
    assert ran.json == {"error": "unknown_version", "message": message, "details": details}


def test_rollback_goes_back_and_forth(cli: Cli, registry: Registry) -> None:
    """A rollback is a revision of its own, so a second one undoes it."""
    cli("promote", "iris", "1.1.0")
    assert cli("rollback", "iris").out == "iris: rollback stable: 1.1.0 -> 1.0.0 (revision 4)\n"
    assert cli("rollback", "iris").out == "iris: rollback stable: 1.0.0 -> 1.1.0 (revision 5)\n"


def test_withdraw_needs_a_version_that_nothing_leads_to(cli: Cli, registry: Registry) -> None:
    """What is served cannot be withdrawn; what was withdrawn can be reinstated."""
    assert cli("withdraw", "iris", "1.0.0").code == 2
    assert cli("withdraw", "iris", "1.1.0").out == "iris: withdraw 1.1.0 (revision 3)\n"
    assert cli("show", "iris", "--version", "1.1.0", "--json").json["state"] == "withdrawn"
    assert cli("reinstate", "iris", "1.1.0").out == "iris: reinstate 1.1.0 (revision 4)\n"


def test_apply_makes_the_manifest_say_what_the_file_says(cli: Cli, registry: Registry, tmp_path: Path) -> None:
    """Aliases are the whole mapping; states change only what they name."""
    file = decisions(
        tmp_path / "iris.json",
        model="iris",
        default="prod",
        aliases={"prod": "1.1.0"},
        states={"1.0.0": "withdrawn"},
    )
    assert cli("apply", file).out == (
        "iris: apply: default: stable -> prod; prod: nothing -> 1.1.0; stable: 1.0.0 -> nothing; "
        "1.0.0: active -> withdrawn (revision 3)\n"
    )
    assert registry.manifest("iris").aliases == {"prod": "1.1.0"}
    assert cli("apply", file).out == "iris: nothing to change (revision 3)\n"


def test_apply_dry_run_changes_nothing(cli: Cli, registry: Registry, tmp_path: Path) -> None:
    """It shows what would change."""
    file = decisions(tmp_path / "iris.json", model="iris", default="stable", aliases={"stable": "1.1.0"})
    assert cli("apply", "--dry-run", file).out == "iris: stable: 1.0.0 -> 1.1.0\n"
    document = cli("apply", "--dry-run", file, "--json").json
    assert document == {
        "dry_run": True,
        "models": [{"file": str(file), "model": "iris", "changes": ["stable: 1.0.0 -> 1.1.0"]}],
    }
    assert registry.manifest("iris").revision == 2


def test_apply_checks_every_file_before_it_applies_the_first(cli: Cli, registry: Registry, tmp_path: Path) -> None:
    """A mistake in the last file leaves every model as it was."""
    good = decisions(tmp_path / "iris.json", model="iris", default="stable", aliases={"stable": "1.1.0"})
    bad = decisions(tmp_path / "linear3.json", model="linear3", default="stable", aliases={"stable": "9"})
    ran = cli("apply", good, bad)
    assert (ran.code, ran.err) == (2, f"error: {bad}: aliases.stable: no version '9' (known: 1.0)\n")
    assert registry.manifest("iris").revision == 2


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            '{"model": "iris", "default": "stable", "aliases": {"stable": "1.9.0"}}',
            "aliases.stable: no version '1.9.0'",
        ),
        ('{"model": "iris", "default": "stable", "alias": {}}', "alias: unknown field"),
        (
            '{"model": "iris", "default": "stable", "aliases": {"a": "1.0.0", "a": "1.1.0"}}',
            "aliases.a: this key stands",
        ),
        ('{"model": "iris", "default": "stable", "aliases": {},}', "line 1 column 53: not JSON"),
        ('{"model": "iris", "default": 1, "aliases": {}}', "default: expected text, not a number"),
        ('{"model": "iris", "default": "gone", "aliases": {}}', "default: no alias or version 'gone'"),
        ('{"model": "roses", "default": "latest", "aliases": {}}', "has no model 'roses' (known: iris, linear3)"),
    ],
)
def test_a_mistake_in_a_decisions_file_is_the_callers(
    cli: Cli, registry: Registry, tmp_path: Path, text: str, problem: str
) -> None:
    """The message names the file and the place, and the exit code is 2."""
    file = tmp_path / "iris.json"
    file.write_text(text)
    ran = cli("apply", file)
    assert ran.code == 2
    assert ran.err.startswith(f"error: {file}: ")
    assert problem in ran.err
    assert registry.manifest("iris").revision == 2


def test_two_files_about_one_model_are_refused(cli: Cli, registry: Registry, tmp_path: Path) -> None:
    """Which of them is meant cannot be known."""
    one = decisions(tmp_path / "a.json", model="iris", default="stable", aliases={"stable": "1.1.0"})
    two = decisions(tmp_path / "b.json", model="iris", default="stable", aliases={"stable": "1.0.0"})
    ran = cli("apply", one, two)
    assert (ran.code, ran.err) == (2, f"error: {two}: decides about model 'iris', and so does {one}\n")


def test_a_file_that_is_not_there_is_named(cli: Cli, registry: Registry, tmp_path: Path) -> None:
    """The caller named it, so the exit code is 2."""
    ran = cli("apply", tmp_path / "none.json")
    assert (ran.code, ran.err) == (2, f"error: cannot read {tmp_path / 'none.json'}: No such file or directory\n")
