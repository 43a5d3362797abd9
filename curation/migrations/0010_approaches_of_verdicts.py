"""Give each verdict the line that what-if answers from (curation.stages.approaches), filled in from its generations."""

from django.db import migrations, models

REASONS = (
    "param_mismatch", "too_many_calls", "wrong_count", "wrong_tool", "unparsable", "not_a_call", "truncated", "too_long",
)  # fmt: skip
PLACES = " ".join(f"WHEN '{reason}' THEN {1000 + place}" for place, reason in enumerate(REASONS))
FILL = f"""
WITH attempts AS (
    SELECT g.iteration_id, g.version_id, g.turn, g.attempt, g.reason,
        CASE WHEN g.max_param_diff IS NULL THEN CASE g.reason {PLACES} END
             ELSE least(g.max_param_diff, greatest(10, coalesce((run.settings ->> 'tolerance')::int, 1) + 1)) END AS nearness
    FROM curation_generation g
    JOIN curation_iteration i ON i.id = g.iteration_id
    JOIN curation_run run ON run.id = i.run_id
    WHERE g.attempt >= 0
), steps AS (
    SELECT *, nearness < coalesce(min(nearness) OVER before, 32767) AS nearer
    FROM attempts
    WINDOW before AS (PARTITION BY iteration_id, version_id, turn ORDER BY attempt ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), counted AS (
    SELECT *, count(*) FILTER (WHERE nearer) OVER (PARTITION BY iteration_id, version_id, turn ORDER BY attempt DESC) AS place,
        attempt = row_number() OVER (PARTITION BY iteration_id, version_id, turn ORDER BY attempt) - 1 AS in_place
    FROM steps
), lines AS (
    SELECT iteration_id, version_id, turn, string_agg(
        attempt || ':' || CASE WHEN nearness < 1000 THEN nearness::text ELSE reason END, ',' ORDER BY attempt
    ) FILTER (WHERE nearer AND place <= 60) || '/' || count(*) FILTER (WHERE in_place) AS line
    FROM counted GROUP BY iteration_id, version_id, turn
)
UPDATE curation_verdict r SET approach = lines.line FROM lines
WHERE lines.iteration_id = r.iteration_id AND lines.version_id = r.version_id AND lines.turn = r.turn
"""
INCLUDED = [
    "version", "sample", "outcome", "approximate_hits", "other_count", "category", "language", "calls", "tools", "decision", "change",
]  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("curation", "0009_censored_verdicts")]
    operations = [
        migrations.RemoveIndex(model_name="verdict", name="verdict_of_turn"),
        migrations.AddField(model_name="verdict", name="approach", field=models.TextField(default="")),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AddIndex(
            model_name="verdict",
            index=models.Index(fields=["iteration", "turn", "id"], include=[*INCLUDED, "approach"], name="verdict_of_turn"),
        ),
    ]
