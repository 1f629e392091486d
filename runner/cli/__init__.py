"""The door for people: commands that parse, call one operation, print, and exit."""
