"""Parameters that no one would give, through the command line's parser and the flow's own validation."""

import io
import json
import sys
from contextlib import redirect_stderr
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prefect.exceptions import ParameterTypeError, SignatureMismatchError

from flows.transfer_learning import transfer_learning
from tasks.experiment.data.fashion_mnist import CLASS_NAMES
from tasks.experiment.settings import Experiment
from tasks.orchestration.terminal.command_line import parse_parameters

EXAMPLES = 100
PATHS = ["../../etc/passwd", "/dev/null", "~/x", "a/../../b", "C:\\x", "%00", "$(reboot)", "{0}", "'; DROP TABLE", ""]
ODD_TEXTS = st.sampled_from([*PATHS, "NaN", "١٢", "²", "1e400", "٣.٥", "0x10", "1_000", "null", "[1,", "{", "\udcff"])
TEXTS = st.one_of(ODD_TEXTS, st.text(max_size=20).filter(lambda t: "\0" not in t), st.just("9" * 5000))
NUMBERS = st.one_of(
    st.integers(), st.integers(-3, 70_000), st.just(10**400), st.floats(), st.sampled_from([0, -1, 2**31, 2**63])
)
ANYTHING = st.one_of(
    NUMBERS, TEXTS, st.booleans(), st.none(), st.lists(NUMBERS, max_size=3), st.dictionaries(TEXTS, NUMBERS, max_size=2)
)
CLASSES = st.one_of(st.sampled_from(CLASS_NAMES), st.integers(-1, 11), TEXTS)
FIELDS = list(Experiment.model_fields)
SETTINGS = st.dictionaries(
    st.sampled_from(FIELDS), st.one_of(ANYTHING, NUMBERS, st.tuples(CLASSES, CLASSES)), max_size=3
) | st.dictionaries(TEXTS, ANYTHING, max_size=2)
PARAMETERS = st.fixed_dictionaries(
    {}, optional={"experiment": SETTINGS, "replicates": ANYTHING, "seed": ANYTHING, "refresh": ANYTHING}
)
thoroughly = settings(max_examples=EXAMPLES)


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def refused_or_parsed(flags: list[str], monkeypatch: pytest.MonkeyPatch) -> tuple[int, str, dict[str, Any]]:
    """(exit code, what was said, the parameters)."""
    monkeypatch.setattr(sys, "argv", ["headstart", *flags])
    said = io.TextIOWrapper(io.BytesIO(), "utf-8", "backslashreplace")
    code, parameters = 0, {}
    try:
        with redirect_stderr(said):
            parameters = parse_parameters(transfer_learning, "flows.transfer_learning")
    except SystemExit as refused:
        code = int(str(refused.code))
    said.seek(0)
    return code, said.read(), parameters


@pytest.mark.fault(f"{EXAMPLES} generated sets of flags", "valid, or refused by one sentence a field that names it")
def test_command_line(monkeypatch: pytest.MonkeyPatch, record_property: Any) -> None:
    tried = []

    @thoroughly
    @given(PARAMETERS)
    def check(parameters: dict[str, Any]) -> None:
        tried.append(parameters)
        flags = []
        for name, value in parameters.items():
            if name == "experiment" and all(key in FIELDS for key in value):
                for field, given in value.items():
                    flags += [f"{flag('experiment')}.{field.replace('_', '-')}={as_text(given)}"]
            else:
                flags += [f"{flag(name)}={as_text(value)}"]
        code, said, parsed = refused_or_parsed(flags, monkeypatch)
        if code == 0:
            del parsed["runner"]  # the command line's own
            transfer_learning.validate_parameters(parsed)
            return
        assert code == 2
        lines = said.strip().splitlines()
        for line in lines:
            assert line.startswith(("experiment", "replicates", "seed", "refresh")), said
            assert len(line) < 500
        fields = [line.split(":")[0] for line in lines]
        assert len(set(fields)) == len(fields)

    check()
    record_property("inputs", len(tried))


@pytest.mark.fault(f"{EXAMPLES} generated sets of parameters for the flow", "valid, or refused by naming the field")
def test_flow_validation(record_property: Any) -> None:
    """As a deployment or the UI would give them: no run is begun."""
    tried = []

    @thoroughly
    @given(PARAMETERS | st.dictionaries(TEXTS.filter(lambda name: name not in ("self", "cls")), ANYTHING, max_size=2))
    def check(parameters: dict[str, Any]) -> None:
        tried.append(parameters)
        refusal = ""
        try:
            valid = transfer_learning.validate_parameters(parameters)
        except (ParameterTypeError, SignatureMismatchError) as refused:
            refusal = str(refused)
        if refusal:
            assert any(name in refusal or repr(name) in refusal for name in parameters), refusal
        else:
            experiment = valid.get("experiment", Experiment())
            assert Experiment.model_validate(experiment.model_dump()) == experiment

    check()
    record_property("inputs", len(tried))


@pytest.mark.fault("the flags {flags}", "refused by one sentence that names the field")
@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ("--experiment.target-classes=[1,", "experiment.target_classes: "),
        ("--experiment={", "experiment: "),
        ("--experiment.target-classes=²,2", "experiment.target_classes: no class '²'"),
        ("--experiment.target-classes=true,false", "experiment.target_classes: "),
        ("--experiment.target-classes=../../etc/passwd,2", "experiment.target_classes: no class '../../etc/passwd'"),
        ("--experiment.frozen-epochs=30", "experiment: frozen_epochs (30) is more than target_epochs (20)"),
        ("--experiment.learning-rate=nan", "experiment.learning_rate: "),
        ("--experiment.learning-rates=1", "unrecognized arguments: --experiment.learning-rates=1"),
        ("--replicates=0", "replicates: "),
        ("--replicates=" + "9" * 5000, "replicates: "),
        ("--seed=2147483649", "seed: "),
        ("--experiment.image-size=64", "experiment.image_size: "),
        ("--experiment.image-size=64,257", "experiment.image_size: "),
        ("--experiment.image-size=null,64", "experiment.image_size: "),
        ("--experiment.metric=f1", "experiment.metric: Input should be 'accuracy', 'balanced_accuracy' or 'roc_auc'"),
        ("--experiment.image-fit=squash", "experiment.image_fit: "),
    ],
)
def test_flags(flags: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    code, said, _ = refused_or_parsed([flags], monkeypatch)
    assert code == 2
    line = said.strip().splitlines()[-1]
    assert says in line
    assert len(line) < 500


def test_a_flag_may_say_that_no_size_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    code, said, parsed = refused_or_parsed(["--experiment.image-size=null"], monkeypatch)
    assert (code, said) == (0, "")
    assert parsed["experiment"].image_size is None


@pytest.mark.parametrize(
    ("flag", "names"),
    [
        ("true,false", ("true", "false")),
        ("null,1e5", ("null", "1e5")),
        ("2,03", ("2", "03")),
        ('"a, b",c', ("a, b", "c")),
        ('["a, b", "[c]"]', ("a, b", "[c]")),
        ("💥,'é'", ("💥", "'é'")),
    ],
)
def test_any_class_can_be_named(flag: str, names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    flags = ["--experiment.dataset=own", f"--experiment.target-classes={flag}"]
    code, said, parsed = refused_or_parsed(flags, monkeypatch)
    assert (code, said) == (0, "")
    assert tuple(map(str, parsed["experiment"].target_classes)) == names
