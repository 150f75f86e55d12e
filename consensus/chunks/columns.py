"""The columns of the tables about pictures, each named, typed and described once."""

from __future__ import annotations

from consensus.runs.columns import Column

IMAGE = Column("image", "text", "Name of the picture.")
CHUNKS = (
    IMAGE,
    Column("chunk", "text", "Its first pixel, x,y, and a hash of where the chunks of the picture are."),
    Column("label", "text", "The most probable label."),
    Column("confidence", "number", "Its probability, 0 to 1."),
    Column("runner_up", "text", "The second most probable label."),
    Column("area", "count", "Pixels."),
    Column("x0", "count", "Left end of the box around it, and around slivers beside it that are too small to list."),
    Column("y0", "count", "Upper end."),
    Column("x1", "count", "Right end, beyond the last pixel."),
    Column("y1", "count", "Lower end, beyond the last pixel."),
    Column("priority", "number", "Expected wrong pixels that one click repairs."),
    Column(
        "judgments",
        "count",
        "Clicks to ask for now; 0 beyond the clicks that a picture may have, or where an expert is to look.",
    ),
    Column("votes", "text", "What people and models painted there, each label with how many did."),
    Column("n_clicks", "count", "Clicks that it had."),
    Column(
        "status", "text", "disputed; audit (nobody disputes it); or repaint (of a picture that is to be painted anew)."
    ),
    Column(
        "reason",
        "text",
        "Why a click is asked for: disagreement; too_few (one mask only says anything); audit (drawn at "
        "random). Or needs_expert: it had three clicks, which did not settle it, so that no more are asked for.",
    ),
    Column("candidates", "text", "Labels to choose from, the most probable first."),
    Column("crop", "text", "File that shows it, in the folder of the run; missing where there is none."),
)
ESCALATIONS = (
    Column("item", "text", "image#chunk: what answers call it. There is no column of workers to ask."),
    Column("reason", "text", "As in chunks."),
    Column("judgments", "count", "As in chunks."),
    Column("priority", "number", "As in chunks."),
    Column("judgments_needed", "number", "Clicks expected until it is settled; missing where an expert is to look."),
    Column("label", "text", "As in chunks."),
    Column("confidence", "number", "As in chunks."),
    Column("runner_up", "text", "As in chunks."),
    Column("n_judgments", "count", "Masks and clicks that say something of it."),
    IMAGE,
    Column("candidates", "text", "As in chunks."),
    Column("crop", "text", "As in chunks."),
)
IMAGES = (
    IMAGE,
    Column("file", "text", "Name of its files in masks and confidence."),
    Column("height", "count", "Pixels."),
    Column("width", "count", "Pixels."),
    Column("n_masks", "count", "Masks of people."),
    Column(
        "agreement",
        "number",
        "IoU of the masks of two people: mean over the classes that either painted, a small one counting as much as a "
        "large one; then over all pairs. Missing without two.",
    ),
    Column("agreement_beyond_chance", "number", "Agreement on a pixel: 1 always, 0 as often as by chance."),
    Column(
        "expected_foreground_iou",
        "number",
        "Expected IoU of all that is not background, its class right; it settles a picture. Without a background: "
        "expected share of right pixels.",
    ),
    Column(
        "expected_iou",
        "number",
        "Mean of the columns on the right over the classes; one that nobody painted counts as 0 as far as it is "
        "probably there.",
    ),
    Column("uncertain_share", "number", "Share of the pixels expected to be wrong."),
    Column("n_chunks", "count", "Chunks of all kinds."),
    Column("n_chunks_disputed", "count", "Disputed chunks that are listed."),
    Column(
        "foreground_iou_after_clicks",
        "number",
        "As expected_foreground_iou, when all clicks are given that are asked for now.",
    ),
    Column(
        "clicks_to_target", "count", "Clicks expected until it is settled; missing where clicks do not bring it there."
    ),
    Column("status", "text", "settled; clicks (they are expected to settle it); or repaint (they are not)."),
    Column("digest", "text", "Of all that was said of its pixels."),
    Column("chunks", "text", "The hash in the names of its chunks."),
)
"""And a column expected_iou_LABEL for each class; missing where it is not painted."""
WORKERS = (
    Column("worker", "text", "Id of the worker; who clicks is listed as NAME (clicks)."),
    Column("kind", "text", "human, model, or clicks."),
    Column("n_images", "count", "Pictures that they painted; missing of who clicks."),
    Column("n_eff", "number", "Independent judgments that their pixels, or clicks, count for."),
    Column("judged_share", "number", "Share of the pixels of these pictures that they judged."),
    Column("accuracy", "number", "P(right) on a pixel, by the model."),
    Column("accuracy_low", "number", "Lower end of its 95 % interval."),
    Column("accuracy_high", "number", "Upper end."),
    Column("gold_accuracy", "number", "Share of the pixels in gold masks that are right; missing without any."),
    Column("iou", "number", "Mean IoU with what the others say without them, over classes, then pictures."),
    Column("bias_px", "number", "How far their outlines lie outside those of the others, in pixels; negative: inside."),
    Column("missed_parts", "count", "Parts that the others painted, of which they painted less than a tenth."),
    Column("extra_parts", "count", "Parts that they painted, of which the others painted less than a tenth."),
    Column(
        "confuses",
        "text",
        "What they take for what, and in which share of it: house for boat: 44%. At most three, of which the lower end "
        "of the interval in confusions is 10 % or more.",
    ),
    Column("verdict", "text", "As in the table workers of a run; too_few below 20 units or 5 pictures."),
    Column("verdict_probability", "number", "Posterior probability of what the verdict says."),
    Column("reason", "text", "The numbers behind the verdict."),
)
