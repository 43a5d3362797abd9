"""People can try a model: a question and the turns of its answer."""

import curation.models.ordered_json
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("curation", "0016_devices_of_stages")]

    operations = [
        migrations.CreateModel(
            name='Trial',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('settings', models.JSONField()),
                ('title', models.CharField(max_length=160)),
                ('question', curation.models.ordered_json.OrderedJSONField()),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('answering', 'Answering'), ('done', 'Done'), ('failed', 'Failed'), ('cancelled', 'Cancelled')], default='waiting', max_length=10)),
                ('attempt', models.PositiveIntegerField(default=0)),
                ('owner', models.CharField(blank=True, max_length=120)),
                ('lease_until', models.DateTimeField(null=True)),
                ('sent_at', models.DateTimeField(null=True)),
                ('loaded_at', models.DateTimeField(null=True)),
                ('turns', models.JSONField(default=list)),
                ('agreed', models.BooleanField(null=True)),
                ('error', models.TextField(blank=True)),
                ('asked_at', models.DateTimeField(auto_now_add=True)),
                ('closed_at', models.DateTimeField(null=True)),
                ('base', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='curation.base')),
                ('by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('checkpoint', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='curation.checkpoint')),
                ('engine', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='curation.engine')),
                ('project', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='trials', to='curation.project')),
                ('version', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='curation.sampleversion')),
            ],
            options={
                'indexes': [models.Index(condition=models.Q(('state__in', ['waiting', 'answering'])), fields=['id'], name='trial_open'), models.Index(fields=['project', '-id'], name='trial_of_project')],
                'constraints': [models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'answering', 'done', 'failed', 'cancelled'])), name='trial_state_known')],
            },
        ),
    ]
