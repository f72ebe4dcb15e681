"""What the office writes for everybody: pages, the front page, and who runs the shop."""
