"""`python -m storefront.run`: the whole shop on one machine under one parent process."""
