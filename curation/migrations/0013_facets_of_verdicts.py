"""Give each verdict, in one text, the values that facets count."""

from django.db import migrations, models

PARTS = (
    "coalesce(outcome::text, '')", "coalesce(approximate_hits::text, '')", "coalesce(decision::text, '')",
    "coalesce(change::text, '')", "coalesce(calls::text, '')", "char_length(language)::text", "language || category",
)  # fmt: skip
SEPARATED = " || '\x1f' || ".join(PARTS)
JOINED = models.Func(template=f"({SEPARATED})", output_field=models.TextField())
INCLUDED = [
    "version", "sample", "outcome", "approximate_hits", "other_count", "category", "language", "calls", "tools", "decision", "change",
    "approach", "facets",
]  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("curation", "0012_deaths_of_workers")]
    operations = [
        migrations.RemoveIndex(model_name="verdict", name="verdict_of_turn"),
        migrations.AddField(
            model_name="verdict",
            name="facets",
            field=models.GeneratedField(expression=JOINED, output_field=models.TextField(), db_persist=True),
        ),
        migrations.AddIndex(
            model_name="verdict",
            index=models.Index(fields=["iteration", "turn", "id"], include=INCLUDED, name="verdict_of_turn"),
        ),
    ]
