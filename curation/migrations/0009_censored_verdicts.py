"""Whether a turn stopped at its first hit, so that its hits are a lower bound."""

from django.db import migrations, models

OUTCOMES = [
    "exact", "approximate", "param_mismatch", "too_many_calls", "wrong_count", "wrong_tool", "unparsable", "not_a_call",
    "truncated", "too_long", "excluded", "unknown",
]  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("curation", "0008_imported_generations")]
    operations = [
        migrations.AddField("verdict", "censored", models.BooleanField(default=False, db_default=False)),
        migrations.AddField("rejudgement", "censored", models.BooleanField(default=False, db_default=False)),
        migrations.AlterField(
            "changedverdict",
            "outcome",
            models.CharField(max_length=16, choices=[(one, one.replace("_", " ").title()) for one in OUTCOMES]),
        ),
    ]
