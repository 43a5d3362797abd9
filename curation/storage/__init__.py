"""Files by their content: a store that all hosts see, and each host's bounded cache of it. Knows no Django and no rows."""
