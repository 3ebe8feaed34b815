"""A report put into the sentences of its first screen."""

from __future__ import annotations

from graftwork.evidence.results import Findings
from graftwork.evidence.summary.made_from import made_from, trust
from graftwork.evidence.summary.next_steps import ablation_step, next_steps
from graftwork.evidence.summary.summary import Summary
from graftwork.evidence.summary.trouble import trouble
from graftwork.evidence.summary.verdicts import verdict


def summarised(report: Findings) -> Summary:
    """The first screen of a report. Where a verdict warns, nothing that the model did is called a finding."""
    verdicts = tuple(verdict(result, result.target if report.more else "") for result in report.results)
    warned = any(one.warning for one in verdicts)
    return Summary(
        title=report.title,
        verdicts=verdicts,
        trust=trust(report),
        trouble=() if warned else trouble(report),
        made_from=made_from(report),
        steps=next_steps(report, warned=warned),
        ablation=ablation_step(report),
        remembered=tuple(one.sentence for one in report.remembered),
        tuned=(
            *(said for one in report.tuned for said in one.sentences),
            *(one.message for one in report.warnings if one.kind == "reward"),
        ),
    )
