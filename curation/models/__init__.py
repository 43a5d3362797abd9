"""The record (DESIGN): one noun per file."""

from curation.models.checkpoints import Checkpoint
from curation.models.datasets import Dataset, DatasetRevision, RevisionEntry, Sample, SampleVersion
from curation.models.decisions import Decision
from curation.models.evaluations import Evaluation, EvaluationItem
from curation.models.events import Event
from curation.models.generations import Generation
from curation.models.people import Membership, Role, SignInLink, Team, User
from curation.models.projects import Project
from curation.models.registry import Base, Engine
from curation.models.runs import Iteration, Run
from curation.models.shards import Shard, Stage
from curation.models.training import TrainingRow, TrainingSet, TrainingStep
from curation.models.verdicts import RefinePair, Verdict

__all__ = [
    "Base",
    "Checkpoint",
    "Dataset",
    "DatasetRevision",
    "Decision",
    "Engine",
    "Evaluation",
    "EvaluationItem",
    "Event",
    "Generation",
    "Iteration",
    "Membership",
    "Project",
    "RefinePair",
    "RevisionEntry",
    "Role",
    "Run",
    "Sample",
    "SampleVersion",
    "Shard",
    "SignInLink",
    "Stage",
    "Team",
    "TrainingRow",
    "TrainingSet",
    "TrainingStep",
    "User",
    "Verdict",
]
