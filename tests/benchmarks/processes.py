"""The benchmark's part of whole processes: the flow and the study as people start them, the notebook as a script."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tasks.storage.roots import ROOT
from tests.benchmarks.rows import Row, in_turn
from tests.support.machine import machine
from tests.support.services import server


def measured(command: list[str], **environment: str) -> tuple[float, float, str]:
    """(wall seconds, peak MiB of its largest process, standard output) of a command that must succeed."""
    start = time.perf_counter()
    with subprocess.Popen(
        command, cwd=ROOT, env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command} failed with exit code {process.returncode}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024, output


def whole_flow(rounds: int) -> tuple[list[Row], Row]:
    """Whole processes: the notebook's script; the flow cold at 1 and 5 replicates; fully cached with a server."""
    flow, notebook = (
        [sys.executable, "-m", "flows.transfer_learning"],
        [sys.executable, "-m", "tests.walkthrough.notebook"],
    )
    peaks: list[float] = []
    script: Row = {}

    def cold(replicates: int) -> float:
        with tempfile.TemporaryDirectory() as folder:
            taken, peak, _ = measured([*flow, "--replicates", str(replicates)], HEADSTART_ARTIFACTS=folder)
        peaks.append(peak)
        return taken

    def run_script() -> float:
        taken, _, output = measured(notebook)
        script.update(json.loads(output.splitlines()[-1]))
        return taken

    figures = in_turn(rounds, script=run_script, one=lambda: cold(1), five=lambda: cold(5))
    with tempfile.TemporaryDirectory() as folder, server(Path(folder)) as here:
        environment = {"HEADSTART_ARTIFACTS": f"{folder}/artifacts", "PREFECT_API_URL": here.api}
        figures |= in_turn(2 * rounds, cached=lambda: measured([*flow, "--replicates", "5"], **environment)[0])
    rows = [{"what": "whole: the notebook's script (one pair)", "seconds": figures["script"]}]
    for name, what, goal in (("one", "1 replicate", 0.45), ("five", "5 replicates", 0.7)):
        share = figures[name] / figures["script"]
        rows.append({"what": f"whole flow cold, {what}", "seconds": figures[name],
                     "against": "the script", "share of its time": share, "goal": goal})  # fmt: skip
    rows += question_1(figures, script)
    rows.append({"what": "whole flow cached, server running", "seconds": figures["cached"], "goal": 6})
    rows.append({"what": "peak memory of the flow's process, MiB", "value": max(peaks), "goal": 1536})
    return rows, script


def question_1(figures: dict[str, float], notebook: Row, pairs: int = 29) -> list[Row]:
    """The study's first question, cold, scaled from 1 and 5 pairs; against as many runs of the notebook's cells."""
    ours = figures["one"] + (pairs - 1) * (figures["five"] - figures["one"]) / 4
    theirs = pairs * (notebook["seconds"]["A"] + notebook["seconds"]["B"])
    return [
        {"what": f"the notebook's training cells, {pairs} times (scaled from one)", "seconds": theirs},
        {"what": f"whole flow cold, {pairs} pairs (scaled from 1 and 5)", "seconds": ours,
         "against": "the notebook's training cells alone", "times faster": theirs / ours, "goal": 15},
    ]  # fmt: skip


def study() -> list[Row]:
    """The whole study, cold, at 29 pairs; then its tuned arms and the pairs of classes on top of it; and --quick."""
    command = [sys.executable, "-m", "flows.study"]
    fixed = [*command, "--tuned", "false"]
    with tempfile.TemporaryDirectory() as folder:
        whole, peak, _ = measured(fixed, HEADSTART_ARTIFACTS=folder)
        classes, peak_classes, _ = measured([*fixed, "--pairs"], HEADSTART_ARTIFACTS=folder)
        tuned, peak_tuned, _ = measured(command, HEADSTART_ARTIFACTS=folder)
    with tempfile.TemporaryDirectory() as folder:
        quick, _, _ = measured([*command, "--quick"], HEADSTART_ARTIFACTS=folder)
    return [
        {
            "what": "study cold, by the notebook's recipe: questions 1, 2, 3 and 5, 29 pairs",
            "seconds": whole,
            "goal": 360,
        },
        {"what": "study: question 4 on top, 45 pairs of classes, 3 seeds", "seconds": classes, "goal": 900},
        {"what": "study: tuned arms on top, 29 pairs", "seconds": tuned, "goal": 900},
        {"what": "study cold, --quick", "seconds": quick, "goal": 240},
        {"what": "peak memory of the study's process, MiB", "value": max(peak, peak_classes, peak_tuned), "goal": 2048},
    ]


def first_task() -> Row:
    """From `prefect deployment run` to the start of the first task, under `make serve`."""
    from tests.support.runs import QUICK

    with tempfile.TemporaryDirectory() as folder, machine(Path(folder)) as here:
        here.serve()
        for _ in range(2):  # what is imported for the first time is slower
            here.run("on-demand", replicates=1, experiment=QUICK)
        return {"what": "deployment run to first task", "seconds": here.seconds_to_first_task(), "goal": 8}
