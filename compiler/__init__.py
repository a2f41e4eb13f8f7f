"""Tree to checked model: schema, names, model, graph and rules."""
