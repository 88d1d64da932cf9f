"""``incidents.md``: every kind of incident with the limits of the default policy."""

from __future__ import annotations

from pydantic import BaseModel

from proctoring.incidents import LABELS
from proctoring.judgement import shipped_policy
from proctoring.judgement.policy.rule import Rule
from tools.reference_pages.markdown import table
from tools.reference_pages.notice import NOTICE

INTRODUCTION = """\
The label is the text in `alerts`, which clients match on. Times are seconds of media time under the
policy `exam`; a [policy](policies.md) may change every number and switch each kind off. *Persists*:
how long the condition must hold before an incident starts. *Closes after*: how long it must be gone
before the incident ends. *Cooldown*: for how long after an incident that alerted further ones of
its kind are recorded without an alert. Left and right are the candidate's own."""


def incidents_page() -> str:
    """The page as Markdown."""
    policy = shipped_policy("exam")
    rows = []
    for kind, label in LABELS.items():
        rule = policy.incidents[kind]
        rows.append(
            (
                f"`{kind}`",
                label,
                _severity(rule),
                "yes" if rule.enabled else "no",
                _length(rule.persist),
                _length(rule.closes_after),
                f"{rule.cooldown:g}",
            )
        )
    header = ("kind", "label", "severity", "on", "persists", "closes after", "cooldown")
    return "\n".join(
        ["# Kinds of incident", "", NOTICE, "", INTRODUCTION, "", table(header, rows), ""]
    )


def _severity(rule: Rule) -> str:
    if rule.warning_after is None:
        return rule.severity.value
    return f"{rule.severity.value}, warning after {rule.warning_after:g}"


def _length(value: float | BaseModel) -> str:
    if not isinstance(value, BaseModel):
        return f"{value:g}"
    return ", ".join(f"{number} {name}" for name, number in value.model_dump().items())
