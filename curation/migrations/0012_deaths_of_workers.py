"""How often a shard's worker died, apart from how often the shard was claimed."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("curation", "0011_memory_of_training_steps")]
    operations = [
        migrations.AddField("shard", "deaths", models.PositiveSmallIntegerField(default=0, db_default=0)),
    ]
