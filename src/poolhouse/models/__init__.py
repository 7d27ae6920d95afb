"""Models of behaviour: what borrowers do. They make the same rows a user's file would bring."""
