"""From finished runs to what a call hands back: the model with what it is made from, written, scored and reported."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from graftwork.data.store.cache import storing
from graftwork.evidence.sure.files import add_calibration
from graftwork.model import Model
from graftwork.runs.budget.own_rows import job_of
from graftwork.runs.clock import Began
from graftwork.runs.finished.calibrating import with_calibration
from graftwork.runs.finished.provenance import provenance_of
from graftwork.runs.finished.reference import make_reference, other_words
from graftwork.runs.finished.reporting import Call, make_report
from graftwork.runs.finished.results import Given, held_out_parts
from graftwork.runs.job.data_arguments import DataArguments
from graftwork.runs.job.data_file import write_data
from graftwork.runs.job.job import Job
from graftwork.runs.leave_one_domain_out import LeftOutDomain
from graftwork.runs.listener import Recorder
from graftwork.runs.single.run import Candidate
from graftwork.saving import put


@dataclass(frozen=True)
class Finishing:
    """Where models go, and what is said of them. data, job: what they learned from. folder: None writes nothing.
    command: that repeats the call. began: the clocks at its start. call: for the first screen. whole: runs were trained
    on all rows of the job, whatever their recipes say."""

    data: DataArguments
    job: Job
    folder: Path | None
    listener: Recorder
    command: str | None
    began: Began
    call: Call
    whole: bool = False

    def written(self, model: Model, kept: Candidate) -> Model:
        """The model of a finished run with where it comes from and what its rows are like, in the folder, whole."""
        job = self._job(kept)
        reference = make_reference(job, model, kept) if model.recipe.reference or job.other else None
        for note in other_words(job, model, reference):
            self.listener.note(note)
        made_from = provenance_of(job, *(member.model.recipe for member in model.each_member))
        model = replace(model, provenance=made_from, reference=reference, folder=self.folder)
        if self.folder is not None:
            hashed = model.provenance.tables[: len(job.tables)]
            with storing(self.folder):  # before the report, so that nothing that goes wrong there can lose the model
                put(
                    model, self.folder, lambda place: write_data(place, self.data, job.train.schema, job.tables, hashed)
                )
        return model

    def _job(self, kept: Candidate) -> Job:
        """The rows that a run was trained on, and those that were held out."""
        return self.job if self.whole else job_of(self.job, kept.recipe)

    def reported(
        self,
        model: Model,
        candidates: Sequence[Candidate],
        kept: Candidate,
        *,
        given: Given | None = None,
        left_out: Sequence[LeftOutDomain] = (),
    ) -> Model:
        """The model with its calibration and its report, in the folder, too. candidates: in the order in which they
        ran. given: what was held out, where that is known. left_out: scores of domains by models of the others."""
        self.listener.doing("scoring, and writing the report")
        job = self._job(kept)
        given = given or held_out_parts(job, model, kept)
        model = with_calibration(job, model, given)
        if self.folder is not None and model.calibration:
            with storing(self.folder):
                add_calibration(self.folder, model.calibration)
        report = make_report(
            job,
            model,
            candidates,
            kept,
            given=given,
            notes=self.listener.notes,
            command=self.command,
            began=self.began,
            left_out=left_out,
            call=self.call,
        )
        model = replace(model, report=report, folder=self.folder)
        if self.folder is not None:
            with storing(self.folder):
                report.write(self.folder)
        for member in model.each_member:  # as loaded ones: with it torch multiplies some products otherwise
            member.model.network.requires_grad_(False)
        return model
