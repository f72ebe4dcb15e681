"""What people report (Laporkan): to the office and to nobody else, without a name if they wish."""
