"""The warning about gold that does not look drawn at random, for what is certified and for the shares of labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consensus.found.cautions import Caution

if TYPE_CHECKING:
    from consensus.guarantees import Certified
    from consensus.guarantees.shares_table import SharesTable


def cautions(found: Certified, shares: SharesTable) -> list[Caution]:
    """Say so where gold does not look as if it had been drawn at random from what is certified, or from all items."""
    drawing, of_all = found.drawing, shares.drawing
    if drawing.looks_random and (of_all is None or of_all.looks_random):
        return []
    way_out = "draw gold with consensus plan-gold, or pass --random-gold if it was drawn at random"
    if drawing.looks_random:
        assert of_all is not None
        drawing, void = of_all, "the shares of labels made from them are not valid"
    else:
        void = "they measure nothing about the others and certify nothing"
    how = f"Kolmogorov-Smirnov distance {drawing.ks_distance:.2f}, p-value {drawing.ks_p:.2g}"
    if not drawing.ks_p < drawing.means_p:
        how = f"p-value of the difference at most {drawing.means_p:.2g}"
    return [
        Caution(
            "gold_not_random",
            f"the {drawing.n_gold:,} gold items do not look drawn at random: their mean confidence is "
            f"{abs(drawing.surer):.2f} {'higher' if drawing.surer > 0 else 'lower'} than that of the "
            f"{drawing.n_others:,} others ({how}), so {void}; {way_out}",
            {
                "ks_distance": drawing.ks_distance,
                "ks_p": drawing.ks_p,
                "means_p": drawing.means_p,
                "n_gold": float(drawing.n_gold),
            },
        )
    ]
