"""``minequeue check``: a whole chain from where it lies, through the independent auditor."""
