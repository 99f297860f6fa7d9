"""Time to reoffending: curves, competing risks, Cox, restricted means."""
