"""The uses a file may be for, one module a family: each looks at the columns and gives a guess with its reasons, or None."""
