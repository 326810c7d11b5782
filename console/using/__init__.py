"""The servers in use: where they answer, a conversation, a tunnel."""
