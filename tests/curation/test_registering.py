"""Registering: what is a base, and what is none."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from curation.models import Base, Engine, Event, User
from curation.stages import artifacts, registering
from curation.stages.errors import InputError, NotPermitted

pytestmark = [pytest.mark.db, pytest.mark.django_db]


def test_base_is_kept_by_a_relative_path_and_its_weights_hash(make_model_folder: Callable[..., Path]) -> None:
    folder = make_model_folder("family/tiny")
    base = registering.register_base("tiny", folder)
    assert base.path == "family/tiny"
    assert base.sha256 == registering.weights_sha256(folder)
    assert artifacts.base_dir(base) == folder
    assert Event.objects.get(verb="base.register").subject_id == base.pk


def test_path_may_be_relative_to_a_root(make_model_folder: Callable[..., Path]) -> None:
    make_model_folder("tiny")
    assert registering.register_base("tiny", "tiny").path == "tiny"


def test_same_base_again_changes_nothing(make_model_folder: Callable[..., Path]) -> None:
    folder = make_model_folder()
    assert registering.register_base("tiny", folder) == registering.register_base("tiny", folder)
    assert Event.objects.filter(verb="base.register").count() == 1


def test_name_of_another_base_is_refused(make_model_folder: Callable[..., Path]) -> None:
    registering.register_base("tiny", make_model_folder("tiny"))
    with pytest.raises(InputError, match="'tiny' is registered at tiny"):
        registering.register_base("tiny", make_model_folder("other"))


def test_changed_weights_are_another_base(make_model_folder: Callable[..., Path]) -> None:
    folder = make_model_folder()
    registering.register_base("tiny", folder)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(InputError, match="holds other weights by now"):
        registering.register_base("tiny", folder)


def test_folder_outside_of_the_roots_is_refused(make_model_folder: Callable[..., Path], tmp_path: Path) -> None:
    outside = make_model_folder("tiny", tmp_path / "elsewhere")
    with pytest.raises(InputError, match="lies outside of"):
        registering.register_base("tiny", outside)
    assert not Base.objects.exists()


def test_sibling_whose_name_begins_like_a_root_is_outside(make_model_folder: Callable[..., Path], model_root: Path) -> None:
    sibling = make_model_folder("tiny", model_root.with_name(model_root.name + "-old"))
    with pytest.raises(InputError, match="lies outside of"):
        registering.register_base("tiny", sibling)


@pytest.mark.parametrize("path", ["../elsewhere/tiny", "link"])
def test_way_out_of_the_roots_is_refused(
    make_model_folder: Callable[..., Path], model_root: Path, tmp_path: Path, path: str
) -> None:
    (model_root / "link").symlink_to(make_model_folder("tiny", tmp_path / "elsewhere"))
    with pytest.raises(InputError, match="lies outside of"):
        registering.register_base("tiny", path)


def test_weights_that_are_a_link_out_of_the_roots_are_refused(make_model_folder: Callable[..., Path], tmp_path: Path) -> None:
    folder, other = make_model_folder(), make_model_folder("tiny", tmp_path / "elsewhere")
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").symlink_to(other / "model.safetensors")
    with pytest.raises(InputError, match=r"weights model.safetensors.*lies outside of"):
        registering.register_base("tiny", folder)


def test_folder_that_is_not_there_is_refused(model_root: Path) -> None:
    with pytest.raises(InputError, match="does not exist, nor under MODEL_ROOTS"):
        registering.register_base("tiny", "nowhere")


def drop(name: str) -> Callable[[Path], Any]:
    return lambda folder: (folder / name).unlink()


def write(name: str, content: bytes) -> Callable[[Path], Any]:
    return lambda folder: (folder / name).write_bytes(content)


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def cut_short(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])


def lacking_a_part(folder: Path) -> None:
    index = {"weight_map": {"a": "model.safetensors", "b": "model-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


@pytest.mark.parametrize(
    ("break_it", "problem"),
    [
        (drop("config.json"), "has no config.json"),
        (write("config.json", b"{"), "cannot be read as JSON"),
        (write("config.json", b"{}"), "names no model_type"),
        (drop("model.safetensors"), r"has no \*.safetensors"),
        (pickled, "weights as pickles only"),
        (cut_short, "its header promises"),
        (write("model.safetensors", b"version https://git-lfs.github.com/spec/v1\n"), "is no safetensors file"),
        (write("model.safetensors", b""), "is no safetensors file"),
        (lacking_a_part, "lacks model-00002.safetensors"),
        (drop("tokenizer.json"), "has no tokenizer"),
        (write("tokenizer_config.json", b"{}"), "has no chat template"),
    ],
)
def test_folder_that_is_no_whole_model_is_refused(
    make_model_folder: Callable[..., Path], break_it: Callable[[Path], Any], problem: str
) -> None:
    folder = make_model_folder()
    break_it(folder)
    with pytest.raises(InputError, match=problem):
        registering.register_base("tiny", folder)
    assert not Base.objects.exists()


def test_base_whose_folder_is_gone_says_so(base: Base, model_root: Path) -> None:
    (model_root / "tiny" / "config.json").unlink()
    with pytest.raises(InputError, match="no model at tiny under MODEL_ROOTS"):
        artifacts.base_dir(base)


@pytest.mark.parametrize("uri", ["../outside", "/etc", "runs/../../outside"])
def test_artifact_never_leads_out_of_its_root(model_root: Path, uri: str) -> None:
    with pytest.raises(InputError, match="lies outside of"):
        artifacts.path_of(uri)


def test_artifact_path_and_uri_are_inverse(model_root: Path) -> None:
    path = artifacts.path_of("runs/1/iteration-2/attempt-3")
    assert artifacts.uri_of(path) == "runs/1/iteration-2/attempt-3"


def test_engine_keeps_its_options(db: None) -> None:
    engine = registering.register_engine("fast", "vllm", {"rows": 64})
    assert registering.register_engine("fast", "vllm", {"rows": 64}) == engine
    assert Engine.objects.get().options == {"rows": 64}
    with pytest.raises(InputError, match="'fast' is registered as vllm"):
        registering.register_engine("fast", "vllm", {})
    with pytest.raises(InputError, match="'magic' is unknown"):
        registering.register_engine("other", "magic")
    with pytest.raises(InputError, match="has no option speed; its options are kv_cache_bytes, rows"):
        registering.register_engine("other", "vllm", {"speed": 2})
    with pytest.raises(InputError, match="must be plain JSON"):
        registering.register_engine("other", "vllm", {"rows": object()})


SERVED = {"url": "http://gpu-box:8000/v1", "model": "org/m"}


def test_a_served_model_is_registered_by_address_and_name(db: None) -> None:
    engine = registering.register_engine("cluster", "openai", {**SERVED, "key_env": "TEAM_API_KEY"})
    assert (engine.only_selects, engine.options["key_env"]) == (True, "TEAM_API_KEY")
    assert not registering.register_engine("fast", "vllm").only_selects


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"url": None}, "option url must be"),
        ({"url": "gpu-box:8000"}, "option url must be"),
        ({"url": "https://me:sk-secret@host/v1"}, "a key belongs into the worker's environment"),
        ({"url": "https://host/v1?key=sk-secret"}, "a key belongs into the worker's environment"),
        ({"model": " "}, "option model must name the model"),
        ({"key_env": "sk-secret"}, "must name an environment variable that ends with API_KEY"),
        ({"key_env": "DATABASE_URL"}, "must name an environment variable that ends with API_KEY"),
        ({"api_key": "sk-secret"}, "has no option api_key"),
    ],
)
def test_a_key_is_never_registered_nor_repeated(db: None, changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem) as caught:
        registering.register_engine("cluster", "openai", {**SERVED, **changes})
    assert "sk-secret" not in str(caught.value)
    registering.register_engine("cluster", "openai", SERVED)
    with pytest.raises(InputError, match=problem):
        registering.change_engine("cluster", {**SERVED, **changes})
    assert Engine.objects.get().options == SERVED


def test_only_an_operator_registers(owner: User, make_model_folder: Callable[..., Path]) -> None:
    with pytest.raises(NotPermitted):
        registering.register_base("tiny", make_model_folder(), by=owner)
    with pytest.raises(NotPermitted):
        registering.register_engine("fast", "vllm", by=owner)


@pytest.mark.parametrize("name", ["", "a b", "ü", "x" * 81])
def test_name_that_cannot_stand_in_an_address_is_refused(make_model_folder: Callable[..., Path], name: str) -> None:
    with pytest.raises(InputError, match="base name"):
        registering.register_base(name, make_model_folder())
