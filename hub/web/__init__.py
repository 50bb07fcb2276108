"""What every page and API reply shares: guards, problems, forms, the base of the pages."""
