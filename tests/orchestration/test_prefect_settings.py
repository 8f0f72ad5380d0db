"""Does Prefect take the project's settings as they are meant? A misspelt one it would ignore."""

import json
import os
import subprocess
import sys
from pathlib import Path

from flows.automations import SILENCE
from tasks.storage.roots import ROOT

SCRIPT = """
import json
from prefect.settings import get_current_settings
s = get_current_settings()
vacuum = s.server.services.db_vacuum
found = [s.flows.heartbeat_frequency, s.server.analytics_enabled, sorted(vacuum.enabled_vacuum_types)]
found += [vacuum.retention_period.days, s.worker.query_seconds, s.server.ui.show_promotional_content, s.api.url]
found += [s.server.concurrency.lease_storage.rpartition(".")[2]]
print(json.dumps(found))
"""


def settings(folder: Path, home: Path) -> list:
    own = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT")}
    own |= {"PREFECT_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=folder, env=own, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


def test_the_projects_settings_hold_in_its_folder_and_nowhere_else(tmp_path: Path) -> None:
    expected = [30, False, ["events", "flow_runs", "orphans"], 90, 1, False, None, "filesystem"]
    assert settings(ROOT, tmp_path) == expected
    assert settings(tmp_path, tmp_path)[:2] == [180, True]


def test_three_heartbeats_may_be_missed(tmp_path: Path) -> None:
    heartbeat = settings(ROOT, tmp_path)[0]
    assert SILENCE.seconds == 3 * heartbeat


def test_pip_install_says_that_this_is_not_how_it_is_used() -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-deps", str(ROOT)]
    done = subprocess.run(pip, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "headstart is not installed as a package: in its folder, `make run` sets everything up" in done.stderr
    assert "Traceback" not in done.stderr
