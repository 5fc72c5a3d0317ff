"""`zkdps <noun> <verb>`: thin commands over the roles; heavy imports happen inside commands."""
