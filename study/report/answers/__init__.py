"""What is the answer to each question, in plain words? One file per question; "cannot tell" where that is so."""

from study.report.answers import cost, domain, interaction, languages, levers, retention
from study.report.answers.words import Answer
from study.report.findings import Findings

QUESTIONS = (interaction, levers, retention, cost, domain, languages)


def answers(found: Findings) -> list[Answer]:
    """One answer per question of the study, in order."""
    return [question.answer(found) for question in QUESTIONS]
