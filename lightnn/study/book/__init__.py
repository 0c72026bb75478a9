"""The chapters: opened, executed, compared, and what they show things with."""
