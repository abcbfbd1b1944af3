import pytest
from pydantic import BaseModel, ValidationError

from posenb.core import AnalyzeConfig, AugmentationConfig, SplitConfig, TrainConfig
from posenb.core.configs import explain
from posenb.errors import ConfigError


def test_an_unknown_option_is_refused_and_the_known_ones_listed():
    with pytest.raises(ConfigError, match=r"'sede' is not an option.*Options: .*seed"):
        SplitConfig(sede=1)


@pytest.mark.parametrize(
    "options",
    [
        {"test_fraction": 1.0},
        {"test_fraction": -0.1},
        {"validation_fraction": 2},
        {"by": "animal"},
        {"seed": "x"},
    ],
)
def test_a_value_out_of_range_is_refused_and_named(options):
    with pytest.raises(ConfigError, match=f"SplitConfig: {next(iter(options))}: .*got"):
        SplitConfig(**options)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seeds_are_those_that_every_generator_takes(seed):
    with pytest.raises(ConfigError, match=f"TrainConfig: seed: .*got {seed}"):
        TrainConfig(seed=seed)


@pytest.mark.parametrize("rotation", [-1.0, 181.0, float("nan"), float("inf"), "none"])
def test_rotations_are_degrees_either_way(rotation):
    with pytest.raises(ConfigError, match="rotation"):
        AugmentationConfig(rotation=rotation)


def test_options_of_options_are_checked_too():
    with pytest.raises(ConfigError, match=r"augmentation.*blur: .*got 3"):
        TrainConfig(augmentation={"blur": 3})


def test_configs_do_not_change():
    with pytest.raises(ValidationError, match="frozen"):
        SplitConfig().seed = 3


def test_replacing_an_option_gives_a_new_config_that_is_checked():
    config = AugmentationConfig(noise=1.5)
    assert config.replace(blur=0.5) == AugmentationConfig(noise=1.5, blur=0.5)
    with pytest.raises(ConfigError, match="blur"):
        config.replace(blur=2)


def test_a_split_given_as_a_whole_keeps_its_seed_beside_that_of_training():
    config = TrainConfig.from_options(split=SplitConfig(seed=3), seed=5)
    assert (config.split.seed, config.seed) == (3, 5)
    assert TrainConfig.from_options(seed=5).split.seed == 5
    with pytest.raises(ConfigError, match="not both"):
        TrainConfig.from_options(split=SplitConfig(), test_fraction=0.5)


def test_a_config_read_back_from_json_is_the_same():
    config = TrainConfig(steps=7, split=SplitConfig(by="video"))
    assert TrainConfig.model_validate_json(config.model_dump_json()) == config


def test_crops_and_frame_ranges_are_plain_numbers():
    config = AnalyzeConfig(crop=[0, 10, 20, 30], stop=5)
    assert config.crop == (0, 10, 20, 30)
    with pytest.raises(ConfigError, match="stop"):
        AnalyzeConfig(stop=0)


def test_every_problem_of_a_model_is_told_at_once():
    class Model(BaseModel):
        count: int
        size: int

    with pytest.raises(ValidationError) as caught:
        Model.model_validate({"count": "x"})
    message = str(explain("the file", caught.value))
    assert "the file: " in message
    assert "count" in message
    assert "size" in message


def test_replacing_an_option_leaves_what_was_not_given_as_it_was():
    config = TrainConfig(model={"stride": 8}).replace(steps=3)
    assert config.model_fields_set == {"model", "steps"}
    assert config.model.model_fields_set == {"stride"}


def test_a_start_is_a_text_a_path_or_whatever_has_a_url(tmp_path):
    class Run:
        url = "gs://lab/reach/runs/first"

    assert TrainConfig(start="zoo:mouse").start == "zoo:mouse"
    assert TrainConfig(start=tmp_path).start == str(tmp_path)
    assert TrainConfig.from_options(start=Run()).start == Run.url
    with pytest.raises(ConfigError, match="start"):
        TrainConfig(start=3)


@pytest.mark.parametrize("option", [{"start_keypoints": {"a": "b"}}, {"start_sha256": "0" * 64}])
def test_what_tells_of_a_start_needs_one(option):
    with pytest.raises(ConfigError, match="tell of a start; give it too"):
        TrainConfig(**option)
    assert TrainConfig(start="zoo:mouse", **option).start == "zoo:mouse"
