"""What the orders of calls are carried out by: a speech engine, web services, mail. None knows a call or a channel."""
