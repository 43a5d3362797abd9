"""A sample of a pool can be measured before a run; a shard says when it was claimed, and what tokens it took."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("curation", "0014_checkpoints_that_go")]

    operations = [
        migrations.AddField("shard", "leased_at", models.DateTimeField(null=True)),
        migrations.AddField("shard", "prompt_tokens", models.PositiveBigIntegerField(null=True)),
        migrations.AddField("shard", "completion_tokens", models.PositiveBigIntegerField(null=True)),
        migrations.CreateModel(
            name='Measuring',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('settings', models.JSONField()),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('measuring', 'Measuring'), ('done', 'Done'), ('failed', 'Failed')], default='waiting', max_length=10)),
                ('attempt', models.PositiveIntegerField(default=0)),
                ('owner', models.CharField(blank=True, max_length=120)),
                ('lease_until', models.DateTimeField(null=True)),
                ('sent_at', models.DateTimeField(null=True)),
                ('found', models.JSONField(null=True)),
                ('error', models.TextField(blank=True)),
                ('begun_at', models.DateTimeField(auto_now_add=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('base', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='curation.base')),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('engine', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='curation.engine')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='measurings', to='curation.project')),
                ('revision', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='curation.datasetrevision')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state__in', ['waiting', 'measuring'])), fields=['id'], name='measuring_open'), models.Index(fields=['revision', 'base', 'engine', '-id'], name='measuring_by_what')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'measuring', 'done', 'failed'])), name='measuring_state_known')],
            },
        ),
    ]
