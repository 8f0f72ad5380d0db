"""What the user can mend is said in one sentence, in the run's last state: no log has a traceback of it."""

import logging

from prefect.exceptions import FailedRun, ParameterTypeError

from tasks.experiment.errors import DivergedError, UnusableInputError
from tasks.storage.roots import UnusableArtifactsError

REFUSALS = UnusableInputError, UnusableArtifactsError, DivergedError  # their messages say what to do
# And what Prefect raises where a flow is given bad parameters, or has returned a Failed state, such as a night's.
SAID_BY_THE_STATE = *REFUSALS, ParameterTypeError, FailedRun


def keep_tracebacks_of_refusals_out() -> None:
    """Of terminal, worker's log and UI alike, in this process.

    Prefect logs such an exception once where the flow raises it and once more where its process ends; between them it
    logs the last state, which has the sentence. Of bad parameters it also logs pydantic's list, before the sentence.
    """
    for name, is_wanted in {"flow_runs": _is_no_refusal, "task_runs": _is_no_refusal, "flows": _is_no_list}.items():
        logging.getLogger(f"prefect.{name}").addFilter(is_wanted)  # a second time it does nothing


def _is_no_refusal(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], SAID_BY_THE_STATE))


def _is_no_list(record: logging.LogRecord) -> bool:
    return record.funcName != "validate_parameters"
