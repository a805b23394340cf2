"""The pages on which callers sign in, and the parts behind them put together."""
