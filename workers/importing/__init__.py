"""Moving in: a foreign record becomes the past of engagements and job orders, which then go live."""
