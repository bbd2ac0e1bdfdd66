"""The chart's files that are made from others: what is said once is not said again by hand."""
