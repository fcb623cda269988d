"""Between HTTP and the models: who may start work, and where it runs."""
