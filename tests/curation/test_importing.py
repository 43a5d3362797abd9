"""Importing: what a revision holds after a file, and what a bad file leaves behind."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from curation.models import (
    Dataset,
    DatasetRevision,
    Event,
    Membership,
    Project,
    RevisionEntry,
    Sample,
    SampleVersion,
    SampleWords,
    User,
)
from curation.models.searching import dataset_word
from curation.stages.errors import InputError, NotPermitted
from curation.stages.importing import import_dataset
from curation.stages.incoming import BATCH_ROWS
from curation.stages.searching import index_version
from toolcalls import records
from toolcalls.answers import Call
from toolcalls.exporting import sample_line
from toolcalls.importing import sample_hash
from toolcalls.wire import sample_from_json

pytestmark = [pytest.mark.db, pytest.mark.django_db]


def lines(*samples: records.Sample | str) -> io.BytesIO:
    return io.BytesIO("\n".join(each if isinstance(each, str) else sample_line(each) for each in samples).encode())


def contents(revision: DatasetRevision) -> list[records.Sample]:
    entries = RevisionEntry.objects.filter(revision=revision).order_by("position").select_related("version")
    return [sample_from_json(entry.version.content) for entry in entries]


def toolace(*turns: tuple[str, str], tool: str = "look_up") -> dict[str, Any]:
    described = [{"name": tool, "description": "", "parameters": {"type": "dict", "properties": {"x": {"type": "string"}}}}]
    system = f"Here is a list of functions in JSON format that you can invoke:\n{json.dumps(described)}"
    return {"system": system, "conversations": [{"from": role, "value": value} for role, value in turns]}


def test_samples_come_back_as_they_were_in_the_order_of_the_file(project: Project, make_samples: Callable[..., Any]) -> None:
    samples = make_samples(train=3, heldout=2)
    report = import_dataset(project, "weather", lines(*samples))
    assert contents(report.revision) == samples
    assert (report.rows, report.new, report.duplicates, report.skipped, report.created) == (5, 5, 0, 0, True)
    assert report.by_split == {"train": 3, "heldout": 2}
    assert (report.calls, report.no_calls) == (5, 0)


def test_keys_of_tools_and_arguments_keep_their_order(project: Project, make_sample: Callable[..., Any]) -> None:
    sample = make_sample(truth=(Call("get_weather", {"days": 1, "city": "Rome", "a": {"z": 1, "b": 2}}),))
    report = import_dataset(project, "weather", lines(sample))
    assert json.dumps(contents(report.revision)[0].truth[0].arguments) == '{"days": 1, "city": "Rome", "a": {"z": 1, "b": 2}}'


def test_revision_hash_is_of_its_versions_in_order(project: Project, make_samples: Callable[..., Any]) -> None:
    samples = make_samples(train=3, heldout=0)
    revision = import_dataset(project, "weather", lines(*samples)).revision
    assert revision.sha256 == hashlib.sha256("".join(map(sample_hash, samples)).encode()).hexdigest()


def test_columns_say_what_lists_filter_on(project: Project, make_sample: Callable[..., Any]) -> None:
    samples = [make_sample(0, category="weather", language="en"), make_sample(1, truth=None)]
    report = import_dataset(project, "weather", lines(*samples))
    versions = SampleVersion.objects.order_by("id")
    assert list(versions.values_list("category", "language", "calls")) == [("weather", "en", 1), ("no_call", "", None)]
    assert (report.calls, report.no_calls) == (1, 1)


def test_truths_that_break_their_tools_are_imported_and_named(project: Project, make_sample: Callable[..., Any]) -> None:
    breaking = make_sample(1, truth=(Call("get_weather", {"town": "Rome"}),))
    report = import_dataset(project, "weather", lines(make_sample(0), breaking, make_sample(2)))
    assert (report.rows, report.skipped, report.breaking) == (3, 0, 1)
    assert list(map(str, report.breaches)) == ["line 2: sample 'sample-1': 'get_weather' has no parameter 'town'"]


def test_same_file_again_makes_no_revision(project: Project, make_samples: Callable[..., Any]) -> None:
    first = import_dataset(project, "weather", lines(*make_samples()))
    again = import_dataset(project, "weather", lines(*make_samples()))
    assert (again.created, again.new, again.revision) == (False, 0, first.revision)
    assert DatasetRevision.objects.count() == 1


def test_changed_truth_is_a_new_version_of_the_same_sample(project: Project, make_sample: Callable[..., Any]) -> None:
    old, other = make_sample(0), make_sample(1)
    new = replace(old, truth=(Call("get_weather", {"city": "Rome", "days": 9}),), truth_text=None)
    first = import_dataset(project, "weather", lines(old, other)).revision
    report = import_dataset(project, "weather", lines(new, other))
    assert (report.new, report.revision.number) == (1, 2)
    assert contents(report.revision) == [new, other]
    assert contents(first) == [old, other]
    assert list(SampleVersion.objects.filter(sample__key="sample-0").order_by("id").values_list("number", flat=True)) == [1, 2]
    assert Sample.objects.count() == 2


def test_truth_changed_back_is_the_old_version(project: Project, make_sample: Callable[..., Any]) -> None:
    old = make_sample(0)
    new = replace(old, truth=(Call("get_weather", {"city": "Rome", "days": 9}),), truth_text=None)
    for sample in (old, new):
        import_dataset(project, "weather", lines(sample))
    report = import_dataset(project, "weather", lines(old))
    assert (report.new, report.created, report.revision.number) == (0, True, 3)
    assert SampleVersion.objects.count() == 2


def test_append_goes_on_from_the_last_revision(project: Project, make_sample: Callable[..., Any]) -> None:
    first, second, third = (make_sample(number) for number in range(3))
    changed = replace(first, truth=(Call("get_weather", {"city": "Rome", "days": 9}),), truth_text=None)
    import_dataset(project, "weather", lines(first, second))
    report = import_dataset(project, "weather", lines(third, changed), append=True)
    assert contents(report.revision) == [changed, second, third]


def test_without_append_the_revision_holds_the_file_alone(project: Project, make_sample: Callable[..., Any]) -> None:
    import_dataset(project, "weather", lines(make_sample(0), make_sample(1)))
    report = import_dataset(project, "weather", lines(make_sample(1), make_sample(2)))
    assert contents(report.revision) == [make_sample(1), make_sample(2)]


def test_pool_and_held_out_files_make_one_revision(project: Project, make_sample: Callable[..., Any]) -> None:
    import_dataset(project, "weather", lines(make_sample(0), make_sample(1)), split="train")
    report = import_dataset(project, "weather", lines(make_sample(2)), split="heldout", append=True)
    assert report.by_split == {"train": 2, "heldout": 1}
    assert [sample.split for sample in contents(report.revision)] == ["train", "train", "heldout"]


def test_duplicates_are_counted_and_left_out(project: Project, make_sample: Callable[..., Any]) -> None:
    sample = make_sample(0)
    copy = replace(sample, id="copy", category="elsewhere")
    report = import_dataset(project, "weather", lines(sample, copy, make_sample(1)))
    assert (report.rows, report.duplicates, report.new) == (3, 1, 2)
    appended = import_dataset(project, "weather", lines(copy, make_sample(2)), append=True)
    assert (appended.duplicates, appended.new) == (1, 1)
    assert [one.id for one in contents(appended.revision)] == ["sample-0", "sample-1", "sample-2"]


@pytest.mark.parametrize("append", [True, False])
def test_sample_never_changes_its_split_by_a_file(project: Project, make_sample: Callable[..., Any], append: bool) -> None:
    import_dataset(project, "weather", lines(make_sample(0)), split="train")
    with pytest.raises(InputError, match=r"in its train split already \('sample-0'\)"):
        import_dataset(project, "weather", lines(make_sample(0)), split="heldout", append=append)


def test_copy_under_another_id_does_not_cross_the_split(project: Project, make_sample: Callable[..., Any]) -> None:
    import_dataset(project, "weather", lines(make_sample(0)), split="train")
    with pytest.raises(InputError, match="train split already"):
        import_dataset(project, "weather", lines(replace(make_sample(0), id="copy")), split="heldout", append=True)


def test_copies_in_both_splits_of_one_file_are_an_error(project: Project, make_sample: Callable[..., Any]) -> None:
    with pytest.raises(InputError, match="line 2: sample 'copy': its copy is in the split train, it in heldout"):
        import_dataset(project, "weather", lines(make_sample(0), replace(make_sample(0), id="copy", split="heldout")))


def test_split_by_hash_holds_out_the_share_and_keeps_copies_together(project: Project, make_sample: Callable[..., Any]) -> None:
    samples = [make_sample(number) for number in range(300)]
    report = import_dataset(project, "weather", lines(*samples), heldout_share=0.2)
    assert 35 <= report.by_split["heldout"] <= 85
    shouted = [
        replace(one, id=f"{one.id}-b", messages=(replace(one.messages[0], content=one.messages[0].content.upper()),))
        for one in samples
    ]
    import_dataset(project, "weather", lines(*shouted), heldout_share=0.2, append=True)
    splits = dict(Sample.objects.values_list("key", "split"))
    assert all(splits[f"sample-{number}"] == splits[f"sample-{number}-b"] for number in range(300))


def test_sample_keeps_its_split_when_the_share_grows(project: Project, make_sample: Callable[..., Any]) -> None:
    samples = [make_sample(number) for number in range(50)]
    before = import_dataset(project, "weather", lines(*samples), heldout_share=0.1).by_split
    report = import_dataset(project, "weather", lines(*samples), heldout_share=0.5)
    assert report.by_split == before
    assert report.created is False


def test_turns_of_a_toolace_conversation_are_samples(project: Project) -> None:
    row = toolace(("user", "Look up a"), ("assistant", '[look_up(x="a")]'), ("tool", "[1]"), ("assistant", "It is 1."))
    report = import_dataset(project, "talk", io.BytesIO(json.dumps([row]).encode()))
    first, second = contents(report.revision)
    assert (first.truth, second.truth) == ((Call("look_up", {"x": "a"}),), None)
    assert [message.role for message in second.messages] == ["user", "assistant", "tool"]


def test_sample_without_an_id_is_the_same_wherever_it_stands(project: Project) -> None:
    rows = [toolace(("user", f"Look up {word}"), ("assistant", f'[look_up(x="{word}")]')) for word in "abc"]
    first = import_dataset(project, "talk", lines(*map(json.dumps, rows))).revision
    corrected = toolace(("user", "Look up b"), ("assistant", '[look_up(x="B")]'))
    report = import_dataset(project, "talk", lines(*map(json.dumps, [rows[2], rows[0], corrected])))
    assert (report.new, report.revision.number) == (1, first.number + 1)
    assert Sample.objects.count() == 3


def test_same_question_with_two_truths_is_two_samples(project: Project) -> None:
    rows = [toolace(("user", "Look up a or b"), ("assistant", f'[look_up(x="{word}")]')) for word in "ab"]
    report = import_dataset(project, "talk", lines(*map(json.dumps, rows)))
    one, other = (sample.id for sample in contents(report.revision))
    assert other == f"{one}.2"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"id": ', "line 2: not valid JSON"),
        ('{"id": "x", "tools": [], "messages": [], "truth": []}', "line 2: no user or tool turn"),
        (
            '{"id": "x", "tools": [], "messages": [{"role": "user", "content": "q"}], "truth": [{"name": "f"}]}',
            "line 2: the truth calls the unknown tool 'f'",
        ),
        ('{"question": "q"}', "line 2: no known format"),
    ],
)
def test_bad_line_refuses_the_whole_file(project: Project, make_sample: Callable[..., Any], line: str, problem: str) -> None:
    with pytest.raises(InputError, match="1 of 3 rows cannot be used, so nothing was imported") as refused:
        import_dataset(project, "weather", lines(make_sample(0), line, make_sample(1)))
    assert problem in str(refused.value)
    assert not Dataset.objects.exists()
    assert not Sample.objects.exists()
    assert not Event.objects.filter(verb__startswith="dataset").exists()


def test_bad_rows_are_left_out_when_that_is_asked_for(project: Project, make_sample: Callable[..., Any]) -> None:
    report = import_dataset(project, "weather", lines(make_sample(0), "{", make_sample(1), "[]"), skip_errors=True)
    assert contents(report.revision) == [make_sample(0), make_sample(1)]
    assert (report.skipped, [error.line for error in report.errors]) == (2, [2, 4])


def test_message_lists_the_first_twenty_errors(project: Project) -> None:
    with pytest.raises(InputError, match=r"25 of 25 rows(?s:.*)line 20:(?s:.*)and 5 more") as refused:
        import_dataset(project, "weather", lines(*["{"] * 25))
    assert "line 21:" not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"\n\n", b"[]"])
def test_file_without_samples_is_refused(project: Project, content: bytes) -> None:
    with pytest.raises(InputError, match="no usable sample"):
        import_dataset(project, "weather", io.BytesIO(content))
    assert not Dataset.objects.exists()


def test_too_long_id_is_an_error_of_its_row(project: Project, make_sample: Callable[..., Any]) -> None:
    with pytest.raises(InputError, match="its id has more than 255 characters"):
        import_dataset(project, "weather", lines(replace(make_sample(0), id="x" * 256)))


def test_missing_file_is_the_users_error(project: Project, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        import_dataset(project, "weather", tmp_path / "nowhere.jsonl")
    assert not Dataset.objects.exists()


@pytest.mark.parametrize(
    ("options", "problem"),
    [({"format": "csv"}, "format 'csv'"), ({"split": "test"}, "split 'test'"), ({"heldout_share": 1.5}, "share 1.5")],
)
def test_unknown_options_are_refused(project: Project, options: dict[str, Any], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        import_dataset(project, "weather", lines("{}"), **options)


def test_name_that_only_looks_like_another_is_refused(project: Project, make_sample: Callable[..., Any]) -> None:
    import_dataset(project, "Pool 1+1", lines(make_sample(0)))
    assert not import_dataset(project, "pool-11", lines(make_sample(0))).created
    with pytest.raises(InputError, match="same address as 'Pool 1\\+1'"):
        import_dataset(project, "pool (11)", lines(make_sample(0)))


def test_import_is_logged_with_who_and_how_many(project: Project, engineer: User, make_samples: Callable[..., Any]) -> None:
    import_dataset(project, "weather", lines(*make_samples()), by=engineer)
    event = Event.objects.get(verb="dataset.import")
    assert (event.actor, event.team) == (engineer, project.team)
    assert event.after["rows"] == event.after["new"] == 12


def test_only_engineers_import(
    project: Project, owner: User, reviewer: User, viewer: User, outsider: User, make_samples: Callable[..., Any]
) -> None:
    for user in (reviewer, viewer, outsider):
        with pytest.raises(NotPermitted):
            import_dataset(project, "weather", lines(*make_samples()), by=user)
    assert import_dataset(project, "weather", lines(*make_samples()), by=owner).created
    assert Membership.objects.filter(user=outsider).count() == 0


def test_progress_counts_rows(project: Project, make_sample: Callable[..., Any]) -> None:
    seen: list[int] = []
    import_dataset(project, "weather", lines(*(make_sample(number) for number in range(1100))), on_progress=seen.append)
    assert seen == [500, 1000]


def test_toolace_example_gives_one_call_and_three_answers_in_words(project: Project, data_dir: Path) -> None:
    report = import_dataset(project, "toolace", data_dir / "formats" / "toolace_hf.json")
    assert (report.rows, report.calls, report.no_calls) == (4, 1, 3)


def test_public_sharegpt_data_are_imported(project: Project, data_dir: Path) -> None:
    source = data_dir / "train" / "llamafactory" / "glaive_toolcall_en_demo.json"
    report = import_dataset(project, "glaive", source, heldout_share=0.1, skip_errors=True)
    assert report.calls > 150
    assert report.by_split["heldout"] > 20


def test_rows_of_many_batches_keep_their_order_and_duplicates_are_found_across_them(
    project: Project, make_sample: Callable[..., Any]
) -> None:
    samples = [make_sample(number) for number in range(2 * BATCH_ROWS + 300)]
    report = import_dataset(project, "weather", lines(*samples, replace(samples[0], id="copy")))
    assert contents(report.revision) == samples
    assert (report.rows, report.new, report.duplicates) == (len(samples) + 1, len(samples), 1)


def test_error_in_the_last_batch_leaves_nothing_of_the_first(project: Project, make_sample: Callable[..., Any]) -> None:
    rows = [make_sample(number) for number in range(BATCH_ROWS + 10)]
    with pytest.raises(InputError, match=rf"1 of {len(rows) + 1} rows cannot be used.*\n  line {len(rows) + 1}: not valid JSON"):
        import_dataset(project, "weather", lines(*rows, "{"))
    assert not Dataset.objects.exists()
    assert not Sample.objects.exists()


def test_crossing_rows_of_a_later_batch_are_refused(project: Project, make_sample: Callable[..., Any]) -> None:
    last = make_sample(BATCH_ROWS + 5)
    import_dataset(project, "weather", lines(last), split="train")
    rows = [make_sample(number) for number in range(BATCH_ROWS + 10)]
    with pytest.raises(InputError, match=rf"in its train split already \('{last.id}'\)"):
        import_dataset(project, "weather", lines(*rows), split="heldout")
    assert Sample.objects.count() == 1


def test_every_character_survives(project: Project, make_sample: Callable[..., Any]) -> None:
    odd = "tab\t, line\n, return\r, \\N, \\., \x01, é, 天气, \U0001f600, '\"{}"
    sample = make_sample(id=odd, category="a\tb\\", truth=(Call("get_weather", {"city": odd, "days": 1}),), other=odd, system=odd)
    plain = make_sample(1, system="")
    report = import_dataset(project, "weather", lines(sample, plain))
    assert contents(report.revision) == [sample, plain]
    assert SampleVersion.objects.filter(category="a\tb\\", sample__key=odd).count() == 1
    assert found("天气", "return") == [odd]


def test_id_that_a_row_without_one_has_got_is_an_error(project: Project, make_sample: Callable[..., Any]) -> None:
    unnamed = json.dumps(toolace(("user", "Look up a"), ("assistant", '[look_up(x="a")]')))
    import_dataset(project, "first", lines(unnamed))
    key = Sample.objects.get().key
    with pytest.raises(InputError, match=f"line 2: sample '{key}': its id '{key}' is that of another row; make the ids unique"):
        import_dataset(project, "second", lines(unnamed, make_sample(id=key)))


def found(*words: str) -> list[str]:
    query = " & ".join(f"'{word}'" for word in words)
    return [
        words.version.sample.key
        for words in SampleWords.objects.extra(where=["words @@ %s::tsquery"], params=[query]).order_by("version_id")
    ]


def test_samples_are_found_by_their_words_and_their_data_set(project: Project, make_sample: Callable[..., Any]) -> None:
    weather = import_dataset(project, "weather", lines(make_sample(0), make_sample(1))).revision.dataset
    other = import_dataset(project, "other", lines(make_sample(1))).revision.dataset
    assert found("rome") == ["sample-0"]
    assert found("oslo") == ["sample-1", "sample-1"]
    assert found("oslo", dataset_word(weather.pk)) == found("oslo", dataset_word(other.pk)) == ["sample-1"]


def test_each_version_has_its_words_once(project: Project, make_sample: Callable[..., Any]) -> None:
    old = make_sample(0)
    new = replace(old, truth=(Call("get_weather", {"city": "Null", "days": 9}),), truth_text=None)
    for sample in (old, new, old):
        import_dataset(project, "weather", lines(sample))
    assert SampleWords.objects.count() == SampleVersion.objects.count() == 2
    assert found("null") == ["sample-0"]


def test_sample_without_an_id_is_found_by_the_one_it_gets(project: Project) -> None:
    import_dataset(project, "talk", lines(json.dumps(toolace(("user", "Look up a"), ("assistant", '[look_up(x="a")]')))))
    sample = Sample.objects.get()
    assert found(sample.key) == [sample.key]
    assert found("1") == []


def test_version_made_by_hand_gets_the_same_words(project: Project, make_sample: Callable[..., Any]) -> None:
    import_dataset(project, "weather", lines(make_sample(0)))
    words = SampleWords.objects.get()
    SampleWords.objects.all().delete()
    index_version(words.version)
    assert SampleWords.objects.get().words == words.words
