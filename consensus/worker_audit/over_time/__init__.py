"""What changes over time: accuracy, speed, streaks, sessions."""
