"""Calls in a PostgreSQL database that any number of servers share; what speaks its protocol will do."""
