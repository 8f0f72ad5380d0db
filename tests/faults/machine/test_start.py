"""How a program is started: with closed streams, in another encoding, in safe mode; and what follows for text files."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tasks.storage.roots import ROOT
from tests.support.runs import command_line

PRINTS = """
import flows, os, sys
with open(sys.argv[1], "w") as file:
    for number in (1, 2):
        os.write(number, b"noise")
    print("1 … 2 × 3 – 4")
    print("1 … 2", file=sys.stderr)
    file.write("kept" + sys.stdin.read())
"""
TELL_WHY = '|| { "$@"; exit 1; }'  # once more with standard error, so that a test that fails tells more than the status


@pytest.mark.fault("started with {what} closed", "it works, and no file gets what libraries print")
@pytest.mark.parametrize(
    ("what", "closed"),
    [
        ("standard input", "<&-"),
        ("standard output", ">&-"),
        ("standard error", "2>&-"),
        ("all three", "<&- >&- 2>&-"),
    ],
)
def test_closed_stream(what: str, closed: str, tmp_path: Path) -> None:
    start = ["sh", "-c", f'"$@" {closed} {TELL_WHY}', "sh", sys.executable, "-c", PRINTS, str(tmp_path / "file")]
    done = subprocess.run(start, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True)
    assert done.returncode == 0
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.fault("a terminal of the encoding {name}", "what it can't show is replaced")
@pytest.mark.parametrize("name", ["ascii", "latin-1", "cp437", "iso8859-7", "shift_jis", "ascii:strict"])
def test_encoding(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRINTS, str(tmp_path / "file")], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": name}, check=True,
    )  # fmt: skip
    encoding = name.partition(":")[0]
    assert done.stdout.replace(b"noise", b"") == "1 … 2 × 3 – 4\n".encode(encoding, "replace")
    assert done.stderr.replace(b"noise", b"") == "1 … 2\n".encode(encoding, "backslashreplace")


@pytest.mark.slow
@pytest.mark.fault(
    "a run with standard input and error closed, output in latin-1, behind a proxy that is not there, umask 077",
    "the answer, and exit code 0",
)
def test_odd_start(artifacts_copy: Path, baseline: tuple[Path, dict[str, Any]]) -> None:
    proxy = dict.fromkeys(("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"), "http://127.0.0.1:9")
    odd = os.environ | proxy | {"PYTHONIOENCODING": "latin-1"}
    done = command_line(artifacts_copy, odd, "sh", "-c", f'umask 077; "$@" <&- 2>&- {TELL_WHY}', "sh")
    assert done.returncode == 0
    assert done.stdout.decode("latin-1").startswith(baseline[1]["answer"].replace("…", "?"))


@pytest.mark.fault("PYTHONSAFEPATH=1: Python doesn't look into the current folder", "it finds the project")
def test_safe_path(tmp_path: Path) -> None:
    """As the Makefile sets it up, here without the libraries."""
    shutil.copytree(ROOT / "flows", tmp_path / "flows"), shutil.copytree(ROOT / "tasks", tmp_path / "tasks")
    for name in ("Makefile", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    python = tmp_path / "python"
    python.write_text(
        f"#!/bin/sh\n{sys.executable} -m venv --without-pip .venv\nprintf '#!/bin/sh\\n' > .venv/bin/pip\n"
        "chmod +x .venv/bin/pip\n"
    )
    python.chmod(0o755)
    subprocess.run(["make", ".venv/installed", f"PYTHON={python}"], cwd=tmp_path, check=True, capture_output=True)
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"PYTHONSAFEPATH": "1"}
    found = subprocess.run(
        [tmp_path / ".venv/bin/python", "-c", "import flows; print(flows.__file__)"], cwd=tmp_path, env=own,
        capture_output=True, check=True, text=True,
    )  # fmt: skip
    assert found.stdout == f"{tmp_path / 'flows' / '__init__.py'}\n"


def test_every_text_file_is_opened_with_its_encoding() -> None:
    """Python's default is the locale's."""
    without = []
    for module in [*ROOT.glob("flows/**/*.py"), *ROOT.glob("tasks/**/*.py")]:
        for call in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
            keywords = {keyword.arg for keyword in call.keywords}
            constants = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
            modes = [text for text in constants if isinstance(text, str) and set(text) <= set("rwaxbt+")]
            is_text = isinstance(call.func, ast.Attribute) and name in ("read_text", "write_text")
            is_text |= name == "open" and any("b" not in mode for mode in modes)
            is_text |= isinstance(call.func, ast.Name) and name == "open" and not modes
            is_text |= "text" in keywords
            if is_text and "encoding" not in keywords and not {"utf-8", "utf-8-sig"} & set(constants):
                without.append(f"{module.relative_to(ROOT)}:{call.lineno}")
    assert without == []
