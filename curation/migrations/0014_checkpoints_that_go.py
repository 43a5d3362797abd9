"""Which checkpoints a person chose to keep, and of which the files have gone by the policy."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("curation", "0013_facets_of_verdicts")]
    operations = [
        migrations.AddField("checkpoint", "kept", models.BooleanField(default=False, db_default=False)),
        migrations.AddField("checkpoint", "removed_at", models.DateTimeField(null=True)),
    ]
