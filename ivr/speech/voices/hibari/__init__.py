"""The voice `hibari`, an English one on this machine: the server's side, and what its worker process does."""
