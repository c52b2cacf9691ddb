"""How fast Rapport is, each figure beside a floor measured in the same run; nothing may import this."""
