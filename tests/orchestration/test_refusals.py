"""What the user can mend is told by the run's last state; what the program did wrong is told with its traceback."""

import logging

import pytest
from prefect.exceptions import FailedRun
from prefect.flow_engine import run_flow
from prefect.settings import PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW, temporary_settings
from prefect.states import Failed

from tasks.experiment.errors import DivergedError, UnusableInputError
from tasks.orchestration.stage import pipeline


@pipeline("refusing", describe=lambda given: [])
def refusing(how: str) -> object:
    """A flow that ends badly."""
    if how == "regressed":
        return Failed(message="Regressed: …", data="folder")
    raise {"unusable": UnusableInputError, "diverged": DivergedError, "a mistake": KeyError}[how](how)


@pytest.mark.usefixtures("prefect_server")
@pytest.mark.parametrize("how", ["unusable", "diverged", "regressed", "a mistake"])
def test_tracebacks_are_of_mistakes_only(how: str, caplog: pytest.LogCaptureFixture) -> None:
    """As a worker's process runs a flow: with a logger for what the flow raises at its end."""
    without_run = temporary_settings({PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW: "ignore"})
    with without_run, pytest.raises((UnusableInputError, DivergedError, FailedRun, KeyError)):
        run_flow(refusing, parameters={"how": how}, error_logger=logging.getLogger("prefect.flow_runs"))
    logged = [record for record in caplog.records if record.name in ("prefect.flow_runs", "prefect.engine")]
    assert "Finished in state Failed" in "".join(record.getMessage() for record in logged)
    assert [bool(record.exc_info) for record in logged if record.levelno >= logging.ERROR] == (
        [True, True] if how == "a mistake" else []
    )
