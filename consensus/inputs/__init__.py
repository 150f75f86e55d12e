"""What is known before a fit: judgments, gold, votes of models, costs, who can be asked, an earlier run."""
