"""Labels: what a newsroom says about how an article was made, why it may say so, and who signed it.

Pure rules (`model`, `precedence`, `obligations`), keys and signatures (`keys`, `signing`, `history`), and the
use cases over the store (`issuing`, `verification`, `batch`); `encodings` writes a label in the forms others
read.
"""
