"""The columns of every table, each named, typed and described once: files, ``--table`` and docs follow these."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "list", "count", "number", "flag"]
"""Text; several texts; a whole number; a number, missing where it does not exist; true or false."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    name: str
    kind: Kind
    about: str
    """One sentence, or what stands for one in a list."""
    always: bool = True
    """False where it only stands in the table if its input does."""


ITEM = Column("item", "text", "Id of the item.")
WORKER = Column("worker", "text", "Id of the worker.")
N_JUDGMENTS = Column("n_judgments", "count", "Judgments that people gave.")

LABELS = (
    ITEM,
    Column("label", "text", "The most probable label; missing where a tie is left open."),
    Column("confidence", "number", "Its probability, 0 to 1; missing where no confidence can be stated."),
    Column("margin", "number", "Its probability minus that of the second best label, 0 to 1."),
    Column("entropy", "number", "Entropy of all probabilities (natural logarithm): 0 where one of them is sure."),
    Column("runner_up", "text", "The second most probable label; missing where none is possible or stands out."),
    N_JUDGMENTS,
    Column("n_model_votes", "count", "Votes that models gave."),
    Column("majority_label", "text", "The label of most judgments; missing on a tie."),
    Column("source", "text", "consensus; gold; or model, where nobody judged it."),
    Column(
        "status",
        "text",
        "accepted; unaudited (accepted, but beyond what gold can check); escalate (needs more judgments); needs_expert "
        "(an expert must decide); or gold.",
    ),
    Column(
        "certified",
        "flag",
        "Whether it is in the certified set (with --promise set): with 95 % confidence at most 1 - target of the set "
        "are wrong.",
        always=False,
    ),
    Column("decision", "text", "The label with the lowest expected cost (with --costs).", always=False),
    Column("expected_cost", "number", "The expected cost of that decision.", always=False),
    Column("weight", "number", "How many items it counts as (with --weight).", always=False),
    Column("cluster", "text", "Its picture, document or dialogue (with --cluster); missing without.", always=False),
)
POSTERIORS = (ITEM,)
"""And one column a label, with its probability."""
WORKERS = (
    Column("worker", "text", "Id; models and families of models come last."),
    Column("kind", "text", "human, model, or family (of models)."),
    Column("n_judgments", "count", "Judgments, or votes of a model."),
    Column("n_items", "count", "Items that were judged."),
    Column(
        "effective_judgments",
        "number",
        "As how many independent judgments theirs count, where items have weights or clusters; a verdict needs "
        "--min-worker-judgments of these.",
        always=False,
    ),
    Column(
        "n_clusters",
        "count",
        "Clusters that their items lie in, where there are any; a verdict needs 5.",
        always=False,
    ),
    Column("accuracy", "number", "P(right), 0 to 1, on the items they judged. Rank workers by this."),
    Column(
        "accuracy_low",
        "number",
        "Lower end of its 95 % interval. Without gold about nine of ten intervals hold the true accuracy.",
    ),
    Column("accuracy_high", "number", "Upper end of it."),
    Column("gold_n", "count", "Judgments of gold items."),
    Column("gold_accuracy", "number", "Share of these that are right; missing if there are none."),
    Column("gold_low", "number", "Lower end of its 95 % interval (Wilson)."),
    Column("gold_high", "number", "Upper end of it."),
    Column("agreement", "number", "How often others give the same label to the same items, 0 to 1."),
    Column(
        "informativeness", "number", "Mutual information of true label and answer, in bits a judgment; 0: a spammer."
    ),
    Column(
        "worth",
        "number",
        "One of their judgments tells as much as so many of the median worker; missing if the median worker tells "
        "nothing.",
    ),
    Column(
        "verdict",
        "text",
        "expert, good, biased, weak, careless, spammer, adversarial, gold_aware or too_few; missing for models. If "
        "they changed over time (`drift`), it says what they are now; the other columns cover all their judgments.",
    ),
    Column("reason", "text", "The numbers behind the verdict, or why a model counts as it does."),
    Column("verdict_probability", "number", "Posterior probability of what the verdict says, 0 to 1."),
    Column(
        "label_adjusted_accuracy",
        "number",
        "P(right), 0 to 1, if their items had the same mix of labels as all items (estimated).",
    ),
    Column(
        "chance_corrected",
        "number",
        "Cohen's kappa with the truth: 1 is always right, 0 is right as often as by chance.",
    ),
    Column(
        "expected_cost",
        "number",
        "Expected cost of an item if one of their judgments decides it; missing without --costs.",
    ),
    Column(
        "price", "number", "Mean price of a judgment, from a column of prices or --price-per-judgment; else missing."
    ),
    Column("bits_per_price", "number", "Bits of information for one unit of money; missing without prices."),
)
CONFUSIONS = (
    WORKER,
    Column("true_label", "text", "The true label."),
    Column("label", "text", "The label given."),
    Column("count", "number", "Expected judgments in this cell."),
    Column("probability", "number", "P(label | true label), 0 to 1."),
    Column("low", "number", "Lower end of its 95 % interval."),
    Column("high", "number", "Upper end of it."),
)
LABEL_ACCURACY = (
    WORKER,
    Column("label", "text", "The true label."),
    Column("count", "number", "Expected judgments of items of this label."),
    Column("accuracy", "number", "P(right | label), 0 to 1."),
    Column("accuracy_low", "number", "Lower end of its 95 % interval."),
    Column("accuracy_high", "number", "Upper end of it."),
)
MODELS = (
    Column("model", "text", "Its name; missing in the row of a family."),
    Column("family", "text", "The family: models that may share mistakes."),
    Column("label", "text", "The true label of this row; missing in the row for all labels."),
    Column("n_votes", "count", "Items that it voted on."),
    Column("n_rated", "count", "Of these, those that people judged, too."),
    Column("accuracy", "number", "Share right, 0 to 1."),
    Column("accuracy_low", "number", "Lower end of its 95 % interval."),
    Column("accuracy_high", "number", "Upper end of it."),
    Column("weight", "number", "Its weight in the prior of the items; learnt from the judgments of people."),
    Column(
        "temperature",
        "number",
        "How far its probabilities are stretched: above 1, it is too sure of itself; below 1, too unsure.",
    ),
    Column("ece", "number", "Expected calibration error of its probabilities as they were given, 0 to 1."),
    Column("ece_calibrated", "number", "The same at that temperature."),
    Column("worth", "number", "One vote adds as much to people's judgments as so many judgments of the median worker."),
    Column("echo", "number", "Share of its votes that repeat the majority of people, 0 to 1; these add nothing."),
    Column("declared_family", "text", "The declared family, if its mistakes are those of another family."),
    Column("n_effective", "number", "Independent models that a family counts as."),
    Column("reason", "text", "Why its votes count as they do."),
)
GOLD_HEALTH = (
    Column("item", "text", "Id of a gold item that was judged."),
    Column("gold_label", "list", "Its accepted labels."),
    N_JUDGMENTS,
    Column("n_right", "count", "How many of them give an accepted label."),
    Column("label", "text", "What the crowd would say without the gold."),
    Column("confidence", "number", "How certainly, 0 to 1."),
    Column("p_wrong", "number", "P(the gold is wrong), 0 to 1."),
    Column("suspect", "flag", "The gold is probably wrong; look at it."),
    Column("information", "number", "Bits that one judgment of it tells about whether the worker is weak."),
    Column("too_easy", "flag", "Even weak workers are right on it, so it tells next to nothing about workers."),
    Column(
        "leaked",
        "flag",
        "Weak workers are right on it far more often than elsewhere, or somebody is who is gold_aware, so they may "
        "know it; never with --cluster.",
    ),
    Column("reason", "text", "Why it is suspect, too easy or leaked."),
)
NEW_GOLD = (
    ITEM,
    Column("label", "text", "The label that it would have as gold."),
    Column("confidence", "number", "How certain that is, 0 to 1."),
    N_JUDGMENTS,
    Column("n_strong", "count", "Strong workers among those who judged it."),
    Column("reason", "text", "What supports it."),
)
RETEST = (
    WORKER,
    Column("verdict", "text", "The verdict that is open."),
    Column("n_needed", "count", "Judgments needed on items of known label until the verdict is expected to be clear."),
    Column("item", "text", "An item that would help."),
    Column("label", "text", "The label that is to be expected there."),
)
COPYING = (
    Column("group", "count", "Number of the group that the pair belongs to, from 0."),
    Column("worker_a", "text", "Id of the first worker."),
    Column("worker_b", "text", "Id of the second worker."),
    Column("n_shared", "count", "Items that both judged."),
    Column("n_same", "count", "Shared items to which both gave the same label."),
    Column("expected_same", "number", "How many such items to expect if the two were independent."),
    Column("p_value", "number", "Probability of as many or more, if the two were independent."),
    Column(
        "q_value",
        "number",
        "Share of false alarms if this pair and all stronger pairs are reported; if only the whole group is clear, "
        "the probability of such a group.",
    ),
    Column("n_effective", "number", "Independent votes that the whole group counts as."),
    Column("reason", "text", "The same in words."),
)
DRIFT = (
    Column("worker", "text", "Id; missing in the last row, which is about everyone."),
    Column("scope", "text", "worker or everyone."),
    Column("changed_at", "text", 'UTC, or "row N" by rows; the first judgment after the most likely change.'),
    Column("changed_earliest", "text", "Start of its 95 % interval; missing without drift."),
    Column("changed_latest", "text", "End of it."),
    Column("n_before", "count", "Judgments with a known time before it."),
    Column("n_after", "count", "Those from then on."),
    Column("accuracy_before", "number", "Mean of P(right | the other judgments of the item) before it."),
    Column("accuracy_before_low", "number", "Lower end of its 95 % interval (Wilson)."),
    Column("accuracy_before_high", "number", "Upper end of it."),
    Column("accuracy_after", "number", "The same from then on."),
    Column("accuracy_after_low", "number", "Lower end of its 95 % interval (Wilson)."),
    Column("accuracy_after_high", "number", "Upper end of it."),
    Column("p_value", "number", "P(a change as large at any time, if nothing changed)."),
    Column(
        "drifts",
        "flag",
        "Whether it is more than chance: at most 1 % are false discoveries, it stays among items of the same label, "
        "and others changed less on the same items.",
    ),
    Column("reason", "text", "What changed, why there is no p-value, or why a change beyond chance is no drift."),
)
BEHAVIOUR = (
    WORKER,
    Column("n_judgments", "count", "Judgments."),
    Column("seconds_median", "number", "Median seconds of a judgment, as given or between two of one session."),
    Column("too_fast", "number", "Share of judgments that took less than .3 of the median time of the item."),
    Column("longest_streak", "number", "Longest run of one label in order of time; missing without times."),
    Column("streak_p", "number", "Upper bound of the probability of so long a run in random order."),
    Column("constant", "number", "Share of the most frequent label."),
    Column("expected_constant", "number", "Share of that label in the consensus on their items."),
    Column("n_sessions", "number", "Sessions: a pause of more than 30 minutes ends one; missing without times."),
    Column("early_right", "number", "Mean of P(right) in the first third of all sessions."),
    Column("late_right", "number", "The same in the last third."),
    Column("fatigue_p", "number", "P(so many wrong judgments in the last thirds, if mistakes come at any time)."),
)
ESCALATIONS = (
    ITEM,
    Column("reason", "text", "too_few, weak_workers, disagreement, needs_expert, audit or retest."),
    Column("judgments", "count", "To ask for now; 0 where an expert is to decide."),
    Column("priority", "number", "Errors (or cost) that one judgment saves, or one unit of its price."),
    Column(
        "judgments_needed",
        "number",
        "Judgments expected until the item is settled or has --max-judgments. In replays it was 10 % too low in the "
        "worst crowd (very hard items of four labels).",
    ),
    Column("needed_low", "number", "Lower end of a range meant to hold 80 %. In replays it held 95 % and more."),
    Column("needed_high", "number", "Upper end of it."),
    Column(
        "p_settled",
        "number",
        "P(settled with at most --max-judgments), 0 to 1. In replays with --model dawid_skene its mean was off by .1 "
        "at most, except on `web` with 100 gold items (.13 said, .25 came true). With the default model and 100 "
        "gold items it was off by .11 at most; without gold by up to .22, which three judgments can't tell.",
    ),
    Column("label", "text", "As in labels."),
    Column("confidence", "number", "As in labels."),
    Column("runner_up", "text", "As in labels."),
    N_JUDGMENTS,
    Column(
        "suggested_workers",
        "list",
        "Whom to ask, one worker for each judgment; missing if nobody is left. It leaves out spammers, adversarial "
        "and gold_aware workers, and those who fell clearly below the median worker (unless --ask-anyone).",
    ),
)
CHANGES = (
    ITEM,
    Column("label_before", "text", "The label in the earlier run; missing where the item was not in it."),
    Column("label", "text", "The label now."),
    Column("status_before", "text", "The status in the earlier run."),
    Column("status", "text", "The status now."),
)
READINGS = (
    ITEM,
    Column("label", "text", "The label of their average."),
    Column("confidence", "number", "Its probability, 0 to 1."),
    N_JUDGMENTS,
    Column("majority_label", "text", "The label of most judgments; missing on a tie."),
    Column("dawid_skene", "text", "The label if workers err independently on every item."),
    Column("dawid_skene_confidence", "number", "Its probability by this reading."),
    Column("subtypes", "text", "The label if there are three kinds of items of every label."),
    Column("subtypes_confidence", "number", "Its probability by this reading."),
    Column("lure", "text", "The label if an item may tempt many workers to the same wrong label."),
    Column("lure_confidence", "number", "Its probability by this reading."),
    Column("worker_weighted", "text", "The label by one weight for each worker; not part of the average."),
    Column(
        "counted_apart",
        "text",
        "The label if workers of a group that counts as one count one by one; not part of the average.",
    ),
)
REJECTS = (
    Column("file", "text", "The file."),
    Column("line", "count", "The line in it."),
    Column("reason", "text", "Why the row is not used."),
    Column("row", "text", "Its text."),
)
EVIDENCE = (
    Column("side", "text", "against or for the worker; the strongest evidence first."),
    Column("weight", "number", "How strong it is: the natural logarithm of the change in odds."),
    ITEM,
    Column("label", "text", "What the worker said."),
    Column("true_label", "text", "The best label by the other judgments."),
    Column("p_right", "number", "P(what the worker said is right), by the others."),
    Column("others", "list", "What others said, such as 'cat 4' and 'dog 1'; missing where the worker is alone."),
    Column("gold", "list", "The accepted labels of a gold item."),
    Column("timestamp", "text", "When, in UTC.", always=False),
)
FORGIVEN = (
    Column("kind", "text", "label of an item, or worker."),
    Column("id", "text", "Id of the item or worker."),
    Column("field", "text", "What is different: label, verdict, gold_accuracy or accuracy."),
    Column("before", "text", "With the gold."),
    Column("after", "text", "Without it."),
)
CLASS_SHARES = (
    Column("label", "text", "The label."),
    Column(
        "share",
        "number",
        "Share of the items whose label it is, 0 to 1, by gold and posteriors together. Without 10 gold items it is "
        "missing, as are all columns but the last two.",
    ),
    Column("low", "number", "Lower end of its 95 % interval, which holds if gold was drawn at random from the items."),
    Column("high", "number", "Upper end of it."),
    Column("gold_share", "number", "Share among the gold items alone."),
    Column("gold_low", "number", "Lower end of its 95 % interval (exact)."),
    Column("gold_high", "number", "Upper end of it."),
    Column("gold_items", "number", "Gold items of this label; those with several right labels count in parts."),
    Column(
        "mean_confidence",
        "number",
        "Mean probability of the label over all items, by a fit without the gold. It is no estimate of the share.",
    ),
)
AGREEMENT = (
    Column(
        "statistic",
        "text",
        "krippendorff_alpha, krippendorff_alpha_ordinal (with --ordinal), fleiss_kappa, gwet_ac1, percent_agreement, "
        "share (of a label), or cohen_kappa (of a pair).",
    ),
    Column("scope", "text", "overall, label (it against all others) or pair of workers."),
    Column("label", "text", "The label, where the row is about one."),
    Column("worker_a", "text", "The one worker of a pair."),
    Column("worker_b", "text", "The other one."),
    Column("value", "number", "The statistic; alpha, kappas and AC1: 1 perfect agreement, 0 what chance would give."),
    Column("low", "number", "Lower end of its 95 % interval, of a bootstrap over items."),
    Column("high", "number", "Upper end of it."),
    Column("n_items", "count", "Items that two or more workers judged."),
    Column("n_judgments", "count", "Their judgments."),
    Column("reason", "text", "Why a number is missing."),
)
DRAWN = (ITEM,)
WAYS = (
    Column("way", "text", "How judgments are asked for, such as '3 judgments an item' or 'target 95%'."),
    Column("target", "number", "Confidence at which it accepts an item."),
    Column("judgments", "count", "How many it would have used."),
    Column("judgments_per_item", "number", "The same for each item."),
    Column("cost", "number", "The same in money; missing without a price."),
    Column("accepted", "number", "Share of the items that would be accepted."),
    Column("expected_error", "number", "Expected share of these that is wrong, if the confidences are right."),
    Column("n_compared", "count", "Labels compared with the reference."),
    Column("accuracy", "number", "Share of these that is right."),
    Column("accuracy_low", "number", "Lower end of its 95 % interval (Wilson)."),
    Column("accuracy_high", "number", "Upper end of it."),
    Column("reference", "text", "gold, or labels of all judgments (unaudited)."),
)
DIFFERENCES = (
    ITEM,
    Column("change", "text", "label, status, judgments, new or gone."),
    Column("label_before", "text", "The label in the old run."),
    Column("label", "text", "The label in the new one."),
    Column("status_before", "text", "The status in the old run."),
    Column("status", "text", "The status in the new one."),
    Column("n_judgments_before", "count", "Judgments in the old run."),
    Column("n_judgments", "count", "Judgments in the new one."),
    Column("by", "text", "Whose judgments speak for a new label, and by how much they changed its odds."),
)
