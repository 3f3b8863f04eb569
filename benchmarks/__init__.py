"""Monte Carlo coverage of the intervals, and the race against other packages."""
