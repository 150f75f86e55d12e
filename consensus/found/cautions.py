"""What to know before trusting a result: every code, what it means, and what to do."""

from __future__ import annotations

from dataclasses import dataclass, field

from consensus.wording import in_words_of_the_caller


@dataclass(frozen=True, slots=True)
class Code:
    """What stands behind the code of a caution."""

    means: str
    """One sentence: the fact."""
    remedy: str
    """One sentence: what to do."""


CODES: dict[str, Code] = {
    # the judgments
    "rejected_rows": Code(
        "Some rows could not be used, such as lines with too few fields.",
        "Look at them in rejects.csv of `consensus run`, and mend the file if they matter.",
    ),
    "wrong_encoding": Code(
        "Some rows are rejected because they are not UTF-8.",
        "Name the encoding of the file with --encoding, such as cp1252, or save it as UTF-8.",
    ),
    "many_labels": Code(
        "There are more than a hundred labels, with fewer than ten judgments each on average.",
        "Check which column was read as the label, and name the right one with --label.",
    ),
    "many_repeats": Code(
        "More than one judgment in twenty is a repeat: the same worker judged the same item before, which often "
        "means several questions in one table, or a wrong item column.",
        "Name the column of the item (--item), run each question by itself, or say with --repeats which judgment "
        "counts.",
    ),
    "shared_identity": Code(
        "A worker, such as guest or not-logged-in, looks like many people.",
        "Name them with --anonymous if they are many people, or pass --repeats last if they are one person.",
    ),
    "workers_are_addresses": Code(
        "Ids of workers look like e-mail addresses, and every output holds them.",
        "Name the file of a secret key with --pseudonyms, so that outputs have other names.",
    ),
    "option_without_effect": Code(
        "An option names a value that occurs nowhere in the judgments.",
        "See how the value is written in the file, and correct the option.",
    ),
    "repeats_by_row_order": Code(
        "Some workers judged an item twice with different labels, and without timestamps the order of the rows "
        "decided which one counts.",
        "Give a column of times (--timestamp), or choose with --repeats.",
    ),
    "unreadable_times": Code(
        "Some timestamps could not be read and count as unknown.",
        "Say with --time-format how they are written, or write them in ISO 8601, such as 2025-03-01T09:30:00Z.",
    ),
    "unreadable_durations": Code(
        "Some durations could not be read and count as unknown.",
        "Write them as numbers of seconds, 0 or more, such as 12.5.",
    ),
    "unreadable_prices": Code(
        "Some prices could not be read and count as unknown.",
        "Write them as numbers, 0 or more, such as 0.05 or $0.05.",
    ),
    "look_alike_labels": Code(
        "Some labels differ only by case, spaces or what joins words, quotes, Unicode form, a trailing dot or the form "
        "of a number, and count as different ones.",
        "If they are the same, pass --fold labels.",
    ),
    "look_alike_workers": Code(
        "The names of some workers differ only by case, spaces, Unicode form, a trailing dot or the form of a number, "
        "and count as different people.",
        "If they are the same, pass --fold workers.",
    ),
    "look_alike_items": Code(
        "The names of some items differ only by case, spaces, Unicode form, a trailing dot or the form of a number, "
        "and count as different items.",
        "If they are the same, pass --fold items.",
    ),
    "other_label_names": Code(
        "Some workers never use the labels that others use, as if they called them by other names.",
        "If they mean the same, say what each is called with --label-map.",
    ),
    "no_answer_texts": Code(
        'Some labels are texts that most often mean "no answer", such as a blank, NA, null or ?, and count as labels '
        "like any other.",
        'If they mean "no answer", pass each of them with --abstain.',
    ),
    "list_labels": Code(
        "Some labels are lists, such as ticked boxes, and each combination counts as a label of its own, perhaps "
        "each order too.",
        "If the order means nothing, pass --fold labels.",
    ),
    "number_labels": Code(
        "The labels look like measured numbers, nearly all of them different.",
        "Put them into a few classes with --label-map, or take their median instead of a consensus.",
    ),
    "free_text_labels": Code(
        "The labels look like free text, nearly all of them different.",
        "Name another column with --label, or put the texts into classes with --label-map.",
    ),
    "repeated_header": Code(
        "Some rows repeat the header, as in tables put one after the other, and count as judgments.",
        "Leave them out with --drop COLUMN=COLUMN, where COLUMN is the name of the item column.",
    ),
    "one_label": Code(
        "Every judgment says the same, so there is nothing to decide.",
        "Check which column was read as the label, or name all labels with --labels if there are more.",
    ),
    "items_without_judgments": Code(
        "Some items got no answer, only abstentions, so their label is a guess.",
        "Have them judged, or leave them out.",
    ),
    "one_judgment_per_item": Code(
        "No item was judged twice, so nothing can be compared to tell how good anybody is.",
        "Collect second judgments, of a random sample at least, or give gold (--gold).",
    ),
    "small_data": Code(
        "There are too few items, or too few judgments from each worker, to learn how the workers err, so a fixed "
        "prior and a cautious confidence are used.",
        "Collect at least 20 judgments from each worker and 50 items, and check the accepted labels until then.",
    ),
    "odd_masks": Code(
        "Something about the pictures or masks may not be meant so, such as a picture that its EXIF rotates, or a "
        "value of 255 that counts as a class.",
        "Look at what the line names, and say with --void, --images or --classes how it is meant.",
    ),
    "few_masks": Code(
        "Some pictures have two masks only, so that where these differ, only what the workers do elsewhere tells who "
        "is right.",
        "Have a third person paint these pictures, or click the disputed chunks.",
    ),
    "waiting_clicks": Code(
        "Some clicks do not count yet, because the chunk is large, or nobody painted there what they say.",
        "Have somebody else click these chunks, too.",
    ),
    # the gold
    "unaudited": Code(
        "No gold labels were given, so a confidence only tells how far competent workers agree.",
        "Have an expert label a random sample, a hundred items or more, and give it with --gold.",
    ),
    "gold_without_judgments": Code(
        "Some gold items were never judged, so they keep their label and check nobody.",
        "Check that items have the same names in both files, or have these items judged.",
    ),
    "gold_covers_all": Code(
        "Every judged item is gold, so no label is left to find.",
        "To score labels against known ones, run without --gold and use `consensus evaluate`.",
    ),
    "gold_accepts_many": Code(
        "Gold accepts more than 1.2 labels for each item on average, which is common for judgments and rare for "
        "known labels.",
        "Check which file and column were read as gold, and name the right column with --gold-label.",
    ),
    "beyond_gold": Code(
        "Gold can't check many of the accepted items, because no gold item was judged by these workers, lies in "
        "these groups or gets these labels.",
        "Give gold for some of these items, drawn at random (status `unaudited` in labels.csv), or have workers whom "
        "gold has checked judge a few dozen of them.",
    ),
    "gold_not_random": Code(
        "The confidences of gold items differ from the others by more than chance, as when gold was picked by hand, "
        "so it certifies nothing and gives no shares of labels.",
        "Draw gold with `consensus plan-gold` and give that alone, or pass --random-gold if it was drawn at random.",
    ),
    "overconfident": Code(
        "Gold shows clearly more wrong labels among accepted items than the confidences predict.",
        "Trust the measured error, and raise --target, give more gold, or check the gold (`consensus audit --table "
        "gold`).",
    ),
    "wrong_gold": Code(
        "Good workers contradict some gold items, so these are probably wrong.",
        "Look at these items (`consensus audit --table gold`), and correct the gold file where it is wrong.",
    ),
    # the fit
    "not_converged": Code(
        "The fit stopped at its limit of iterations before it converged.",
        "Raise --max-iterations.",
    ),
    "one_reading": Code(
        "You asked for the average of several models, and these data allow only one, so one model is used alone.",
        "Leave it so, or leave out what prevents the average: model votes, or rare labels if there are very many "
        "labels.",
    ),
    "readings_disagree": Code(
        "Many items get different labels from different models of how workers err, or when a group of workers counts "
        "as one.",
        "Let an expert decide some of the items in readings.csv, give them with --gold, and check whether workers "
        "copy (`consensus audit --table copying`) or the question misleads.",
    ),
    "worker_weighted_differs": Code(
        "A simpler model, with one weight for each worker, gives many items other labels, and the judgments do not "
        "tell which is right.",
        "Let an expert label 50 random items and give them with --gold; readings.csv lists the items that differ.",
    ),
    "near_chance": Code(
        "The workers' answers tell next to nothing about the labels.",
        "Make the question clearer, or train the workers.",
    ),
    "disconnected": Code(
        "The judgments fall into groups that share no worker and no item, so only the prior compares workers of "
        "different groups.",
        "Let some workers judge items of several groups, or give gold in each of them.",
    ),
    "newcomers_disagree": Code(
        "Workers with few judgments each contradict the experienced ones when taken together, as the many accounts of "
        "one person do, so they count as one worker.",
        "Look at some of their items, and give gold (--gold) on these, since only gold tells who is right.",
    ),
    "agree_with_nobody": Code(
        "Many workers agree neither with the others nor with each other more often than chance, as those do who guess, "
        "so they count only as far as they agree beyond chance.",
        "Read their reasons in workers.csv (consensus audit), and have their items judged by others.",
    ),
    "switch_risk": Code(
        "The data can be read another way as well, the opposite or that of a second camp of workers, so labels may be "
        "switched.",
        "Give gold (--gold), since nothing else can tell.",
    ),
    "moved_labels": Code(
        "The model gives some labels far more or less often than the workers do, which is plausible for rare labels "
        "only.",
        "Look at some of these items, and give gold (--gold) if they seem wrong.",
    ),
    "different_labels": Code(
        "Workers or groups of items see different mixes of labels, as in batches, so the prior of an item comes from "
        "its workers or its group, not from all items.",
        "Name the column of the batch, topic or HIT with --group if there is one.",
    ),
    "clusters_untold": Code(
        "Clusters were named (--cluster), but fewer than five workers judged items of two of them, so nothing tells "
        "how far the items of a cluster err together, and a large cluster counts as 20 items.",
        "Have several workers judge items of several clusters.",
    ),
    "one_label_unheard": Code(
        "Some workers give one label only, and beside weights or clusters of items their silence counts for nothing.",
        "Have people judge some items on which all of them are silent.",
    ),
    "one_label_workers": Code(
        "Some workers, such as keyword rules, give one label only, so an answer counts for that label and silence "
        "against it, while those who give it to every item count for nothing.",
        "Have people judge some items on which all of them are silent, or give gold (--gold), since nothing else "
        "shows whether silence is right.",
    ),
    "groups_unused": Code(
        "The column of --group changes nothing: all groups hold the same mix of labels, or the model takes no groups "
        "(with model votes, --prior none or a majority vote).",
        "Check that --group names the right column, or leave out --group, the model votes, --prior none or --model "
        "majority_vote.",
    ),
    "settings_unused": Code(
        "The model does not use some of the settings given, such as --rho with the majority vote.",
        "Leave them out, or take another --model.",
    ),
    "against_majority": Code(
        "More than 2 % of the items have another label than two thirds of their workers gave.",
        "Look at some of these items (in labels.csv label differs from majority_label), and give gold (--gold) if they "
        "seem wrong.",
    ),
    # the models that vote
    "models_only": Code(
        "No person judged any item, so a confidence only tells how far the models agree, and nothing shows mistakes "
        "that they share.",
        "Have people judge a random sample.",
    ),
    "trained_on_consensus": Code(
        "A model was trained on labels made from these judgments, so its votes count only on items that nobody judged.",
        "Leave it so, or give votes of a model that did not see these labels.",
    ),
    "copies_majority": Code(
        "A model repeats the majority of people even where people were divided, so its vote counts for next to "
        "nothing when it agrees with them (unless only gold shows this).",
        "Find out whether it was trained on these judgments, and give votes of one that was not; if it never saw them, "
        "pass --model-tests off.",
    ),
    "families_share_mistakes": Code(
        "Models of different families make the same mistakes far more often than independent ones would, so they count "
        "as one family (unless only gold shows it).",
        "Name one family for them in the column family; if you know that they err independently, pass --model-tests "
        "off.",
    ),
    "families_untested": Code(
        "Models were given families that should err independently, and neither people nor gold show whether they do.",
        "Have people judge a random sample, or give more gold, or give all models the same family.",
    ),
    "models_unverified": Code(
        "A model voted on too few items that two people judged, so only the labels that it names count, not its "
        "probabilities.",
        "Have people judge more of the items that it voted on (`consensus escalate --audit-sample 0.05` draws some).",
    ),
    "scores_out_of_range": Code(
        "Some scores of models are negative, or above 1 alone: they are no probabilities, and their rows are rejected.",
        "Mend them, or say on which scale they are with --score-scale.",
    ),
    "mixed_scales": Code(
        "Some scores of a model are at most 1 beside others above 1, and all are taken for percent.",
        "If two scales are mixed, mend the file.",
    ),
    "unnamed_model": Code(
        "A table of shares of labels names no model, so it is read as the votes of one.",
        "Add a column called model, if there are several.",
    ),
    "votes_from_judgments": Code(
        "Model votes are labels that a platform made of judgments: its aggregated report, or its output manifest.",
        "Leave them out where these judgments are given, too: beside them they count twice.",
    ),
    "unparsed_votes": Code(
        "Some model votes name no label of the label set and do not count.",
        "If the label set lacks one, name the whole set with --labels.",
    ),
    # workers by their audit
    "gold_contradicts": Code(
        "Gold and the other judgments contradict each other about workers; where they are many, the fit began again "
        "from gold, and these count only as far as gold goes.",
        "Look at them (`consensus audit`) and at the gold items they are wrong on, and stop who is wrong.",
    ),
    "gold_known": Code(
        "Some workers are right on gold and answer at random elsewhere, so they seem to know which items are gold; "
        "what they say of it counts for nothing.",
        "Stop them, and give other items as gold (`consensus audit --table gold` marks the leaked ones).",
    ),
    "bad_workers": Code(
        "Some workers are called spammer, adversarial, gold_aware or careless.",
        "Read the reasons in workers.csv (`consensus audit`); stop those who answer at random or against the truth, "
        "and talk to the careless.",
    ),
    "workers_changed": Code(
        "Some workers became better or worse over time, by more than chance and more than the others who judged the "
        "same items.",
        "See when and by how much (`consensus audit --table drift`), and ask those who became worse what happened.",
    ),
    # workers who judge too much alike
    "copying": Code(
        "Some workers give the same labels far more often than independent people would.",
        "Look at them with `consensus audit --table copying`, and count each group as one worker with --collusion "
        "merge.",
    ),
    "merged_copies": Code(
        "Workers give the same labels so much more often than independent people would that each group of them counts "
        "as one worker.",
        "Look at them with `consensus audit --table copying`, and count them apart with --collusion report.",
    ),
    "err_together": Code(
        "Items of a cluster err together, so copying is looked for on one item of each, and changes over time, streaks "
        "and tiredness are not looked for.",
        "Nothing; or name no clusters if items of a cluster are as unlike as any.",
    ),
}
"""Every code there is. ``docs/warnings.md`` shows them."""


@dataclass(frozen=True, slots=True)
class Caution:
    """Something the user should know before trusting the result."""

    code: str
    """Stable name, one of ``CODES``, such as ``switch_risk``."""
    message: str
    """One sentence or two: the fact, and what to do."""
    values: dict[str, float] = field(default_factory=dict)
    """The numbers behind it."""

    def __str__(self) -> str:
        return f"{self.code}: {in_words_of_the_caller(self.message)}"

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f'unknown code "{self.code}"; consensus.found.cautions.CODES has all')
