"""Engines of the kind imported: what their stages wait for, and the answers that came, until they are judged."""

import django.db.models.deletion
from django.db import migrations, models

KINDS = ["transformers", "vllm", "openai", "scripted", "imported"]


class Migration(migrations.Migration):
    dependencies = [("curation", "0007_openai_engines")]
    operations = [
        migrations.AddField("stage", "awaited", models.PositiveIntegerField(null=True)),
        migrations.AddField("stage", "arrived", models.PositiveIntegerField(default=0, db_default=0)),
        migrations.CreateModel(
            name="ImportedAnswer",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "stage_id", "version_id", "attempt", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "stage",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="curation.stage"
                    ),
                ),
                ("version_id", models.BigIntegerField()),
                ("attempt", models.SmallIntegerField()),
                ("text", models.TextField()),
                ("finish_reason", models.CharField(max_length=8)),
                ("prompt_tokens", models.IntegerField()),
                ("completion_tokens", models.IntegerField()),
                ("seed", models.BigIntegerField()),
            ],
        ),
        migrations.RemoveConstraint("engine", "engine_kind_known"),
        migrations.AlterField("engine", "kind", models.CharField(choices=[(kind, kind.title()) for kind in KINDS], max_length=16)),
        migrations.AddConstraint(
            "engine", models.CheckConstraint(condition=models.Q(("kind__in", KINDS)), name="engine_kind_known")
        ),
    ]
