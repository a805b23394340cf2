"""What every line has on which all is written and read, whatever its platform's protocol."""
