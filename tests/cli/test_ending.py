"""How the command ends, as a process of its own: exit codes, pipes, interrupts, and what it imports."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from registry.cli.ending import run_to_end
from registry.errors import ContentError, RegistryError
from tests.cli.conftest import ROOT, Cli, run


def test_done_is_0(folder: Path) -> None:
    """What was asked is printed on the standard output, and nothing on the standard error."""
    ran = run("promote", "iris", "1.1.0")
    assert (ran.code, ran.out, ran.err) == (0, "iris: promote stable: 1.0.0 -> 1.1.0 (revision 3)\n", "")


def test_content_at_fault_is_1(folder: Path) -> None:
    """A manifest that cannot be understood is named with the place."""
    manifest = folder / "iris" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"stable": "1.0.0"', '"stable": "1.9.0"'))
    ran = run("show", "iris")
    place = f"{folder.as_uri()}/iris/manifest.json.aliases.stable"
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == f"error: {place}: no version '1.9.0' (known: 1.0.0, 1.1.0)\n"


def test_a_wrong_call_is_2(folder: Path) -> None:
    """An option that there is not is named, with where help can be found."""
    ran = run("promote", "iris", "--force")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "error: No such option: --force\nTry 'model-bucket promote --help'.\n"


def test_a_conflict_is_3(folder: Path, tmp_path: Path) -> None:
    """The target of a pull that holds another version of that name is a conflict."""
    assert run("pull", "linear3", "1.0", str(tmp_path / "pulled")).code == 0
    pulled = tmp_path / "pulled" / "linear3" / "manifest.json"
    document = json.loads(pulled.read_text())
    record = document["versions"]["1.0"]["record"]
    record["sha256"] = record["sha256"][:16] + "0" * 48
    pulled.write_text(json.dumps(document))
    ran = run("pull", "linear3", "1.0", str(tmp_path / "pulled"))
    assert ran.code == 3
    assert ran.err == "error: the target has another version '1.0' of model 'linear3': name another place\n"


def test_a_store_that_cannot_be_reached_is_4(tmp_path: Path) -> None:
    """A file where the folder should be is the world's fault."""
    (tmp_path / "file").write_text("")
    ran = run("list", "--registry", f"{tmp_path.as_uri()}/file/registry")
    assert (ran.code, ran.out) == (4, "")
    assert ran.err.startswith("error: ")
    assert f"{tmp_path.as_uri()}/file/registry" in ran.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "Missing command."),
        (("promte", "iris"), "No such command 'promte'. Did you mean 'promote'?"),
        (("show",), "Missing argument 'MODEL'."),
        (("history", "iris", "--limit", "-1"), "Invalid value for '--limit'"),
        (("show", "Iris!"), "'Iris!' cannot name a model"),
        (
            ("gc", "--min-age", "soon"),
            "--min-age: expected a number with s, m, h or d behind it, such as 36h, not 'soon'",
        ),
        (("list", "--registry", "ftp://x"), "cannot open the registry 'ftp://x'"),
    ],
)
def test_wrong_calls_are_told_in_both_forms(cli: Cli, folder: Path, arguments: tuple[str, ...], message: str) -> None:
    """A person reads a line on the standard error; a machine gets a document on the standard output, and no line."""
    ran = cli(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"error: {message}")
    ran = cli(*arguments, "--json")
    assert (ran.code, ran.err) == (2, "")
    assert ran.json["message"].startswith(message)
    assert ran.json.keys() == {"error", "message", "details"}


def test_no_registry_is_a_wrong_call(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no default that could be the wrong one."""
    monkeypatch.delenv("MODEL_REGISTRY", raising=False)
    ran = cli("list")
    assert (ran.code, ran.err) == (2, "error: which registry? Give --registry URL or set MODEL_REGISTRY\n")


@pytest.mark.parametrize("arguments", [("list",), ("list", "--json"), ("show", "nope", "--json"), ("--help",)])
def test_a_closed_pipe_is_no_traceback(folder: Path, arguments: tuple[str, ...]) -> None:
    """When nobody reads the output any more, the command ends as other tools do."""
    command = [sys.executable, "-m", "registry.cli", *arguments]
    reader, writer = os.pipe()
    os.close(reader)
    ended = subprocess.run(command, cwd=ROOT, stdout=writer, stderr=subprocess.PIPE, timeout=30, check=False)
    os.close(writer)
    assert (ended.returncode, ended.stderr) == (141, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no device that is always full")
def test_output_that_cannot_be_written_is_told(folder: Path) -> None:
    """A full disk behind the standard output is not passed over in silence."""
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "registry.cli", "list"],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=30,
            check=False,
        )
    assert (ended.returncode, ended.stderr) == (4, b"error: cannot write the output: No space left on device\n")


def test_an_output_that_the_caller_closed_is_no_traceback(folder: Path) -> None:
    """Nothing is printed, and what was asked is done."""
    ended = subprocess.run(
        ["sh", "-c", f"{sys.executable} -m registry.cli promote iris 1.1.0 >&-"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        timeout=30,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_an_interrupt_is_no_traceback(folder: Path, tmp_path: Path) -> None:
    """Ctrl-C ends the command with 130."""
    ready = tmp_path / "ready"
    editor = tmp_path / "editor.sh"
    editor.write_text(f"touch {ready}; exec sleep 30")
    with subprocess.Popen(
        [sys.executable, "-m", "registry.cli", "edit", "iris"],
        cwd=ROOT,
        env={**os.environ, "EDITOR": f"sh {editor}", "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        for _ in range(1000):
            if ready.exists():
                break
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (130, b"", b"")


@pytest.mark.parametrize(
    "arguments", [("--help",), ("list",), ("show", "iris", "--version", "stable"), ("diff", "iris", "1.0.0", "1.1.0")]
)
def test_looking_imports_nothing_heavy(folder: Path, arguments: tuple[str, ...]) -> None:
    """Neither scikit-learn nor skops nor a cloud client is imported to look at a registry in a folder."""
    program = (
        "import sys\nfrom registry.cli import main\n"
        f"assert main({list(arguments)!r}) == 0\n"
        "heavy = {'numpy', 'scipy', 'sklearn', 'skops', 'google.cloud.storage', 'google.auth', 'obstore', 'rich'}\n"
        "assert heavy.isdisjoint(sys.modules), heavy & set(sys.modules)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=ROOT, capture_output=True, timeout=30, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_version_of_the_program(cli: Cli) -> None:
    """--version names the program and its version."""
    from registry import __version__

    assert cli("--version").out == f"model-bucket {__version__}\n"


def test_a_bug_is_not_passed_off_as_an_error() -> None:
    """Only our own errors become exit codes; anything else is a bug, and shows as one."""

    def bug() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_to_end(bug, report=lambda error: None)


def test_our_errors_are_reported_once() -> None:
    """The report gets the error, and the exit code says whose fault it is."""
    reported: list[RegistryError] = []
    error = ContentError("broken")

    def fail() -> int:
        raise error

    assert run_to_end(fail, report=reported.append) == 1
    assert reported == [error]
