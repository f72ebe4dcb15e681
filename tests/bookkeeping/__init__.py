"""The books driven at random through the real rules, beside a notebook that says what they must say."""
