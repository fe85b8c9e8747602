"""`make simulate`: the policy before loads and fleets that are not here."""
