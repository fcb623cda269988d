"""The whole analysis of an article against the stack that a user would write without Tamga."""
