"""What tests want told at the end of a run: scripts/test shows each line."""

lines = []
