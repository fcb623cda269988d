"""What the running service tells about itself: metrics, traces, and one log line per request."""
