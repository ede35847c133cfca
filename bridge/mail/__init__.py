"""Transactional mail: the relay that takes the shop's mails, what each of them is, and which way it goes."""
