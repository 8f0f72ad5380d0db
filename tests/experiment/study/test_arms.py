from tasks.experiment.data import fashion_mnist
from tasks.experiment.settings import Experiment
from tasks.experiment.study.arms import BUDGETS, arms, full_plan, pair_plan

EXPERIMENT = Experiment()


def test_the_arms_are_the_controls_that_were_asked_for() -> None:
    by_name = {arm.name: (arm.body, arm.layers, arm.frozen_epochs) for arm in arms(EXPERIMENT)}
    assert by_name == {
        "scratch": ("random", 0, 0),
        "transfer": ("A", 3, 4),
        "fine-tune": ("A", 3, 0),
        "probe": ("A", 3, 20),
        "random body": ("random", 3, 4),
        "self-transfer": ("B", 3, 4),
        "first 1, fine-tuned": ("A", 1, 0),
        "first 2, fine-tuned": ("A", 2, 0),
        "first 1, frozen": ("A", 1, 20),
        "first 2, frozen": ("A", 2, 20),
    }


def test_every_arm_says_what_it_is_in_words_of_its_own() -> None:
    said = [arm.says for arm in arms(EXPERIMENT)]
    assert len(set(said)) == len(said)
    assert said[1] == "A's hidden layers, frozen for the first 4 of 20 epochs"
    assert said[-2:] == [
        "only A's first hidden layer, frozen throughout",
        "only A's first 2 hidden layers, frozen throughout",
    ]


def test_what_an_arm_says_is_in_no_cache_key() -> None:
    assert "says" not in full_plan(EXPERIMENT, resample=True).model_dump_json()


def test_one_hidden_layer_has_no_fewer_layers_to_reuse() -> None:
    assert not [arm for arm in arms(EXPERIMENT.vary(hidden_layers=1)) if arm.name.startswith("first")]


def test_every_budget_once_for_scratch_and_transfer() -> None:
    plan = full_plan(EXPERIMENT, resample=True).trials
    for name in ("scratch", "transfer"):
        assert sorted(map(str, BUDGETS)) == sorted(str(t.samples) for t in plan if t.arm.name == name)
    assert {t.arm.name for t in plan if t.keep} == {"scratch", "transfer"}
    assert len(plan) == len(arms(EXPERIMENT)) + 2 * (len(BUDGETS) - 1)
    assert plan[0].arm.name == "scratch"  # self-transfer starts from it
    assert plan[0].samples == 200


def test_a_number_of_images_of_ones_own_joins_the_budgets() -> None:
    odd = EXPERIMENT.vary(target_samples=300)
    assert {t.samples for t in full_plan(odd, resample=True).trials} == {*BUDGETS, 300}
    assert [(t.arm.name, t.samples) for t in pair_plan(odd, resample=True).trials] == [
        ("scratch", 300),
        ("transfer", 300),
    ]


def test_all_pairs_of_classes_keep_the_order_of_ones_own() -> None:
    pairs = EXPERIMENT.vary(target_classes=("Pullover", "T-shirt/top")).all_target_classes(fashion_mnist.data_set())
    assert len({frozenset(pair) for pair in pairs}) == len(pairs) == 45
    assert ("Pullover", "T-shirt/top") in pairs
