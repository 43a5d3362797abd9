"""Fill the columns that 0002 added to verdicts, index the words of the samples that are there, let assemblies be tried again."""

from django.db import migrations

FILL = """
UPDATE curation_verdict r SET
    sample_id = v.sample_id,
    outcome = CASE WHEN r.excluded THEN 'excluded' WHEN r.exact_hits > 0 THEN 'exact'
                   WHEN r.approximate_hits > 0 THEN 'approximate' ELSE coalesce(nullif(r.reason, ''), 'not_a_call') END,
    tools = coalesce((SELECT array_agg(name ORDER BY place) FROM (
        SELECT call ->> 'name' AS name, min(place) AS place,
               sum(octet_length(call ->> 'name') + 8) OVER (ORDER BY min(place)) AS bytes
        FROM json_array_elements(CASE WHEN json_typeof(v.content -> 'truth') = 'array' THEN v.content -> 'truth' END)
             WITH ORDINALITY AS calls (call, place)
        GROUP BY 1) names WHERE bytes <= 1600), '{}'),
    decision = coalesce((SELECT d.kind FROM curation_decision d
        WHERE d.undone_at IS NULL AND d.sample_id = v.sample_id AND d.turn = r.turn
          AND (d.turn = 1 AND d.iteration_id = r.iteration_id OR d.turn = 0 AND d.run_id = i.run_id)), ''),
    change = CASE WHEN r.turn = 0 THEN ''
                  WHEN p.identical_exact THEN 'stop'
                  WHEN g.max_param_diff <= 1 THEN 'small' ELSE 'large' END
FROM curation_verdict o
JOIN curation_sampleversion v ON v.id = o.version_id
JOIN curation_iteration i ON i.id = o.iteration_id
LEFT JOIN curation_refinepair p ON p.iteration_id = o.iteration_id AND p.version_id = o.version_id
JOIN curation_run run ON run.id = i.run_id
LEFT JOIN curation_generation g ON g.iteration_id = o.iteration_id AND g.version_id = o.version_id AND g.turn = 0
    AND g.attempt = CASE WHEN run.settings ->> 'first_answer' = 'greedy' THEN -1 ELSE 0 END
WHERE o.id = r.id
"""
# An assembly was the loop's own work and had no shard: one that has failed gets the one that a retry hands to a worker.
GIVE_SHARDS = """
INSERT INTO curation_shard (stage_id, number, state, attempt, versions, owner, failures, error)
SELECT s.id, 0, 'failed', 0, '{}', '', 0, s.error FROM curation_stage s
WHERE s.kind = 'assembly' AND s.state = 'failed' AND NOT EXISTS (SELECT FROM curation_shard WHERE stage_id = s.id)
"""
BATCH = 1000  # samples whose words are written at a time


def index_words(apps, schema_editor):
    from curation.models.searching import dataset_word
    from toolcalls.searching import sample_words
    from toolcalls.wire import sample_from_json

    versions = apps.get_model("curation", "SampleVersion").objects.filter(words=None).select_related("sample").order_by("pk")
    with schema_editor.connection.cursor() as cursor:
        for version in versions.iterator(BATCH):
            words = sample_words(sample_from_json(version.content))
            cursor.execute(
                "INSERT INTO curation_samplewords (version_id, words) VALUES (%s, array_to_tsvector(%s::text[]))",
                [version.pk, [dataset_word(version.sample.dataset_id), *words]],
            )


class Migration(migrations.Migration):
    dependencies = [("curation", "0002_review_and_access")]
    operations = [
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.RunSQL(GIVE_SHARDS, migrations.RunSQL.noop),
        migrations.RunPython(index_words, migrations.RunPython.noop),
    ]
