"""What was written for people: tables that were printed, what notebooks show, and logs that were packed away."""
