"""What `make serve` brings up: server, worker, schedule, runs, verdicts, automations. Its end: test_serve_alone.py."""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support import signals
from tests.support.browser import browser, new_page
from tests.support.machine import PASSWORD, Machine
from tests.support.nights import DRIFTS, NIGHT, REGRESSES
from tests.support.processes import until
from tests.support.runs import QUICK
from tests.support.services import webhook

pytestmark = pytest.mark.operations


def test_the_coming_nights_are_scheduled(served: Machine) -> None:
    nightly = {"any_": [served.deployment("nightly")["id"]]}
    coming = {"deployment_id": nightly, "state": {"type": {"any_": ["SCHEDULED"]}}}
    until(lambda: len(served.flow_runs(**coming)) > 1, "the coming nights are scheduled")
    nights = served.flow_runs(**coming)
    starts = {datetime.fromisoformat(run["expected_start_time"]).strftime("%H:%M %Z") for run in nights}
    assert starts == {"02:00 UTC"}
    assert [run["parameters"] for run in nights if run["parameters"]["refresh"] is not True] == []


def test_on_demand_by_command_line(served: Machine) -> None:
    done = served.run("on-demand", replicates=2, experiment=QUICK.vary(target_samples=100), seed=1)
    assert done.returncode == 0
    run = served.flow_runs(deployment_id={"any_": [served.deployment("on-demand")["id"]]})[0]
    tasks = served.post("task_runs/filter", {"flow_runs": {"id": {"any_": [run["id"]]}}})
    assert run["state_name"] == "Completed"
    assert run["name"].endswith(f"-on-demand-100-samples-seeds-1-2-{run['id'][:8]}")
    assert {
        f"{stage} seed {seed}" for stage in ("train_A", "train_B_scratch", "transfer_B_on_A") for seed in (1, 2)
    } < {task["name"] for task in tasks}
    folder = served.folder / "artifacts/runs" / run["name"]
    assert json.loads((folder / "metrics.json").read_text())["run"]["name"] == run["name"]


def test_the_study_on_demand(served: Machine) -> None:
    """Under the name that somebody gave it."""
    data = signals.write_npz(served.folder / "made.npz", images=900)
    experiment = QUICK.vary(dataset=str(data), target_classes=(4, 5), target_samples=24)
    done = served.run("transfer-study/on-demand", "My study/1", replicates=1, experiment=experiment, tuned=False)
    assert done.returncode == 0
    run = served.flow_runs(deployment_id={"any_": [served.deployment("transfer-study/on-demand")["id"]]})[0]
    assert run["name"] == "My study/1"
    assert (served.folder / "artifacts/runs/My-study-1/runs.csv").exists()
    shown = served.post("artifacts/filter", {"flow_runs": {"id": {"any_": [run["id"]]}}})
    assert {"study-report", "study-metrics", "study-progress"} <= {artifact["key"] for artifact in shown}


@pytest.fixture
def told(served: Machine) -> Iterator[list[str]]:
    """What a webhook is told meanwhile."""
    with webhook() as (url, told):
        for _ in range(2):
            served.succeed("flows.automations", "--webhook", stdin=url)
        assert len(served.post("automations/filter", {})) == 2
        yield told
    served.succeed("flows.automations", "--webhook", stdin="\n")
    assert len(served.post("automations/filter", {})) == 1


def test_night_by_night(served: Machine, first_night: dict[str, Any], told: list[str]) -> None:
    """First; reproduced; another trainer: drifted; no transfer at all: regressed, with event and webhook."""
    nights = []

    def message(run: dict[str, Any], ends: str = "COMPLETED") -> str:
        """Of a night's last state. The name is Prefect's own: the deployment's page lists no others."""
        state = run["state"]
        assert (state["type"], state["name"].upper()) == (ends, ends), state
        metrics = json.loads((served.folder / "artifacts/runs" / run["name"] / "metrics.json").read_text())
        verdict = metrics["verdict"]
        assert state["message"] == f"{verdict['name']}: {verdict['reason']} {metrics['answer']}"
        first, *others = run["tags"]  # those of the deployment are in whatever order its set has
        assert (first, sorted(others)) == (verdict["name"].lower(), ["headstart", "nightly"])
        nights.append(run["name"])
        return state["message"]

    def night() -> str:
        return message(served.wait_for_state(served.submit("nightly", **NIGHT), "Completed"))

    first = message(first_night)
    assert first.startswith("First: There is no earlier night with these settings to compare with. ")
    second = night()
    assert second.startswith("Reproduced: ")
    assert "bit for bit" in second

    served.edit(*DRIFTS)
    third = night()
    assert third.startswith("Drifted: ")
    assert "tasks.experiment.networks.program" in third
    assert told == []

    served.edit(*REGRESSES)
    assert served.run("nightly", **NIGHT).returncode == 1
    fourth = message(served.nights()[0], ends="FAILED")
    assert fourth.startswith("Regressed: ")
    assert "tasks.experiment.networks.architectures" in fourth
    assert "tasks.experiment.networks.program" not in fourth
    assert_no_traceback(served, served.nights()[0]["id"])
    until(lambda: told, "the webhook is told")
    assert "Regressed" in told[0]
    assert "outside the expected" in told[0]
    events = until(
        lambda: served.post("events/filter", {"filter": {"event": {"name": ["headstart.answer.regressed"]}}})["events"],
        "the event is there",
    )
    assert [event["payload"]["name"] for event in events] == ["Regressed"]

    shown = served.post("artifacts/filter", {"artifacts": {"key": {"any_": ["nights"]}}, "sort": "CREATED_DESC"})
    assert [artifact["description"].split(":")[0] for artifact in shown] == [
        "Regressed",
        "Drifted",
        "Reproduced",
        "First",
    ]
    assert "data:image/png;base64" in shown[0]["data"]
    assert len(list((served.folder / "artifacts/runs").glob("*-nightly-*"))) == 3

    with browser() as chromium:
        page = new_page(chromium, ":".join(PASSWORD))
        page.set_viewport_size({"width": 1800, "height": 900})  # on a narrow one tags are folded
        page.goto(f"{served.ui}/deployments/deployment/{first_night['deployment_id']}")
        for name in nights:
            page.get_by_text(name).first.wait_for()
        for verdict in ("first", "reproduced", "drifted", "regressed"):
            page.get_by_text(verdict, exact=True).first.wait_for()


@pytest.mark.parametrize(
    ("experiment", "says"),
    [
        ({"target_classes": ["Coat", "Nothing"]}, "no class 'Nothing': give a number"),
        ({"dataset": "/no/such/data"}, "dataset /no/such/data does not exist"),
    ],
)
def test_what_only_a_run_can_refuse_is_said_without_a_traceback(served: Machine, experiment: dict, says: str) -> None:
    done = served.run("on-demand", replicates=1, experiment=experiment)
    assert done.returncode == 1
    run = served.flow_runs(deployment_id={"any_": [served.deployment("on-demand")["id"]]})[0]
    assert says in run["state"]["message"]
    assert_no_traceback(served, run["id"])


def assert_no_traceback(served: Machine, run_id: str) -> None:
    """In the worker's log, and in the run's own, which the UI shows."""
    log = served.post("logs/filter", {"logs": {"flow_run_id": {"any_": [run_id]}}})
    assert log
    assert not [line["message"] for line in log if "Traceback" in line["message"]]
    pid = served.flow_run(run_id)["infrastructure_pid"]
    until(lambda: not Path(f"/proc/{pid}").exists(), "the process has ended")  # and has said all that it says
    assert "unexpected exception" not in served.started[0].said()


def test_schedules_that_were_changed_on_the_server_stay(served: Machine) -> None:
    """One paused and one added, as by the UI; `prefect deploy` by itself would put prefect.yaml's in their place."""
    nightly = served.deployment("nightly")
    (own,) = nightly["schedules"]
    path = f"deployments/{nightly['id']}/schedules"
    weekly = {"cron": "0 3 * * 0", "timezone": "UTC", "day_or": True}
    try:
        served.ask("PATCH", f"{path}/{own['id']}", {"active": False}).raise_for_status()
        served.post(path, [{"schedule": weekly, "active": True}])
        said = served.succeed("flows.deployments")
        assert "The schedules of nightly are not those of prefect.yaml, and stay" in said
        after = served.deployment("nightly")["schedules"]
        assert sorted((each["schedule"]["cron"], each["active"]) for each in after) == [
            ("0 2 * * *", False),
            ("0 3 * * 0", True),
        ]
    finally:
        for each in served.deployment("nightly")["schedules"]:
            served.ask("DELETE", f"{path}/{each['id']}").raise_for_status()
        served.post(path, [{"schedule": own["schedule"], "active": True}])
    assert served.succeed("flows.deployments") == ""


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"replicates": 0}, "replicates"),
        ({"experiment": {"target_samples": 1}}, "target_samples"),
        ({"experiment": {"target_sample": 300}}, "target_sample"),
        ({"keep": 0}, "keep"),
        ({"replicas": 3}, "replicas"),
    ],
)
def test_bad_parameters_are_refused_by_name_and_leave_no_run(served: Machine, parameters: dict, field: str) -> None:
    before = served.runs_asked_for()
    path = f"deployments/{served.deployment('on-demand')['id']}/create_flow_run"
    refused = served.ask("POST", path, {"parameters": parameters})
    assert (refused.status_code, field in refused.text) == (409, True), refused.text
    assert served.runs_asked_for() == before


@pytest.mark.parametrize("parameters", [{"replicates": 0}, {"replicas": 3}], ids=str)
def test_so_they_are_by_command_line(served: Machine, parameters: dict) -> None:
    before = served.runs_asked_for()
    refused = served.run("on-demand", **parameters)
    said = refused.stdout + refused.stderr
    assert (refused.returncode, next(iter(parameters)) in said) == (1, True), said
    assert served.runs_asked_for() == before
