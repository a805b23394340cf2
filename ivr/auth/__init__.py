"""Is a request really the platform's?"""
