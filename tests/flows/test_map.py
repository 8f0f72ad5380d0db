"""CONTRIBUTING's table "to change … edit …": each place that it names exists."""

import re

from tasks.storage.roots import ROOT


def test_the_map_names_what_is_there() -> None:
    table = (ROOT / "CONTRIBUTING.md").read_text().split("| to change | edit |")[1].split("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ") and "---" not in line]
    assert len(rows) > 10
    for row in rows:
        folder = ROOT
        names = re.findall(r"`([^`]+)`", row.split("|")[2])
        files = [name for name in names if "/" in name or name.endswith((".py", ".yaml"))]
        texts = ""
        for name in files:
            if "<" in name or name == "templates/":
                continue
            path = next((p for p in (ROOT / name, folder / name) if p.exists()), None)
            assert path, f"{row}: there is no {name}"
            folder = path if path.is_dir() else path.parent
            texts += path.read_text() if path.is_file() else ""
        for name in set(names) - set(files):
            assert name in texts, f"{row}: {name} is not there"
