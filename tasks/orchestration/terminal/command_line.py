"""A flow's parameters as command-line flags, built from the same models as the form in the UI."""

import inspect
import itertools
import re
import sys
import threading
from argparse import ArgumentParser
from typing import Any

import httpx
from prefect import Flow
from pydantic import ValidationError, create_model
from pydantic_settings import (
    BaseSettings,
    CliApp,
    CliSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)
from upath import UPath

from tasks.experiment.reports.metrics import read_metrics
from tasks.orchestration.cache.code_identity import read_all_code
from tasks.orchestration.servers.own_server import prefect_api
from tasks.orchestration.terminal.flag_help import describe_flags, plain_group, plain_help
from tasks.orchestration.terminal.progress import bars_in_terminal
from tasks.orchestration.workers.runners import Runner, configured_runner, task_runner
from tasks.storage.artifacts import is_store_empty
from tasks.storage.files import printable
from tasks.storage.roots import version


class _Flags(BaseSettings):
    """Flags and nothing else: no environment variable plays a part."""

    model_config = SettingsConfigDict(extra="forbid")

    @classmethod
    def settings_customise_sources(  # type: ignore[override]
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, **others: object
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def parse_parameters(flow: Flow[..., Any], module: str) -> dict[str, Any]:
    """The flow's parameters and `runner`, as given. Refuses bad ones, one sentence each, with exit code 2."""
    signature = inspect.signature(flow.fn).parameters
    fields: dict[str, Any] = {name: (field.annotation, field.default) for name, field in signature.items()}
    fields["runner"] = Runner, configured_runner()
    flags = create_model("Parameters", __base__=_Flags, __doc__=flow.description, **fields)
    described = describe_flags(flags)

    def add_argument(parser: ArgumentParser, *names: str, **options: Any) -> Any:
        """`--flag` alone means `--flag true`."""
        is_switch = options.get("metavar") == "bool"
        options = plain_help(described[names[0]], options) if names[0] in described else options
        options |= {"nargs": "?", "const": "true"} if is_switch else {}
        return parser.add_argument(*names, **options)

    source: CliSettingsSource[Any] = CliSettingsSource(
        flags,
        cli_kebab_case=True,
        cli_prog_name=f"python -m {module}",
        add_argument_method=add_argument,
        add_argument_group_method=lambda parser, **options: parser.add_argument_group(**plain_group(options)),
    )
    source.root_parser.add_argument("--version", action="version", version=version())
    try:
        parsed = CliApp.run(flags, cli_settings_source=source)
    except ValidationError as refused:
        for field, sentence in sentences(refused).items():
            print(f"{field}: {sentence}", file=sys.stderr)
        sys.exit(2)
    except SettingsError as refused:  # what should be JSON is not
        where = re.search(r"(?:encountered for|value for field) \"?([\w.]+)", str(refused))
        print(f"{where[1] if where else 'parameters'}: {shortened(refused.__cause__ or refused)}", file=sys.stderr)
        sys.exit(2)
    return {name: getattr(parsed, name) for name in fields}


def sentences(refused: ValidationError) -> dict[str, str]:
    """What is wrong with each field, by its dotted name: one sentence, however many ways there are to say it."""
    found: dict[str, str] = {}
    for error in refused.errors():
        names = itertools.takewhile(lambda part: isinstance(part, str), error["loc"])
        field = ".".join(name if name.isidentifier() else repr(name) for name in map(str, names))
        sentence = f"{error['msg'].removeprefix('Value error, ')} (given: {shortened(repr(error['input']))})"
        found.setdefault(shortened(field or "parameters"), shortened(sentence, 400))
    return found


def shortened(what: object, length: int = 150) -> str:
    text = str(what)
    return text if len(text) <= length else f"{text[: length - 1]}…"


def run_from_command_line(flow: Flow[..., Any], module: str) -> None:
    """Run the flow with the command line's parameters and print its answer; exit code 0 only if it completed."""
    parameters = parse_parameters(flow, module)
    flow = flow.with_options(task_runner=task_runner(parameters.pop("runner")))
    trains = parameters["refresh"] or is_store_empty()
    threading.Thread(target=_prepare, args=[trains], daemon=True).start()
    try:
        with prefect_api(), bars_in_terminal():
            state: Any = flow(**parameters, return_state=True)
    except KeyboardInterrupt:
        sys.exit("Stopped. Run again to go on: what was done is in the cache.")
    except (httpx.HTTPError, OSError, RuntimeError) as error:  # not from inside the flow: those make a failed state
        sys.exit(f"Prefect's server can't be used: {shortened(error, 400)}")
    folder = state.result(raise_on_failure=False)
    if isinstance(folder, str):
        _show_result(UPath(folder))
    if not state.is_completed():
        sys.exit(f"{state.name}: {state.message}")  # the log above has the details, if there are any


def _show_result(folder: UPath) -> None:
    metrics = read_metrics(folder)
    print(metrics["answer"])
    if (verdict := metrics.get("verdict")) and verdict["name"] != "Regressed":  # that is how the run failed
        print(f"{verdict['name']}: {verdict['reason']}")
    for name, what in (("Report", "report.html"), ("Plots", "plots"), ("Models", "models"), ("Runs", "runs.csv")):
        if (folder / what).exists():
            print(f"{name + ':':8}{printable(folder / what)}")


def _prepare(trains: bool) -> None:
    """While the server starts: what the flow does first, and what takes longest where something must be trained."""
    read_all_code()
    if trains:
        import tasks.experiment.networks.trainer  # noqa: F401
