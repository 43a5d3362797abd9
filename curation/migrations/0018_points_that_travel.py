"""A killed training's last point is in the store, so that another host goes on from it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("curation", "0017_trials")]
    operations = [
        migrations.AddField("trainingset", "point_uri", models.CharField(blank=True, default="", db_default="", max_length=255)),
    ]
