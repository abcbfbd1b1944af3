"""Fetching: whole, as the card knows the files, without code in them, or not at all."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest
from zoo_models import altered

from posenb import storage
from posenb.errors import StorageError, UnknownNameError, ZooError
from posenb.zoo import add_index, fetch, show, verify
from posenb.zoo.card import KERAS, NETWORK
from posenb.zoo.fetching import fetch_member
from posenb.zoo.index import find_member
from posenb.zoo.inspecting import check_keras
from posenb.zoo.publishing import write_card


def kept_files() -> list[Path]:
    """What lies in the cache of models."""
    folder = storage.cache_folder() / "zoo"
    return [path for path in folder.rglob("*") if path.is_file() and "cards" not in path.parts]


def seal_again(folder: Path, name: str = KERAS) -> None:
    """Let card and index tell of a file as it is now, as whoever means harm would."""
    card = show(str(folder / "spots"))
    path = folder / "spots" / name
    fact = card.files[name].replace(sha256=storage.digest(path), size=path.stat().st_size)
    write_card(folder, card.replace(files={**card.model_dump()["files"], name: fact.model_dump()}))


def rewrite(path: Path, change) -> None:
    """Change the description of the network in a ``.keras`` file."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(members["config.json"])
    change(config, members)
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


# --- whole ----------------------------------------------------------------------------


def test_a_model_on_this_machine_stays_where_it_is(zoo):
    assert fetch(str(zoo / "spots")) == zoo / "spots"
    assert kept_files() == []


def test_a_distant_model_is_fetched_once(distant, published, monkeypatch):
    add_index(distant)
    folder = fetch("spots")
    assert {path.name for path in folder.iterdir()} == {"model.keras", "model.onnx", "preview.png"}
    for path in folder.iterdir():
        assert path.read_bytes() == (published / "spots" / path.name).read_bytes()
    monkeypatch.setattr(storage, "copy", None)
    assert fetch("spots") == folder


def test_a_model_that_was_fetched_is_there_offline(distant):
    add_index(distant)
    folder = fetch("spots")
    storage.remove(distant, recursive=True)
    with pytest.warns(UserWarning, match="what it said the last time counts"):
        assert fetch("spots") == folder


def test_offline_a_model_that_was_never_fetched_is_an_error_that_names_it(distant):
    add_index(distant)
    show("spots")
    storage.remove(distant, recursive=True)
    with (
        pytest.warns(UserWarning, match="cannot be reached"),
        pytest.raises(StorageError, match=r"zoo/spots/model"),
    ):
        fetch("spots")


def test_a_fetch_that_was_cut_off_goes_on(distant, monkeypatch):
    add_index(distant)
    whole, count = storage.copy, []

    def breaking(source, target):
        count.append(source)
        if len(count) == 2:
            raise StorageError("the line went dead")
        whole(source, target)

    monkeypatch.setattr(storage, "copy", breaking)
    with pytest.raises(StorageError, match="went dead"):
        fetch("spots")
    assert len(kept_files()) == 1
    fetch("spots")
    assert len(kept_files()) == 3
    assert len(count) == 4  # one arrived, one broke, two were left


def test_a_copy_that_was_spoiled_here_is_fetched_anew(distant, published):
    add_index(distant)
    path = fetch("spots") / NETWORK
    path.write_bytes(altered(path.read_bytes(), 1000))
    fetch("spots")
    assert path.read_bytes() == (published / "spots" / NETWORK).read_bytes()


# --- altered --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["model.keras", "model.onnx", "preview.png"])
@pytest.mark.parametrize("where", ["distant", "here"])
def test_one_altered_byte_is_refused_and_nothing_of_the_file_kept(name, where, distant, zoo):
    url = storage.join(distant if where == "distant" else zoo, "spots", name)
    data = storage.read_bytes(url)
    storage.write_bytes(url, altered(data, len(data) // 2))
    member = find_member(storage.parent(url))
    with pytest.raises(ZooError, match=f"{name} has another SHA-256"):
        fetch_member(member)
    assert name not in [path.name for path in kept_files()]


def test_a_file_of_another_size_is_not_even_fetched(distant, monkeypatch):
    add_index(distant)
    url = storage.join(distant, "spots", KERAS)
    storage.write_bytes(url, storage.read_bytes(url) + b"more")
    monkeypatch.setattr(storage, "copy", None)
    with pytest.raises(ZooError, match="bytes instead of"):
        fetch("spots")


def test_a_file_that_is_gone_is_named(zoo):
    (zoo / "spots" / NETWORK).unlink()
    with pytest.raises(ZooError, match=r"model\.onnx is not there"):
        fetch(str(zoo / "spots"))


def test_an_altered_card_is_refused(zoo):
    add_index(zoo)
    path = zoo / "spots" / "card.json"
    path.write_bytes(path.read_bytes().replace(b"one spot", b"all spot"))
    with pytest.raises(ZooError, match="SHA-256 of each card"):
        fetch("spots")


def test_an_unknown_model_is_met_with_the_likeliest_one(zoo):
    add_index(zoo)
    with pytest.raises(UnknownNameError, match="Did you mean 'spots'"):
        fetch("spot")


# --- code -----------------------------------------------------------------------------


def lambda_layer(trace: Path):
    """Return what puts a lambda layer with real code into a network."""
    import keras

    layer = keras.layers.Lambda(eval(f"lambda x: (open({str(trace)!r}, 'w').close(), x)[1]"))
    config = keras.saving.serialize_keras_object(layer)

    def change(description, members):
        config["name"] = "harmless"
        description["config"]["layers"].append(config)

    return change


def test_a_lambda_layer_is_refused_and_nothing_executed_or_left(zoo, tmp_path):
    trace = tmp_path / "executed"
    rewrite(zoo / "spots" / KERAS, lambda_layer(trace))
    seal_again(zoo)
    url = "memory://bad"
    storage.copy_folder(zoo, url)
    with pytest.raises(ZooError, match=r"holds keras\.layers\.Lambda"):
        fetch(f"{url}/spots")
    storage.remove(url, recursive=True)
    with pytest.raises(ZooError, match="Lambda"):
        fetch(str(zoo / "spots"))
    assert not trace.exists()
    assert KERAS not in [path.name for path in kept_files()]


STRANGE = {
    "a function of any module": {"module": "os", "class_name": "function", "config": "system"},
    "code as text": {"class_name": "__lambda__", "config": {"value": "gASV"}},
    "a class of another package": {"module": "builtins", "class_name": "Dense", "config": {}},
    "a name beyond its module": {"module": "keras.utils", "class_name": "get_file", "config": {}},
    "a class under another name": {
        "module": "keras.layers",
        "class_name": "Conv2D",
        "registered_name": "evil>Payload",
        "config": {},
    },
}


@pytest.mark.parametrize("thing", STRANGE.values(), ids=STRANGE)
def test_whatever_is_no_known_layer_is_refused(thing, zoo):
    def change(description, members):
        description["config"]["layers"][0]["config"]["activation"] = thing

    path = zoo / "spots" / KERAS
    rewrite(path, change)
    with pytest.raises(ZooError, match="It was not loaded"):
        check_keras(path, "it")


def test_a_file_that_does_not_belong_there_is_refused(zoo):
    path = zoo / "spots" / KERAS
    rewrite(path, lambda _, members: members.update({"assets/../../x.py": b"import os"}))
    with pytest.raises(ZooError, match=r"assets/"):
        check_keras(path, "it")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and no more", b"\x80\x04pickled"])
def test_what_is_no_keras_file_is_refused(content, tmp_path):
    path = tmp_path / "model.keras"
    path.write_bytes(content)
    with pytest.raises(ZooError, match="none or is damaged"):
        check_keras(path, "it")


@pytest.mark.parametrize("backbone", ["mobilenet_v2_035", "convnext_tiny"])
def test_the_networks_of_our_backbones_are_let_through(backbone, tmp_path):
    from zoo_models import spot_predictor

    from posenb.core import ModelConfig
    from posenb.models import build_network, build_predictor, save_predictor

    config = ModelConfig(backbone=backbone, weights=None, width=8)
    predictor = build_predictor(build_network(config, 3), config, 1.0)
    _, description = spot_predictor("spots")
    save_predictor(tmp_path / "model.keras", predictor, description)
    assert check_keras(tmp_path / "model.keras", "it") == description


# --- verify ---------------------------------------------------------------------------


def test_verify_goes_down_to_the_last_byte_and_names_all_faults(zoo):
    add_index(zoo)
    assert "spots" in [card.name for card in verify()]
    shutil.copytree(zoo / "spots", zoo / "others")
    card = show("spots").replace(name="others")
    write_card(zoo, card)  # but its files say "spots"
    path = zoo / "spots" / NETWORK
    path.write_bytes(altered(path.read_bytes(), 500))
    with pytest.raises(ZooError, match=r"others: .*is 'spots'.*spots: .*another SHA-256"):
        verify()


def test_verify_may_be_told_which_model(zoo):
    assert [card.name for card in verify(str(zoo / "spots"))] == ["spots"]
