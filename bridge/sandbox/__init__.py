"""The sandbox: a small shop, an Ometria and a mailbox to try bridge on. It shares no code with what it checks."""
