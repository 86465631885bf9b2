"""What a session of the browser has uploaded, as long as it lasts."""
