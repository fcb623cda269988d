"""The `tamga` commands, one module each. Heavy imports happen inside the commands, so that `tamga --help` is
quick.
"""
