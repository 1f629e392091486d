"""Every table, by capability; `store.schema` has them all under one roof."""
