"""What random gold lets one promise: the certificate of a set, how much gold it takes, and the shares of labels."""

from consensus.guarantees.certificate import DELTA, Certificate, certificate
from consensus.guarantees.certified_items import MOST_LABELS, WHY_NONE, Certified, LabelCertificate, certified
from consensus.guarantees.gold_plan import GoldPlan, Need, need, plan_gold

__all__ = [
    "DELTA",
    "MOST_LABELS",
    "WHY_NONE",
    "Certificate",
    "Certified",
    "GoldPlan",
    "LabelCertificate",
    "Need",
    "certificate",
    "certified",
    "need",
    "plan_gold",
]
