"""The user's side: find and question their Django project, read their plan."""
