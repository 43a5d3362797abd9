"""Events as sentences: "Ada dropped 12 samples of iteration 2." One phrase for every verb that the stages record."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from curation.models import Event
from curation.models.shards import StageKind
from curation.pages.event_names import Names

Phrase = Callable[[Event, Names], str]
BY_ITSELF = ("run.wait", "run.end", "run.fail", "iteration.", "stage.", "shard.")  # verbs whose actor is the loop
DECIDED = {"keep": "kept", "drop": "dropped", "discuss": "wants to discuss", "fix": "corrected the truth of"}


def actor(event: Event) -> str:
    if event.actor is not None:
        return str(event.actor)
    return "The loop" if event.verb.startswith(BY_ITSELF) else "The operator"


def phrase(event: Event, names: Names) -> str:
    """What was done, without who did it and without a full stop. A verb that nobody has put into words is shown as it is."""
    words = PHRASES.get(event.verb)
    return words(event, names) if words is not None else f"{event.verb}: {event.subject_kind} {event.subject_id}"


def counted(number: object, thing: str) -> str:
    many = number if isinstance(number, int) else 0
    return f"{many:,} {thing}{'' if many == 1 else 's'}"


def _iteration(event: Event, names: Names) -> str:
    """The iteration that the event tells of, is about, or whose stage it is about."""
    number = event.after.get("iteration")
    if number is None and (iteration := names.iterations.get(event.subject_id)) and event.subject_kind == "iteration":
        number = iteration.number
    if number is None and (stage := names.stages.get(event.subject_id)) and event.subject_kind == "stage":
        number = stage.iteration.number
    return "an iteration" if number is None else f"iteration {number}"


def _user(event: Event, names: Names) -> str:
    user = names.users.get(event.after.get("user", event.shown_before.get("user", 0)))
    return str(user) if user is not None else "somebody"


def _stage(event: Event, names: Names) -> str:
    kind = event.after.get("kind")
    return StageKind(kind).label.lower() if kind in StageKind.values else "a stage"


def _shard(event: Event, names: Names) -> str:
    shard = names.shards.get(event.subject_id)
    if shard is None:
        return f"shard {event.subject_id}"
    return f"shard {shard.number} of {shard.stage.get_kind_display().lower()} in iteration {shard.stage.iteration.number}"


def _plainly(words: str) -> Phrase:
    return lambda event, names: words


def _decide(event: Event, names: Names) -> str:
    sample = names.samples.get(event.after.get("sample", event.subject_id))
    what = "the pair of" if event.after.get("turn") else "sample"
    done = DECIDED.get(event.after.get("kind", ""), "decided on")
    return f"{done} {what} {sample.key if sample is not None else event.subject_id} in {_iteration(event, names)}"


def _decide_all(event: Event, names: Names) -> str:
    thing = "pair" if event.after.get("turn") else "sample"
    done = DECIDED.get(event.after.get("kind", ""), "decided on")
    return f"{done} {counted(event.after.get('count'), thing)} of {_iteration(event, names)}"


def _undo(event: Event, names: Names) -> str:
    taken, left = event.after.get("taken_back"), event.after.get("left", 0)
    sample = names.samples.get(event.after.get("sample", 0))
    what = f"the decision on {sample.key}" if sample is not None else counted(taken, "decision")
    stayed = f"; {counted(left, 'other')} had been decided anew and stayed" if left else ""
    return f"took back {what} in {_iteration(event, names)}{stayed}"


def _comment(words: str) -> Phrase:
    def said(event: Event, names: Names) -> str:
        sample = names.samples.get(event.after.get("sample", 0))
        return f"{words} sample {sample.key if sample is not None else event.after.get('sample', 'unknown')}"

    return said


def _import(event: Event, names: Names) -> str:
    dataset = names.datasets.get(event.subject_id)
    new, source = event.after.get("new"), event.after.get("source")
    made = f"revision {event.after.get('revision', 'unknown')} of {dataset.name if dataset is not None else 'a data set'}"
    return f"imported {source or 'a file'}: {made}, {counted(new, 'new sample')}"


def _upload(words: str) -> Phrase:
    def told(event: Event, names: Names) -> str:
        upload = names.uploads.get(event.subject_id)
        name = upload.file_name if upload is not None else event.after.get("file", "a file")
        return f"{words} {name}{f' for {upload.dataset}' if upload is not None else ''}"

    return told


def _exporting(words: str) -> Phrase:
    def told(event: Event, names: Names) -> str:
        kind = {"training_set": "the training set", "pool": "the pool", "pairs": "the refine pairs"}.get(
            event.after.get("kind", "")
        )
        filtered = ", filtered" if event.after.get("filters") else ""
        return f"{words} {kind or 'an export'} of {_iteration(event, names)}{filtered}"

    return told


def _exported(words: str) -> Phrase:
    def told(event: Event, names: Names) -> str:
        rows = event.after.get("rows")  # unknown of an export whose process died
        return f"{words} export {event.subject_id}{'' if rows is None else ': ' + counted(rows, 'row')}"

    return told


def _generations(event: Event, names: Names) -> str:
    files = ", ".join(map(str, event.after.get("files") or ()))
    taken = counted(event.after.get("taken"), "generation")
    done = f"imported {taken} from {files}" if files else "had what was imported judged"
    return f"{done}, for the {event.after.get('turn', 'direct')} turn of {_iteration(event, names)}"


def _named(words: str) -> Phrase:
    return lambda event, names: f"{words} {event.after.get('name') or event.shown_before.get('name') or ''}".strip()


PHRASES: Mapping[str, Phrase] = {
    "run.create": _plainly("created the run"),
    "run.start": _plainly("started the run"),
    "run.start_iteration": _plainly("started the next iteration"),
    "run.pause": _plainly("paused the run"),
    "run.resume": _plainly("resumed the run"),
    "run.stop": _plainly("stopped the run"),
    "run.retry": _plainly("retried the run"),
    "run.wait": _plainly("waits for a person to start the next iteration"),
    "run.end": lambda event, names: f"ended the run: {event.after.get('state', 'done')}",
    "run.fail": lambda event, names: f"failed the run in {event.after.get('stage', 'a stage')}",
    "iteration.open": lambda event, names: f"opened {_iteration(event, names)}",
    "iteration.close": lambda event, names: f"closed {_iteration(event, names)}",
    "iteration.export": lambda event, names: (
        f"exported the training set of {_iteration(event, names)}: {counted(event.after.get('rows'), 'row')}"
    ),
    "stage.open": lambda event, names: f"began {_stage(event, names)} of {_iteration(event, names)}",
    "stage.close": lambda event, names: f"finished {_stage(event, names)} of {_iteration(event, names)}",
    "shard.done": lambda event, names: f"had {_shard(event, names)} done",
    "shard.fail": lambda event, names: f"saw {_shard(event, names)} fail",
    "shard.release": lambda event, names: f"got {_shard(event, names)} back from its worker",
    "shard.return": lambda event, names: f"took {_shard(event, names)} back from a worker that died",
    "generations.receive": lambda event, names: f"sent {event.after.get('file', 'a file')} with generations",
    "generations.import": _generations,
    "generations.fail": lambda event, names: f"could not import generations from {event.after.get('file', 'a file')}",
    "review.decide": _decide,
    "review.decide_all": _decide_all,
    "review.fix": _decide,
    "review.undo": _undo,
    "review.approve": lambda event, names: f"approved {_iteration(event, names)}",
    "measuring.begin": lambda event, names: "had a sample of a pool measured, for the estimate of a run",
    "trial.ask": lambda event, names: f"asked {event.after.get('model') or 'a model'} a question, to try it",
    "trial.cancel": lambda event, names: "took back a question to a model",
    "rejudging.begin": lambda event, names: f"began to judge {_iteration(event, names)} again",
    "rejudging.complete": lambda event, names: (
        f"judged {_iteration(event, names)} again: {counted(event.after.get('changed'), 'verdict')} would change"
    ),
    "rejudging.fail": lambda event, names: f"could not judge {_iteration(event, names)} again",
    "rejudging.discard": lambda event, names: f"discarded a re-judging of {_iteration(event, names)}",
    "comment.add": _comment("commented on"),
    "comment.delete": _comment("deleted a comment on"),
    "dataset.create": _named("made the data set"),
    "dataset.import": _import,
    "upload.receive": _upload("uploaded"),
    "upload.begin": _upload("began to import"),
    "upload.fail": lambda event, names: f"could not import {_upload('')(event, names).strip()}",
    "upload.discard": _upload("discarded"),
    "project.create": _named("made the project"),
    "model.export": lambda event, names: f"exported the {event.after.get('kind', '')} model of {_iteration(event, names)}",
    "model.keep": lambda event, names: (
        f"{'chose to keep' if event.after.get('kept') else 'no longer keeps'} the model of {_iteration(event, names)}"
    ),
    "model.remove": lambda event, names: (
        f"gave up the files of old models: {counted(len(event.after.get('removed', ())), 'checkpoint')}"
    ),
    "export.begin": _exporting("began to export"),
    "export.complete": _exported("completed"),
    "export.abort": _exported("broke off"),
    "team.create": _named("made the team"),
    "team.rename": _named("renamed the team to"),
    "team.add_member": lambda event, names: f"added {_user(event, names)} to the team as {event.after.get('role', 'unknown')}",
    "team.change_role": lambda event, names: (
        f"made {_user(event, names)}, who was {event.shown_before.get('role', 'unknown')}, {event.after.get('role', 'unknown')}"
    ),
    "team.remove_member": lambda event, names: f"removed {_user(event, names)} from the team",
    "invitation.create": lambda event, names: (
        f"invited {event.after.get('note') or 'somebody'} as {event.after.get('role', 'unknown')}"
    ),
    "invitation.accept": lambda event, names: f"accepted an invitation as {event.after.get('role', 'unknown')}",
    "invitation.revoke": lambda event, names: f"revoked the invitation of {event.shown_before.get('note') or 'somebody'}",
    "token.create": _named("made the API token"),
    "token.revoke": _named("revoked the API token"),
    "user.create": lambda event, names: f"made an account for {names.users.get(event.subject_id, 'somebody')}",
    "user.link": lambda event, names: f"made a sign-in link for {names.users.get(event.subject_id, 'somebody')}",
    "user.rename": _named("is now called"),
    "user.set_password": lambda event, names: f"set the password of {names.users.get(event.subject_id, 'somebody')}",
    "user.sign_in": _plainly("signed in"),
    "user.change": lambda event, names: f"changed the account of {names.users.get(event.subject_id, 'somebody')}",
    "base.register": _named("registered the base"),
    "base.move": _named("moved the base"),
    "engine.register": _named("registered the engine"),
    "engine.change": _named("changed the engine"),
}
