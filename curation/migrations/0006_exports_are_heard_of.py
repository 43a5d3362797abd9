"""When an export was last heard of, so that one whose process died can be told from one whose reader is slow."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("curation", "0005_rejudging")]
    operations = [
        migrations.AddField(
            model_name="export",
            name="heard_at",
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AddIndex(
            model_name="export",
            index=models.Index(condition=models.Q(("state", "streaming")), fields=["heard_at"], name="export_streaming"),
        ),
    ]
