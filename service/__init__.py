"""Where people and programs meet Tamga: HTTP, dashboard, command line, reviews, labels and the store."""
