"""Who may speak to the broker: users with salted credentials, and SASL PLAIN and SCRAM."""
