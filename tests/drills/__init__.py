"""Drills: break things on purpose, then check that nothing is lost, nothing happens twice, nobody waits for ever."""
