"""`zkdps doctor`: look at everything that a role stands on, and say what to do about it."""
