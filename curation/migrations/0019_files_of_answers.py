"""Files of answers that people send to a run are imported after the request."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("curation", "0018_points_that_travel")]

    operations = [
        migrations.CreateModel(
            name='AnswerFile',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('file_name', models.CharField(max_length=255)),
                ('uri', models.CharField(max_length=255)),
                ('bytes', models.PositiveBigIntegerField()),
                ('sha256', models.CharField(max_length=64)),
                ('options', models.JSONField(default=dict)),
                ('state', models.CharField(choices=[('importing', 'Importing'), ('done', 'Done'), ('failed', 'Failed')], default='importing', max_length=10)),
                ('rows', models.PositiveIntegerField(default=0)),
                ('report', models.JSONField(default=dict)),
                ('error', models.TextField(blank=True)),
                ('sent_at', models.DateTimeField(auto_now_add=True)),
                ('seen_at', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='answer_files', to='curation.run')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['importing', 'done', 'failed'])), name='answer_file_state_known')],
            },
        ),
    ]
