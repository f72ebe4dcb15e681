"""Split rules as finance works with them: proposed, previewed, approved by another person, followed, ended."""
