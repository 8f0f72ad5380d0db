"""The benchmark's part of whole processes: the flow and the study as people start them, the notebook as a script."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tasks.storage.roots import ROOT
from tests.benchmarks.effort import EPOCHS, Effort
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


Script = dict[str, float]  # seconds of the notebook as a script: "whole", and "A" and "B" of its training cells


def whole_flow(effort: Effort) -> tuple[list[Row], Script]:
    """Whole processes: the notebook's script; the flow cold at 1 and 5 replicates; fully cached with a server."""
    flow = [sys.executable, "-m", "flows.transfer_learning", "--replicates"]
    peaks: list[float] = []
    script: Script = {}

    def run(replicates: int, **environment: str) -> float:
        taken, peak, _ = measured([*flow, str(replicates)], **environment)
        peaks.append(peak)
        return taken

    def cold(replicates: int, folder: str) -> float:
        shutil.rmtree(folder, ignore_errors=True)
        return run(replicates, HEADSTART_ARTIFACTS=folder)

    def notebook() -> float:
        script.update(run_notebook(effort.source_epochs))
        return script["whole"]

    if not effort.warm_up:
        measured([sys.executable, "-c", "import prefect, tensorflow"])  # from the disk, which is no contestant's fault
    with tempfile.TemporaryDirectory() as folder:
        one, five = (f"{folder}/{name}" for name in ("one", "five"))
        contestants = {"script": notebook, "one": lambda: cold(1, one), "five": lambda: cold(5, five)}
        took = in_turn(effort.processes, warm_up=effort.warm_up, **contestants)
        with server(Path(folder)) as here:
            environment = {"HEADSTART_ARTIFACTS": five, "PREFECT_API_URL": here.api}
            took |= in_turn(2 * effort.processes, cached=lambda: run(5, **environment))
    notebooks = Row("whole: the notebook's script (one pair)", took["script"])
    return [
        notebooks,
        Row("whole flow cold, 1 replicate", took["one"], "share of its time", notebooks, goal=0.45),
        Row("whole flow cold, 5 replicates", took["five"], "share of its time", notebooks, goal=0.7),
        *question_1(took, script),
        Row("whole flow cached, server running", took["cached"], goal=6),
        Row("peak memory of the flow's process", max(peaks), goal=1024, unit="MiB"),
    ], script


def run_notebook(epochs: int) -> Script:
    """The notebook's script; epochs of A that it leaves out are added, each for what those after the first one took."""
    whole, _, output = measured([sys.executable, "-m", "tests.walkthrough.notebook", "--epochs", str(epochs)])
    found = json.loads(output.splitlines()[-1])["seconds"]
    left_out = (EPOCHS - epochs) * found["later epoch of A"]
    return {"whole": whole + left_out, "A": found["A"] + left_out, "B": found["B"]}


def question_1(took: dict[str, float], script: Script, pairs: int = 29) -> list[Row]:
    """The study's first question, cold, scaled from 1 and 5 pairs; against as many runs of the notebook's cells."""
    cells = Row(f"the notebook's training cells, {pairs} times (scaled from one)", pairs * (script["A"] + script["B"]))
    ours = took["one"] + (pairs - 1) * (took["five"] - took["one"]) / 4
    return [cells, Row(f"whole flow cold, {pairs} pairs (scaled from 1 and 5)", ours, "times faster", cells, goal=15)]


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
        Row("study cold, by the notebook's recipe: questions 1, 2, 3 and 5, 29 pairs", whole, goal=360),
        Row("study: question 4 on top, 45 pairs of classes, 3 seeds", classes, goal=900),
        Row("study: tuned arms on top, 29 pairs", tuned, goal=900),
        Row("study cold, --quick", quick, goal=240),
        Row("peak memory of the study's process", max(peak, peak_classes, peak_tuned), goal=2048, unit="MiB"),
    ]


def first_task() -> Row:
    """From `prefect deployment run` to the start of the first task, under `make serve`."""
    from tests.support.runs import QUICK

    with tempfile.TemporaryDirectory() as folder, machine(Path(folder)) as here:
        here.serve()
        for _ in range(2):  # what is imported for the first time is slower
            here.run("on-demand", replicates=1, experiment=QUICK)
        return Row("deployment run to first task", here.seconds_to_first_task(), goal=8)
