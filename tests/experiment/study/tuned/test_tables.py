import re

from tasks.experiment.study.answers import tabulate
from tasks.experiment.study.tuned.tables import tabulate_curves, tabulate_tuning
from tasks.storage.roots import ROOT
from tests.support.by_hand import study_rows


def test_docs_explain_each_column_of_the_tables() -> None:
    section = (ROOT / "docs/study.md").read_text("utf-8").split("## The tables")[1].split("\n## ")[0]
    explained = dict(re.findall(r"- `(\w+)\.(?:csv|parquet)`(.+?)(?=\n- `|\Z)", section, re.DOTALL))
    tables = {"runs": tabulate(study_rows()), "curves": tabulate_curves([]), "tuning": tabulate_tuning([])}
    silent = {name: [c for c in table if f"`{c}`" not in explained[name]] for name, table in tables.items()}
    assert silent == {"runs": [], "curves": [], "tuning": []}
