"""A checkpoint's files on a host that did not train it: fetched or merged, and refused when they are not the published ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from django.test import Client
from django.urls import reverse

from curation.models import Checkpoint, Run, User
from curation.stages import artifacts, local_models, model_files, running
from curation.stages.errors import InputError
from curation.stages.model_folder import weights_sha256
from curation.storage.errors import DamagedFile, StoreError

pytestmark = [pytest.mark.db, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def trained(make_run: Callable[..., Run], hand: Any) -> Callable[[], Run]:
    """`trained()`: a run of two trained iterations, in the store that the settings name by then."""

    def work() -> Run:
        run = make_run(max_iterations=2)
        running.start_run(run)
        hand.work_off()
        return run

    return work


@pytest.fixture
def elsewhere(settings: Any, tmp_path: Path) -> Callable[[], None]:
    """`elsewhere()`: from now on this is another host, which shares the store alone."""

    def move() -> None:
        settings.VAR, settings.ARTIFACTS_CACHE = tmp_path / "elsewhere", tmp_path / "elsewhere" / "cache"

    return move


class Merging:
    """Merges as the scripted trainer did."""

    def __init__(self, words: str = "merged of iteration {}") -> None:
        self.words, self.merged = words, list[tuple[str, str]]()

    def __call__(self, model: Path, adapter: Path, out: Path) -> None:
        iteration = (adapter / "adapter_model.safetensors").read_text()[-1]
        self.merged.append((next(model.glob("*.safetensors")).name, iteration))
        out.mkdir()
        (out / "model.safetensors").write_text(self.words.format(iteration))


def never(*_: Path) -> None:
    pytest.fail("it was merged")


def merged_of(run: Run, number: int) -> Checkpoint:
    return Checkpoint.objects.get(run=run, iteration__number=number, kind="merged")


@pytest.mark.process
def test_a_host_merges_what_leads_to_the_model_and_once(
    trained: Callable[[], Run], elsewhere: Any, settings: Any, bucket: str
) -> None:
    settings.ARTIFACTS_ROOT, settings.ARTIFACTS_MERGED = bucket, False
    run, merging = trained(), Merging()
    last = merged_of(run, 2)
    with local_models.held(last, never) as folder:  # where it was trained
        assert weights_sha256(folder) == last.sha256
    elsewhere()
    for _ in range(2):
        with local_models.held(last, merging) as folder:
            assert weights_sha256(folder) == last.sha256
            assert folder == artifacts.checkpoint_dir(last)
    assert [iteration for _, iteration in merging.merged] == ["1", "2"]


def test_a_merge_that_comes_out_otherwise_is_thrown_away(trained: Callable[[], Run], elsewhere: Any, settings: Any) -> None:
    settings.ARTIFACTS_MERGED = False
    first = merged_of(trained(), 1)
    elsewhere()
    with pytest.raises(DamagedFile, match="does not merge as the one that trained"), local_models.held(first, Merging("other")):
        pass
    assert not artifacts.checkpoint_dir(first).exists()
    with local_models.held(first, Merging()) as folder:
        assert weights_sha256(folder) == first.sha256


def test_a_merged_model_that_is_stored_is_fetched(trained: Callable[[], Run], elsewhere: Any) -> None:
    last = merged_of(trained(), 2)
    elsewhere()
    with local_models.held(last, never) as folder:
        assert weights_sha256(folder) == last.sha256


def test_files_that_are_gone_or_nowhere_are_told_of(trained: Callable[[], Run], elsewhere: Any) -> None:
    first = merged_of(trained(), 1)
    elsewhere()
    for file in artifacts.files_of(first.uri):
        artifacts.store().delete(file.sha256)
    with pytest.raises(StoreError, match="has no file"), local_models.held(first, never):
        pass
    Checkpoint.objects.update(uri="")
    with pytest.raises(InputError, match="neither files nor an adapter"), local_models.held(merged_of(first.run, 1), never):
        pass


@pytest.mark.process
def test_a_page_streams_from_the_bucket_and_says_where_a_merged_model_is(
    trained: Callable[[], Run], elsewhere: Any, settings: Any, bucket: str, line: Any, client: Client, viewer: User
) -> None:
    settings.ARTIFACTS_ROOT, settings.ARTIFACTS_MERGED = bucket, False
    run = trained()
    elsewhere()
    client.force_login(viewer)
    address = reverse("model", args=[run.pk, 1])
    page = client.get(address).content.decode()
    assert "Download Adapter" in page
    assert "Download Merged" not in page
    assert "the store keeps adapters alone" in page.lower()
    answer = client.post(address, {"kind": "adapter"})
    content = b"".join(answer.streaming_content)
    assert b"adapter of iteration 1" in content
    assert len(content) == int(answer["Content-Length"])
    line.cut_after(0)
    assert b"README.md" in next(model_files.tar_blocks(model_files.trained(run.iterations.get(number=1), "adapter")))
    artifacts._files.cache_clear()
    assert client.get(address).status_code == 503
