"""One drawing function per report figure; no statistics in here."""
