"""Runs of the flow that die on purpose: a process that imported everything once, and forks a run when asked.

A forked run starts in milliseconds instead of the 12 s that the imports take, and is a process of its own. It dies by
its own SIGKILL just before it does a chosen thing to the file system, which Python's audit events tell: no hook in the
program is needed, and every step of it can be chosen.
"""

import ctypes
import gc
import json
import os
import re
import signal
import sys
import threading
import traceback
from pathlib import Path
from types import SimpleNamespace
from typing import Any

_woken = threading.Event()
EVENTS = {"open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.symlink"}


def step(event: str, args: tuple[Any, ...]) -> str:
    """An audit event as a line: `os.rename /from -> /to`, `open w /file`; empty for what changes no file."""
    if event == "pickle.find_class":
        return f"{event} {args}"
    if event not in EVENTS:
        return ""
    if event == "open":
        path, mode, flags = args
        writes = flags & (os.O_WRONLY | os.O_RDWR) if isinstance(flags, int) else mode and mode[0] in "wxa"
        return f"open w {path}" if writes else ""
    paths = [os.fsdecode(a) for a in args if isinstance(a, str | bytes | os.PathLike)]
    return f"{event} {' -> '.join(paths)}"


def watch_steps(order: dict[str, Any]) -> None:
    """Kill this process at the step that matches `die_at`; stop it at `freeze_at` (SIGCONT wakes it)."""
    die_at, freeze_at, trace = (order.get(name) for name in ("die_at", "freeze_at", "trace"))
    log = os.open(trace, os.O_WRONLY | os.O_CREAT | os.O_APPEND) if trace else None

    def hook(event: str, args: tuple[Any, ...]) -> None:
        line = step(event, args)
        if not line:
            return
        if log is not None:
            os.write(log, f"{line}\n".encode())
        for pattern, fate in ((die_at, signal.SIGKILL), (freeze_at, signal.SIGSTOP)):
            if pattern and re.search(pattern, line):
                os.kill(os.getpid(), fate)
                _woken.set()

    sys.addaudithook(hook)


def drop_privileges() -> None:
    """Let file permissions hold for root too: without capabilities it is its files' owner and no more."""
    if sys.platform != "linux":
        return
    nothing = (ctypes.c_uint32 * 6)()
    version_3 = (ctypes.c_uint32 * 2)(0x20080522, 0)
    if ctypes.CDLL(None, use_errno=True).capset(version_3, nothing) != 0:
        raise OSError(ctypes.get_errno(), "capset")


def live(order: dict[str, Any]) -> None:
    """One run, in the forked process: its output in <out>.log, what it returned in <out>.json.

    An impatient one tries nothing again after it was stopped.
    """
    from prefect.client import base
    from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    from flows.transfer_learning import transfer_learning

    output = os.open(f"{order['out']}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.environ |= order["environment"]
    drop_privileges()
    watch_steps(order)
    # By default five, in about a minute: in which a busy machine might not have started a server again.
    impatient = order.get("impatient", False)
    base.PREFECT_CLIENT_MAX_RETRIES = SimpleNamespace(value=lambda: 0 if impatient and _woken.is_set() else 10)
    with temporary_settings({PREFECT_API_URL: order["api"], PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        state: Any = transfer_learning(**order["parameters"], return_state=True)
    result = {"state": state.name, "message": state.message}
    if state.is_completed():
        result["folder"] = state.result()
    Path(f"{order['out']}.json").write_text(json.dumps(result))


def main() -> None:
    """Read orders, a JSON line each: a run (answered by its pid) or `{"wait": pid}` (answered by its exit status)."""
    import tasks.experiment  # first: it sets what TensorFlow reads when it is imported

    # isort: split
    import fastapi  # noqa: F401
    import keras  # noqa: F401
    import matplotlib.pyplot  # noqa: F401
    import prefect.flow_engine  # noqa: F401
    import scipy.stats  # noqa: F401
    import tensorflow  # noqa: F401

    import flows.transfer_learning  # noqa: F401
    import tasks.experiment.networks.train_network  # noqa: F401
    from tasks.orchestration.cache.code_identity import code_identity

    for stage in ("download", "normalize", "split", "train", "evaluate", "report"):
        code_identity(f"tasks.{stage}")
    gc.collect()
    gc.freeze()  # memory that the collector does not touch is not copied into each run

    alive: set[int] = set()
    print("ready", flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        if "wait" in order:
            print(os.waitstatus_to_exitcode(os.waitpid(order["wait"], 0)[1]), flush=True)
            alive.remove(order["wait"])
            continue
        child = os.fork()
        if child == 0:
            status = 1
            try:
                live(order)
                status = 0
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(status)
        alive.add(child)
        print(child, flush=True)
    for pid in alive:  # what a failed test left, perhaps stopped
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
