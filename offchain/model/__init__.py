"""Models: the integer graph that is run, hashed and proven, and the float models it comes from."""
