// The decoder of the playground.
