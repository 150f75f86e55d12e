"""What the words on the page and the screen mean: one sentence each, for tooltips and for docs/glossary.md."""

from __future__ import annotations

VERDICTS = {
    "expert": "Clearly better than the median worker, and checked on five gold items or more.",
    "good": "Nothing speaks against them. Without gold this only says that they agree with the crowd.",
    "biased": "Usable, but they take one label for another far more often than others do.",
    "weak": "Not clearly better than chance, or than half of the median worker. Not to be stopped for that.",
    "careless": "Right far less often than the median worker.",
    "spammer": "Their answers do not depend on what is true, or next to nothing.",
    "adversarial": "Their answers go against what is true.",
    "gold_aware": "Right on gold, at random elsewhere: they seem to know which items are gold.",
    "too_few": "Too few judgments for a verdict, or these do not settle it.",
}
"""Of the verdicts about a worker."""
CONDEMNED = ("spammer", "adversarial", "gold_aware", "careless")
"""Verdicts about whom to stop, or to talk to."""
STATUSES = {
    "accepted": "Sure enough, with enough judgments: nothing more is asked for it.",
    "unaudited": "As sure, but beyond what gold items can check.",
    "escalate": "Not sure enough: more judgments are asked for.",
    "needs_expert": "More judgments would not settle it: an expert has to decide.",
    "gold": "Its label was known from the start.",
}
"""Of an item."""
REASONS = {
    "too_few": "It has fewer judgments than an item needs.",
    "weak_workers": "Nobody objects, but those who judged it tell little.",
    "disagreement": "Those who judged it contradict each other.",
    "needs_expert": "More judgments would not settle it.",
    "audit": "Drawn at random to check the confidences.",
}
"""Why an item is on the list."""
READINGS = {
    "dawid_skene": "every worker by themselves",
    "subtypes": "items of one label may differ",
    "lure": "a wrong label may tempt many",
    "worker_weighted": "weights of workers alone",
    "counted_apart": "each worker of a group by themselves",
}
"""Of the ways to read the judgments of which the labels are the average, and of those that stand beside it."""
STATISTICS = {
    "krippendorff_alpha": "Krippendorff's alpha",
    "fleiss_kappa": "Fleiss' kappa",
    "cohen_kappa": "Cohen's kappa",
    "gwet_ac1": "Gwet's AC1",
    "pairwise_agreement": "agreement of pairs",
}
"""Of the measures of agreement, where their name in files is not plain."""
WORDS = {
    "confidence": "How likely the label is right, in per cent, if the judgments are what they seem.",
    "gold": "Items whose true label is known from outside. They measure what else could only be estimated.",
    "measured error": "How many gold items got a wrong label that the rule would have accepted. The range after it "
    "holds the true share in 95 of 100 cases.",
    "expected error": "How many accepted labels should be wrong if the confidences are right. On public crowds without "
    "gold it was too low: a median of 3.5 times as many were wrong.",
    "accuracy": "How often this worker is right on the items that they judged, in per cent. The range holds the truth "
    "in about nine of ten cases without gold.",
    "agreement": "How often this worker says what the other judges of the item say.",
    "counts as": "How many judgments of the median worker one of theirs tells as much as.",
    "weight": "By how much a judgment changes the odds of the label against the second best: times 2 doubles them.",
}
"""Of the numbers."""
NAMES = {"dawid_skene": "Dawid-Skene"}  # of models and readings that are not called by their name in the code


def plain(name: str) -> str:
    """A name of a value, such as ``too_few``, in words."""
    return READINGS.get(name) or STATISTICS.get(name) or name.replace("_", " ")


def called(name: str) -> str:
    """What a model or reading is called in words."""
    return NAMES.get(name, name.replace("_", " "))
