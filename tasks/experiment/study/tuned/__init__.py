"""The study's tuned arms: how each is tuned, trained and answered for."""
