"""A stage says how many devices its shards need."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("curation", "0015_measurings")]
    operations = [
        migrations.AddField("stage", "devices", models.PositiveSmallIntegerField(default=1, db_default=1)),
    ]
