"""Every table of the record."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models

import curation.models.ordered_json


# List-partitioned by iteration: a run is deleted by dropping its partitions (curation/stages/sampling.py makes them).
CREATE_GENERATION = """
CREATE TABLE curation_generation (
    iteration_id bigint NOT NULL,
    version_id bigint NOT NULL,
    turn smallint NOT NULL,
    attempt smallint NOT NULL,
    text text NOT NULL,
    calls jsonb,
    answer_key uuid NOT NULL,
    max_param_diff smallint,
    reason varchar(16) NOT NULL,
    finish_reason varchar(8) NOT NULL,
    prompt_tokens integer NOT NULL,
    completion_tokens integer NOT NULL,
    seed bigint NOT NULL,
    prompt_hash varchar(64) NOT NULL,
    checkpoint_id bigint,
    comparator varchar(80) NOT NULL,
    PRIMARY KEY (iteration_id, version_id, turn, attempt)
) PARTITION BY LIST (iteration_id)
"""

# A run's data set is of its project, and its revision of its data set: the database refuses anything else.
SAME_PROJECT = """
ALTER TABLE curation_run
    ADD CONSTRAINT run_dataset_of_project FOREIGN KEY (dataset_id, project_id)
        REFERENCES curation_dataset (id, project_id) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT run_revision_of_dataset FOREIGN KEY (revision_id, dataset_id)
        REFERENCES curation_datasetrevision (id, dataset_id) DEFERRABLE INITIALLY DEFERRED
"""
DROP_SAME_PROJECT = "ALTER TABLE curation_run DROP CONSTRAINT run_dataset_of_project, DROP CONSTRAINT run_revision_of_dataset"


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.CreateModel(
            name="Base",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.SlugField(max_length=80, unique=True)),
                ("path", models.CharField(max_length=255)),
                ("sha256", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="Dataset",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                ("slug", models.SlugField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="Iteration",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("open", "Open"),
                            ("done", "Done"),
                            ("selection_only", "Selection Only"),
                            ("failed", "Failed"),
                            ("stopped", "Stopped"),
                        ],
                        default="open",
                        max_length=16,
                    ),
                ),
                ("pool", models.PositiveIntegerField(null=True)),
                ("selected_direct", models.PositiveIntegerField(null=True)),
                ("selected_refine", models.PositiveIntegerField(null=True)),
                ("identical_exact", models.PositiveIntegerField(null=True)),
                ("identical_text", models.PositiveIntegerField(null=True)),
                ("opened_at", models.DateTimeField(auto_now_add=True)),
                ("closed_at", models.DateTimeField(null=True)),
            ],
            options={
                "ordering": ["number"],
            },
        ),
        migrations.CreateModel(
            name="Project",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                ("slug", models.SlugField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="Team",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                ("slug", models.SlugField(unique=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="User",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("password", models.CharField(max_length=128, verbose_name="password")),
                ("last_login", models.DateTimeField(blank=True, null=True, verbose_name="last login")),
                (
                    "is_superuser",
                    models.BooleanField(
                        default=False,
                        help_text="Designates that this user has all permissions without explicitly assigning them.",
                        verbose_name="superuser status",
                    ),
                ),
                ("email", models.EmailField(max_length=254, unique=True)),
                ("name", models.CharField(blank=True, max_length=120)),
                ("is_active", models.BooleanField(default=True)),
                ("is_staff", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "groups",
                    models.ManyToManyField(
                        blank=True,
                        help_text="The groups this user belongs to. A user will get all permissions granted to each of their groups.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.group",
                        verbose_name="groups",
                    ),
                ),
                (
                    "user_permissions",
                    models.ManyToManyField(
                        blank=True,
                        help_text="Specific permissions for this user.",
                        related_name="user_set",
                        related_query_name="user",
                        to="auth.permission",
                        verbose_name="user permissions",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("adapter", "Adapter"), ("merged", "Merged")], max_length=8)),
                ("uri", models.CharField(max_length=255)),
                ("sha256", models.CharField(max_length=64)),
                ("meta", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "parent",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="children", to="curation.checkpoint"
                    ),
                ),
                (
                    "iteration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="checkpoints", to="curation.iteration"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DatasetRevision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("sha256", models.CharField(max_length=64)),
                ("train", models.PositiveIntegerField()),
                ("heldout", models.PositiveIntegerField()),
                ("source", models.CharField(blank=True, max_length=255)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "created_by",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL),
                ),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="revisions", to="curation.dataset"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Engine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.SlugField(max_length=80, unique=True)),
                (
                    "kind",
                    models.CharField(
                        choices=[("transformers", "Transformers"), ("vllm", "Vllm"), ("scripted", "Scripted")], max_length=16
                    ),
                ),
                ("options", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["transformers", "vllm", "scripted"])), name="engine_kind_known"
                    )
                ],
            },
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(CREATE_GENERATION, "DROP TABLE curation_generation")],
            state_operations=[
                migrations.CreateModel(
                    name="Generation",
                    fields=[
                        (
                            "pk",
                            models.CompositePrimaryKey(
                                "iteration_id",
                                "version_id",
                                "turn",
                                "attempt",
                                blank=True,
                                editable=False,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("version_id", models.BigIntegerField()),
                        ("turn", models.SmallIntegerField()),
                        ("attempt", models.SmallIntegerField()),
                        ("text", models.TextField()),
                        ("calls", models.JSONField(null=True)),
                        ("answer_key", models.UUIDField()),
                        ("max_param_diff", models.SmallIntegerField(null=True)),
                        ("reason", models.CharField(max_length=16)),
                        ("finish_reason", models.CharField(max_length=8)),
                        ("prompt_tokens", models.IntegerField()),
                        ("completion_tokens", models.IntegerField()),
                        ("seed", models.BigIntegerField()),
                        ("prompt_hash", models.CharField(max_length=64)),
                        ("checkpoint_id", models.BigIntegerField(null=True)),
                        ("comparator", models.CharField(max_length=80)),
                        (
                            "iteration",
                            models.ForeignKey(
                                db_constraint=False,
                                db_index=False,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="curation.iteration",
                            ),
                        ),
                    ],
                    options={
                        "db_table": "curation_generation",
                    },
                ),
            ],
        ),
        migrations.CreateModel(
            name="Evaluation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("comparator", models.CharField(max_length=80)),
                ("total", models.PositiveIntegerField()),
                ("direct_right", models.PositiveIntegerField()),
                ("adaptive_right", models.PositiveIntegerField()),
                ("mean_turns", models.FloatField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "checkpoint",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="curation.checkpoint"
                    ),
                ),
                (
                    "iteration",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="evaluation", to="curation.iteration"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="dataset",
            name="project",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="datasets", to="curation.project"),
        ),
        migrations.CreateModel(
            name="Run",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=120)),
                ("mode", models.CharField(choices=[("auto", "Auto"), ("step", "Step")], default="auto", max_length=8)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("ready", "Ready"),
                            ("running", "Running"),
                            ("waiting", "Waiting"),
                            ("paused", "Paused"),
                            ("saturated", "Saturated"),
                            ("completed", "Completed"),
                            ("stopped", "Stopped"),
                            ("failed", "Failed"),
                        ],
                        default="ready",
                        max_length=12,
                    ),
                ),
                ("settings", models.JSONField()),
                ("why", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("ended_at", models.DateTimeField(null=True)),
                ("base", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="runs", to="curation.base")),
                (
                    "created_by",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL),
                ),
                (
                    "dataset",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="runs", to="curation.dataset"),
                ),
                (
                    "engine",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="runs", to="curation.engine"),
                ),
                (
                    "final_checkpoint",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to="curation.checkpoint"
                    ),
                ),
                (
                    "project",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="runs", to="curation.project"),
                ),
                (
                    "revision",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="runs", to="curation.datasetrevision"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="iteration",
            name="run",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="iterations", to="curation.run"),
        ),
        migrations.AddField(
            model_name="checkpoint",
            name="run",
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="checkpoints", to="curation.run"),
        ),
        migrations.CreateModel(
            name="Sample",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(max_length=255)),
                ("split", models.CharField(choices=[("train", "Train"), ("heldout", "Heldout")], max_length=8)),
                (
                    "dataset",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="samples", to="curation.dataset"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Decision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("turn", models.SmallIntegerField()),
                ("kind", models.CharField(choices=[("keep", "Keep"), ("drop", "Drop"), ("discuss", "Discuss")], max_length=8)),
                ("why", models.TextField(blank=True)),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("undone_at", models.DateTimeField(null=True)),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="decisions", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "iteration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="decisions", to="curation.iteration"
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="decisions", to="curation.run"),
                ),
                (
                    "sample",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="decisions", to="curation.sample"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SampleVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(default=1)),
                ("sha256", models.CharField(max_length=64)),
                ("content", curation.models.ordered_json.OrderedJSONField()),
                ("category", models.CharField(blank=True, max_length=40)),
                ("language", models.CharField(blank=True, max_length=16)),
                ("calls", models.PositiveSmallIntegerField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "created_by",
                    models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, to=settings.AUTH_USER_MODEL),
                ),
                (
                    "sample",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="versions", to="curation.sample"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RevisionEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveIntegerField()),
                (
                    "revision",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="entries", to="curation.datasetrevision"
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="curation.sampleversion"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RefinePair",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first_answer", models.TextField()),
                ("usable", models.BooleanField()),
                ("identical_exact", models.BooleanField()),
                ("identical_text", models.BooleanField()),
                (
                    "iteration",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="pairs", to="curation.iteration"),
                ),
                (
                    "version",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="curation.sampleversion"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="EvaluationItem",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("trace", models.JSONField()),
                ("direct_right", models.BooleanField()),
                ("adaptive_right", models.BooleanField()),
                ("turns", models.PositiveSmallIntegerField()),
                ("prompt_hash", models.CharField(max_length=64)),
                (
                    "iteration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="evaluation_items", to="curation.iteration"
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="curation.sampleversion"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="SignInLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("token_sha256", models.CharField(max_length=64, unique=True)),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="sign_in_links", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Stage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("sampling", "Sampling"),
                            ("refinement", "Refinement"),
                            ("selection", "Selection"),
                            ("review", "Review"),
                            ("assembly", "Assembly"),
                            ("training", "Training"),
                            ("evaluation", "Evaluation"),
                        ],
                        max_length=12,
                    ),
                ),
                ("position", models.PositiveSmallIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("total", models.PositiveIntegerField(default=0)),
                ("error", models.TextField(blank=True)),
                ("opened_at", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                (
                    "iteration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="stages", to="curation.iteration"
                    ),
                ),
            ],
            options={
                "ordering": ["position"],
            },
        ),
        migrations.CreateModel(
            name="Shard",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("leased", "Leased"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("attempt", models.PositiveIntegerField(default=0)),
                (
                    "versions",
                    django.contrib.postgres.fields.ArrayField(base_field=models.BigIntegerField(), default=list, size=None),
                ),
                ("owner", models.CharField(blank=True, max_length=120)),
                ("lease_until", models.DateTimeField(null=True)),
                ("sent_at", models.DateTimeField(null=True)),
                ("closed_at", models.DateTimeField(null=True)),
                ("failures", models.PositiveSmallIntegerField(default=0)),
                ("error", models.TextField(blank=True)),
                (
                    "stage",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="shards", to="curation.stage"),
                ),
            ],
            options={
                "ordering": ["number"],
            },
        ),
        migrations.AddField(
            model_name="project",
            name="team",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="projects", to="curation.team"),
        ),
        migrations.CreateModel(
            name="Membership",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "role",
                    models.CharField(
                        choices=[("owner", "Owner"), ("engineer", "Engineer"), ("reviewer", "Reviewer"), ("viewer", "Viewer")],
                        max_length=10,
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="memberships", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="memberships", to="curation.team"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Event",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("verb", models.CharField(max_length=40)),
                ("subject_kind", models.CharField(max_length=20)),
                ("subject_id", models.BigIntegerField()),
                ("run_id", models.BigIntegerField(null=True)),
                ("before", models.JSONField(default=dict)),
                ("after", models.JSONField(default=dict)),
                ("why", models.TextField(blank=True)),
                ("at", models.DateTimeField(auto_now_add=True)),
                (
                    "actor",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="events",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="events", to="curation.team"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
            },
        ),
        migrations.CreateModel(
            name="TrainingSet",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sha256", models.CharField(max_length=64)),
                ("direct", models.PositiveIntegerField()),
                ("refine", models.PositiveIntegerField()),
                ("too_long", models.PositiveIntegerField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "iteration",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="training_set", to="curation.iteration"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TrainingRow",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveIntegerField()),
                ("kind", models.CharField(choices=[("direct", "Direct"), ("refine", "Refine")], max_length=8)),
                ("forced", models.BooleanField(default=False)),
                (
                    "version",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="curation.sampleversion"),
                ),
                (
                    "training_set",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="rows", to="curation.trainingset"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TrainingStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("step", models.PositiveIntegerField()),
                ("steps", models.PositiveIntegerField()),
                ("loss", models.FloatField()),
                ("learning_rate", models.FloatField()),
                ("grad_norm", models.FloatField(null=True)),
                ("tokens", models.PositiveBigIntegerField()),
                ("tokens_per_second", models.FloatField()),
                ("at", models.DateTimeField(auto_now=True)),
                (
                    "iteration",
                    models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name="steps", to="curation.iteration"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Verdict",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("turn", models.SmallIntegerField()),
                ("attempts", models.SmallIntegerField()),
                ("exact_hits", models.SmallIntegerField()),
                ("approximate_hits", models.SmallIntegerField()),
                ("first_hit", models.SmallIntegerField(null=True)),
                ("reason", models.CharField(blank=True, max_length=16)),
                ("reasons", models.JSONField(default=dict)),
                ("other_answer", models.TextField(null=True)),
                ("other_count", models.SmallIntegerField(default=0)),
                ("excluded", models.BooleanField(default=False)),
                ("category", models.CharField(blank=True, max_length=40)),
                ("language", models.CharField(blank=True, max_length=16)),
                ("calls", models.PositiveSmallIntegerField(null=True)),
                ("comparator", models.CharField(max_length=80)),
                (
                    "checkpoint",
                    models.ForeignKey(
                        null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="curation.checkpoint"
                    ),
                ),
                (
                    "iteration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="verdicts", to="curation.iteration"
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="verdicts", to="curation.sampleversion"
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="user",
            constraint=models.UniqueConstraint(django.db.models.functions.text.Lower("email"), name="user_email_unique"),
        ),
        migrations.AddConstraint(
            model_name="datasetrevision",
            constraint=models.UniqueConstraint(fields=("dataset", "number"), name="revision_number_unique"),
        ),
        migrations.AddConstraint(
            model_name="datasetrevision",
            constraint=models.UniqueConstraint(fields=("id", "dataset"), name="revision_dataset_key"),
        ),
        migrations.AddConstraint(
            model_name="dataset",
            constraint=models.UniqueConstraint(fields=("project", "slug"), name="dataset_slug_unique"),
        ),
        migrations.AddConstraint(
            model_name="dataset",
            constraint=models.UniqueConstraint(fields=("id", "project"), name="dataset_project_key"),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(condition=models.Q(("mode__in", ["auto", "step"])), name="run_mode_known"),
        ),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("state__in", ["ready", "running", "waiting", "paused", "saturated", "completed", "stopped", "failed"])
                ),
                name="run_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="iteration",
            constraint=models.UniqueConstraint(fields=("run", "number"), name="iteration_number_unique"),
        ),
        migrations.AddConstraint(
            model_name="iteration",
            constraint=models.UniqueConstraint(condition=models.Q(("state", "open")), fields=("run",), name="iteration_one_open"),
        ),
        migrations.AddConstraint(
            model_name="iteration",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["open", "done", "selection_only", "failed", "stopped"])),
                name="iteration_state_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="checkpoint",
            constraint=models.UniqueConstraint(fields=("iteration", "kind"), name="checkpoint_kind_unique"),
        ),
        migrations.AddConstraint(
            model_name="checkpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["adapter", "merged"])), name="checkpoint_kind_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="sample",
            constraint=models.UniqueConstraint(fields=("dataset", "key"), name="sample_key_unique"),
        ),
        migrations.AddConstraint(
            model_name="sample",
            constraint=models.CheckConstraint(condition=models.Q(("split__in", ["train", "heldout"])), name="sample_split_known"),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.UniqueConstraint(
                condition=models.Q(("turn", 0), ("undone_at", None)), fields=("run", "sample"), name="decision_one_sample"
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.UniqueConstraint(
                condition=models.Q(("turn", 1), ("undone_at", None)), fields=("iteration", "sample"), name="decision_one_pair"
            ),
        ),
        migrations.AddConstraint(
            model_name="decision",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["keep", "drop", "discuss"])), name="decision_kind_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="sampleversion",
            constraint=models.UniqueConstraint(fields=("sample", "sha256"), name="sample_version_content_unique"),
        ),
        migrations.AddConstraint(
            model_name="sampleversion",
            constraint=models.UniqueConstraint(fields=("sample", "number"), name="sample_version_number_unique"),
        ),
        migrations.AddConstraint(
            model_name="revisionentry",
            constraint=models.UniqueConstraint(fields=("revision", "position"), name="entry_position_unique"),
        ),
        migrations.AddConstraint(
            model_name="revisionentry",
            constraint=models.UniqueConstraint(fields=("revision", "version"), name="entry_version_unique"),
        ),
        migrations.AddConstraint(
            model_name="refinepair",
            constraint=models.UniqueConstraint(fields=("iteration", "version"), name="pair_unique"),
        ),
        migrations.AddConstraint(
            model_name="evaluationitem",
            constraint=models.UniqueConstraint(fields=("iteration", "version"), name="evaluation_item_unique"),
        ),
        migrations.AddConstraint(
            model_name="stage",
            constraint=models.UniqueConstraint(fields=("iteration", "kind"), name="stage_kind_unique"),
        ),
        migrations.AddConstraint(
            model_name="stage",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "running")), fields=("iteration",), name="stage_one_running"
            ),
        ),
        migrations.AddConstraint(
            model_name="stage",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind__in", ["sampling", "refinement", "selection", "review", "assembly", "training", "evaluation"])
                ),
                name="stage_kind_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="stage",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["pending", "running", "done", "failed", "cancelled"])), name="stage_state_known"
            ),
        ),
        migrations.AddIndex(
            model_name="shard",
            index=models.Index(condition=models.Q(("state__in", ["pending", "leased"])), fields=["state"], name="shard_open"),
        ),
        migrations.AddConstraint(
            model_name="shard",
            constraint=models.UniqueConstraint(fields=("stage", "number"), name="shard_number_unique"),
        ),
        migrations.AddConstraint(
            model_name="shard",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["pending", "leased", "done", "failed", "cancelled"])), name="shard_state_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="project",
            constraint=models.UniqueConstraint(fields=("team", "slug"), name="project_slug_unique"),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.UniqueConstraint(fields=("team", "user"), name="membership_unique"),
        ),
        migrations.AddConstraint(
            model_name="membership",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["owner", "engineer", "reviewer", "viewer"])), name="membership_role_known"
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(fields=["run_id", "id"], name="event_of_run"),
        ),
        migrations.AddConstraint(
            model_name="trainingrow",
            constraint=models.UniqueConstraint(fields=("training_set", "position"), name="training_row_position_unique"),
        ),
        migrations.AddConstraint(
            model_name="trainingrow",
            constraint=models.UniqueConstraint(fields=("training_set", "version", "kind"), name="training_row_unique"),
        ),
        migrations.AddConstraint(
            model_name="trainingrow",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["direct", "refine"])), name="training_row_kind_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="trainingstep",
            constraint=models.UniqueConstraint(fields=("iteration", "step"), name="training_step_unique"),
        ),
        migrations.AddConstraint(
            model_name="verdict",
            constraint=models.UniqueConstraint(fields=("iteration", "version", "turn"), name="verdict_unique"),
        ),
        migrations.AddConstraint(
            model_name="verdict",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("approximate_hits__lte", models.F("attempts")), ("exact_hits__lte", models.F("approximate_hits"))
                ),
                name="verdict_hits_add_up",
            ),
        ),
        migrations.RunSQL(SAME_PROJECT, DROP_SAME_PROJECT),
    ]
