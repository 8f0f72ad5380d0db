import subprocess
import sys

import pytest

from tasks.experiment.lean_keras import REFUSED, RefusedToKeras
from tasks.storage.roots import ROOT

LOOK_FOR = "RefusedToKeras().find_spec(name, None)"


@pytest.mark.parametrize(
    ("importer", "name"), [(who, name) for who, names in REFUSED.items() for name in sorted(names)]
)
def test_only_these_are_refused(importer: str, name: str) -> None:
    found = {"RefusedToKeras": RefusedToKeras, "name": name}
    with pytest.raises(ModuleNotFoundError, match=name):
        exec(LOOK_FOR, found | {"__name__": f"{importer}.src.wrappers"})
    for other in (f"{importer}tuner", "tasks.report", "__main__"):
        exec(LOOK_FOR, found | {"__name__": other})
    exec(LOOK_FOR, found | {"__name__": f"{importer}.src", "name": "h5py"})


@pytest.mark.slow
def test_tensorflow_brings_none_of_them_and_they_can_be_imported_after_it() -> None:
    script = f"""
import sys, tasks.experiment, tensorflow
print(sorted({set().union(*REFUSED.values())} & set(sys.modules)))
import pandas, sklearn.metrics, matplotlib.pyplot
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr
