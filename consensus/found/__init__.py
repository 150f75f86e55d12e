"""What a fit leaves: the consensus, its posteriors and confusions, what it is made of, how it is tempered."""
