"""Review, API tokens, invitations, comments, uploads and exports; the columns that pool pages filter on."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('curation', '0001_the_record'),
    ]

    operations = [
        migrations.CreateModel(
            name='ApiToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=80)),
                ('scope', models.CharField(choices=[('read', 'Read'), ('review', 'Review'), ('run', 'Run'), ('admin', 'Admin')], max_length=8)),
                ('hint', models.CharField(max_length=12)),
                ('token_sha256', models.CharField(max_length=64, unique=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('expires_at', models.DateTimeField()),
                ('last_used_at', models.DateTimeField(null=True)),
                ('revoked_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Comment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.TextField()),
                ('at', models.DateTimeField(auto_now_add=True)),
                ('deleted_at', models.DateTimeField(null=True)),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='Export',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('training_set', 'Training Set'), ('pool', 'Pool'), ('pairs', 'Pairs')], max_length=12)),
                ('format', models.CharField(max_length=16)),
                ('filters', models.JSONField(default=dict)),
                ('state', models.CharField(choices=[('streaming', 'Streaming'), ('complete', 'Complete'), ('aborted', 'Aborted')], default='streaming', max_length=10)),
                ('rows', models.PositiveIntegerField(null=True)),
                ('bytes', models.PositiveBigIntegerField(null=True)),
                ('sha256', models.CharField(blank=True, max_length=64)),
                ('manifest', models.JSONField(default=dict)),
                ('started_at', models.DateTimeField(auto_now_add=True)),
                ('ended_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Invitation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('role', models.CharField(choices=[('owner', 'Owner'), ('engineer', 'Engineer'), ('reviewer', 'Reviewer'), ('viewer', 'Viewer')], max_length=10)),
                ('note', models.CharField(blank=True, max_length=120)),
                ('token_sha256', models.CharField(max_length=64, unique=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('expires_at', models.DateTimeField()),
                ('accepted_at', models.DateTimeField(null=True)),
                ('revoked_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Rejudgement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('turn', models.SmallIntegerField()),
                ('attempts', models.SmallIntegerField()),
                ('exact_hits', models.SmallIntegerField()),
                ('approximate_hits', models.SmallIntegerField()),
                ('first_hit', models.SmallIntegerField(null=True)),
                ('reason', models.CharField(blank=True, max_length=16)),
                ('reasons', models.JSONField(default=dict)),
                ('other_answer', models.TextField(null=True)),
                ('other_count', models.SmallIntegerField(default=0)),
                ('excluded', models.BooleanField(default=False)),
                ('comparator', models.CharField(max_length=80)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='SampleWords',
            fields=[
                ('version', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='words', serialize=False, to='curation.sampleversion')),
                ('words', django.contrib.postgres.search.SearchVectorField()),
            ],
        ),
        migrations.CreateModel(
            name='Upload',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('dataset', models.CharField(max_length=120)),
                ('file_name', models.CharField(max_length=255)),
                ('uri', models.CharField(max_length=255)),
                ('bytes', models.PositiveBigIntegerField()),
                ('sha256', models.CharField(max_length=64)),
                ('options', models.JSONField(default=dict)),
                ('state', models.CharField(choices=[('received', 'Received'), ('importing', 'Importing'), ('done', 'Done'), ('failed', 'Failed'), ('discarded', 'Discarded')], default='received', max_length=10)),
                ('rows', models.PositiveIntegerField(default=0)),
                ('report', models.JSONField(default=dict)),
                ('error', models.TextField(blank=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('seen_at', models.DateTimeField(null=True)),
                ('closed_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='decision',
            name='decision_kind_known',
        ),
        migrations.AddField(
            model_name='decision',
            name='made_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='decisions_made', to='curation.event'),
        ),
        migrations.AddField(
            model_name='decision',
            name='undone_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='decisions_undone', to='curation.event'),
        ),
        migrations.AddField(
            model_name='decision',
            name='version',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='curation.sampleversion'),
        ),
        migrations.AddField(
            model_name='trainingset',
            name='bytes',
            field=models.PositiveBigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name='trainingset',
            name='file_sha256',
            field=models.CharField(blank=True, max_length=64),
        ),
        migrations.AddField(
            model_name='trainingset',
            name='tokens_uri',
            field=models.CharField(blank=True, max_length=255),
        ),
        migrations.AddField(
            model_name='trainingset',
            name='uri',
            field=models.CharField(blank=True, max_length=255),
        ),
        migrations.AddField(
            model_name='verdict',
            name='change',
            field=models.CharField(blank=True, choices=[('stop', 'Stop'), ('small', 'Small'), ('large', 'Large')], max_length=8),
        ),
        migrations.AddField(
            model_name='verdict',
            name='decision',
            field=models.CharField(blank=True, max_length=8),
        ),
        migrations.AddField(
            model_name='verdict',
            name='outcome',
            field=models.CharField(choices=[('exact', 'Exact'), ('approximate', 'Approximate'), ('param_mismatch', 'Param Mismatch'), ('too_many_calls', 'Too Many Calls'), ('wrong_count', 'Wrong Count'), ('wrong_tool', 'Wrong Tool'), ('unparsable', 'Unparsable'), ('not_a_call', 'Not A Call'), ('truncated', 'Truncated'), ('too_long', 'Too Long'), ('excluded', 'Excluded')], default='exact', max_length=16),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='verdict',
            name='sample',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='verdicts', to='curation.sample'),
        ),
        migrations.AddField(
            model_name='verdict',
            name='tools',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None),
        ),
        migrations.AlterField(
            model_name='decision',
            name='kind',
            field=models.CharField(choices=[('keep', 'Keep'), ('drop', 'Drop'), ('discuss', 'Discuss'), ('fix', 'Fix')], max_length=8),
        ),
        migrations.AlterField(
            model_name='event',
            name='team',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='curation.team'),
        ),
        migrations.AlterField(
            model_name='revisionentry',
            name='revision',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='entries', to='curation.datasetrevision'),
        ),
        migrations.AlterField(
            model_name='sample',
            name='dataset',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='samples', to='curation.dataset'),
        ),
        migrations.AlterField(
            model_name='sampleversion',
            name='sample',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='curation.sample'),
        ),
        migrations.AlterField(
            model_name='verdict',
            name='iteration',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='verdicts', to='curation.iteration'),
        ),
        migrations.AlterField(
            model_name='verdict',
            name='version',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='verdicts', to='curation.sampleversion'),
        ),
        migrations.AlterField(
            model_name='verdict',
            name='checkpoint',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='curation.checkpoint'),
        ),
        migrations.AddIndex(
            model_name='event',
            index=models.Index(fields=['team', 'id'], name='event_of_team'),
        ),
        migrations.AddIndex(
            model_name='verdict',
            index=models.Index(fields=['iteration', 'turn', 'id'], include=['version', 'sample', 'outcome', 'approximate_hits', 'other_count', 'category', 'language', 'calls', 'tools', 'decision', 'change'], name='verdict_of_turn'),
        ),
        migrations.AddIndex(
            model_name='verdict',
            index=models.Index(fields=['iteration', 'turn', 'approximate_hits', 'id'], name='verdict_by_hits'),
        ),
        migrations.AddIndex(
            model_name='verdict',
            index=models.Index(fields=['iteration', 'turn', 'other_count', 'id'], name='verdict_by_other_count'),
        ),
        migrations.AddIndex(
            model_name='verdict',
            index=models.Index(condition=models.Q(('decision', ''), _negated=True), fields=['iteration', 'turn', 'decision', 'id'], name='verdict_by_decision'),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['keep', 'drop', 'discuss', 'fix'])), name='decision_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='decision',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('version', None), models.Q(('kind', 'fix'), _negated=True)), models.Q(('turn', 0), ('version__isnull', False)), _connector='OR'), name='decision_version_of_fix'),
        ),
        migrations.AddField(
            model_name='apitoken',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='api_tokens', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='comment',
            name='by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='comments', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='comment',
            name='run',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='comments', to='curation.run'),
        ),
        migrations.AddField(
            model_name='comment',
            name='sample',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='comments', to='curation.sample'),
        ),
        migrations.AddField(
            model_name='export',
            name='by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='export',
            name='iteration',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='exports', to='curation.iteration'),
        ),
        migrations.AddField(
            model_name='invitation',
            name='accepted_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='invitation',
            name='created_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='invitation',
            name='team',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='invitations', to='curation.team'),
        ),
        migrations.AddField(
            model_name='rejudgement',
            name='iteration',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='rejudgements', to='curation.iteration'),
        ),
        migrations.AddField(
            model_name='rejudgement',
            name='sample',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='rejudgements', to='curation.sample'),
        ),
        migrations.AddField(
            model_name='rejudgement',
            name='version',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='curation.sampleversion'),
        ),
        migrations.AddIndex(
            model_name='samplewords',
            index=django.contrib.postgres.indexes.GinIndex(fields=['words'], name='sample_words'),
        ),
        migrations.AddField(
            model_name='upload',
            name='created_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='upload',
            name='project',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='uploads', to='curation.project'),
        ),
        migrations.AddField(
            model_name='upload',
            name='revision',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='curation.datasetrevision'),
        ),
        migrations.AddConstraint(
            model_name='apitoken',
            constraint=models.CheckConstraint(condition=models.Q(('scope__in', ['read', 'review', 'run', 'admin'])), name='api_token_scope_known'),
        ),
        migrations.AddIndex(
            model_name='comment',
            index=models.Index(fields=['run', 'sample', 'id'], name='comment_of_sample'),
        ),
        migrations.AddConstraint(
            model_name='export',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['training_set', 'pool', 'pairs'])), name='export_kind_known'),
        ),
        migrations.AddConstraint(
            model_name='export',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['streaming', 'complete', 'aborted'])), name='export_state_known'),
        ),
        migrations.AddConstraint(
            model_name='invitation',
            constraint=models.CheckConstraint(condition=models.Q(('role__in', ['owner', 'engineer', 'reviewer', 'viewer'])), name='invitation_role_known'),
        ),
        migrations.AddConstraint(
            model_name='rejudgement',
            constraint=models.UniqueConstraint(fields=('iteration', 'version', 'turn'), name='rejudgement_unique'),
        ),
        migrations.AddConstraint(
            model_name='upload',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['received', 'importing', 'done', 'failed', 'discarded'])), name='upload_state_known'),
        ),
        # Lists are read from an index alone where a vacuum has been; so it comes soon after an operation on many.
        migrations.RunSQL(
            'ALTER TABLE curation_verdict SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_insert_scale_factor = 0.01)',
            'ALTER TABLE curation_verdict RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_insert_scale_factor)',
        ),
    ]
