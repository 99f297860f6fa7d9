"""Making arms comparable: propensity, weights, balance, overlap."""
