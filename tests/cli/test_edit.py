"""edit: what is saved is applied against what was opened, and nothing that was typed is lost."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import pytest

from registry import Registry
from registry.promote import decisions_of
from tests.cli.conftest import ROOT, Cli, run_on_terminal


@pytest.fixture(autouse=True)
def drafts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the text is kept while it is edited."""
    folder = tmp_path / "drafts"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.delenv("VISUAL", raising=False)
    return folder


def use_editor(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str, variable: str = "EDITOR") -> None:
    """Set an editor: a shell script that gets the file as its first argument."""
    file = tmp_path / "editor.sh"
    file.write_text(script)
    monkeypatch.setenv(variable, f"sh {file}")


def test_what_is_saved_is_applied(
    cli: Cli, registry: Registry, tmp_path: Path, drafts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The editor gets the decisions as JSON, and what it saves becomes a revision; nothing is left behind."""
    use_editor(monkeypatch, tmp_path, f'cp "$1" {tmp_path}/opened.json; sed -i.bak s/1.0.0/1.1.0/ "$1"')
    ran = cli("edit", "iris")
    assert (ran.code, ran.out) == (0, "iris: apply: stable: 1.0.0 -> 1.1.0 (revision 3)\n")
    assert (tmp_path / "opened.json").read_text() == (
        '{\n  "model": "iris",\n  "default": "stable",\n  "aliases": {\n    "stable": "1.0.0"\n  }\n}\n'
    )
    assert list(drafts.iterdir()) == []


def test_visual_wins_over_editor(cli: Cli, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in every other program that opens an editor."""
    monkeypatch.setenv("EDITOR", "false")
    use_editor(monkeypatch, tmp_path, 'sed -i.bak s/1.0.0/1.1.0/ "$1"', variable="VISUAL")
    assert cli("edit", "iris").code == 0


def test_saving_it_as_it_was_changes_nothing(
    cli: Cli, registry: Registry, tmp_path: Path, drafts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even when somebody else changed something meanwhile."""
    use_editor(monkeypatch, tmp_path, f"{sys.executable} -m registry.cli promote iris 1.1.0 >/dev/null")
    monkeypatch.chdir(ROOT)
    assert cli("edit", "iris").out == "iris: nothing to change (revision 2)\n"
    assert registry.manifest("iris").aliases == {"stable": "1.1.0"}
    assert list(drafts.iterdir()) == []


def test_a_mistake_is_shown_and_the_text_is_kept(
    cli: Cli, registry: Registry, tmp_path: Path, drafts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nobody can be asked, the exit code is 2, and the text is where the message says."""
    use_editor(monkeypatch, tmp_path, 'sed -i s/1.0.0/1.9.0/ "$1"')
    ran = cli("edit", "iris")
    (kept,) = drafts.glob("*/iris.json")
    problem = "aliases.stable: no version '1.9.0' (known: 1.0.0, 1.1.0)"
    assert (ran.code, ran.out, ran.err) == (2, "", f"error: {problem}; your text is kept in {kept}\n")
    assert '"stable": "1.9.0"' in kept.read_text()
    assert registry.manifest("iris").revision == 2


def test_somebody_elses_decision_is_not_overwritten(
    cli: Cli, registry: Registry, tmp_path: Path, drafts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An edit is refused as a conflict when another alias was moved while the editor was open."""
    promote = f"{sys.executable} -m registry.cli promote iris 1.1.0 --alias canary >/dev/null"
    use_editor(monkeypatch, tmp_path, f'{promote}; sed -i s/1.0.0/1.1.0/ "$1"')
    monkeypatch.chdir(ROOT)
    ran = cli("edit", "iris", "--json")
    assert ran.code == 3
    assert ran.json["error"] == "conflict"
    assert ran.json["details"] == {"differences": ["canary: nothing -> 1.1.0"]}
    assert registry.manifest("iris").aliases == {"stable": "1.0.0", "canary": "1.1.0"}
    assert len(list(drafts.glob("*/iris.json"))) == 1


def test_a_version_that_is_published_meanwhile_is_no_conflict(
    cli: Cli, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what a person decides is compared."""
    publish = f"{sys.executable} -m trainer linear3 --publish $MODEL_REGISTRY --model iris --version 3.0 >/dev/null"
    use_editor(monkeypatch, tmp_path, f'{publish}; sed -i s/1.0.0/1.1.0/ "$1"')
    monkeypatch.chdir(ROOT)
    assert cli("edit", "iris").out == "iris: apply: stable: 1.0.0 -> 1.1.0 (revision 4)\n"
    assert "3.0" in registry.manifest("iris").versions


def test_a_state_that_is_removed_is_active_again(
    cli: Cli, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who deletes the line that says withdrawn means it."""
    registry.withdraw("iris", "1.1.0")
    script = tmp_path / "editor.py"
    script.write_text(
        "import json, sys, pathlib\n"
        "file = pathlib.Path(sys.argv[1])\n"
        "document = json.loads(file.read_text())\n"
        "assert document.pop('states') == {'1.1.0': 'withdrawn'}\n"
        "file.write_text(json.dumps(document))\n"
    )
    monkeypatch.setenv("EDITOR", f"{sys.executable} {script}")
    assert cli("edit", "iris").out == "iris: apply: 1.1.0: withdrawn -> active (revision 4)\n"
    assert decisions_of(registry.manifest("iris")).states == {}


@pytest.mark.parametrize(
    ("editor", "problem"),
    [
        (
            "no-such-editor",
            "cannot start the editor 'no-such-editor': No such file or directory (set VISUAL or EDITOR)",
        ),
        ("false", "the editor 'false' ended with exit code 1: nothing was changed"),
        ("'", 'cannot start the editor "\'": No closing quotation (set VISUAL or EDITOR)'),
    ],
)
def test_an_editor_that_fails_is_named(
    cli: Cli, registry: Registry, drafts: Path, monkeypatch: pytest.MonkeyPatch, editor: str, problem: str
) -> None:
    """Nothing is changed, and nothing is left behind."""
    monkeypatch.setenv("EDITOR", editor)
    ran = cli("edit", "iris")
    assert (ran.code, ran.err) == (2, f"error: {problem}\n")
    assert list(drafts.iterdir()) == []


def test_another_models_decisions_are_refused(
    cli: Cli, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model cannot be changed in the editor."""
    use_editor(monkeypatch, tmp_path, 'sed -i s/iris/linear3/ "$1"')
    ran = cli("edit", "iris")
    assert ran.code == 2
    assert ran.err.startswith(
        "error: model: these are the decisions about 'iris', not 'linear3'; your text is kept in "
    )


def test_on_a_terminal_a_mistake_can_be_corrected(registry: Registry, tmp_path: Path) -> None:
    """The message is shown, the editor is opened again on the same text, and what it saves then is applied."""
    editor = tmp_path / "editor.sh"
    editor.write_text(
        f'if [ -e {tmp_path}/again ]; then sed -i s/1.9.0/1.1.0/ "$1"; '
        f'else touch {tmp_path}/again; sed -i s/1.0.0/1.9.0/ "$1"; fi'
    )
    ran = run_on_terminal("edit", "iris", typed=b"y\n", EDITOR=f"sh {editor}", TMPDIR=str(tmp_path))
    assert (ran.code, ran.out) == (0, "iris: apply: stable: 1.0.0 -> 1.1.0 (revision 3)\n")
    assert "error: aliases.stable: no version '1.9.0' (known: 1.0.0, 1.1.0)" in ran.err
    assert "Open it again? [Y/n]" in ran.err


def test_on_a_terminal_a_person_can_give_up(registry: Registry, tmp_path: Path) -> None:
    """Who answers no gets the error and its exit code, and the text is kept."""
    editor = tmp_path / "editor.sh"
    editor.write_text('sed -i s/1.0.0/1.9.0/ "$1"')
    ran = run_on_terminal("edit", "iris", typed=b"n\n", EDITOR=f"sh {editor}", TMPDIR=str(tmp_path))
    assert (ran.code, ran.out) == (2, "")
    assert "your text is kept in" in ran.err
    assert registry.manifest("iris").revision == 2
