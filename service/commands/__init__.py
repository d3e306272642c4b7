"""The commands of `vigie`, each with its options: a start imports what its own command needs, no other's."""
