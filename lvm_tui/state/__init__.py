"""Events in, one immutable view out: pure, without a screen, in bounded time and memory."""
