"""What is wrong right now, from when to when, and who is told of it by e-mail and webhook.

Each minute the job ``alerts`` gathers facts (``facts``), judges them (``rules``), keeps what it found (``standing``)
and tells the channels (``telling``, ``channels``).
"""
