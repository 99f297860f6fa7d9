"""From a study file to all figures and tables, one page and a manifest."""
