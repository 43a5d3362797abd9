"""Engines behind OpenAI-compatible servers."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("curation", "0006_exports_are_heard_of")]
    operations = [
        migrations.RemoveConstraint(model_name="engine", name="engine_kind_known"),
        migrations.AlterField(
            model_name="engine",
            name="kind",
            field=models.CharField(
                choices=[("transformers", "Transformers"), ("vllm", "Vllm"), ("openai", "Openai"), ("scripted", "Scripted")],
                max_length=16,
            ),
        ),
        migrations.AddConstraint(
            model_name="engine",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["transformers", "vllm", "openai", "scripted"])), name="engine_kind_known"
            ),
        ),
    ]
