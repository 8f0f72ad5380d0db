"""A flow's parameters as command-line flags, built from the same models as the form in the UI."""

import importlib
import inspect
import json
import sys
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from prefect import Flow
from pydantic import ValidationError, create_model
from pydantic_settings import BaseSettings, CliApp, CliSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from tasks.experiment.store import artifacts_root
from tasks.progress import bars_in_terminal, refusals_without_traceback
from tasks.server import prefect_api


class _Flags(BaseSettings):
    """Flags and nothing else: no environment variable plays a part."""

    model_config = SettingsConfigDict(extra="forbid")

    @classmethod
    def settings_customise_sources(  # type: ignore[override]
        cls, settings_cls: type[BaseSettings], init_settings: PydanticBaseSettingsSource, **others: object
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def parse_parameters(flow: Flow[..., Any], module: str) -> dict[str, Any]:
    """The flow's parameters from the command line. Refuses bad ones, one sentence each, with exit code 2."""
    signature = inspect.signature(flow.fn).parameters
    fields: dict[str, Any] = {name: (field.annotation, field.default) for name, field in signature.items()}
    flags = create_model("Parameters", __base__=_Flags, __doc__=flow.description, **fields)
    source: CliSettingsSource[Any] = CliSettingsSource(
        flags, cli_kebab_case=True, cli_prog_name=f"python -m {module}", add_argument_method=_add_argument
    )
    try:
        parsed = CliApp.run(flags, cli_settings_source=source)
    except ValidationError as refused:
        for error in refused.errors():
            where = ".".join(str(part) for part in error["loc"]) or "parameters"
            print(f"{where}: {error['msg']} (given: {error['input']!r})", file=sys.stderr)
        sys.exit(2)
    return {name: getattr(parsed, name) for name in fields}


def _add_argument(parser: ArgumentParser, *names: str, **options: Any) -> Any:
    """`--flag` alone means `--flag true`."""
    if options.get("metavar") == "bool":
        options |= {"nargs": "?", "const": "true"}
    return parser.add_argument(*names, **options)


def run_from_command_line(flow: Flow[..., Any], module: str) -> None:
    """Run the flow with the command line's parameters and print its answer; exit code 0 only if it completed."""
    parameters = parse_parameters(flow, module)
    if parameters["refresh"] or not (artifacts_root() / "store" / "train_A").exists():
        # Something must be trained for sure: import TensorFlow while the server starts.
        threading.Thread(target=importlib.import_module, args=["tasks.experiment.trainer"], daemon=True).start()
    with prefect_api(), bars_in_terminal(), refusals_without_traceback():
        state: Any = flow(**parameters, return_state=True)
    if not state.is_completed():
        sys.exit(f"{state.name}: {state.message}")  # the log above has the details, if more can be said
    folder = Path(state.result())
    print(json.loads((folder / "metrics.json").read_text())["answer"])
    for name, what in (("Report", "report.html"), ("Plots", "plots"), ("Models", "models"), ("Runs", "runs.csv")):
        if (folder / what).exists():
            print(f"{name + ':':8}{folder / what}")
