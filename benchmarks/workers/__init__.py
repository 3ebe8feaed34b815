"""One side of one measurement each; every one runs in a process of its own (`harness.measure.work`)."""
