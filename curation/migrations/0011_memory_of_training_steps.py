"""Each step of a training says how much memory was held."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("curation", "0010_approaches_of_verdicts")]

    operations = [
        migrations.AddField("trainingstep", "memory_bytes", models.PositiveBigIntegerField(null=True)),
    ]
