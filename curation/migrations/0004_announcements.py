"""What was filled must be there from now on; and what changes is announced to whoever listens (curation.views.stream)."""

import django.db.models.deletion
from django.db import migrations, models

ANNOUNCE = """
CREATE FUNCTION curation_announce_event() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('whetstone', json_build_object(
        'event', NEW.id, 'team', NEW.team_id, 'run', NEW.run_id, 'verb', NEW.verb)::text);
    RETURN NULL;
END $$;
CREATE TRIGGER announce AFTER INSERT ON curation_event FOR EACH ROW EXECUTE FUNCTION curation_announce_event();

CREATE FUNCTION curation_announce_step() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('whetstone', json_build_object('team', p.team_id, 'run', r.id, 'verb', 'training.step')::text)
    FROM curation_iteration i JOIN curation_run r ON r.id = i.run_id JOIN curation_project p ON p.id = r.project_id
    WHERE i.id = NEW.iteration_id;
    RETURN NULL;
END $$;
CREATE TRIGGER announce AFTER INSERT OR UPDATE ON curation_trainingstep
    FOR EACH ROW EXECUTE FUNCTION curation_announce_step();

CREATE FUNCTION curation_announce_member() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('whetstone', json_build_object(
        'member', coalesce(NEW.user_id, OLD.user_id), 'verb', 'membership')::text);
    RETURN NULL;
END $$;
CREATE TRIGGER announce AFTER INSERT OR UPDATE OR DELETE ON curation_membership
    FOR EACH ROW EXECUTE FUNCTION curation_announce_member();

CREATE FUNCTION curation_announce_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('whetstone', json_build_object('member', NEW.id, 'verb', 'membership')::text);
    RETURN NULL;
END $$;
CREATE TRIGGER announce AFTER UPDATE OF is_active ON curation_user
    FOR EACH ROW WHEN (OLD.is_active IS DISTINCT FROM NEW.is_active) EXECUTE FUNCTION curation_announce_user();
"""
SILENCE = """
DROP TRIGGER announce ON curation_event;
DROP TRIGGER announce ON curation_trainingstep;
DROP TRIGGER announce ON curation_membership;
DROP TRIGGER announce ON curation_user;
DROP FUNCTION curation_announce_event, curation_announce_step, curation_announce_member, curation_announce_user;
"""


class Migration(migrations.Migration):
    dependencies = [("curation", "0003_fill_verdicts")]
    operations = [
        migrations.AlterField(
            model_name="verdict",
            name="sample",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="verdicts", to="curation.sample"
            ),
        ),
        migrations.AddConstraint(
            model_name="verdict",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "outcome__in",
                        [
                            "exact",
                            "approximate",
                            "param_mismatch",
                            "too_many_calls",
                            "wrong_count",
                            "wrong_tool",
                            "unparsable",
                            "not_a_call",
                            "truncated",
                            "too_long",
                            "excluded",
                        ],
                    )
                ),
                name="verdict_outcome_known",
            ),
        ),
        migrations.RunSQL(ANNOUNCE, SILENCE),
    ]
