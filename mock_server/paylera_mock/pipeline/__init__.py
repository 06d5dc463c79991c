"""The decision about one request: context, rules, decisions, responses, and the engine that applies them."""
