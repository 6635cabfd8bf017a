"""The training loop. It has no print, no logger and no callback: `trainer.train` yields events."""
