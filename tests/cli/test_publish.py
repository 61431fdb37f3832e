"""publish: a file that skops wrote becomes a version, or nothing at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression

from registry import Registry
from tests.cli.conftest import Cli

COLUMNS = ["width", "height"]
ROWS = np.array([[1.0, 2.0], [2.0, 1.0], [3.0, 5.0], [4.0, 1.0], [5.0, 2.5], [6.0, 0.5]])
TARGETS = np.array([0, 0, 1, 0, 1, 1])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A classifier, as a program that knows nothing of this project writes it."""
    file = tmp_path / "shapes.skops"
    skops.io.dump(LogisticRegression().fit(ROWS, TARGETS), file)
    return file


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    file = tmp_path / "inputs.csv"
    np.savetxt(file, ROWS, delimiter=",", header=",".join(COLUMNS), comments="")
    return file


def test_a_skops_file_becomes_a_version(
    cli: Cli, registry: Registry, model: Path, inputs: Path, tmp_path: Path
) -> None:
    """What the call says, and what can be read off the model and its inputs, is in the record."""
    card = tmp_path / "card.md"
    card.write_text("# Shapes\n")
    ran = cli(
        *("publish", "shapes", model, "--inputs", inputs, "--version", "2.0", "--promote", "prod", "--card", card),
        *("--class-name", "flat", "--class-name", "tall", "--metric", "accuracy=0.97", "--metric", "loss=1e-3"),
    )
    assert ran.code == 0
    assert ran.out.startswith("shapes 2.0 published (revision 1)\n")
    record = registry.record("shapes", "prod")
    assert record.version == "2.0"
    assert record.signature.feature_names == COLUMNS
    assert record.signature.columns[1].observed_maximum == 5.0
    assert record.signature.class_names == ("flat", "tall")
    assert record.metrics == {"accuracy": 0.97, "loss": 0.001}
    assert record.card == "# Shapes\n"


def test_the_published_bytes_are_those_of_the_python_api(
    cli: Cli, registry: Registry, model: Path, inputs: Path
) -> None:
    """Writing the model to a file first makes no difference, and publishing it again changes nothing."""
    digest = registry.publish("other", LogisticRegression().fit(ROWS, TARGETS), inputs=ROWS).sha256
    first = cli("publish", "shapes", model, "--inputs", inputs, "--json").json
    again = cli("publish", "shapes", model, "--inputs", inputs, "--json").json
    assert (first["version"], first["sha256"], first["created"]) == ("1.0.0", digest, True)
    assert again == {**first, "created": False}
    assert "was published before" in cli("publish", "shapes", model, "--inputs", inputs).out


@pytest.mark.parametrize("label", [["--version", "1.0.0"], []])
def test_other_content_under_a_published_version_is_a_conflict(
    cli: Cli, registry: Registry, model: Path, inputs: Path, label: list[str]
) -> None:
    """The same bytes with another description are told apart, whether the version is named or found by its bytes."""
    assert cli("publish", "shapes", model, "--inputs", inputs, "--metric", "accuracy=0.97").code == 0
    ran = cli("publish", "shapes", model, "--inputs", inputs, "--metric", "accuracy=0.98", *label, "--json")
    assert ran.code == 3
    assert ran.json["details"] == {"differences": ["metrics.accuracy: 0.97 -> 0.98"]}
    assert registry.manifest("shapes").revision == 1


def test_an_alias_cannot_be_called_as_the_version(cli: Cli, registry: Registry, model: Path, inputs: Path) -> None:
    """Nothing is written for a call that cannot succeed."""
    ran = cli("publish", "shapes", model, "--inputs", inputs, "--version", "v1", "--promote", "v1")
    assert (ran.code, ran.err) == (2, "error: 'v1' cannot name a version and an alias of it\n")
    assert registry.models() == ["iris", "linear3"]


def test_a_type_outside_the_allow_list_is_refused(cli: Cli, registry: Registry, inputs: Path, tmp_path: Path) -> None:
    """The type is named, nothing is constructed or written, and the content is at fault."""
    file = tmp_path / "text.skops"
    skops.io.dump(CountVectorizer().fit(["a text"]), file)
    ran = cli("publish", "text", file, "--inputs", inputs, "--json")
    assert ran.code == 1
    assert ran.json["error"] == "untrusted_type"
    assert "sklearn.feature_extraction.text.CountVectorizer" in ran.json["details"]["untrusted"]
    assert registry.models() == ["iris", "linear3"]


@pytest.mark.parametrize("how", ["option", "environment"])
def test_an_operator_can_allow_a_type(
    cli: Cli, registry: Registry, inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """By option, and by the variable that servers read; then the file fails for what it is."""
    file = tmp_path / "text.skops"
    skops.io.dump(CountVectorizer(vocabulary=["a"]), file)
    needed = cli("publish", "text", file, "--inputs", inputs, "--json").json["details"]["untrusted"]
    options = [item for name in needed for item in ("--trusted-type", name)] if how == "option" else []
    if how == "environment":
        monkeypatch.setenv("MODEL_TRUSTED_TYPES", ", ".join(needed))
    ran = cli("publish", "text", file, "--inputs", inputs, *options)
    assert (ran.code, "predict" in ran.err, "does not allow" in ran.err) == (1, True, False)


def test_damaged_bytes_are_refused(cli: Cli, registry: Registry, inputs: Path, tmp_path: Path) -> None:
    """A file that is no skops archive is content at fault, not a crash."""
    file = tmp_path / "damaged.skops"
    file.write_bytes(b"PK\x03\x04 and then nothing")
    ran = cli("publish", "shapes", file, "--inputs", inputs)
    assert ran.code == 1
    assert ran.err.startswith("error: the artifact is not a skops archive: ")


def test_columns_are_picked_and_ordered_by_name(cli: Cli, registry: Registry, tmp_path: Path) -> None:
    """A table may hold the target, and its columns in another order; a model that knows its columns insists on them."""
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"kind": [f"k{n}" for n in TARGETS], "height": ROWS[:, 1], "width": ROWS[:, 0]})
    file, inputs = tmp_path / "shapes.skops", tmp_path / "table.csv"
    skops.io.dump(LinearRegression().fit(table[COLUMNS], ROWS @ [1.0, 2.0]), file)
    table.to_csv(inputs, index=False)
    call = ["publish", "shapes", file, "--inputs", inputs]
    assert cli(*call).err == f"error: {inputs} line 2, column 'kind': 'k0' is not a number\n"
    ran = cli(*call, "--column", "height", "--column", "width")
    problem = "the model was fitted on the columns width, height, in this order, and these are height, width"
    assert (ran.code, ran.err) == (2, f"error: {inputs}: {problem} (--column picks and orders them)\n")
    ran = cli(*call, "--column", "depth")
    assert (ran.code, ran.err) == (2, f"error: {inputs}: there is no column 'depth' (columns: kind, height, width)\n")
    assert cli(*call, "--column", "width", "--column", "height").code == 0
    assert registry.record("shapes", "latest").signature.feature_names == COLUMNS


@pytest.mark.parametrize(
    ("array", "names"),
    [
        (ROWS, ["feature_0", "feature_1"]),
        (np.array([(1.0, 2), (2.0, 5)], dtype=[("width", "f8"), ("height", "i4")]), COLUMNS),
    ],
)
def test_inputs_can_be_an_array(
    cli: Cli, registry: Registry, model: Path, tmp_path: Path, array: Any, names: list[str]
) -> None:
    """The fields of a structured array name the columns; a plain array has numbers for names."""
    inputs = tmp_path / "inputs.npy"
    np.save(inputs, array)
    assert cli("publish", "shapes", model, "--inputs", inputs).code == 0
    assert registry.record("shapes", "latest").signature.feature_names == names


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "the file is empty; its first line must name the columns"),
        ("1,2\n3,4\n", "the first line must name the columns, each once, not 1, 2"),
        ("a,a\n3,4\n", "the first line must name the columns, each once, not a, a"),
        ("a,b\n3,4\n5\n", " line 3: 1 cells, and the header has 2"),
        ("a,b\n3,4\n5,tall\n", " line 3, column 'b': 'tall' is not a number"),
        ("a,b\n", "expected inputs of shape (n_rows, n_columns), not (0, 2)"),
        ('a,"b\n', "not a CSV file in UTF-8: "),
        ("a,b\n\xff,1\n", "not a CSV file in UTF-8: "),
    ],
)
def test_a_mistake_in_the_inputs_is_named_with_its_line(
    cli: Cli, registry: Registry, model: Path, tmp_path: Path, text: str, problem: str
) -> None:
    """The caller's file, the caller's fault."""
    inputs = tmp_path / "inputs.csv"
    inputs.write_bytes(text.encode("latin-1"))
    ran = cli("publish", "shapes", model, "--inputs", inputs)
    assert ran.code == 2
    assert problem in ran.err
    assert registry.models() == ["iris", "linear3"]


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        ("inputs.txt", b"", "expected a .csv or a .npy file"),
        ("inputs.npy", b"nothing", "not a .npy file of numbers: "),
        ("inputs.npy", None, "cannot read "),
    ],
)
def test_inputs_that_cannot_be_read_are_named(
    cli: Cli, registry: Registry, model: Path, tmp_path: Path, name: str, data: bytes | None, problem: str
) -> None:
    """Each with the reason."""
    inputs = tmp_path / name
    if data is not None:
        inputs.write_bytes(data)
    ran = cli("publish", "shapes", model, "--inputs", inputs)
    assert ran.code == 2
    assert problem in ran.err


def test_an_object_array_is_never_unpickled(cli: Cli, registry: Registry, model: Path, tmp_path: Path) -> None:
    """A .npy file can hold pickled objects; such a file is refused."""
    inputs = tmp_path / "inputs.npy"
    np.save(inputs, np.array([[object()]], dtype=object), allow_pickle=True)
    ran = cli("publish", "shapes", model, "--inputs", inputs)
    assert ran.code == 2
    assert "not a .npy file of numbers" in ran.err


@pytest.mark.parametrize("metric", ["accuracy", "accuracy=high", "=1"])
def test_a_metric_is_a_name_and_a_number(cli: Cli, registry: Registry, model: Path, inputs: Path, metric: str) -> None:
    """Anything else is a wrong call."""
    ran = cli("publish", "shapes", model, "--inputs", inputs, "--metric", metric)
    message = f"--metric: expected NAME=VALUE with a number, such as accuracy=0.97, not {metric!r}"
    assert (ran.code, ran.err) == (2, f"error: {message}\n")
