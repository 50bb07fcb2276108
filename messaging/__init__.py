"""The handover hub: cases, episodes, the lead, and the messages that move it."""
