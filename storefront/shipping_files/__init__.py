"""What shipping costs, from and to spreadsheets: rates between zones, and the zone of each province."""
